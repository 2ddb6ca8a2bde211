"""`postroad account app-password`: a password for each device."""

import time
from typing import Any

import click

from postroad.cli.bounds import DURATION
from postroad.cli.database import ask, change_directory
from postroad.cli.here import Here, common, operator, pass_here
from postroad.cli.output import Column, print_json, print_table
from postroad.cli.password import scram_keys
from postroad.cli.times import date
from postroad.db.transaction import Reader, Transaction
from postroad.directory import accounts, app_passwords
from postroad.directory.accounts import AccountInfo
from postroad.directory.app_passwords import PROTOCOLS, AppPassword


@click.group("app-password", short_help="App passwords: one for each device.")
def app_password() -> None:
    """App passwords: one for each device, for some protocols, with an end.

    They are made here and shown once. A device that is lost costs one of
    them and not the password.
    """


@app_password.command()
@common
@click.argument("address")
@click.argument("label")
@click.option(
    "--for",
    "protocols",
    multiple=True,
    type=click.Choice(PROTOCOLS),
    help="What it opens; say it again for more. Without it: everything.",
)
@click.option("--expires", type=DURATION, metavar="DURATION", help='When it ends, as in "90 days".')
@pass_here
def add(here: Here, address: str, label: str, protocols: tuple[str, ...], expires: float | None) -> None:
    """Make an app password; LABEL says what it is for, as in "phone"."""
    info = ask(here, lambda reader: accounts.account(reader, address))
    secret = app_passwords.draw()
    keys = scram_keys(here, str(info.address), secret, anew=False)
    end = None if expires is None else time.time() + expires
    most = here.settings().limits.app_passwords
    made = change_directory(
        here,
        lambda tx: app_passwords.add_app_password(
            tx,
            address,
            secret,
            who=operator(),
            label=label,
            protocols=protocols or PROTOCOLS,
            expires=end,
            most=most,
            keys=keys,
        ),
    )
    if here.json:
        print_json({**_facts(info, made), "secret": secret})
        return
    print(secret)
    here.say(f"This opens {info.address.unicode} for {', '.join(made.protocols)}. It is not shown again.")


@app_password.command("list")
@common
@click.argument("address")
@pass_here
def list_(here: Here, address: str) -> None:
    """List the app passwords of an account; the secrets are nowhere."""

    def question(reader: Reader) -> tuple[AccountInfo, list[AppPassword]]:
        info = accounts.account(reader, address)
        return info, app_passwords.app_passwords(reader, info.id)

    info, found = ask(here, question)
    if here.json:
        print_json([_facts(info, one) for one in found])
    elif found:
        print_table(
            [
                Column("LABEL", cut=True),
                Column("FOR", cut=True),
                Column("LAST USED"),
                Column("FROM"),
                Column("ENDS"),
                Column("SINCE"),
            ],
            [
                (
                    one.label,
                    " ".join(one.protocols),
                    "" if one.used is None else f"{date(one.used)} {one.used_for}",
                    one.used_from,
                    "" if one.expires is None else date(one.expires),
                    date(one.created),
                )
                for one in found
            ],
        )
    else:
        here.say("No app passwords.")
        here.next(f"postroad account app-password add {info.address.unicode} phone")


@app_password.command()
@common
@click.argument("address")
@click.argument("label")
@pass_here
def remove(here: Here, address: str, label: str) -> None:
    """Take an app password back; what it has open stays open until it ends."""
    info = ask(here, lambda reader: accounts.account(reader, address))
    gone = change_directory(
        here, lambda tx: app_passwords.remove_app_password(tx, address, label, who=operator())
    )
    if here.json:
        print_json(_facts(info, gone))
    here.say(f'The app password "{gone.label}" opens {info.address.unicode} no more.')


@app_password.command()
@common
@click.argument("address")
@click.option("--off", is_flag=True, help="Let the password itself in again.")
@pass_here
def only(here: Here, address: str, off: bool) -> None:
    """Let an account in by app passwords alone: its password opens nothing for mail programs."""

    def work(tx: Transaction) -> AccountInfo:
        return accounts.take_app_passwords_only(tx, address, not off, who=operator())

    info = change_directory(here, work)
    if here.json:
        print_json({"address": str(info.address), "app_passwords_only": info.app_passwords_only})
    here.say(
        f"{info.address.unicode} takes its password again."
        if off
        else f"{info.address.unicode} takes app passwords alone."
    )


def _facts(info: AccountInfo, one: AppPassword) -> dict[str, Any]:
    return {
        "address": str(info.address),
        "label": one.label,
        "protocols": list(one.protocols),
        "created": one.created,
        "expires": one.expires,
        "used": one.used,
        "used_from": one.used_from,
        "used_for": one.used_for,
    }
