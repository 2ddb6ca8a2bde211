"""Backups in an S3 store, of Amazon or of anybody who speaks its protocol."""

import configparser
import os
from pathlib import Path
from typing import Any, Final

from obstore.exceptions import BaseError, GenericError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from postroad.backup.errors import NoSuchObject, TargetError

_REGION: Final = "us-east-1"  # what stores without regions call theirs
_TIMEOUT: Final = "60s"
_RETRY: Final[Any] = {"max_retries": 4}


class S3Target:
    """Objects as objects: a put is whole or not there, and durable when it is answered."""

    def __init__(
        self, bucket: str, prefix: str, *, endpoint: str, region: str, credentials: Path | None
    ) -> None:
        """`credentials` is a file as Amazon's tools have it; without one the environment is asked.

        Raises:
            TargetError: there are no credentials, or the endpoint is no URL.
        """
        self._name = f"s3://{bucket}/{prefix}".rstrip("/")
        key_id, secret, token = _from_file(credentials) if credentials else _from_environment()
        options: dict[str, Any] = {
            "region": region or _REGION,
            "access_key_id": key_id,
            "secret_access_key": secret,
        }
        if token:
            options["session_token"] = token
        if endpoint:
            options["endpoint"] = endpoint
        try:
            self._store = S3Store(
                bucket,
                prefix=prefix or None,
                client_options={"timeout": _TIMEOUT, "allow_http": endpoint.startswith("http://")},
                retry_config=_RETRY,
                **options,
            )
        except (BaseError, ValueError) as error:
            raise TargetError(f"{self._name}: {_first_line(error)}") from None

    @property
    def name(self) -> str:
        """Bucket and prefix as a URL."""
        return self._name

    def put(self, name: str, octets: bytes) -> None:
        """PUT; of one request, so that it cannot be half there."""
        try:
            self._store.put(name, octets, use_multipart=False)
        except (BaseError, OSError) as error:
            raise self._failed(f"write {name}", error) from None

    def get(self, name: str) -> bytes:
        """GET."""
        try:
            return bytes(self._store.get(name).bytes())
        except FileNotFoundError:
            raise NoSuchObject(f"{self._name} has no {name}") from None
        except (BaseError, OSError) as error:
            raise self._failed(f"read {name}", error) from None

    def list(self, folder: str) -> dict[str, int]:
        """List by prefix, a thousand at a time."""
        try:
            return {
                str(one["path"]): int(one["size"]) for page in self._store.list(f"{folder}/") for one in page
            }
        except (BaseError, OSError) as error:
            raise self._failed(f"list {folder}", error) from None

    def delete(self, name: str) -> None:
        """DELETE; S3 does not say whether it was there."""
        try:
            self._store.delete(name)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise self._failed(f"remove {name}", error) from None

    def settle(self) -> None:
        """All is durable already."""

    def clear(self) -> None:
        """Nothing is ever half there."""

    def close(self) -> None:
        """Connections go with the store."""

    def _failed(self, what: str, error: Exception) -> TargetError:
        if isinstance(error, (PermissionDeniedError, UnauthenticatedError)):
            return TargetError(
                f"{self._name}: not allowed to {what}; look at the credentials and the bucket's policy"
            )
        return TargetError(f"{self._name}: cannot {what}: {_first_line(error)}")


def _from_environment() -> tuple[str, str, str]:
    key_id, secret = os.environ.get("AWS_ACCESS_KEY_ID", ""), os.environ.get("AWS_SECRET_ACCESS_KEY", "")
    if not key_id or not secret:
        raise TargetError(
            "no credentials for S3: name a file in backup.s3_credentials, "
            "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    return key_id, secret, os.environ.get("AWS_SESSION_TOKEN", "")


def _from_file(path: Path) -> tuple[str, str, str]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        with path.open() as file:
            parser.read_file(file)
        section = parser["default"]
        return (
            section["aws_access_key_id"],
            section["aws_secret_access_key"],
            section.get("aws_session_token", ""),
        )
    except OSError as error:
        raise TargetError(f"{path} cannot be read: {error.strerror}") from None
    except (configparser.Error, UnicodeDecodeError, KeyError):
        # What the parser says may quote the file, and so the secret.
        raise TargetError(
            f"{path} needs a section [default] with aws_access_key_id and aws_secret_access_key"
        ) from None


def _first_line(error: Exception) -> str:
    """The first line of what the library says; the rest is how it looks inside."""
    text = str(error).strip().split("\n")[0]
    return text[:300] or GenericError.__name__
