"""`postroad account`: people with a mailbox and a password."""

from typing import Any

import click

from postroad.cli.app_password import app_password
from postroad.cli.bounds import COUNT, SIZE, held, of_bound, was_given
from postroad.cli.capability import capability
from postroad.cli.carry import export, import_
from postroad.cli.database import ask, change_directory
from postroad.cli.deleted import list_removed
from postroad.cli.here import Here, common, operator, pass_here
from postroad.cli.output import Column, Problem, print_facts, print_json, print_table
from postroad.cli.password import new_password
from postroad.cli.purge import purge
from postroad.cli.restore import restore
from postroad.cli.sending import sending
from postroad.cli.times import date
from postroad.config.values import about_size, format_duration
from postroad.db.transaction import Reader, Transaction
from postroad.directory import accounts, aliases, credentials
from postroad.directory.accounts import AccountEntry, AccountInfo
from postroad.directory.domains import normal
from postroad.directory.errors import AlreadyThere, InUse, NoSuchDomain
from postroad.directory.resolve import is_local_domain
from postroad.model.address import unicode_domain
from postroad.model.counted import counted
from postroad.store.kept import Holdings, holdings


@click.group(short_help="Accounts: people with a mailbox and a password.")
def account() -> None:
    """Accounts: people with a mailbox and a password.

    Passwords are asked for at a terminal, or read from standard input; they
    are never arguments. What is changed here holds at once.
    """


account.add_command(app_password)
account.add_command(capability)
account.add_command(export)
account.add_command(import_)
account.add_command(restore)
account.add_command(purge)
account.add_command(sending)


@account.command()
@common
@click.argument("address")
@click.option("--name", default="", help="The person's name.")
@click.option("--quota", type=SIZE, metavar="SIZE", help='Most that it may hold, as in "2 GiB".')
@click.option("--quota-messages", type=COUNT, metavar="N", help="Most messages that it may hold.")
@click.option("--shared", is_flag=True, help="Nobody's: others use it under Shared/, by mailbox share.")
@click.option("--no-password", is_flag=True, help="Set one later; until then nobody can log in.")
@pass_here
def add(
    here: Here,
    address: str,
    name: str,
    quota: int | None,
    quota_messages: int | None,
    shared: bool,
    no_password: bool,
) -> None:
    """Make an account with its mailboxes."""
    ask(here, lambda reader: _check_new(reader, address))
    password = None if no_password or shared else new_password(here, address)

    def work(tx: Transaction) -> AccountInfo:
        made = accounts.add_account(
            tx,
            address,
            who=operator(),
            name=name,
            quota_bytes=quota,
            quota_messages=quota_messages,
            shared=shared,
        )
        if password is not None:
            credentials.set_password(tx, address, password.hash, who=operator(), keys=password.keys)
        return made

    made = change_directory(here, work)
    if here.json:
        print_json(ask(here, lambda reader: _facts(accounts.entry(reader, address))))
    here.say(f"Added {made.address.unicode}.")
    if shared:
        here.next(f"postroad mailbox share {made.address.unicode} INBOX someone@example.org write")
    elif no_password:
        here.next(f"postroad account passwd {made.address.unicode}")
    else:
        here.next(f"postroad send --to {made.address.unicode} --subject Hello")


@account.command("list")
@common
@click.argument("domain", required=False)
@click.option("--removed", is_flag=True, help="Those that were removed and can be restored.")
@pass_here
def list_(here: Here, domain: str | None, removed: bool) -> None:
    """List all accounts, or those of DOMAIN."""
    if removed:
        list_removed(here, normal(domain) if domain else None)
        return
    found = ask(here, lambda reader: accounts.accounts(reader, normal(domain) if domain else None))
    if here.json:
        print_json([_facts(one) for one in found])
    elif found:
        print_table(
            [
                Column("ADDRESS", cut=True),
                Column("NAME", cut=True),
                Column("MESSAGES", "right"),
                Column("USED", "right"),
                Column("QUOTA", "right"),
                Column("STATE"),
            ],
            [
                (
                    one.info.address.unicode,
                    one.info.name,
                    one.messages_used,
                    about_size(one.bytes_used),
                    "" if one.info.quota_bytes is None else about_size(one.info.quota_bytes),
                    _state(one),
                )
                for one in found
            ],
        )
    else:
        here.say("No accounts yet.")
        here.next("postroad account add someone@example.org")


@account.command()
@common
@click.argument("address")
@pass_here
def show(here: Here, address: str) -> None:
    """Show one account."""

    def question(reader: Reader) -> tuple[AccountEntry, list[str], Holdings]:
        found = accounts.entry(reader, address)
        key = found.info.address
        pointing = [alias.source for alias in aliases.aliases(reader) if str(key) in alias.targets]
        return found, pointing, holdings(reader, found.info.id)

    found, pointing, kept = ask(here, question)
    if here.json:
        deleted = {"messages": kept.messages, "octets": kept.octets}
        print_json({**_facts(found), "aliases": pointing, "deleted": deleted})
        return
    info = found.info
    print_facts(
        [
            ("address", info.address.unicode),
            ("name", info.name),
            ("state", _state(found)),
            ("messages", of_bound(str(found.messages_used), info.quota_messages, str)),
            ("used", of_bound(about_size(found.bytes_used), info.quota_bytes, about_size)),
            (
                "deleted",
                f"{counted(kept.messages, 'message')}, {about_size(kept.octets)}" if kept.messages else "",
            ),
            ("aliases", ", ".join(pointing)),
            ("app passwords", found.app_passwords or ""),
            ("switched off", " ".join(info.switched_off)),
            ("since", date(found.created)),
        ]
    )


