"""Who wants to hear of what: topics and callbacks within one worker."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

Callback: TypeAlias = Callable[[], None]


class Ear(Protocol):
    """What brings hints from elsewhere, as far as it is told to (see `db.bus`)."""

    def listen(self, topic: str) -> None: ...
    def ignore(self, topic: str) -> None: ...


class Watch:
    """Subscriptions to hints. A hint may be false and may be missing: look at the database."""

    def __init__(self, ear: Ear) -> None:
        self._ear = ear
        self._callbacks: dict[str, dict[int, Callback]] = {}
        self._next = 0

    def subscribe(self, topic: str, callback: Callback) -> Callback:
        """Have `callback` called, on the loop, at every hint of `topic`; give the way to stop it.

        Look at the database behind this: what happened before it gives no hint.
        """
        self._next += 1
        key = self._next
        if topic not in self._callbacks:
            self._callbacks[topic] = {}
            self._ear.listen(topic)
        self._callbacks[topic][key] = callback

        def unsubscribe() -> None:
            callbacks = self._callbacks.get(topic)
            if callbacks is not None and callbacks.pop(key, None) is not None and not callbacks:
                del self._callbacks[topic]
                self._ear.ignore(topic)

        return unsubscribe

    def tell(self, topics: Iterable[str]) -> None:
        """Pass hints on to those who asked."""
        for topic in topics:
            callbacks = self._callbacks.get(topic)
            if callbacks:
                for callback in list(callbacks.values()):
                    callback()
