"""One event is one line, whatever strangers put into it (SAFETY C34)."""

import json
import re
from collections.abc import Iterator

import pytest
import structlog

from postroad.obs.log import configure

HOSTILE = [
    "x\r\nlevel=error event=forged",
    "x\nforged",
    "x\rforged",
    "\x1b[2J\x1b]0;title\x07",
    "a\0b",
    "\x85\u2028\u2029\v\f",
    "\x9b31m\x7f",
    "\u202egpj.exe\u2066",
    'quo"ted = x',
    "back\\slash",
    "\ud800",
]


@pytest.fixture(params=["text", "json"])
def form(request: pytest.FixtureRequest) -> Iterator[str]:
    """Both forms; what other tests have configured comes back."""
    before = structlog.get_config()
    yield request.param
    structlog.configure(**before)


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_stays_on_its_line(form: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure("debug", form)
    log = structlog.get_logger()
    log.info("first", name=value, octets=value.encode("utf-8", "surrogatepass"), several=[value, value])
    log.warning("second", reason=ValueError(value))
    try:
        raise OSError(value)
    except OSError:
        log.exception("third", count=3, yes=True, none=None)
    lines = capsys.readouterr().err.split("\n")
    assert lines.pop() == ""
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)
    if form == "json":
        assert [json.loads(line)["event"] for line in lines] == ["first", "second", "third"]
        assert json.loads(lines[0])["name"] == value
    else:
        assert [re.findall(r" event=(\w+)", line)[0] for line in lines] == ["first", "second", "third"]
        assert "count=3" in lines[2]
