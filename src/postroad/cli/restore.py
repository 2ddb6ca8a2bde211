"""`postroad account restore` and `purge`: what was deleted and is kept for a while."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import click

from postroad.cli.database import ask, open_store
from postroad.cli.here import Here, common, operator, pass_here
from postroad.cli.output import Column, Problem, print_json, print_table
from postroad.cli.progress import progress_bar
from postroad.cli.times import Moment, moment
from postroad.config.values import about_size
from postroad.db.offline import OfflineDatabase
from postroad.db.transaction import Reader
from postroad.directory import accounts, aliases, changes, kept_accounts, snapshot
from postroad.directory.accounts import AccountInfo
from postroad.directory.errors import AlreadyThere, DirectoryError
from postroad.directory.kept_accounts import KeptAccount
from postroad.store import kept
from postroad.store.errors import BadMailboxName, LimitReached, OverQuota
from postroad.store.kept import Kept, KeptMailbox, Which
from postroad.store.sweep import sweep_blobs_now

_PACKS: Final = "packs"
_TIME: Final = Moment()


@dataclass(frozen=True, slots=True)
class _Found:
    """What is kept of an address: of its account, and accounts that were removed."""

    account: AccountInfo | None
    messages: Sequence[Kept]
    mailboxes: Sequence[KeptMailbox]
    removed: Sequence[KeptAccount]

    @property
    def octets(self) -> int:
        return sum(message.size for message in self.messages)


@click.command()
@common
@click.argument("address")
@click.option("--list", "list_only", is_flag=True, help="Show what can be restored, and restore nothing.")
@click.option("--all", "everything", is_flag=True, help="Everything that was deleted from the account.")
@click.option("--mailbox", metavar="NAME", help="From this mailbox and those below it.")
@click.option("--since", type=_TIME, metavar="TIME", help='Deleted since: "2 days", "2026-03-01 09:14".')
@click.option("--until", type=_TIME, metavar="TIME", help="Deleted until.")
@click.option("--message-id", "msgid", metavar="ID", help="The message with this Message-ID.")
@click.option("--subject", metavar="TEXT", help="Messages with this in their subject.")
@click.option("--to", metavar="MAILBOX", help="Into this mailbox, not to where they were.")
@click.option("--over-quota", is_flag=True, help="Even if the account then holds more than it may.")
@click.option("--as", "new_address", metavar="ADDRESS", help="Bring a removed account back at this address.")
@click.option("--number", type=int, metavar="N", help="Which removed account, if several had that address.")
@pass_here
def restore(
    here: Here,
    address: str,
    list_only: bool,
    everything: bool,
    mailbox: str | None,
    since: float | None,
    until: float | None,
    msgid: str | None,
    subject: str | None,
    to: str | None,
    over_quota: bool,
    new_address: str | None,
    number: int | None,
) -> None:
    """Bring back what was deleted: messages, mailboxes, a whole account.

    Messages go back to where they were, with their flags and dates, and are
    new to programs that show the mailbox. What is in no mailbox any more is
    kept for a time that the settings say ([retention]). The server may run.

    \b
    postroad account restore ada@example.org --list
    postroad account restore ada@example.org --mailbox Projects
    postroad account restore ada@example.org --since "2 hours"
    """
    which = Which(mailbox, since or 0, until or 2**62, msgid, subject)
    chosen = everything or which != Which()
    found = ask(here, lambda reader: _look(reader, address, which))
    if list_only:
        _list(here, address, found)
    elif found.account is None or new_address is not None or number is not None:
        if chosen or to is not None:
            raise click.UsageError("a removed account is restored whole; choose from its mail afterwards")
        _restore_account(here, found.removed, address, new_address, number)
    elif not chosen:
        raise click.UsageError("say what: --mailbox, --since, --until, --message-id, --subject, or --all")
    else:
        _restore_messages(here, found, to=to, over_quota=over_quota)


@click.command()
@common
@click.argument("address")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_here
def purge(here: Here, address: str, yes: bool) -> None:
    """Erase for good, and now, what was deleted at an address and could be restored.

    Mail that is in mailboxes stays. Backups have what they have, and the
    trail tells for 30 days from whom to whom a message went.
    """
    found = ask(here, lambda reader: _look(reader, address, Which()))
    if not (found.messages or found.mailboxes or found.removed):
        if here.json:
            print_json({"messages": 0, "mailboxes": 0, "accounts": 0})
        here.say(f"Nothing that was deleted at {address} is kept.")
        return
    what = _summary(found)
    if not yes:
        if not sys.stdin.isatty():
            raise Problem(f"this erases {what} for good", "--yes says that you mean it")
        click.confirm(f"Erase {what} of {address} for good?", abort=True)
    with open_store(here) as database, progress_bar(here, "Erasing messages") as progress:
        _purge(database, found, address, progress)
        database.read(lambda reader: snapshot.save(reader, here.settings().data))
        sweep_blobs_now(database, here.settings().data / _PACKS, time.time())
    if here.json:
        print_json(
            {
                "messages": len(found.messages),
                "mailboxes": len(found.mailboxes),
                "accounts": len(found.removed),
            }
        )
    here.say(f"Erased {what} of {address}.")
    here.say(
        "What was deleted in the last hour is overwritten on the disk by the server within the next two."
    )


def list_removed(here: Here, domain: str | None) -> None:
    """Print the accounts that were removed and can be restored."""
    found = ask(here, lambda reader: kept_accounts.kept_accounts(reader, domain))
    if here.json:
        print_json([_account_facts(one) for one in found])
    elif found:
        _removed_table(found)
        here.next(f"postroad account restore {found[0].address.unicode}")
    else:
        here.say("No removed account can be restored.")


def _look(reader: Reader, address: str, which: Which) -> _Found:
    account = accounts.by_key(reader, accounts.parsed(address).key)
    removed = kept_accounts.kept_at(reader, address)
    if account is None:
        return _Found(None, (), (), removed)
    try:
        messages = kept.find(reader, account.id, which)
        mailboxes = kept.find_mailboxes(reader, account.id, which)
    except BadMailboxName as error:
        raise Problem(f'"{which.mailbox}" cannot be a mailbox: {error}') from None
    return _Found(account, messages, mailboxes, removed)


def _list(here: Here, address: str, found: _Found) -> None:
    if here.json:
        print_json(
            {
                "messages": [_message_facts(one) for one in found.messages],
                "mailboxes": [{"name": one.name, "deleted": one.at} for one in found.mailboxes],
                "accounts": [_account_facts(one) for one in found.removed],
            }
        )
        return
    if found.messages:
        print_table(
            [
                Column("DELETED"),
                Column("MAILBOX", cut=True),
                Column("FROM", cut=True),
                Column("SUBJECT", cut=True),
            ],
            [(moment(one.at), one.mailbox, one.sender, one.subject) for one in found.messages],
        )
    for mailbox in found.mailboxes:
        here.say(f"The mailbox {mailbox.name} was deleted {moment(mailbox.at)}.")
    if found.removed:
        here.say("Accounts that had this address and were removed:")
        _removed_table(found.removed)
    if found.messages:
        here.next(f'postroad account restore {address} --mailbox "{found.messages[0].mailbox}"')
    elif found.removed and found.account is None:
        here.next(f"postroad account restore {address}")
    elif not (found.mailboxes or found.removed):
        here.say("Nothing that was deleted can be restored.")


def _restore_messages(here: Here, found: _Found, *, to: str | None, over_quota: bool) -> None:
    account = found.account
    assert account is not None, "the caller has looked"
    if not (found.messages or found.mailboxes):
        raise Problem(
            "nothing like that can be restored",
            f"see postroad account restore {account.address.unicode} --list",
        )
    counts: dict[str, int] = {}
    who, address = operator(), account.address
    with open_store(here) as database, progress_bar(here, "Restoring messages") as progress:
        if not over_quota:
            database.read(lambda reader: _check_room(reader, found, address.unicode))
        try:
            if to is None:
                for mailbox in found.mailboxes:
                    _write_mailbox(database, account.id, mailbox)
            for part in kept.steps(found.messages):
                done = _write_part(database, account.id, part, to, over_quota)
                for name, count in done.items():
                    counts[name] = counts.get(name, 0) + count
                progress(sum(counts.values()), len(found.messages))
        except (BadMailboxName, LimitReached, OverQuota) as error:
            raise Problem(f"after {sum(counts.values())} messages: {error}") from None
        new: changes.Facts = {"restored messages": sum(counts.values()), "to": sorted(counts)}
        database.write(lambda tx: changes.record(tx, who=who, noun="account", name=str(address), new=new))
        database.read(lambda reader: snapshot.save(reader, here.settings().data))
    if here.json:
        print_json(
            {"address": str(address), "messages": counts, "mailboxes": [m.name for m in found.mailboxes]}
        )
    for name, count in counts.items():
        here.say(f"Restored {count} message{'s' if count > 1 else ''} to {name}.")
    if to is None:
        for mailbox in found.mailboxes:
            if mailbox.name not in counts:
                here.say(f"The mailbox {mailbox.name} is there again; it was empty.")


def _write_mailbox(database: OfflineDatabase, account_id: int, mailbox: KeptMailbox) -> None:
    database.write(lambda tx: kept.restore_mailbox(tx, account_id, mailbox.id))


def _write_part(
    database: OfflineDatabase, account_id: int, part: Sequence[Kept], to: str | None, over_quota: bool
) -> dict[str, int]:
    return database.write(lambda tx: kept.restore(tx, account_id, part, to=to, over_quota=over_quota))


def _check_room(reader: Reader, found: _Found, address: str) -> None:
    entry = accounts.entry(reader, address)
    octets, messages = entry.bytes_used + found.octets, entry.messages_used + len(found.messages)
    info = entry.info
    for after, bound, form in (
        (octets, info.quota_bytes, about_size),
        (messages, info.quota_messages, "{:.0f} messages".format),
    ):
        if bound is not None and after > bound:
            raise Problem(
                f"with {len(found.messages)} restored messages {address} would hold {form(after)}"
                f" and may hold {form(bound)}",
                "--over-quota restores them all the same, or restore fewer",
            )


def _restore_account(
    here: Here, removed: Sequence[KeptAccount], address: str, new_address: str | None, number: int | None
) -> None:
    if number is not None:
        removed = [one for one in removed if one.id == number]
    if not removed:
        raise Problem(
            f"no removed account of {address} can be restored", "see postroad account list --removed"
        )
    gone = removed[0]
    who = operator()
    with open_store(here) as database:
        try:
            back = database.write(
                lambda tx: kept_accounts.restore_account(tx, gone, who=who, address=new_address)
            )
        except AlreadyThere as error:
            raise Problem(
                str(error), "--as ADDRESS brings the removed account back at another address"
            ) from None
        left = {}
        for source in gone.aliases:
            try:
                _restore_alias(database, source, str(back.address), who)
            except DirectoryError as error:
                left[source] = str(error)
        database.read(lambda reader: snapshot.save(reader, here.settings().data))
    again = [source for source in gone.aliases if source not in left]
    if here.json:
        print_json({"address": str(back.address), "id": back.id, "aliases": again, "aliases_left": left})
    here.say(f"Restored {back.address.unicode} with {gone.messages} messages; its password is what it was.")
    if again:
        here.say(f"Mail to {', '.join(again)} goes to it again.")
    for source, why in left.items():
        here.say(f"The alias {source} is not restored: {why}.")
    here.next(f"postroad account show {back.address.unicode}")


def _restore_alias(database: OfflineDatabase, source: str, target: str, who: str) -> None:
    database.write(lambda tx: aliases.add_alias(tx, source, [target], who=who))


def _purge(database: OfflineDatabase, found: _Found, address: str, progress: Any) -> None:
    database.read(kept.overwrite)
    who, done = operator(), 0
    total = len(found.messages) + sum(one.messages for one in found.removed)
    for part in kept.steps(found.messages):
        _erase_part(database, part)
        done += len(part)
        progress(done, total)
    account = found.account
    if account is not None:
        pairs = [(account.id, mailbox.id) for mailbox in found.mailboxes]
        old: changes.Facts = {"deleted messages": len(found.messages), "deleted mailboxes": len(pairs)}
        database.write(lambda tx: kept.erase_mailboxes(tx, pairs))
        database.write(
            lambda tx: changes.record(tx, who=who, noun="account", name=str(account.address), old=old, new={})
        )
    for one in found.removed:
        while not _erase_account(database, one.id, who):
            done = min(total, done + kept_accounts.STEP)
            progress(done, total)


def _erase_part(database: OfflineDatabase, part: Sequence[Kept]) -> None:
    database.write(lambda tx: kept.erase(tx, part, at_once=True))


def _erase_account(database: OfflineDatabase, kept_id: int, who: str) -> bool:
    return database.write(lambda tx: kept_accounts.erase_account(tx, kept_id, who=who, at_once=True))


def _summary(found: _Found) -> str:
    parts = [
        f"{count} {noun}{'s' if count > 1 else ''}{more}"
        for count, noun, more in (
            (len(found.messages), "deleted message", f" ({about_size(found.octets)})"),
            (len(found.mailboxes), "deleted mailbox name", ""),
            (len(found.removed), "removed account", f" ({sum(o.messages for o in found.removed)} messages)"),
        )
        if count
    ]
    return " and ".join(parts)


def _removed_table(found: Sequence[KeptAccount]) -> None:
    print_table(
        [
            Column("NUMBER", "right"),
            Column("ADDRESS", cut=True),
            Column("REMOVED"),
            Column("BY"),
            Column("MESSAGES", "right"),
            Column("SIZE", "right"),
        ],
        [
            (one.id, one.address.unicode, moment(one.at), one.who, one.messages, about_size(one.octets))
            for one in found
        ],
    )


def _message_facts(one: Kept) -> dict[str, Any]:
    return {
        "deleted": one.at,
        "mailbox": one.mailbox,
        "uid": one.uid,
        "from": one.sender,
        "subject": one.subject,
        "message_id": one.msgid,
        "size": one.size,
        "internal_date": one.internal_date,
    }


def _account_facts(one: KeptAccount) -> dict[str, Any]:
    return {
        "number": one.id,
        "address": str(one.address),
        "name": one.name,
        "removed": one.at,
        "who": one.who,
        "messages": one.messages,
        "octets": one.octets,
        "aliases": list(one.aliases),
    }
