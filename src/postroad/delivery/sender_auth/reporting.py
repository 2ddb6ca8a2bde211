"""What one worker needs to report to other domains how mail in their name fared, put together."""

from collections.abc import Callable
from typing import Final

from postroad.db.database import Database
from postroad.delivery import dmarc_received, failures_received
from postroad.delivery.dmarc_reports import DmarcReports
from postroad.delivery.sender_auth.results import DmarcResults
from postroad.delivery.signing import Signer
from postroad.model.clock import Clock
from postroad.model.resolver import Resolver
from postroad.obs.duties import repeat

EVERY_SECONDS: Final = 900.0
"""Between two looks at what there is to do."""


class Reporting:
    """The counts, and what is made of them now and then."""

    def __init__(
        self,
        database: Database,
        resolver: Resolver,
        signer: Signer,
        clock: Clock,
        hostname: str,
        *,
        wanted: Callable[[], bool],
    ) -> None:
        """Reports are sent as long as `wanted` says so."""
        self.results = DmarcResults(database, clock)
        self._database = database
        self._clock = clock
        self._wanted = wanted
        self._reports = DmarcReports(database, resolver, signer, clock, hostname)

    async def mind(self, *, alone: bool) -> None:
        """Write what was counted, and with `alone` (one worker of all) send what is due, until cancelled."""
        duties = (self.results.flush, self._report, self._forget) if alone else (self.results.flush,)
        await repeat(self._clock, EVERY_SECONDS, duties, failed="dmarc.failed")

    async def _report(self) -> None:
        if self._wanted():
            await self._reports.send_due()

    async def _forget(self) -> None:
        await self._database.write(dmarc_received.forget_old)
        await self._database.write(failures_received.forget_old)

    async def close(self) -> None:
        """Write what is left to count."""
        await self.results.flush()
