"""`postroad mailbox`: which mailboxes are shared, and with whom."""

from typing import Any, Final

import click

from postroad.cli.database import ask, change_directory
from postroad.cli.here import Here, common, operator, pass_here
from postroad.cli.output import Column, Problem, print_json, print_table
from postroad.db.transaction import Transaction
from postroad.directory.sharing import Shared, given_to, of_account, share_mailbox
from postroad.model.rights import ORDER, WORDS, BadRights, Rights, parse_rights, shown, stored

_RIGHTS_HELP: Final = (
    "RIGHTS is read, write, manage, or letters as IMAP has them (RFC 4314): l see it listed, r read, "
    "s keep what one has seen, w flags, i put messages in, p send mail to it, k make mailboxes below it, "
    "x delete it, t mark messages as deleted, e expunge, n note about messages "
    "what all see, a share it further. WHO is the address of an "
    "account, or anyone; with a dash in front (say -- before it) the rights are taken from what others "
    "give. The owner has them all."
)


class _Rights(click.ParamType[Rights]):
    """A word, or letters."""

    name = "rights"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Rights:
        try:
            return parse_rights(WORDS.get(value, value))
        except BadRights as error:
            self.fail(f"{error}; say {', '.join(WORDS)} or letters of {ORDER}", param, ctx)


@click.group(short_help="Mailboxes that others may use.")
def mailbox() -> None:
    """Mailboxes that others may use.

    Users find them under "Other Users/" and, those of accounts that were added with
    --shared, under "Shared/". What is changed here holds at once, in sessions
    that are open too.
    """


@mailbox.command(epilog=_RIGHTS_HELP)
@common
@click.argument("owner")
@click.argument("mailbox")
@click.argument("who")
@click.argument("rights", type=_Rights())
@click.option("--below", is_flag=True, help="Also every mailbox below it.")
@pass_here
def share(here: Here, owner: str, mailbox: str, who: str, rights: Rights, below: bool) -> None:
    """Let WHO use MAILBOX of OWNER, with these RIGHTS instead of any before."""
    if who.lower() == "anyone" and here.settings().imap.share_with_anyone == "nobody":
        raise Problem('nothing is shared with anyone here: [imap] share_with_anyone is "nobody"')
    done = change_directory(
        here,
        lambda tx: share_mailbox(tx, owner, mailbox, who, rights, below=below, operator=operator()),
    )
    if here.json:
        print_json([_facts(one) for one in done])
    for one in done:
        here.say(f"{one.who} may use {one.mailbox} of {one.owner}: {_words(one.rights)}.")
    here.next(f"postroad mailbox list {done[0].owner}")


@mailbox.command()
@common
@click.argument("owner")
@click.argument("mailbox")
@click.argument("who")
@click.option("--below", is_flag=True, help="Also every mailbox below it.")
@pass_here
def unshare(here: Here, owner: str, mailbox: str, who: str, below: bool) -> None:
    """Take WHO off the list of MAILBOX of OWNER."""

    def work(tx: Transaction) -> list[Shared]:
        return share_mailbox(tx, owner, mailbox, who, None, below=below, operator=operator())

    done = change_directory(here, work)
    if not done:
        raise Problem(f"{mailbox} of {owner} is not shared with {who}", f"see postroad mailbox list {owner}")
    if here.json:
        print_json([_facts(one) for one in done])
    for one in done:
        here.say(f"{one.mailbox} of {one.owner} is no longer shared with {one.who}.")


@mailbox.command("list")
@common
@click.argument("owner")
@pass_here
def list_(here: Here, owner: str) -> None:
    """List what of OWNER is shared, and with whom."""
    found = ask(here, lambda reader: of_account(reader, owner))
    _print(here, found, f"Nothing of {owner} is shared.", f"postroad mailbox share {owner} INBOX WHO read")


@mailbox.command()
@common
@click.argument("who", default="")
@pass_here
def shares(here: Here, who: str) -> None:
    """List what others share with WHO, or all that is shared on this server."""
    found = ask(here, lambda reader: given_to(reader, who))
    _print(here, found, "Nothing is shared." if not who else f"Nothing is shared with {who}.", "")


def _print(here: Here, found: list[Shared], nothing: str, command: str) -> None:
    if here.json:
        print_json([_facts(one) for one in found])
    elif found:
        print_table(
            [Column("OWNER", cut=True), Column("MAILBOX", cut=True), Column("WHO", cut=True), Column("MAY")],
            [(one.owner, one.mailbox, one.who, _words(one.rights)) for one in found],
        )
    else:
        here.say(nothing)
        if command:
            here.next(command)


def _words(rights: Rights) -> str:
    letters = stored(rights)
    word = next((word for word, meant in WORDS.items() if parse_rights(meant) == rights), "")
    return f"{word} ({letters})" if word else letters


def _facts(one: Shared) -> dict[str, Any]:
    return {
        "owner": one.owner,
        "mailbox": one.mailbox,
        "who": one.who,
        "rights": stored(one.rights),
        "imap": shown(one.rights),
        "shown_as": one.shown_as,
    }
