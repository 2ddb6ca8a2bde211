"""The ends of packs and log are cut, the index is old or gone: the next start mends it (ADR 3)."""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from postroad.directory.accounts import add_account
from postroad.mend import CannotMend
from postroad.model.refusal import Unavailable
from postroad.store.account import Account
from postroad.store.blobs.pack import ActivePack
from postroad.store.offline import open_offline
from postroad.store.types import NewMessage
from tests.faults.torn import INBOX, STEPS, Life, at_each, copy_store, cut, problems, shown, start
from tests.unit.store.conftest import Desk, message

WAL_HEADER, FRAME = 32, 24 + 4096


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    return Life.lived(tmp_path_factory.mktemp("life"))


@pytest.fixture
def data(life: Life, tmp_path: Path) -> Path:
    """The store after the last step, open when it died."""
    return Path(shutil.copytree(life.now, tmp_path / "data"))


def put_index(older: Path, data: Path) -> None:
    """Lay the index of an earlier moment beside the packs of a later one."""
    for file in data.glob("index.db*"):
        file.unlink()
    for file in older.glob("index.db*"):
        shutil.copy(file, data / file.name)


def pack_of(data: Path) -> Path:
    [pack] = (data / "packs").glob("*.pack")
    return pack


def test_a_store_that_is_whole_is_left_alone(life: Life, data: Path) -> None:
    with capture_logs() as logs:
        assert start(data).sentences == ()
    assert logs == []
    assert shown(data) == life.seen[-1]


@pytest.mark.parametrize("moment", range(len(STEPS)))
def test_an_index_from_before_is_brought_up_to_date(life: Life, data: Path, moment: int) -> None:
    put_index(life.copies[moment], data)
    with capture_logs() as logs:
        [sentence] = start(data).sentences
    assert sentence.startswith("The index is older than the packs and was made again")
    assert [line["event"] for line in logs] == ["store.mended"]
    assert shown(data) == life.seen[-1]
    assert problems(data) == []
    assert start(data).sentences == ()


@pytest.mark.parametrize("moment", [0, 4, len(STEPS) - 1])
def test_tools_leave_what_an_old_index_does_not_know(life: Life, data: Path, moment: int) -> None:
    put_index(life.copies[moment], data)
    change = partial(add_account, address="bob@demo.test", who="test")
    with open_offline(data) as database, pytest.raises(Unavailable, match="a start of the server mends it"):
        database.write(change)
    start(data)
    assert shown(data) == life.seen[-1]


def test_a_missing_index_is_made_again(life: Life, data: Path) -> None:
    for file in data.glob("index.db*"):
        file.unlink()
    [sentence] = start(data).sentences
    assert sentence.startswith("The index is missing and was made again")
    assert shown(data) == life.seen[-1]
    assert problems(data) == []


def test_twice_gives_the_same(life: Life, data: Path) -> None:
    for _ in range(2):
        for file in data.glob("index.db*"):
            file.unlink()
        start(data)
        assert shown(data) == life.seen[-1]


@pytest.mark.parametrize("at", [0, 100, 4096, 3 * 4096])
def test_a_damaged_index_is_made_again(life: Life, data: Path, at: int) -> None:
    Desk.run(_desk(data), _nothing)  # the log is in the file now
    index = data / "index.db"
    octets = bytearray(index.read_bytes())
    octets[at : at + 60] = b"\xa5" * 60
    index.write_bytes(octets)
    [sentence] = start(data).sentences
    assert sentence.startswith("The index is damaged (")
    assert shown(data) == life.seen[-1]
    assert problems(data) == []


def test_nobody_guesses_whose_mail_it_is(data: Path) -> None:
    for file in [*data.glob("index.db*"), data / "directory.json"]:
        file.unlink()
    with pytest.raises(CannotMend, match=r"there is no directory\.json, which says whose mail"):
        start(data)
    assert not (data / "index.db").exists()


def test_an_old_index_says_whose_mail_it_is_where_the_file_is_gone(life: Life, data: Path) -> None:
    put_index(life.copies[1], data)
    (data / "directory.json").unlink()
    start(data)
    assert shown(data) == life.seen[-1]


def frames(wal: Path) -> int:
    return (wal.stat().st_size - WAL_HEADER) // FRAME


def log_cuts(life: Life, step: int) -> Iterator[int]:
    """Sizes within the last commits, each frame's edges among them."""
    last = frames(life.now / "index.db-wal")
    first = frames(life.copies[-2 if step > FRAME else -4] / "index.db-wal")
    edges = [WAL_HEADER + n * FRAME + d for n in range(first, last) for d in (-1, 0, 24)]
    yield from sorted({*edges, *range(WAL_HEADER + first * FRAME, WAL_HEADER + last * FRAME, step)})


def test_a_log_that_is_cut_anywhere_loses_nothing(life: Life, tmp_path: Path) -> None:
    every_cut_of_the_log(life, tmp_path, 50_021)


@pytest.mark.soak
def test_a_log_that_is_cut_at_every_61st_octet_loses_nothing(life: Life, tmp_path: Path) -> None:
    every_cut_of_the_log(life, tmp_path, 61)


