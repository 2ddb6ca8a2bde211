"""Passwords come from a prompt or from standard input, never from the command line.

Arguments are seen by every user of the machine (ps) and kept by the shell.
"""

import getpass
import sys
from typing import NamedTuple

from postroad.cli.database import ask
from postroad.cli.here import Here
from postroad.cli.output import Exit, Problem
from postroad.db.transaction import Reader
from postroad.directory import accounts
from postroad.directory.credentials import Hasher, PasswordHash, acceptable
from postroad.directory.errors import BadPassword
from postroad.directory.scram import KeySet, Recipe, make_keys, recipes


class NewPassword(NamedTuple):
    """What may be stored of a password."""

    hash: PasswordHash
    keys: KeySet
    """SCRAM keys; none where the settings want none."""


def new_password(here: Here, address: str) -> NewPassword:
    """Ask for a new password, twice at a terminal, and return what may be stored of it.

    Raises:
        BadPassword: it is too short or cannot be typed.
        Problem: none came, or the two differ.
    """
    password = _prompt(address) if sys.stdin.isatty() else _first_line()
    hashed = Hasher().hash(password)
    return NewPassword(hashed, scram_keys(here, address, password, anew=True))


def scram_keys(here: Here, address: str, password: str, *, anew: bool) -> KeySet:
    """Make the SCRAM keys of a password, if the settings want them; `anew` as in `scram.recipes`."""
    auth = here.settings().auth
    if auth.scram == "off":
        return {}

    def question(reader: Reader) -> dict[str, Recipe]:
        key = accounts.parsed(address).key
        found = accounts.by_key(reader, key)
        return recipes(reader, key, found.id if found else None, auth.scram_iterations, anew=anew)

    return make_keys(password, ask(here, question))


def known_password(whose: str, *, stdin_free: bool) -> str:
    """Ask for a password to log in with; from the terminal when standard input is the message.

    Raises:
        Problem: there is nobody to ask.
    """
    if stdin_free and not sys.stdin.isatty():
        return _first_line()
    try:
        return getpass.getpass(f"Password for {whose}: ")
    except EOFError:
        raise Problem("no password came", "run this at a terminal", status=Exit.USAGE) from None


def _prompt(whose: str) -> str:
    while True:
        password = getpass.getpass(f"Password for {whose}: ")
        try:
            acceptable(password)
        except BadPassword as error:
            print(error, file=sys.stderr)
            continue
        if getpass.getpass("The same again: ") == password:
            return password
        print("The two are not the same.", file=sys.stderr)


def _first_line() -> str:
    line = sys.stdin.readline()
    if not line.rstrip("\r\n"):
        raise Problem(
            "no password came", "write it to standard input, or run this at a terminal", status=Exit.USAGE
        )
    return line.rstrip("\r\n")
