"""rspamd, with the parts of it that verify and make signatures and seals, and with no way out."""

import json
import urllib.request
from pathlib import Path
from typing import Any, Final

from tests.interop.addresses import free_ports
from tests.interop.processes import Daemon, answers, program

_SETTINGS: Final = """
options {{
    pidfile = "{folder}/pid";
    control_socket = "{folder}/control mode=0600";
    url_tld = "/usr/share/rspamd/effective_tld_names.dat";
    filters = "dkim";
    explicit_modules = [];
    dns {{ nameserver = ["{resolver}"]; timeout = 5s; enable_dnssec = false; }}
    local_addrs = [];
    tempdir = "{folder}";
    task_timeout = 60s;
}}
logging {{ type = "console"; level = "info"; }}
worker "normal" {{ bind_socket = "127.0.0.1:{port}"; count = 1; }}
lua = "/usr/share/rspamd/rules/rspamd.lua";
modules {{ path = "/usr/share/rspamd/plugins/arc.lua"; path = "/usr/share/rspamd/plugins/dkim_signing.lua"; }}
actions {{ reject = 1000; }}
dkim {{ time_jitter = 60; }}
dkim_signing {{
    sign_authenticated = true; sign_local = false; use_esld = false;
    domain {{ {domain} {{ selectors [ {keys} ] }} }}
}}
arc {{
    sign_inbound = true; use_domain = "recipient"; use_esld = false; allow_hdrfrom_mismatch = true;
    domain {{ {domain} {{ selectors [ {keys} ] }} }}
}}
"""


class Rspamd:
    """One worker of rspamd on loopback, which answers what it thinks of a message."""

    def __init__(self, folder: Path, resolver: str) -> None:
        self._folder = folder
        self._resolver = resolver
        (self._port,) = free_ports(1)

    def start(self, domain: str, keys: dict[str, Path]) -> None:
        """Start it; it signs and seals for a domain with these keys, by their selectors."""
        listed = ", ".join(f'{{ path = "{path}"; selector = "{name}"; }}' for name, path in keys.items())
        file = self._folder / "rspamd.conf"
        file.write_text(
            _SETTINGS.format(
                folder=self._folder, resolver=self._resolver, port=self._port, domain=domain, keys=listed
            )
        )
        variables = (f"{name}={self._folder}" for name in ("DBDIR", "RUNDIR", "LOGDIR", "LOCAL_CONFDIR"))
        command: list[str | Path] = [program("rspamd"), "-f", "-i", "-c", file]
        for variable in variables:
            command += ["--var", variable]
        self._daemon = Daemon(command, self._folder / "rspamd.log")
        self._daemon.until(lambda: answers("127.0.0.1", self._port), "rspamd to answer")

    def stop(self) -> None:
        """Stop it."""
        self._daemon.stop()

    def check(self, message: bytes, **headers: str) -> dict[str, Any]:
        """What it says of a message: `symbols` and, under `milter`, the fields that it would add."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}/checkv2",
            data=message,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            told: dict[str, Any] = json.load(answer)
        return told