def every_cut_of_the_log(life: Life, tmp_path: Path, step: int) -> None:
    for size in log_cuts(life, step):
        data = Path(shutil.copytree(life.now, tmp_path / "data"))
        cut(data / "index.db-wal", size)
        start(data)
        assert shown(data) == life.seen[-1], f"the log ended at octet {size}"
        shutil.rmtree(data)


def test_a_pack_that_is_cut_anywhere_loses_what_is_cut_off_alone(life: Life, tmp_path: Path) -> None:
    every_cut_of_the_pack(life, tmp_path, 13)


@pytest.mark.soak
def test_a_pack_that_is_cut_at_every_octet_loses_what_is_cut_off_alone(life: Life, tmp_path: Path) -> None:
    every_cut_of_the_pack(life, tmp_path, 1)


def every_cut_of_the_pack(life: Life, tmp_path: Path, step: int) -> None:
    """With the index there and without it: a message whose octets are all there is there."""
    octets = pack_of(life.now).read_bytes()
    last = octets.rindex(b"postroad/1 blob")
    octets_end = octets.index(b"postroad/1 file", last) - 1
    line_end = octets.index(b"\n", octets_end + 1)
    for size in range(last, len(octets), step):
        data = Path(shutil.copytree(life.now, tmp_path / "data"))
        cut(pack_of(data), size)
        lost_index = Path(shutil.copytree(data, tmp_path / "lost_index"))
        for file in lost_index.glob("index.db*"):
            file.unlink()
        with capture_logs() as logs:
            sentences = start(data).sentences
        if size >= octets_end:
            assert (logs, sentences) == ([], ()), f"octet {size}"
            assert shown(data) == life.seen[-1], f"octet {size}"
        else:
            assert [line["event"] for line in logs] == ["store.mail_lost"], f"octet {size}"
            assert sentences == (f"pack 1 is cut off at octet {size} and 1 message with it",)
        start(lost_index)
        assert shown(lost_index) == life.seen[-1 if size > line_end else -2], f"octet {size}"
        shutil.rmtree(data)
        shutil.rmtree(lost_index)


def test_a_group_that_died_before_its_commit_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = Life.lived(tmp_path / "life")
    data = Path(shutil.copytree(life.now, tmp_path / "data"))
    moments: dict[str, Path] = {}

    async def one_more(account: Account) -> None:
        await account.append(INBOX, [message(6)])

    for moment in ("sync", "committed"):
        work = Path(shutil.copytree(data, tmp_path / f"work-{moment}"))
        copied = tmp_path / moment
        with monkeypatch.context() as patch:
            patch.setattr(ActivePack, moment, at_each(moment, partial(_copy_once, work, copied)))
            Desk.run(_desk(work), one_more)
        moments[moment] = copied
    with capture_logs() as logs:
        assert start(moments["sync"]).sentences == ()
        assert start(moments["committed"]).sentences == ()
    assert logs == []
    assert shown(moments["sync"]) == life.seen[-1]
    assert len(shown(moments["committed"])["INBOX"][2]) == len(life.seen[-1]["INBOX"][2]) + 1
    # The commit was told to the client; an index from before it is an old one.
    put_index(data, moments["committed"])
    assert start(moments["committed"]).sentences
    assert len(shown(moments["committed"])["INBOX"][2]) == len(life.seen[-1]["INBOX"][2]) + 1
    for copied in moments.values():
        assert problems(copied) == []


LIES = (
    b"postroad/1 group number=99999999999999999999 id=0000000000000000 after=\n"
    b"postroad/1 commit number=99999999999999999999 id=0000000000000000\n"
    b"postroad/1 expunge account=1 mailbox=1 modseq=9999 uids=1:99\n"
    b"postroad/1 unaccount account=1\n"
    b"postroad/1 group number=99999999999999999999 id=0000000000000001 after=0000000000000000\n"
)


@pytest.mark.parametrize("left", [40, 200, 2000])
def test_lines_in_a_message_that_came_in_part_are_not_believed(tmp_path: Path, left: int) -> None:
    """A stranger sends what looks like our lines, and the machine dies in the middle of it."""
    desk = Desk(tmp_path / "data")

    async def three(account: Account) -> None:
        await account.append(INBOX, [message(1), message(2), message(3)])

    async def lies(account: Account) -> None:
        await account.append(INBOX, [NewMessage(b"Subject: x\r\n\r\n" + LIES * 20)])

    desk.run(three)
    before = copy_store(desk.data, tmp_path / "before")
    wanted = shown(before)
    desk.run(lies)
    torn = copy_store(desk.data, tmp_path / "torn")
    octets = pack_of(torn).read_bytes()
    put_index(before, torn)
    cut(pack_of(torn), octets.index(b"postroad/1 group number=9999") + left)
    assert start(torn).sentences == ()
    assert shown(torn) == wanted
    for file in torn.glob("index.db*"):
        file.unlink()
    cut(pack_of(torn), len(pack_of(torn).read_bytes().rstrip(b"\0")))
    pack_of(torn).write_bytes(octets[: octets.index(b"postroad/1 group number=9999") + left])
    start(torn)
    assert shown(torn) == wanted


def _copy_once(data: Path, to: Path) -> None:
    if not to.exists():
        copy_store(data, to)


def _desk(data: Path) -> Desk:
    desk = Desk.__new__(Desk)
    desk.data, desk.account_id = data, 1
    return desk


async def _nothing(_: Account) -> None:
    """Opening and closing is what it is about."""
