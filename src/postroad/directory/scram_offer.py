"""Whether SCRAM can be offered: not before it works for everybody who has a password.

Some clients choose SCRAM by themselves and do not try PLAIN when it fails.
"""

from typing import Final

from postroad.config.logins import Auth
from postroad.db.database import Database
from postroad.db.transaction import Reader
from postroad.directory import changes
from postroad.directory.scram import THE_PASSWORD
from postroad.model.clock import Clock

LOOK_AGAIN: Final = 60.0
"""Seconds after which a "not yet" is doubted: keys are also made at log-ins, which change no version."""
_KEYLESS: Final = (
    "SELECT EXISTS (SELECT 1 FROM credential c WHERE NOT EXISTS"
    " (SELECT 1 FROM scram_key k WHERE k.account_id = c.account_id AND k.label = ?))"
    " OR EXISTS (SELECT 1 FROM app_password p WHERE NOT EXISTS"
    " (SELECT 1 FROM scram_key k WHERE k.account_id = p.account_id AND k.label = p.label))"
)


class ScramOffer:
    """One worker's answer, kept while the directory stays what it was."""

    def __init__(self, auth: Auth, database: Database, clock: Clock) -> None:
        self._setting = auth.scram
        self._database = database
        self._clock = clock
        self._version = -1
        self._all_have_keys = False
        self._asked_at = 0.0

    def stands(self) -> bool:
        """Whether to offer it now."""
        if self._setting != "auto":
            return self._setting == "on"
        return self._database.read(self._look)

    def _look(self, reader: Reader) -> bool:
        version = changes.version(reader)
        old = not self._all_have_keys and self._clock.monotonic() >= self._asked_at + LOOK_AGAIN
        if version != self._version or old:
            self._all_have_keys = not reader.value(_KEYLESS, THE_PASSWORD)
            self._version, self._asked_at = version, self._clock.monotonic()
        return self._all_have_keys
