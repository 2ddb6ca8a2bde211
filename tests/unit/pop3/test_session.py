"""POP3 over a real socket, with Python's own client."""

import asyncio
import os
import poplib
import socket
import sys
from pathlib import Path

import msgspec
import pytest

from postroad.directory.accounts import switch_capabilities
from postroad.pop3.maildrop import InUse, Maildrop
from postroad.pop3.transaction import SLICE
from postroad.store.runs import runs_of
from tests.unit.pop3.world import PASSWORD, QUICK, USER, Worker, workers

_HELLO = b"From: bob@demo.test\r\nSubject: Hello\r\n\r\nline 1\r\n.line 2\r\nline 3\r\n"
_LARGE = b"Subject: Large\r\n\r\n" + b"." * 70 + b"\r\n" + (b"x" * 76 + b"\r\n.\r\n") * 20_000


def _body(client: poplib.POP3, number: int) -> bytes:
    return b"".join(line + b"\r\n" for line in client.retr(number)[1])


def test_a_whole_session(tmp_path: Path) -> None:
    async def play() -> None:
        async with workers(tmp_path) as (worker,):
            uids = await worker.deliver(_HELLO, b"Subject: Two\r\n\r\nno end", _LARGE)

            def work(client: poplib.POP3) -> list[bytes]:
                assert client.stat() == (3, len(_HELLO) + 22 + len(_LARGE))
                assert client.list()[1] == [b"1 %d" % len(_HELLO), b"2 22", b"3 %d" % len(_LARGE)]
                assert repr(client.list(2)) == "b'+OK 2 22'"  # a tuple, says typeshed
                assert _body(client, 1) == _HELLO
                assert _body(client, 2) == b"Subject: Two\r\n\r\nno end\r\n"
                assert _body(client, 3) == _LARGE
                assert b"\r\n".join(client.top(1, 2)[1]) == _HELLO[: _HELLO.index(b"\r\nline 3")]
                assert b"\r\n".join(client.top(1, 0)[1]) == _HELLO[: _HELLO.index(b"\r\nline 1")]
                assert len(client.top(3, 30_000)[1]) == 30_002
                client.noop()
                client.dele(2)
                assert client.stat()[0] == 2
                assert [line.split()[0] for line in client.list()[1]] == [b"1", b"3"]
                listed: list[bytes] = client.uidl()[1]
                client.quit()
                return listed

            listed = await worker.client(work)
            inbox = worker.account().mailbox("INBOX")
            assert inbox is not None
            assert listed == [b"%d %d.%d" % (n, inbox.uidvalidity, uids[n - 1]) for n in (1, 3)]
            assert await worker.uids() == [uids[0], uids[2]]

    asyncio.run(play())


def test_unique_ids_are_the_same_in_the_next_session(tmp_path: Path) -> None:
    async def play() -> None:
        async with workers(tmp_path) as (worker,):
            await worker.deliver(*[_HELLO] * 5)

            def first(client: poplib.POP3) -> list[bytes]:
                listed = [line.split()[1] for line in client.uidl()[1]]
                assert client.uidl(3).split()[-1] == listed[2]
                client.dele(1)
                client.quit()
                return listed

            before = await worker.client(first)
            await worker.deliver(_HELLO)
            after = await worker.client(lambda client: [line.split()[1] for line in client.uidl()[1]])
            assert after[:4] == before[1:]
            assert len(set(after) | set(before)) == 6

    asyncio.run(play())


@pytest.mark.parametrize("end", ["reset", "close"])
def test_without_quit_nothing_is_deleted(tmp_path: Path, end: str) -> None:
    async def play() -> None:
        async with workers(tmp_path) as (worker,):
            uids = await worker.deliver(_HELLO, _HELLO)

            def work(client: poplib.POP3) -> None:
                client.dele(1)
                client.dele(2)
                assert client.stat() == (0, 0)
                if end == "reset":
                    client.rset()
                    assert client.stat() == (2, 2 * len(_HELLO))
                    client.quit()

            await worker.client(work)
            assert await worker.uids() == uids

    asyncio.run(play())


