"""docs/interop.md names everyone who takes part."""

from tests.interop.unpacked import PACKAGES
from tests.interop.versions import HERE, PAGE, PEERS


def test_the_page_tells_of_every_peer_and_its_tests() -> None:
    text = PAGE.read_text()
    for peer in PEERS:
        assert f"| {peer.name} |" in text
        assert peer.does in text
        assert (HERE / peer.tests).is_file()


def listed(name: str) -> set[str]:
    lines = (HERE / name).read_text().splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def test_every_client_and_server_is_one_of_the_debian_packages() -> None:
    debian = {peer.package for peer in PEERS if ":" not in peer.package}
    assert debian - {""} <= listed("debian-packages.txt") | listed("debian-unpacked.txt")
    assert set(PACKAGES) == listed("debian-unpacked.txt")
