"""Turns what one server says, or leaves unsaid, into outcomes."""

from postroad.smtp.link import Link
from postroad.smtp.outcome import Outcome, Verdict
from postroad.smtp.wire.replies import Reply


class Witness:
    """Knows whom it heard, and over what kind of connection."""

    def __init__(self, link: Link, host: str, address: str) -> None:
        self._link = link
        self.host = host
        self.address = address
        self.policy = ""
        """What vouches for the server; empty when nobody does."""

    def spoken(self, reply: Reply) -> Outcome:
        """The server's own words."""
        match reply.first_digit:
            case 2:
                verdict = Verdict.DELIVERED
            case 5:
                verdict = Verdict.FAILED
            case _:
                verdict = Verdict.DEFERRED
        return self._outcome(verdict, reply.code, reply.enhanced, reply.text)

    def failed(self, code: int, enhanced: str, text: str) -> Outcome:
        """A refusal of ours: the server is not asked, because it cannot do what is needed."""
        return self._outcome(Verdict.FAILED, code, enhanced, text, spoken=False)

    def ours(self, enhanced: str, text: str, *, uncertain: bool = False) -> Outcome:
        """Trouble with the server, for which it has no words."""
        return self._outcome(Verdict.DEFERRED, 0, enhanced, text, spoken=False, uncertain=uncertain)

    def ready(self, text: str) -> Outcome:
        """An attempt that was only to get so far has done so."""
        return self._outcome(Verdict.DELIVERED, 250, "", text, spoken=False)

    def _outcome(
        self,
        verdict: Verdict,
        code: int,
        enhanced: str,
        text: str,
        *,
        spoken: bool = True,
        uncertain: bool = False,
    ) -> Outcome:
        link = self._link
        return Outcome(
            *(verdict, code, enhanced, text, self.host, self.address, link.tls),
            spoken=spoken,
            certificate=link.certificate,
            policy=self.policy,
            uncertain=uncertain,
        )
