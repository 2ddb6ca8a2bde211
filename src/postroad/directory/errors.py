"""What the directory says no to. The sentence of each error may be shown to anyone."""


class DirectoryError(Exception):
    """What was asked for cannot be; nothing was changed."""


class BadName(DirectoryError):
    """The name cannot be one: not a domain, not an address, control characters."""


class NoSuchDomain(DirectoryError):
    """The domain is not one of this server's."""


class NoSuchAccount(DirectoryError):
    """There is no account at that address."""


class NoSuchAlias(DirectoryError):
    """There is no alias of that name, or it has no such target."""


class NoSuchAppPassword(DirectoryError):
    """The account has no app password of that label."""


class NoSuchKey(DirectoryError):
    """The domain has no DKIM key with that selector."""


class NoSuchRoute(DirectoryError):
    """There is no route for that domain, or none after so many attempts."""


class AlreadyThere(DirectoryError):
    """The name is taken."""


class InUse(DirectoryError):
    """Others depend on it; removing it has to be asked for in so many words."""


class Loop(DirectoryError):
    """The alias would lead back to itself."""


class TooMany(DirectoryError):
    """The alias would lead through too many others, or to too many targets."""


class BadPassword(DirectoryError):
    """The password is too short or has characters that no keyboard makes."""


class AuthenticationFailed(Exception):
    """Wrong password, no such user, suspended: the same for all, in words and in time."""


class AuthorizationFailed(AuthenticationFailed):
    """Somebody wants to act as somebody else, which is granted to nobody; no password was looked at."""


class BadExchange(Exception):
    """What the client sent is not what the mechanism wants; the message may be shown to anyone."""