def test_the_mailbox_is_exclusive_over_all_workers(tmp_path: Path) -> None:
    async def play() -> None:
        async with workers(tmp_path, 2) as (one, two):

            def work(client: poplib.POP3) -> None:
                for worker in (one, two):
                    with pytest.raises(poplib.error_proto, match=r"-ERR \[IN-USE\]"):
                        worker.log_in()
                client.quit()
                two.log_in().quit()

            await one.client(work)

    asyncio.run(play())


def test_a_lost_connection_gives_the_mailbox_back(tmp_path: Path) -> None:
    async def play() -> None:
        async with workers(tmp_path) as (worker,):
            await worker.client(lambda client: client.sock.shutdown(socket.SHUT_RDWR))

            def log_in_again() -> bool:
                try:
                    worker.log_in().quit()
                except poplib.error_proto as error:
                    return b"IN-USE" not in error.args[0]
                return True

            while not await asyncio.to_thread(log_in_again):
                pass  # the server learns of the end a moment later

    asyncio.run(play())


def test_messages_keep_their_numbers_while_others_change_the_mailbox(tmp_path: Path) -> None:
    async def play() -> None:
        async with workers(tmp_path) as (worker,):
            uids = await worker.deliver(_HELLO, b"Subject: Two\r\n\r\n", _HELLO)
            client = await asyncio.to_thread(worker.log_in)
            inbox = worker.account().mailbox("INBOX")
            trash = worker.account().mailbox("Trash")
            assert inbox is not None
            assert trash is not None
            await worker.account().expunge(inbox.id, [(uids[0], uids[0])], only_deleted=False)
            await worker.account().move(inbox.id, [(uids[2], uids[2])], trash.id)
            await worker.deliver(_HELLO)

            def work() -> None:
                assert client.stat()[0] == 3
                with pytest.raises(poplib.error_proto, match="-ERR no such message"):
                    client.retr(1)
                assert client.retr(2)[1] == [b"Subject: Two", b""]
                assert client.retr(3)[1][1] == b"Subject: Hello"
                client.dele(1)
                client.dele(2)
                client.dele(3)
                client.quit()

            await asyncio.to_thread(work)
            # What another client moved away is not in the mailbox any more, and so not ours to delete.
            assert len(await worker.uids()) == 1
            moved = worker.account().mailbox("Trash")
            assert moved is not None
            assert moved.messages == 1

    asyncio.run(play())


def test_numbers_that_are_none(tmp_path: Path) -> None:
    async def play() -> None:
        async with workers(tmp_path) as (worker,):
            await worker.deliver(_HELLO, _HELLO)

            def work(client: poplib.POP3) -> None:
                client.dele(1)
                for number in (0, 1, 3, 4_000_000_000):
                    for command in (client.retr, client.dele, client.list, client.uidl):
                        with pytest.raises(poplib.error_proto, match="-ERR no such message"):
                            command(number)
                    with pytest.raises(poplib.error_proto, match="-ERR no such message"):
                        client.top(number, 1)
                client.quit()

            await worker.client(work)

    asyncio.run(play())


