"""What one worker needs to send to other servers, put together."""

from pathlib import Path
from typing import Final

from postroad.config.settings import Queue
from postroad.delivery.downgrade import Conversions
from postroad.delivery.mtasts import StsPolicies
from postroad.delivery.outside import Outside
from postroad.delivery.relay import Relays
from postroad.delivery.remote import RemoteDelivery
from postroad.delivery.signing import Signer
from postroad.delivery.tls_received import forget_old
from postroad.delivery.tls_reports import TlsReports
from postroad.delivery.tls_results import TlsResults
from postroad.directory.send_limits import forget_sent
from postroad.model.clock import Clock
from postroad.model.resolver import Resolver
from postroad.net.outward import Outward
from postroad.obs.duties import repeat
from postroad.obs.log import log
from postroad.queue import pace, rate
from postroad.store.store import Store

EVERY_SECONDS: Final = 900.0
"""Between two looks at what there is to do."""


class Sending:
    """The delivery, and what has to be done beside it now and then."""

    def __init__(
        self,
        store: Store,
        resolver: Resolver,
        clock: Clock,
        settings: Queue,
        hostname: str,
        data: Path,
        outside: Outside,
        signer: Signer,
    ) -> None:
        """`signer` signs reports (RFC 8460 §3), and what had to be converted."""
        self._database = database = store.database
        self._clock = clock
        self._results = TlsResults(clock, counts=settings.tls_reports)
        self._settings = settings
        outward = Outward(
            resolver,
            allow_private=lambda: settings.allow_private_addresses,
            trust=outside.trust,
            port=outside.https_port,
        )
        self._reports = TlsReports(database, resolver, outward, clock, hostname, signer.signed)
        self._policies = StsPolicies(database, resolver, outward, clock) if settings.mta_sts else None
        self.delivery = RemoteDelivery(
            resolver=resolver,
            clock=clock,
            settings=settings,
            hostname=hostname,
            policies=self._policies,
            results=self._results,
            relays=Relays(database, data, outside.trust),
            conversions=Conversions(store.spool, signer),
            outside=outside,
        )

    async def mind(self, *, alone: bool) -> None:
        """Write what was counted and keep policies from expiring, until cancelled.

        `alone` is said to one worker of all: what it does once is enough.
        """
        duties = (self._flush, self._refresh, self._report, self._forget) if alone else (self._flush,)
        await repeat(self._clock, EVERY_SECONDS, duties, failed="sending.failed")

    async def _flush(self) -> None:
        await self._results.flush(self._database)

    async def _refresh(self) -> None:
        if self._policies is not None and (count := await self._policies.refresh()):
            log.info("mtasts.refreshed", policies=count)

    async def _report(self) -> None:
        if self._settings.tls_reports:
            await self._reports.send_due()

    async def _forget(self) -> None:
        await self._database.write(forget_old)
        await self._database.write(pace.forget_old)
        await self._database.write(rate.forget_old)
        await self._database.write(forget_sent)

    async def close(self) -> None:
        """Write what is left to count."""
        await self._flush()
