"""Sharing mailboxes by address and name, as an operator says it; kept with who, when and the old value."""

from dataclasses import dataclass

from postroad.db.transaction import Reader, Transaction
from postroad.directory import accounts, changes
from postroad.directory.errors import NoSuchAccount
from postroad.model.address import parse_mailbox
from postroad.model.rights import Rights, stored
from postroad.store import mailboxes, sharing
from postroad.store.errors import Conflict, NoSuchMailbox
from postroad.store.namespaces import prefix_of
from postroad.store.sharing import Grant


@dataclass(frozen=True, slots=True)
class Shared:
    """What somebody may do in one mailbox of another."""

    owner: str
    mailbox: str
    who: str
    """An address or `anyone`, with a dash where the rights are taken away."""
    rights: Rights
    shown_as: str
    """How others name the mailbox."""


def share_mailbox(
    tx: Transaction,
    owner: str,
    mailbox: str,
    who: str,
    rights: Rights | None,
    *,
    below: bool,
    operator: str,
) -> list[Shared]:
    """Give somebody rights to a mailbox, or with None none any more; give what that has changed.

    Raises:
        NoSuchAccount, BadName, NoSuchMailbox
        Conflict: the owner has every right already.
    """
    account = accounts.account(tx, owner)
    found = mailboxes.by_name(tx, account.id, mailbox)
    if found is None:
        raise NoSuchMailbox(f"{account.address.unicode} has no mailbox {mailbox}")
    name = who.removeprefix("-")
    user_id = sharing.user_of(tx, name)
    if user_id is None:
        raise NoSuchAccount(f"there is no account {name}")
    if user_id == account.id:
        raise Conflict(f"{account.address.unicode} is the owner, and has every right")
    negative = who.startswith("-")
    inside = [
        one
        for one in mailboxes.all_mailboxes(tx, account.id)
        if one.id == found.id or (below and one.name.startswith(found.name + "/"))
    ]
    before = {one.mailbox_id: one for one in _of(tx, account.id, user_id, negative=negative)}
    done: list[Shared] = []
    for one in inside:
        had = before.get(one.id)
        if rights is None and had is None:
            continue
        sharing.change(tx, account.id, one.id, user_id, negative=negative, rights=rights)
        shown = Grant(
            one.id,
            user_id,
            "" if user_id == sharing.ANYONE else str(parse_mailbox(name)),
            negative,
            rights or frozenset(),
        )
        done.append(_shared(shown, account, one.name))
        changes.record(
            tx,
            who=operator,
            noun="share",
            name=f"{account.address}/{one.name} {shown.identifier}",
            old=None if had is None else {"rights": stored(had.rights)},
            new=None if rights is None else {"rights": stored(rights)},
        )
    return done


def of_account(reader: Reader, owner: str) -> list[Shared]:
    """What of an account is shared, by mailbox.

    Raises:
        NoSuchAccount, BadName
    """
    return _all(reader, accounts.account(reader, owner))


def given_to(reader: Reader, who: str = "") -> list[Shared]:
    """What is shared with somebody by name, or with anybody, by owner and mailbox.

    Raises:
        NoSuchAccount
    """
    user_id = sharing.user_of(reader, who) if who else None
    if who and user_id is None:
        raise NoSuchAccount(f"there is no account {who}")
    rows = reader.rows("SELECT DISTINCT account_id FROM share ORDER BY account_id")
    owners = [accounts.by_id(reader, account_id) for (account_id,) in rows]
    return [one for owner in owners if owner is not None for one in _all(reader, owner, user_id)]


def _all(reader: Reader, owner: accounts.AccountInfo, user_id: int | None = None) -> list[Shared]:
    names = {mailbox.id: mailbox.name for mailbox in mailboxes.all_mailboxes(reader, owner.id)}
    found = [
        _shared(grant, owner, names[grant.mailbox_id])
        for grant in sharing.grants(reader, owner.id)
        if grant.mailbox_id in names and user_id in (None, grant.user_id)
    ]
    return sorted(found, key=lambda one: (one.mailbox != "INBOX", one.mailbox))


def _of(reader: Reader, account_id: int, user_id: int, *, negative: bool) -> list[Grant]:
    return [
        grant
        for grant in sharing.grants(reader, account_id)
        if grant.user_id == user_id and grant.negative == negative
    ]


def _shared(grant: Grant, owner: accounts.AccountInfo, name: str) -> Shared:
    return Shared(
        str(owner.address),
        name,
        grant.identifier,
        grant.rights,
        prefix_of(str(owner.address), shared=owner.shared) + name,
    )
