"""SCRAM keys at rest: where they are, and what a client is told whose name has none.

Salt and count are told to anyone who asks. The salt of a name is therefore
made from the name and a key of this directory, whether there is such an
account or not: strangers learn nothing from it (RFC 5802 §9 leaves it open).
The count of a name without keys is one that accounts have, and as many such
names have it: while keys are made anew after the setting was changed, they
go from the old count to the new one as accounts do.
All passwords of an account have one salt and one count, so that an app
password can be proved as well as the password itself.
"""

import hmac
from collections.abc import Mapping, Sequence
from secrets import token_bytes
from typing import Final, NamedTuple, TypeAlias

from postroad.db.transaction import Reader, Transaction
from postroad.directory import changes
from postroad.sasl.saslprep import saslprep
from postroad.sasl.scram_keys import HASHES, ScramKeys, derive

THE_PASSWORD: Final = ""
"""The label under which the keys of the password itself are kept."""
_SALT_OCTETS: Final = 16
_NOBODY: Final = -1
"""No account has this id."""

KeySet: TypeAlias = Mapping[str, ScramKeys]
"""The keys of one password, by the name of the hash."""


class Recipe(NamedTuple):
    """With what the keys of an account are made."""

    salt: bytes
    iterations: int


class Candidate(NamedTuple):
    """Keys that a client may prove to know."""

    label: str
    keys: ScramKeys


def recipe(reader: Reader, name: str, account_id: int | None, hash_name: str, iterations: int) -> Recipe:
    """Say how the keys of a name are made, of an account or of nobody.

    What has been made binds what is made later; `iterations` is for the first keys.
    """
    row = None
    if account_id is not None:
        row = reader.row(
            "SELECT salt, iterations FROM scram_key WHERE account_id = ? AND hash = ? LIMIT 1",
            *(account_id, hash_name),
        )
    if row is not None:
        return Recipe(*row)
    return Recipe(_drawn(reader, hash_name, name)[:_SALT_OCTETS], iterations)


def recipes(
    reader: Reader, name: str, account_id: int | None, iterations: int, *, anew: bool = False
) -> dict[str, Recipe]:
    """Say it for all hashes; `anew`: for a new password, whose old keys will be gone."""
    if anew and account_id is not None:
        others = reader.value(
            "SELECT 1 FROM scram_key WHERE account_id = ? AND label != ? LIMIT 1", account_id, THE_PASSWORD
        )
        account_id = account_id if others else None
    return {name_: recipe(reader, name, account_id, name_, iterations) for name_ in HASHES}


def make_keys(password: str, made_with: Mapping[str, Recipe]) -> dict[str, ScramKeys]:
    """Make the keys of a password; none if SASLprep forbids it, as it does what is newer than Unicode 3.2.

    Slow on purpose: keep it off the event loop and out of transactions.
    """
    prepared = saslprep(password)
    if prepared is None:
        return {}
    return {name: derive(name, prepared, *made_with[name]) for name in made_with}


def keep_keys(tx: Transaction, account_id: int, label: str, keys: KeySet) -> None:
    """Put the keys of a password in the place of those that it had."""
    drop_keys(tx, account_id, label)
    for name, one in keys.items():
        tx.run(
            "INSERT INTO scram_key (account_id, hash, label, iterations, salt, stored_key, server_key)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(account_id, name, label, one.iterations, one.salt, one.stored_key, one.server_key),
        )


def drop_keys(tx: Transaction, account_id: int, label: str) -> None:
    """Forget the keys of a password."""
    tx.run("DELETE FROM scram_key WHERE account_id = ? AND label = ?", account_id, label)


def stale_keys(reader: Reader, name: str, account_id: int, iterations: int) -> dict[str, Recipe] | None:
    """Say how the keys of the password are to be made; None if it has the right ones."""
    wanted = recipes(reader, name, account_id, iterations, anew=True)
    rows = reader.rows(
        "SELECT hash, salt, iterations FROM scram_key WHERE account_id = ? AND label = ?",
        *(account_id, THE_PASSWORD),
    )
    return None if wanted == {name_: Recipe(*made_with) for name_, *made_with in rows} else wanted


def has_any_keys(reader: Reader) -> bool:
    """Whether there are SCRAM keys of anybody."""
    return reader.value("SELECT 1 FROM scram_key LIMIT 1") is not None


def drop_all_keys(tx: Transaction, *, who: str) -> None:
    """Forget the SCRAM keys of everybody; passwords stay."""
    tx.run("DELETE FROM scram_key")
    changes.record(tx, who=who, noun="directory", name="SCRAM keys")


def candidates(
    reader: Reader, name: str, account_id: int | None, hash_name: str, iterations: int
) -> Sequence[Candidate]:
    """Return the keys that may open an account; for nobody's name one that nobody can prove.

    The same questions are asked, the same salt is made and the same count chosen
    for all names: what it takes must not tell who is here.
    """
    salt, count = recipe(reader, name, None, hash_name, _usual_count(reader, name, iterations))
    unprovable = Candidate(THE_PASSWORD, ScramKeys(count, salt, token_bytes(32), token_bytes(32)))
    rows = reader.rows(
        "SELECT label, iterations, salt, stored_key, server_key FROM scram_key"
        " WHERE account_id = ? AND hash = ? ORDER BY label",
        *(_NOBODY if account_id is None else account_id, hash_name),
    )
    found = [Candidate(row[0], ScramKeys(*row[1:])) for row in rows]
    return _alike(found) or [unprovable]


def _usual_count(reader: Reader, name: str, iterations: int) -> int:
    """A count that accounts have, for a name: what it is drawn by stays, so it changes as theirs do.

    `iterations` is what they change to, or what the first of them will have.
    """
    least = reader.value("SELECT min(iterations) FROM scram_key")
    most = reader.value("SELECT max(iterations) FROM scram_key")
    if least is None:
        return iterations
    if least == most:  # nearly always, and cheaper to see than to count
        return int(least)
    rows = reader.rows(
        "SELECT iterations, count(DISTINCT account_id) FROM scram_key"
        " GROUP BY iterations ORDER BY iterations = ?, iterations",
        iterations,
    )
    share = int.from_bytes(_drawn(reader, "count", name)[:8]) / 2**64
    place = share * sum(accounts for _, accounts in rows)
    for count, accounts in rows:
        place -= accounts
        if place < 0:
            return int(count)
    return iterations


def _drawn(reader: Reader, what: str, name: str) -> bytes:
    """32 octets that belong to a name and look like chance to whoever does not have the directory's key."""
    key = reader.value("SELECT salt_key FROM directory_state")
    return hmac.digest(key, f"{what}\0{name}".encode(errors="replace"), "sha256")


def _alike(found: list[Candidate]) -> list[Candidate]:
    """Those with the salt and count of the first: a client can be told of one only."""
    return [
        one
        for one in found
        if (one.keys.salt, one.keys.iterations) == (found[0].keys.salt, found[0].keys.iterations)
    ]
