"""What a session writes."""

from postroad.imap.wire.output import Output


def test_what_is_written_is_given_once_and_in_order() -> None:
    output = Output()
    output.untagged(b"2 EXISTS")
    output.tagged(b"a", b"OK", b"opened", b"READ-WRITE")
    output.tagged(b"b", b"OK", b"done")
    output.continuation(b"idling")
    output.continuation()
    output.write(b"* 1 EXPUNGE\r\n")
    said = b"* 2 EXISTS\r\na OK [READ-WRITE] opened\r\nb OK done\r\n+ idling\r\n+ \r\n* 1 EXPUNGE\r\n"
    assert output.unsent == len(said)
    assert output.data_to_send() == said
    assert output.unsent == 0
    assert output.data_to_send() == b""
