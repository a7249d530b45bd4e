"""Values and citations, as real answers write them."""

import unicodedata

import pytest

from utils.citations import cited_numbers, without_citations
from utils.matching import contains_whole
from utils.prompts import ABSTENTION, is_abstention, number_passages
from utils.retrieval import Passage

SAME = [
    ("It takes 15 days.", "15 days"),
    ("MONDAY", "Monday"),
    ("within 30\u00a0days", "30 days"),
    ("within 30  days", "30 days"),
    ("within 30\ndays", "30 days"),
    ("the manager’s desk", "the manager's desk"),
    ("the “blue” room", 'the "blue" room'),
    (unicodedata.normalize("NFD", "Café Zoë"), unicodedata.normalize("NFC", "Café Zoë")),
    ("It costs $1,000.", "$1000"),
    ("It costs $1000.", "$1,000"),
    ("1\u202f000 km", "1,000 km"),
    ("1\u202f500 €", "1 500 €"),
    ("Es kostet 1'500 Fr.", "1500 Fr."),
    ("A4 500 sheets", "500 sheets"),
    ("At 9:00 100 people came.", "100 people"),
    ("Call 030 123 456 or 112.", "123 456"),
    ("１，０００円です", "1,000円"),
    ("1 000 000 people", "1,000,000 people"),
    ("50\u200f ₪", "50 ₪"),
    ("open 9–17", "9-17"),
    ("open 9 – 17", "9-17"),
    ("_30 days_", "30 days"),
    ("**30** days", "30 days"),
    ("`30 days`", "30 days"),
    ("为30天。", "30天"),
    ("30일은", "30일"),
    ("３０ days", "30 days"),
    ("Yes,30 days", "30 days"),
    ("At 9:30 am.", "9:30 am"),
    ("below −15 degrees", "-15 degrees"),
    ("a range of 5-15 degrees", "15 degrees"),
    ("10%–12% of it", "12%"),
    ("10€-12€ a day", "12€"),
    ("5 °-10 °C", "10 °C"),
    ("Delivery: $12", "$12"),
]
OTHER = [
    ("It takes 115 days.", "15 days"),
    ("It takes 15 daysful.", "15 days"),
    ("It costs $45.50.", "$45"),
    ("It costs $450.", "$45"),
    ("It costs $1,000.50.", "$1,000"),
    ("It costs $21,000.", "$1,000"),
    ("Es kostet 1 500 €.", "500 €"),
    ("Es kostet 1'500 Fr.", "500 Fr."),
    ("€50 000 a year", "€50"),
    ("Keep it at 0-5 degrees.", "-5 degrees"),
    ("It weighs 11.4 kg", "1.4 kg"),
    ("It weighs .5 kg", "5 kg"),
    ("below -15 degrees", "15 degrees"),
    ("below −15 degrees", "15 degrees"),
    ("at 15 degrees", "-15 degrees"),
    ("a fee of -$15", "$15"),
    ("about -12% less", "12%"),
    ("At 9:30 am.", "30 am"),
    ("为130天。", "30天"),
    ("3*4 metres", "34 metres"),
    ("anything", ""),
    ("anything", "  "),
]


@pytest.mark.parametrize(("text", "value"), SAME)
def test_a_value_in_another_spelling_is_found(text, value):
    assert contains_whole(text, value)


@pytest.mark.parametrize(("text", "value"), OTHER)
def test_a_part_of_another_value_is_not_found(text, value):
    assert not contains_whole(text, value)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It is so. [2]", [2]),
        ("It is so. [1, 2]", [1, 2]),
        ("It is so. [2; 1]", [2, 1]),
        ("It is so. [1][2]", [1, 2]),
        ("It is so. [1 and 3]", [1, 3]),
        ("It is so. 【1】", [1]),
        ("It is so. 【1†source】", [1]),
        ("It is so. [Passage 1]", [1]),
        ("It is so. [passages 1, 2]", [1, 2]),
        ("It is so. [Source: 2]", [2]),
        ("It is so. [1-3]", [1, 2, 3]),
        ("It is so. [^2]", [2]),
        ("It is so. ［2］", [2]),
        ("It is so. [2] Really. [2]", [2]),
        ("It is so (2).", []),
        ("It is so. [see above]", []),
        ("It is so. [2026-01-01]", []),
        ("It is so. []", []),
    ],
)
def test_citations_in_their_usual_forms(text, numbers):
    assert cited_numbers(text) == numbers
    assert cited_numbers(without_citations(text)) == []


def test_a_passage_cannot_cite():
    shown = [Passage("a", "a", "Returns [7]", "30 days [2]. See 【1】."), Passage("b", "b", "B", "Text.")]
    assert number_passages(shown) == "[1] Returns (7). 30 days (2). See (1).\n[2] B. Text."


@pytest.mark.parametrize(
    "text",
    [
        ABSTENTION, ABSTENTION.upper(), "Sorry, I don’t know.", "I do not know.", "The passages do not mention this.",
        "The handbook does not say whether dogs may come.", "This is not mentioned in the passages.",
        "The passages provided do not mention it.", "That is not stated in the handbook.",
    ],
)  # fmt: skip
def test_abstentions(text):
    assert is_abstention(text)


@pytest.mark.parametrize("text", ["", "30 days. [1]", "If you do not know your size, ask.", "The handbook says so."])
def test_answers_are_no_abstentions(text):
    assert not is_abstention(text)