async def _talk(worker: Worker, *lines: bytes, tls: bool = True) -> bytes:
    """Say everything in one go and read to the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", worker.port, limit=2**20)
    said = b""
    if tls:
        writer.write(b"STLS\r\n")
        for _ in range(2):
            said += await reader.readline()
        await writer.start_tls(worker.trust(), server_hostname="localhost")
        said = b""
    writer.write(b"".join(line + b"\r\n" for line in lines))
    said += await reader.read()
    writer.close()
    await writer.wait_closed()
    return said


def _log_in_lines(password: str = PASSWORD) -> tuple[bytes, bytes]:
    return b"USER " + USER.encode(), b"PASS " + password.encode()


def test_a_pipeline_is_answered_in_order(tmp_path: Path) -> None:
    async def play() -> None:
        async with workers(tmp_path) as (worker,):
            await worker.deliver(*[_HELLO] * 20)
            retrieve = [line for n in range(1, 21) for line in (b"RETR %d" % n, b"DELE %d" % n)]
            said = await _talk(worker, *_log_in_lines(), b"STAT", *retrieve, b"QUIT", b"STAT")
            assert said.startswith(
                b"+OK now the password\r\n+OK 20 messages\r\n+OK 20 %d\r\n" % (20 * len(_HELLO))
            )
            assert said.count(b"Subject: Hello") == 20
            assert said.endswith(b".\r\n+OK\r\n+OK bye\r\n")
            assert await worker.uids() == []

    asyncio.run(play())


def test_a_pipeline_of_what_the_core_answers_is_answered_in_full(tmp_path: Path) -> None:
    async def play() -> None:
        async with workers(tmp_path) as (worker,):
            said = await _talk(worker, *_log_in_lines(), *[b"NOOP"] * 1000, b"QUIT")
            assert said.count(b"+OK") == 1003

    asyncio.run(play())


def test_sasl_logs_in(tmp_path: Path) -> None:
    async def play() -> None:
        async with workers(tmp_path) as (worker,):
            plain = b"AGFkYUBkZW1vLnRlc3QAZGVtbw=="
            assert await _talk(worker, b"AUTH PLAIN " + plain, b"QUIT") == b"+OK 0 messages\r\n+OK bye\r\n"
            assert (
                await _talk(worker, b"AUTH PLAIN", plain, b"QUIT") == b"+ \r\n+OK 0 messages\r\n+OK bye\r\n"
            )
            assert (
                await _talk(worker, b"AUTH LOGIN", b"YWRhQGRlbW8udGVzdA==", b"ZGVtbw==", b"QUIT")
                == b"+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\n+OK 0 messages\r\n+OK bye\r\n"
            )
            assert (
                await _talk(worker, b"AUTH LOGIN", b"*", b"QUIT")
                == b"+ VXNlcm5hbWU6\r\n-ERR log-in was given up\r\n+OK bye\r\n"
            )

    asyncio.run(play())


def test_another_identity_cannot_be_taken(tmp_path: Path) -> None:
    async def play() -> None:
        async with workers(tmp_path) as (worker,):
            as_bob = b"Ym9iQGRlbW8udGVzdABhZGFAZGVtby50ZXN0AGRlbW8="
            said = await _talk(worker, b"AUTH PLAIN " + as_bob, b"QUIT")
            assert said == b"-ERR [AUTH] wrong name or password\r\n+OK bye\r\n"

    asyncio.run(play())


def test_unknown_users_and_wrong_passwords_are_told_alike(tmp_path: Path) -> None:
    async def play() -> None:
        async with workers(tmp_path) as (worker,):
            wrong = await _talk(worker, *_log_in_lines("wrong"), b"QUIT")
            unknown = await _talk(worker, b"USER nobody@demo.test", b"PASS demo", b"QUIT")
            not_text = await _talk(worker, b"USER \xff\xfe", b"PASS \xff", b"QUIT")
            assert wrong == b"+OK now the password\r\n-ERR [AUTH] wrong name or password\r\n+OK bye\r\n"
            assert wrong == unknown == not_text

    asyncio.run(play())


def test_failed_log_ins_end_the_connection(tmp_path: Path) -> None:
    async def play() -> None:
        async with workers(tmp_path) as (worker,):
            said = await _talk(worker, *_log_in_lines("wrong") * 30)
            assert said.count(b"[AUTH]") == QUICK.auth_per_connection

    asyncio.run(play())


def test_what_came_in_clear_behind_stls_is_dropped(tmp_path: Path) -> None:
    async def play() -> None:
        async with workers(tmp_path) as (worker,):
            reader, writer = await asyncio.open_connection("127.0.0.1", worker.port)
            writer.write(b"STLS\r\nUSER eve@demo.test\r\nCAPA\r\nQU")
            assert await reader.readline() == b"+OK postroad ready\r\n"
            assert await reader.readline() == b"+OK begin TLS\r\n"
            await writer.start_tls(worker.trust(), server_hostname="localhost")
            writer.write(b"PASS demo\r\nQUIT\r\n")
            assert await reader.read() == b"-ERR say USER first\r\n+OK bye\r\n"
            writer.close()
            await writer.wait_closed()

    asyncio.run(play())


def test_passwords_are_refused_in_clear(tmp_path: Path) -> None:
    async def play() -> None:
        async with workers(tmp_path) as (worker,):
            said = await _talk(worker, *_log_in_lines(), b"AUTH PLAIN", b"QUIT", tls=False)
            assert said == (
                b"+OK postroad ready\r\n" + b"-ERR [AUTH] use STLS first\r\n" * 3 + b"+OK bye\r\n"
            )

    asyncio.run(play())


def test_silence_ends_the_session_without_deleting(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(QUICK, pop3_timeout=0.05)

    async def play() -> None:
        async with workers(tmp_path, limits=limits) as (worker,):
            uids = await worker.deliver(_HELLO)
            said = await _talk(worker, *_log_in_lines(), b"DELE 1")
            assert said.endswith(b"+OK 1 messages\r\n+OK\r\n")
            assert await worker.uids() == uids

    asyncio.run(play())


def test_a_large_mailbox_is_listed_in_full(tmp_path: Path) -> None:
    async def play() -> None:
        async with workers(tmp_path) as (worker,):
            for _ in range(5):
                await worker.deliver(*[b"Subject: x\r\n\r\n"] * 500)
            said = await _talk(worker, *_log_in_lines(), b"LIST", b"UIDL", b"QUIT")
            assert said.count(b"\r\n") == 2 + 2 * 2502 + 1
            assert b"\r\n2500 14\r\n.\r\n+OK unique ids follow\r\n1 " in said

    asyncio.run(play())


def test_a_message_is_sent_in_slices() -> None:
    assert len(_LARGE) > 5 * SLICE


def test_ranges_join_neighbours() -> None:
    assert runs_of([1, 2, 3, 5, 7, 8]) == [(1, 3), (5, 5), (7, 8)]
    assert runs_of([]) == []


_HOLDER = """
import sys, pathlib
from postroad.db.lock import WriteLock
print(WriteLock(pathlib.Path(sys.argv[1])).try_acquire(), flush=True)
sys.stdin.read()
"""


def test_the_lock_goes_with_its_process_even_when_killed(tmp_path: Path) -> None:
    async def play() -> None:
        async with workers(tmp_path) as (worker,):
            locks = tmp_path / "run"
            holder = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", _HOLDER, locks / "pop3-1.lock"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            assert holder.stdout is not None
            assert await holder.stdout.readline() == b"True\n"
            with pytest.raises(InUse):
                Maildrop(worker.account(), locks)
            holder.kill()
            await holder.communicate()
            Maildrop(worker.account(), locks).close()

    asyncio.run(play())


def test_damage_is_said_or_cuts_the_connection_off_but_is_never_served(tmp_path: Path) -> None:
    async def play() -> None:
        async with workers(tmp_path) as (worker,):
            await worker.deliver(_HELLO, _LARGE, _HELLO)
            (pack,) = (path for path in (tmp_path / "packs").iterdir() if path.stat().st_size > len(_LARGE))
            os.truncate(pack, SLICE * 3)
            said = await _talk(worker, *_log_in_lines(), b"RETR 1", b"RETR 3", b"QUIT")
            assert b"\r\nline 3\r\n.\r\n-ERR [SYS/PERM] the message cannot be read\r\n+OK bye\r\n" in said

            def cut_off(client: poplib.POP3) -> None:
                with pytest.raises((EOFError, OSError, poplib.error_proto)):
                    client.retr(2)

            await worker.client(cut_off)

    asyncio.run(play())


def test_what_is_switched_off_is_missing_after_log_in(tmp_path: Path) -> None:
    async def play() -> None:
        async with workers(tmp_path) as (worker,):
            await worker.store.database.write(
                lambda tx: switch_capabilities(tx, USER, ["pop3:top"], False, who="test")
            )

            def work(client: poplib.POP3) -> None:
                assert "TOP" not in client.capa()
                assert "UIDL" in client.capa()
                with pytest.raises(poplib.error_proto, match="unknown command"):
                    client.top(1, 0)
                client.quit()

            await worker.client(work)

    asyncio.run(play())
