"""Thunderbird without a screen: a profile that trusts the authority of the tests, driven by Marionette."""

import re
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from tests.interop.addresses import free_ports
from tests.interop.marionette import Marionette
from tests.interop.postroad_server import Postroad
from tests.interop.processes import Daemon, answers, program, run, until

_ACTIONS: Final = Path(__file__).with_name("thunderbird") / "actions.js"

# Nothing is to be asked, told or fetched from elsewhere.
_PREFERENCES: Final[dict[str, bool | int | str]] = {
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.shell.checkDefaultClient": False,
    "mail.spotlight.firstRunDone": True,
    "mailnews.start_page.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.proxy.type": 0,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
    "mail.server.default.use_condstore": True,
}


class Thunderbird:
    """A running program with one profile; leaving it ends it, and it may be entered again."""

    def __init__(self, server: Postroad, directory: Path) -> None:
        self.profile = directory / "profile"
        self.profile.mkdir()
        self._directory = directory
        store = f"sql:{self.profile}"
        run(program("certutil"), "-N", "-d", store, "--empty-password")
        authority = server.certificates.authority
        run(program("certutil"), "-A", "-d", store, "-n", "tests", "-t", "C,,", "-i", authority)
        self._starts = 0

    def __enter__(self) -> "Thunderbird":
        [port] = free_ports(1)
        settings = {**_PREFERENCES, "marionette.port": port}
        lines = [f'user_pref("{name}", {_literal(value)});' for name, value in settings.items()]
        (self.profile / "user.js").write_text("\n".join(lines) + "\n")
        self._starts += 1
        self._daemon = Daemon(
            [
                *(
                    "env",
                    f"HOME={self._directory}",
                    "MOZ_LOG=sync,IMAP:4",
                    f"MOZ_LOG_FILE={self._dialogue()}",
                ),
                *(program("thunderbird"), "--headless", "--no-remote", "--profile", self.profile),
                *("--marionette", "--remote-allow-system-access"),
            ],
            self._directory / "thunderbird.log",
        )
        self._daemon.until(lambda: answers("127.0.0.1", port), "its remote control")
        self._remote = Marionette(port)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._remote.close()
        self._daemon.wait()

    def do(self, function: str, *arguments: object) -> Any:
        """Do one of the actions of actions.js and return what it promises."""
        return self._remote.do(_ACTIONS, function, *arguments)

    def until(self, function: str, *arguments: object, shows: Any) -> None:
        """Look again and again until an action returns this."""
        until(lambda: self.do(function, *arguments) == shows, f"{function}{arguments} to be {shows}")

    def said(self) -> list[str]:
        """The commands that it has sent since it was started, without their tags."""
        log = self._dialogue().with_suffix(".moz_log").read_text("utf-8", "replace")
        return re.findall(r":SendData: \w+ (.*)", log)

    def _dialogue(self) -> Path:
        return self._directory / f"imap{self._starts}.moz_log"


def _literal(value: bool | int | str) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()
