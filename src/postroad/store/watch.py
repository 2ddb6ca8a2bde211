"""Who wants to hear of what: topics and callbacks within one worker."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

Callback: TypeAlias = Callable[[], None]


class Watch:
    """Subscriptions to hints. A hint may be false and may be missing: look at the database."""

    def __init__(self) -> None:
        self._callbacks: dict[str, dict[int, Callback]] = {}
        self._next = 0

    def subscribe(self, topic: str, callback: Callback) -> Callback:
        """Have `callback` called, on the loop, at every hint of `topic`; give the way to stop it."""
        self._next += 1
        key = self._next
        self._callbacks.setdefault(topic, {})[key] = callback

        def unsubscribe() -> None:
            callbacks = self._callbacks.get(topic)
            if callbacks is not None and callbacks.pop(key, None) is not None and not callbacks:
                del self._callbacks[topic]

        return unsubscribe

    def tell(self, topics: Iterable[str]) -> None:
        """Pass hints on to those who asked."""
        for topic in topics:
            callbacks = self._callbacks.get(topic)
            if callbacks:
                for callback in list(callbacks.values()):
                    callback()
