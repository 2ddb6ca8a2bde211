"""The spool: octets that are still in use outlive it."""

from pathlib import Path

from postroad.store.blobs.spool import IN_MEMORY, Spool


def test_octets_in_use_outlive_the_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write(b"x" * (IN_MEMORY + 1))
    octets = spool.finish()
    spool.close()  # the session was cancelled; its group is still to be written
    assert len(octets) == IN_MEMORY + 1
    assert bytes(octets[-2:]) == b"xx"
