"""postroad for tests: the whole server in one process, with time, DNS and other servers in your hands.

See docs/testing.md. Nothing is imported before it is asked for: pytest loads
this package in every project that has postroad installed.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postroad.testing.threaded import ThreadedWorld
    from postroad.testing.world import MailWorld

__all__ = ["MailWorld", "ThreadedWorld"]


def __getattr__(name: str) -> object:
    match name:
        case "MailWorld":
            from postroad.testing.world import MailWorld

            return MailWorld
        case "ThreadedWorld":
            from postroad.testing.threaded import ThreadedWorld

            return ThreadedWorld
        case _:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
