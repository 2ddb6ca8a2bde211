"""Mozilla's remote control: one JSON message a frame, over TCP (its length, a colon, the message)."""

import json
import socket
from pathlib import Path
from typing import Any, Final

_PATIENCE: Final = 60.0
_COMMAND: Final = 0


class Marionette:
    """A session in the chrome of a Mozilla program, where scripts may do whatever its own may."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=2 * _PATIENCE)
        self._stream = self._socket.makefile("rwb")
        self._sent = 0
        self._read()  # it says which version of the protocol it speaks
        self.call("WebDriver:NewSession", capabilities={})
        self.call("Marionette:SetContext", value="chrome")
        self.call("WebDriver:SetTimeouts", script=int(_PATIENCE * 1000))

    def call(self, command: str, **arguments: object) -> Any:
        """Send a command and return its result; an error fails the test."""
        self._sent += 1
        frame = json.dumps([_COMMAND, self._sent, command, arguments]).encode()
        self._stream.write(b"%d:%b" % (len(frame), frame))
        self._stream.flush()
        _, number, error, result = self._read()
        assert (number, error) == (self._sent, None), f"{command}: {error}"
        return result

    def do(self, script: Path, function: str, *arguments: object) -> Any:
        """Call a function that a script defines, wait for what it promises, and return that."""
        body = f"""
{script.read_text()}
const [given, done] = arguments;
const failed = (error) => done({{ error: String(error) }});
Promise.resolve({function}(...given)).then((value) => done({{ value }}), failed);
"""
        result = self.call(
            "WebDriver:ExecuteAsyncScript", script=body, args=[list(arguments)], sandbox="system"
        )
        answer = result["value"]
        assert "error" not in answer, f"{function}{arguments}: {answer['error']}"
        return answer.get("value")

    def close(self) -> None:
        """Have the program end as its users end it."""
        self.call("Marionette:Quit", flags=["eAttemptQuit"])
        self._stream.close()
        self._socket.close()

    def _read(self) -> Any:
        length = b""
        while (octet := self._stream.read(1)) != b":":
            assert octet, "the program has closed the connection"
            length += octet
        return json.loads(self._stream.read(int(length)))
