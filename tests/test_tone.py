"""The tone: each audience has its own, and the answer inside stays as it was."""

import pytest

from utils.citations import cited_numbers
from utils.handbook import AUDIENCES
from utils.prompts import ABSTENTION, is_abstention
from utils.tone import TONES, in_tone, keeps_tone


def test_every_audience_has_a_tone_of_its_own():
    assert tuple(TONES) == AUDIENCES
    assert len({before for before, _ in TONES.values()}) == len({after for _, after in TONES.values()}) == 3


@pytest.mark.parametrize("audience", AUDIENCES)
@pytest.mark.parametrize("text", ["It costs $12. [2]", f" {ABSTENTION}\n"])
def test_an_answer_in_tone_keeps_that_tone_and_no_other(text, audience):
    spoken = in_tone(text, audience)
    assert [other for other in AUDIENCES if keeps_tone(spoken, other)] == [audience]
    assert text.strip() in spoken and not keeps_tone(text, audience)


@pytest.mark.parametrize("audience", AUDIENCES)
def test_what_an_answer_says_and_cites_stays(audience):
    assert cited_numbers(in_tone("It costs $12. [2]", audience)) == [2]
    assert is_abstention(in_tone(ABSTENTION, audience))


@pytest.mark.parametrize(
    "text",
    ["Happy to help! It costs $12.", "It costs $12. Come and see us soon!", "Happy to help!$12 Come and see us soon!"],
)
def test_half_a_tone_is_none(text):
    assert not keeps_tone(text, "public")
