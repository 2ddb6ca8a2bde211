"""The golden dialogues of IMAP."""

import pytest

from tests.transcripts.imap_setting import FOLDER, setting
from tests.transcripts.player import Way, performances, play
from tests.transcripts.script import Script


@pytest.mark.parametrize(("script", "way"), performances(FOLDER))
def test_dialogue(script: Script, way: Way) -> None:
    play(script, way, setting)
