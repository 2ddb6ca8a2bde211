"""The two ways of saying no (DESIGN: errors).

`Refused` is our decision, `Unavailable` is the world's. Both carry what the
peer may hear apart from what only the trail and the log may know.
"""


class Refused(Exception):
    """We say no, for good or for now; the session turns it into one reply.

    `code` is an SMTP reply code (RFC 5321 §4.2), `enhanced` an RFC 3463 code,
    `public` goes to the peer and `private` to the trail and the log alone.
    """

    def __init__(self, code: int, enhanced: str, public: str, private: str = "") -> None:
        super().__init__(f"{code} {enhanced} {public}")
        self.code = code
        self.enhanced = enhanced
        self.public = public
        self.private = private or public


class Unavailable(Exception):
    """The world says "not now": a full disk, a failed sync, a silent DNS."""

    def __init__(self, what: str, retry_after: float = 60.0) -> None:
        super().__init__(what)
        self.what = what
        self.retry_after = retry_after


class NoSpace(Unavailable):
    """The disk is full, or so nearly that nothing more is let in."""
