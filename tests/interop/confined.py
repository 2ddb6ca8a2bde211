"""Run a program within the system-call limits of a systemd unit, without systemd as init.

`python -m tests.interop.confined UNIT COMMAND…` reads SystemCallFilter=,
RestrictAddressFamilies= and MemoryDenyWriteExecute= from the unit, turns them
into the same seccomp filters that systemd makes of them, and becomes the
command. A call that the unit forbids then fails here as it does in service.
"""

import ctypes
import errno
import mmap
import os
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.interop.processes import program, run

_ALLOW: Final = 0x7FFF0000
_EQUAL: Final = 4
_MASKED_EQUAL: Final = 7
_SHM_EXEC: Final = 0o100000


def _refuse(error: int) -> int:
    return 0x00050000 | error


class _Compare(ctypes.Structure):
    """`struct scmp_arg_cmp`."""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    )


class Filter:
    """One seccomp filter, by way of libseccomp (systemd itself depends on it)."""

    def __init__(self, default: int) -> None:
        self._library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        self._library.seccomp_init.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._library.seccomp_init(ctypes.c_uint32(default)))

    def rule(self, action: int, call: str, *compare: _Compare) -> None:
        """Add a rule for a call; one that this machine does not have is passed over."""
        number = self._library.seccomp_syscall_resolve_name(call.encode())
        if number < 0:
            return
        arguments = (_Compare * len(compare))(*compare)
        self._check(
            self._library.seccomp_rule_add_array(
                self._context, ctypes.c_uint32(action), number, len(compare), arguments
            )
        )

    def load(self) -> None:
        """Put it in force, for this process and all that it starts."""
        self._check(self._library.seccomp_load(self._context))

    @staticmethod
    def _check(result: int) -> None:
        if result:
            raise OSError(-result, os.strerror(-result))


def settings(unit: str, name: str) -> list[str]:
    """All values of a setting, in order."""
    return re.findall(rf"^{name}=(.*)$", unit, re.MULTILINE)


def calls(group: str) -> Iterator[str]:
    """The system calls of one of systemd's groups, and of the groups in it."""
    for line in run(program("systemd-analyze"), "syscall-filter", group).splitlines()[1:]:
        word = line.strip()
        if word.startswith("@"):
            yield from calls(word)
        elif word and not word.startswith("#"):
            yield word


def allowed_calls(unit: str) -> set[str]:
    """What SystemCallFilter= leaves; @default is always part of an allow list."""
    allowed = set(calls("@default"))
    for value in settings(unit, "SystemCallFilter"):
        named = {call for word in value.lstrip("~").split() for call in calls(word)}
        allowed = allowed - named if value.startswith("~") else allowed | named
    return allowed


def confine(unit: str) -> None:
    """Put the unit's filters in force."""
    memory = Filter(_ALLOW)
    if settings(unit, "MemoryDenyWriteExecute") == ["yes"]:
        both = mmap.PROT_WRITE | mmap.PROT_EXEC
        memory.rule(_refuse(errno.EPERM), "mmap", _Compare(2, _MASKED_EQUAL, both, both))
        for call in ("mprotect", "pkey_mprotect"):
            memory.rule(
                _refuse(errno.EPERM), call, _Compare(2, _MASKED_EQUAL, mmap.PROT_EXEC, mmap.PROT_EXEC)
            )
        memory.rule(_refuse(errno.EPERM), "shmat", _Compare(2, _MASKED_EQUAL, _SHM_EXEC, _SHM_EXEC))

    families = Filter(_ALLOW)
    named = {int(getattr(socket, name)) for name in settings(unit, "RestrictAddressFamilies")[0].split()}
    for family in set(range(64)) - named:
        families.rule(_refuse(errno.EAFNOSUPPORT), "socket", _Compare(0, _EQUAL, family, 0))

    listed = Filter(_refuse(errno.EPERM))
    for call in sorted(allowed_calls(unit)):
        listed.rule(_ALLOW, call)
    for each in (memory, families, listed):
        each.load()


if __name__ == "__main__":
    confine(Path(sys.argv[1]).read_text())
    os.execv(sys.argv[2], sys.argv[2:])
