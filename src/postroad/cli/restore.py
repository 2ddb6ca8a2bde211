"""`postroad account restore`: what was deleted comes back."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Final

import click

from postroad.cli.database import ask, open_store
from postroad.cli.deleted import Found, look, print_found
from postroad.cli.here import Here, common, operator, pass_here
from postroad.cli.output import Problem, print_json, safe
from postroad.cli.progress import progress_bar
from postroad.cli.times import Moment
from postroad.config.values import about_size
from postroad.db.offline import OfflineDatabase
from postroad.db.transaction import Reader
from postroad.directory import accounts, aliases, changes, kept_accounts, snapshot
from postroad.directory.errors import AlreadyThere, DirectoryError
from postroad.directory.kept_accounts import KeptAccount
from postroad.model.counted import counted
from postroad.store import kept
from postroad.store.errors import BadMailboxName, LimitReached, OverQuota
from postroad.store.kept import Kept, KeptMailbox, Which

_TIME: Final = Moment()


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
    found = ask(here, lambda reader: look(reader, address, which))
    if list_only:
        print_found(here, address, found)
    elif found.account is None or new_address is not None or number is not None:
        if chosen or to is not None:
            raise click.UsageError("a removed account is restored whole; choose from its mail afterwards")
        _restore_account(here, found.removed, address, new_address, number)
    elif not chosen:
        raise click.UsageError(_what(found))
    else:
        _restore_messages(here, found, to=to, over_quota=over_quota)


def _what(found: Found) -> str:
    """Ask for a choice: everything that was ever thrown away is seldom what somebody wants back."""
    ask_for = "say what: --list, --mailbox, --since, --until, --message-id, --subject, or --all"
    return f"{ask_for}; --as ADDRESS is for the removed account" if found.removed else ask_for


def _restore_messages(here: Here, found: Found, *, to: str | None, over_quota: bool) -> None:
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
        in_order = sorted(found.messages, key=attrgetter("mailbox_id", "uid"))
        try:
            if to is None:
                for mailbox in found.mailboxes:
                    _write_mailbox(database, account.id, mailbox)
            for part in kept.steps(in_order):
                done = _write_part(database, account.id, part, to, over_quota)
                for name, count in done.items():
                    counts[name] = counts.get(name, 0) + count
                progress(sum(counts.values()), len(found.messages))
        except (BadMailboxName, LimitReached, OverQuota) as error:
            raise Problem(f"after {counted(sum(counts.values()), 'message')}: {error}") from None
        finally:
            new: changes.Facts = {"restored messages": sum(counts.values()), "to": sorted(counts)}
            database.write(lambda tx: changes.record(tx, who=who, noun="account", name=str(address), new=new))
            database.read(lambda reader: snapshot.save(reader, here.settings().data))
    if here.json:
        print_json(
            {"address": str(address), "messages": counts, "mailboxes": [m.name for m in found.mailboxes]}
        )
    for name, count in counts.items():
        here.say(f"Restored {counted(count, 'message')} to {safe(name)}.")
    if to is None:
        for mailbox in found.mailboxes:
            if mailbox.name not in counts:
                here.say(f"The mailbox {safe(mailbox.name)} is there again; it was empty.")


def _write_mailbox(database: OfflineDatabase, account_id: int, mailbox: KeptMailbox) -> None:
    database.write(lambda tx: kept.restore_mailbox(tx, account_id, mailbox.id))


def _write_part(
    database: OfflineDatabase, account_id: int, part: Sequence[Kept], to: str | None, over_quota: bool
) -> dict[str, int]:
    return database.write(lambda tx: kept.restore(tx, account_id, part, to=to, over_quota=over_quota))


def _check_room(reader: Reader, found: Found, address: str) -> None:
    entry = accounts.entry(reader, address)
    octets, messages = entry.bytes_used + found.octets, entry.messages_used + len(found.messages)
    info = entry.info
    for after, bound, form in (
        (octets, info.quota_bytes, about_size),
        (messages, info.quota_messages, lambda count: counted(int(count), "message")),
    ):
        if bound is not None and after > bound:
            raise Problem(
                f"with {counted(len(found.messages), 'restored message')} {address} would hold {form(after)}"
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
            f"there is no account {address}, and none that was removed and can be restored",
            "see postroad account list --removed",
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
    here.say(
        f"Restored {back.address.unicode} with {counted(gone.messages, 'message')};"
        " its password is what it was."
    )
    if again:
        here.say(f"Mail to {', '.join(again)} goes to it again.")
    for source, why in left.items():
        here.say(f"The alias {source} is not restored: {why}.")
    here.next(f"postroad account show {back.address.unicode}")


def _restore_alias(database: OfflineDatabase, source: str, target: str, who: str) -> None:
    database.write(lambda tx: aliases.add_alias(tx, source, [target], who=who))
