"""Programs of Debian packages that are only unpacked, with files of the tests where they look for theirs.

Debian lets a machine have one mail server, and that is Postfix. The others are run in a mount
namespace of their own, in which they find users, a resolver and settings that nobody else sees.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

PACKAGES: Final = ("exim4-daemon-light", "opensmtpd")
FIRST_ID: Final = 64_800
"""Numbers for users of packages that ask for them (Debian Policy §9.2.2); nobody seems to have these."""
_PEERS: Final = Path("/usr/local/lib/postroad-peers")


def version(package: str) -> str:
    """Which version was unpacked; the test fails when none was."""
    file = _PEERS / package / "version"
    assert file.exists(), f"{package} is not unpacked; see tests/interop/install-packages"
    return file.read_text().strip()


def unpacked(package: str) -> Path:
    """The tree of a package."""
    version(package)
    return _PEERS / package


def seeing(over: Mapping[str, Path]) -> list[str]:
    """A command prefix, for root: the program sees these files and directories at those paths.

    All of the paths must be there, as what they are to be.
    """
    mounts = "".join(f"mount --bind {own} {path}; " for path, own in over.items())
    return ["unshare", "--mount", "sh", "-c", f'set -e; {mounts}exec "$@"', "sh"]


def users(directory: Path, *names: str) -> dict[str, Path]:
    """passwd and group with these users too, for `seeing`; the first of them is FIRST_ID."""
    over = {}
    for path, rest in (("/etc/passwd", "x:{0}:{0}::/:/usr/sbin/nologin"), ("/etc/group", "x:{0}:")):
        own = directory / Path(path).name
        lines = "".join(f"{name}:{rest.format(FIRST_ID + n)}\n" for n, name in enumerate(names))
        own.write_text(Path(path).read_text() + lines)
        over[path] = own
    return over
