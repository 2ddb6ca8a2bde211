"""Recipients of an envelope as what they come down to: accounts here, addresses elsewhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from postroad.directory.directory import Directory
from postroad.directory.resolve import AccountTarget, Local, NotOurs, RemoteTarget, Suspended, Unknown
from postroad.message.dsn import Action
from postroad.model.address import Address
from postroad.model.envelope import Recipient
from postroad.model.refusal import Refused
from postroad.smtp.wire.params import encode_xtext


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A recipient whose sender is to be told now that the message has arrived (RFC 3461 §4.1)."""

    recipient: Recipient
    action: Action


@dataclass(slots=True)
class Expansion:
    """Whom a message goes to; each account and each remote address once."""

    accounts: dict[int, AccountTarget] = field(default_factory=dict)
    remote: dict[str, Recipient] = field(default_factory=dict)
    forwarded: dict[str, list[str]] = field(default_factory=dict)
    """Alias, and the addresses elsewhere that it stands for."""
    via: dict[str, Address] = field(default_factory=dict)
    """The alias that led to a remote address that nobody named."""
    confirmed: list[Confirmed] = field(default_factory=list)

    @property
    def copies(self) -> int:
        """Users of the octets: a mailbox for each account, an item of the queue for each way out."""
        return len(self.accounts) + (len(self.outgoing()) if self.remote else 0)

    def forgo_success(self) -> None:
        """Let nobody be told that the message has arrived elsewhere, nor here."""
        self.confirmed.clear()
        for key, recipient in self.remote.items():
            self.remote[key] = replace(recipient, notify=_without_success(recipient.notify))

    def forgo_notices(self) -> None:
        """Let nobody be told what becomes of it elsewhere, by this server or by others (RFC 3461 §4.1)."""
        for key, recipient in self.remote.items():
            self.remote[key] = replace(recipient, notify=frozenset({"NEVER"}))

    def outgoing(self) -> list[tuple[Address | None, list[Recipient]]]:
        """Remote recipients by the alias that led to them, None for those who were named."""
        groups: dict[Address | None, list[Recipient]] = {}
        for key, recipient in self.remote.items():
            groups.setdefault(self.via.get(key), []).append(recipient)
        return list(groups.items())


def refuse_unresolved(found: Unknown | NotOurs | Suspended, address: Address) -> Refused:
    """What a recipient that cannot be is refused with."""
    match found:
        case Suspended():
            return Refused(550, "5.2.1", "mailbox is disabled", f"{address} is suspended")  # RFC 3463 §3.3
        case NotOurs():
            return Refused(
                550, "5.7.1", "relaying denied", f"{address.domain} is not ours"
            )  # RFC 5321 §3.6.2
        case Unknown():
            return Refused(550, "5.1.1", "no such user here", f"{address} is unknown")


def expand(
    directory: Directory,
    recipients: Sequence[Recipient],
    *,
    relay: bool,
    original: Callable[[Address], Address | None] = lambda _: None,
) -> Expansion:
    """Resolve every recipient; `relay` lets addresses of other domains pass.

    `original` says whom a recipient stands for that is the rewritten sender
    of something that we have sent on.

    Raises:
        Refused: one of them cannot be resolved (any more).
    """
    result = Expansion()
    for recipient in recipients:
        found = directory.resolve(recipient.address)
        if isinstance(found, Unknown) and (returning := original(recipient.address)) is not None:
            recipient = Recipient(returning, recipient.notify, recipient.original)
            found = directory.resolve(returning)
            if isinstance(found, NotOurs):
                result.remote.setdefault(returning.key, recipient)
                continue
        if isinstance(found, NotOurs) and relay:
            result.remote.setdefault(recipient.address.key, recipient)
            continue
        if not isinstance(found, Local):
            raise refuse_unresolved(found, recipient.address)
        remote: list[RemoteTarget] = []
        for target in found.targets:
            if isinstance(target, AccountTarget):
                result.accounts.setdefault(target.account_id, target)
            else:
                remote.append(target)
        # RFC 3461 §5.2.7.2: who has the mail sent on to one address elsewhere leaves all to the server there;
        # §5.2.7.3 (c): of several, success is confirmed here and by nobody else.
        alone = len(found.targets) == 1
        notify = recipient.notify if alone else _without_success(recipient.notify)
        for target in remote:
            _forward(result, recipient, target, notify)
        if "SUCCESS" in recipient.notify and not (remote and alone):
            action = Action.EXPANDED if remote else Action.DELIVERED
            result.confirmed.append(Confirmed(recipient, action))
    return result


def _without_success(notify: frozenset[str]) -> frozenset[str]:
    """Who wished to hear of success alone has not asked for failures."""
    return (notify - {"SUCCESS"} or frozenset({"NEVER"})) if notify else notify


def _forward(result: Expansion, recipient: Recipient, target: RemoteTarget, notify: frozenset[str]) -> None:
    # An alias passes the sender's wishes on, with the address as first given.
    original = recipient.original or f"rfc822;{encode_xtext(str(recipient.address).encode()).decode()}"
    forwarded = Recipient(target.address, notify, original)
    if target.address.key not in result.remote:
        result.remote[target.address.key] = forwarded
        result.via[target.address.key] = recipient.address
    result.forwarded.setdefault(str(recipient.address), []).append(str(target.address))
