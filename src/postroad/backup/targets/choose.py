"""From what the settings say to a target that is open."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from postroad.backup.errors import TargetError
from postroad.backup.targets.target import Target
from postroad.config.settings import Backup


def open_target(where: str, settings: Backup) -> Target:
    """Open the target that `where` names: a path, `ssh://user@host/path` or `s3://bucket/prefix`.

    Libraries of targets that are not asked for are not imported.

    Raises:
        TargetError: it is nothing of that, or cannot be reached.
    """
    scheme, found, _ = where.partition("://")
    if not found:
        from postroad.backup.targets.directory import DirectoryTarget

        return DirectoryTarget(Path(where).absolute())
    if scheme == "ssh":
        return _ssh(where, settings)
    if scheme == "s3":
        return _s3(where, settings)
    raise TargetError(f"{scheme}:// is no target for backups; use a directory, ssh:// or s3://")


def _ssh(where: str, settings: Backup) -> Target:
    from postroad.backup.targets.ssh import SshTarget

    parts = urlsplit(where)
    try:
        port = parts.port or 22
    except ValueError:
        raise TargetError(f"{where}: the port is no number") from None
    if parts.password:
        raise TargetError("a password does not belong into backup.target; use a key and backup.ssh_key")
    if not parts.hostname or parts.path in ("", "/"):
        raise TargetError(
            f"{where} needs a host and a directory, as in ssh://backup@nas.example.org/srv/mail"
        )
    return SshTarget(
        parts.hostname,
        unquote(parts.path),
        port=port,
        user=unquote(parts.username or ""),
        keys=[settings.ssh_key] if settings.ssh_key else [],
        known_hosts=settings.known_hosts,
    )


def _s3(where: str, settings: Backup) -> Target:
    from postroad.backup.targets.s3 import S3Target

    bucket, _, prefix = where.removeprefix("s3://").partition("/")
    if not bucket or "@" in bucket:
        raise TargetError(f"{where.rpartition('@')[2]} needs a bucket and no secret, as in s3://bucket/mail")
    return S3Target(
        bucket,
        prefix.strip("/"),
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        credentials=settings.s3_credentials,
    )