@account.command()
@common
@click.argument("address")
@click.option("--with-aliases", is_flag=True, help="Also take it off the aliases that point at it.")
@pass_here
def remove(here: Here, address: str, with_aliases: bool) -> None:
    """Remove an account and all its mail; for a while it can be restored."""
    retention = here.settings().retention
    try:
        gone = change_directory(
            here,
            lambda tx: accounts.remove_account(
                tx, address, who=operator(), with_aliases=with_aliases, keep=retention.keeps
            ),
        )
    except InUse as error:
        raise Problem(str(error), "--with-aliases takes it off them") from None
    if here.json:
        print_json({"address": str(gone.address), "id": gone.id})
    here.say(f"Removed {gone.address.unicode} and all its mail.")
    if retention.keeps:
        here.say(f"For {format_duration(retention.deleted)} it can be restored as it was.")
        here.next(f"postroad account restore {gone.address.unicode}")


@account.command()
@common
@click.argument("address")
@pass_here
def passwd(here: Here, address: str) -> None:
    """Set an account's password."""
    info = ask(here, lambda reader: accounts.account(reader, address))
    password = new_password(here, info.address.unicode)
    change_directory(
        here,
        lambda tx: credentials.set_password(tx, address, password.hash, who=operator(), keys=password.keys),
    )
    if here.json:
        print_json({"address": str(info.address)})
    here.say(f"{info.address.unicode} logs in with the new password from now on.")


@account.command()
@common
@click.argument("address")
@pass_here
def suspend(here: Here, address: str) -> None:
    """Put an account out of force: no log-in, mail refused, its mail kept."""
    _suspend(here, address, True)


@account.command()
@common
@click.argument("address")
@pass_here
def resume(here: Here, address: str) -> None:
    """Put a suspended account back into force."""
    _suspend(here, address, False)


@account.command()
@common
@click.argument("address")
@click.argument("size", type=SIZE, required=False)
@click.option("--messages", type=COUNT, metavar="N", help='Most messages; "none" for no bound.')
@pass_here
@click.pass_context
def quota(ctx: click.Context, here: Here, address: str, size: int | None, messages: int | None) -> None:
    """Show what an account uses, or bound it: SIZE as in "2 GiB", or none."""
    sets_size = was_given(ctx, "size")
    sets_messages = was_given(ctx, "messages")

    def work(tx: Transaction) -> AccountInfo:
        before = accounts.account(tx, address)
        return accounts.set_quota(
            tx,
            address,
            who=operator(),
            quota_bytes=size if sets_size else before.quota_bytes,
            quota_messages=messages if sets_messages else before.quota_messages,
        )

    if sets_size or sets_messages:
        change_directory(here, work)
    found = ask(here, lambda reader: accounts.entry(reader, address))
    if here.json:
        print_json(_facts(found))
        return
    print_facts(
        held(found.bytes_used, found.info.quota_bytes, found.messages_used, found.info.quota_messages)
    )


def _suspend(here: Here, address: str, on: bool) -> None:
    info = change_directory(here, lambda tx: accounts.suspend_account(tx, address, on, who=operator()))
    if here.json:
        print_json({"address": str(info.address), "suspended": info.suspended})
    here.say(
        f"{info.address.unicode} is suspended: it cannot log in, and mail to it is refused."
        if on
        else f"{info.address.unicode} is in force again."
    )


def _check_new(reader: Reader, address: str) -> None:
    """Find out before a password is asked for in vain."""
    wanted = accounts.parsed(address)
    domain = unicode_domain(wanted.domain)
    if not is_local_domain(reader, wanted.domain):
        raise NoSuchDomain(
            f"{domain} is not a domain of this server; add it first: postroad domain add {domain}"
        )
    if accounts.by_key(reader, wanted.key) is not None:
        raise AlreadyThere(f"there is an account {wanted.unicode} already")


def _state(one: AccountEntry) -> str:
    if one.info.suspended:
        return "suspended"
    if one.info.shared and not one.can_log_in:
        return "shared"
    if not one.can_log_in:
        return "no password"
    return "app passwords only" if one.info.app_passwords_only else "ok"


def _facts(one: AccountEntry) -> dict[str, Any]:
    return {
        "id": one.info.id,
        "address": str(one.info.address),
        "name": one.info.name,
        "suspended": one.info.suspended,
        "shared": one.info.shared,
        "can_log_in": one.can_log_in,
        "app_passwords": one.app_passwords,
        "app_passwords_only": one.info.app_passwords_only,
        "scram": one.scram,
        "switched_off": list(one.info.switched_off),
        "bytes_used": one.bytes_used,
        "quota_bytes": one.info.quota_bytes,
        "messages_used": one.messages_used,
        "quota_messages": one.info.quota_messages,
        "created": one.created,
    }
