"""`postroad account capability`: what the clients of one account are not offered."""

import click

from postroad.cli.database import ask, change_directory
from postroad.cli.here import Here, common, operator, pass_here
from postroad.cli.output import print_facts, print_json
from postroad.directory import accounts
from postroad.directory.accounts import AccountInfo
from postroad.model.switches import withheld


@click.command()
@common
@click.argument("address")
@click.argument("switch", type=click.Choice(["on", "off"]), required=False)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@pass_here
def capability(here: Here, address: str, switch: str | None, names: tuple[str, ...]) -> None:
    """Show what is switched off for an account, or switch NAME off or on.

    For a mail program that cannot live with a capability of IMAP or, as in
    POP3:TOP, of POP3. Log-ins from now on are not offered it.
    """
    if switch is not None and not names:
        raise click.UsageError(f"say what is to be switched {switch}, as in: {switch} CONDSTORE")
    if switch is None:
        info = ask(here, lambda reader: accounts.account(reader, address))
    else:
        info = change_directory(
            here,
            lambda tx: accounts.switch_capabilities(tx, address, names, switch == "on", who=operator()),
        )
    following = sorted(withheld(info.switched_off) - set(info.switched_off))
    if here.json:
        off = list(info.switched_off)
        print_json({"address": str(info.address), "switched_off": off, "without_them": following})
        return
    _print(here, info, following)
    if switch is not None:
        here.say("It holds for log-ins from now on.")


def _print(here: Here, info: AccountInfo, following: list[str]) -> None:
    if info.switched_off:
        print_facts([("switched off", " ".join(info.switched_off)), ("with them", " ".join(following))])
    else:
        here.say(f"Nothing is switched off for {info.address.unicode}.")
