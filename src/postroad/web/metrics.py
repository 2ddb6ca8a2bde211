"""`/metrics` for Prometheus and `/health` for whoever watches (raw ASGI)."""

import socket
from typing import Any, Final

import uvicorn
from prometheus_client import CollectorRegistry, make_asgi_app
from prometheus_client.multiprocess import MultiProcessCollector

_HEADERS: Final = [(b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff")]


def metrics_app() -> Any:
    """Return the application; any worker answers for all of them."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no annotations here
    metrics = make_asgi_app(registry)

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        match scope["path"]:
            case "/metrics":
                await metrics(scope, receive, send)
            case "/health":
                await _answer(send, 200, b"ok\n")
            case _:
                await _answer(send, 404, b"here are /metrics and /health\n")

    return app


class MetricsServer:
    """uvicorn on a bound socket, in the worker's own loop."""

    def __init__(self, sock: socket.socket) -> None:
        config = uvicorn.Config(metrics_app(), log_config=None, access_log=False, lifespan="off", loop="none")
        self._server = uvicorn.Server(config)
        self._socket = sock

    async def start(self) -> None:
        """Begin to answer."""
        self._server.config.load()
        self._server.lifespan = self._server.config.lifespan_class(self._server.config)
        await self._server.startup(sockets=[self._socket])

    async def stop(self) -> None:
        """Stop answering."""
        self._server.should_exit = True
        await self._server.shutdown(sockets=[self._socket])


async def _answer(send: Any, status: int, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": body})
