"""Tables and what is kept from a terminal."""

import os
import pty
import sys

import pytest

from postroad.cli.output import Column, print_table, safe


def test_what_drives_a_terminal_is_taken_out() -> None:
    assert safe("a\x1b[2Jb\u202ec\nd\x9b") == "a\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}c" + (
        "\N{REPLACEMENT CHARACTER}d\N{REPLACEMENT CHARACTER}"
    )


def test_columns_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([Column("NAME"), Column("N", "right"), Column("X")], [("ada", 1, ""), ("日本", 200, "y")])
    assert capsys.readouterr().out == "NAME    N  X\nada     1\n日本  200  y\n"


def test_a_pipe_gets_everything(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([Column("SUBJECT", cut=True)], [("x" * 300,)])
    assert "x" * 300 in capsys.readouterr().out


def test_a_terminal_gets_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    monkeypatch.setenv("NO_COLOR", "1")
    with os.fdopen(theirs, "w") as terminal, os.fdopen(ours, newline="") as screen:
        monkeypatch.setattr(sys, "stdout", terminal)
        print_table(
            [Column("A", cut=True), Column("B", cut=True), Column("C")], [("x" * 90, "y" * 30, "z" * 9)]
        )
        terminal.flush()
        titles, row = (screen.readline().rstrip() for _ in range(2))
    assert titles.split() == ["A", "B", "C"]
    assert len(row) <= 80
    assert "…" in row
    assert row.endswith("z" * 9)
