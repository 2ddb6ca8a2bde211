"""An S3 store on loopback: moto's server, which keeps buckets in its memory."""

import sys
from pathlib import Path
from typing import Final

import boto3  # type: ignore[import-untyped]

from tests.interop.addresses import free_ports
from tests.interop.processes import Daemon, answers

KEY_ID: Final = "AKIATESTING"
SECRET: Final = "not much of a secret"


class S3Server:
    """One store, without a bucket yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (self.port,) = free_ports(1)
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.credentials = folder / "credentials"
        self.credentials.write_text(
            f"[default]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n"
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        moto = [sys.executable, "-W", "ignore", "-m", "moto.server"]
        self._daemon = Daemon([*moto, "-H", "127.0.0.1", "-p", str(self.port)], self.folder / "moto.log")
        self._daemon.until(lambda: answers("127.0.0.1", self.port), "moto to listen")

    def make_bucket(self, name: str) -> None:
        """Make an empty bucket."""
        boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
        ).create_bucket(Bucket=name)

    def stop(self) -> None:
        """End it."""
        self._daemon.stop()
