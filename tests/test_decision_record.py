"""The decision record: drafted from the ledger, checked for gaps, saved without losing what a person wrote."""

import errno
import os
from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from utils import paths
from utils.authoring.quiz_lint import read_sources
from utils.decision_record import (
    EVIDENCE,
    OPTIONS,
    TEMPLATE,
    Finding,
    Record,
    draft,
    fill_in,
    missing,
    save,
    to_markdown,
)
from utils.errors import CourseError
from utils.ledger import Ledger
from utils.paths import SOLUTIONS

TODAY = date(2026, 11, 26)
LATER = date(2027, 6, 1)
FINDING = Finding(what="right answers, RAG", key="rag.correct", figure="76%", interval="70% to 82%", notebook="09")


@pytest.fixture
def ledger(tmp_path):
    return Ledger.open(tmp_path / "ledger.json")


@pytest.fixture
def measured(ledger):
    ledger.record("rag.correct", 0.762, 0.7, 0.819, notebook="09", questions="test")
    ledger.record("update.ratio", 449, unit="times", notebook="04")
    return ledger


WRITTEN = {
    "title": "An assistant for the shop",
    "context": "Customers ask about the handbook, which changes weekly.",
    "decision": "RAG + template",
    "because": "It has the most complete letters.",
    "change": "A form that no template can write.",
    "revisit": LATER,
    "signed_by": "R. Tarn",
}


def complete(**changes):
    fields = WRITTEN | {"options": OPTIONS, "evidence": (FINDING,), "on": TODAY} | changes
    return Record(**fields)


# Drafting


def test_the_draft_takes_its_evidence_from_the_ledger(measured):
    record = draft(measured, "The shop", today=TODAY)
    rows = {finding.key: finding for finding in record.evidence}
    assert list(rows) == list(EVIDENCE)
    assert rows["rag.correct"].model_dump() == {
        "what": "right answers, RAG", "key": "rag.correct", "figure": "76.2%", "interval": "70% to 81.9%",
        "notebook": "09", "questions": "test",
    }  # fmt: skip
    assert (rows["update.ratio"].figure, rows["update.ratio"].interval) == ("449 times", "")
    assert (rows["hybrid.correct"].figure, rows["hybrid.correct"].notebook) == ("", "09")
    assert (record.context, record.on, record.options) == ("The shop", TODAY, OPTIONS)


def test_the_newest_measurement_is_drafted(measured):
    measured.record("rag.correct", 0.5, notebook="09", questions="test")
    (finding,) = draft(measured, keys={"rag.correct": ("right", "09")}).evidence
    assert finding.figure == "50%"


def test_every_key_is_recorded_by_the_notebook_that_the_draft_names():
    notebooks = read_sources(SOLUTIONS)
    assert [key for key, (_, number) in EVIDENCE.items() if not notebooks[number].records(key)] == []


def test_fields_are_written_and_dates_are_read():
    record = fill_in(complete(), decision="hybrid", revisit="2028-01-31")
    assert (record.decision, record.revisit) == ("hybrid", date(2028, 1, 31))
    assert record.context == WRITTEN["context"]


@pytest.mark.parametrize(
    "written, said",
    [
        ({"verdict": "RAG"}, "no field 'verdict': choose one of title, context"),
        ({"revisit": "next year"}, "'revisit' must be a date such as 2027-06-01, not 'next year'"),
        ({"decision": 3}, "'decision' must be text, not 3"),
        ({"options": "RAG"}, "'options' must be a list of texts, not 'RAG'"),
    ],
)
def test_a_field_out_of_form_gets_a_sentence(written, said):
    with pytest.raises(CourseError) as caught:
        fill_in(complete(), **written)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_draft_of_something_that_is_no_text_gets_a_sentence(ledger):
    with pytest.raises(CourseError, match="'context' must be text"):
        draft(ledger, context=7)
    with pytest.raises(CourseError, match="'options' must be a list of texts, not 'RAG'"):
        draft(ledger, options="RAG")


# What is missing


def test_a_complete_record_lacks_nothing():
    assert missing(complete(), TODAY) == []


def test_a_fresh_draft_names_everything_that_a_person_has_to_write(ledger, measured):
    lines = missing(draft(measured, today=TODAY), TODAY)
    assert len(lines) == len(TEMPLATE) + 1  # and the date
    assert all("template" in line for line in lines[:-1])
    assert "`revisit`" in lines[-1]


GAPS = {
    "no title": ({"title": " "}, "title is empty"),
    "no context": ({"context": ""}, "context is empty"),
    "only marks": ({"context": "…\n- \n"}, "context is empty"),
    "template context": ({"context": TEMPLATE["context"]}, "context is still the sentence of the template"),
    "text around the template": ({"change": f"Hm. {TEMPLATE['change']} Soon."}, "what would change it is still"),
    "another part's template": ({"because": TEMPLATE["context"]}, "reason of the decision is still"),
    "no reason": ({"because": "\t"}, "reason of the decision is empty"),
    "no decision": ({"decision": ""}, "decision is empty"),
    "another decision": ({"decision": "RAG + prayer"}, "not among the options: choose one of prompt only, RAG, "),
    "one option": ({"options": ("RAG + template",)}, "fewer than two options"),
    "the same option twice": ({"options": ("RAG + template", " RAG +  template ")}, "fewer than two options"),
    "no change": ({"change": ""}, "what would change it is empty"),
    "no signature": ({"signed_by": "  "}, "signature is empty"),
    "no date": ({"revisit": None}, "no date on which to look again"),
    "a past date": ({"revisit": TODAY - timedelta(days=1)}, "2026-11-25, is not in the future"),
    "today": ({"revisit": TODAY}, "is not in the future"),
    "before the decision": ({"on": LATER + timedelta(days=1)}, "is not in the future"),
    "no evidence": ({"evidence": ()}, "no number yet: name ledger keys"),
    "nothing measured": ({"evidence": (FINDING.model_copy(update={"figure": ""}),)}, "no number yet: run notebook 09"),
    "a number only in the name": (
        {"evidence": (FINDING.model_copy(update={"figure": "", "what": "recall at 3"}),)}, "no number yet",
    ),
}  # fmt: skip


@pytest.mark.parametrize("changes, said", GAPS.values(), ids=GAPS)
def test_a_gap_is_named_and_nothing_else(changes, said):
    (line,) = missing(complete(**changes), TODAY)
    assert said in line and line.endswith(".")


def test_spaces_do_not_make_another_option():
    assert missing(complete(decision="RAG  +\ttemplate "), TODAY) == []


def test_a_record_is_judged_by_today_unless_told_otherwise():
    day = timedelta(days=1)  # two days away from today: midnight may pass between the lines
    assert missing(complete(revisit=date.today() + 2 * day, on=date.today())) == []
    assert len(missing(complete(revisit=date.today() - day, on=date.today() - 2 * day))) == 1


# The document


def test_the_document_has_every_part():
    text = to_markdown(complete())
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == [
        "# An assistant for the shop", "## Context", "## Options considered", "## Evidence", "## Decision",
        "## What would change it", "## Signed",
    ]  # fmt: skip
    assert "| right answers, RAG (rag.correct) | 76% | 70% to 82% | 09 |  |" in text
    assert "Chosen: RAG + template" in text and "Look again on 2027-06-01" in text
    assert text.endswith("R. Tarn, 2026-11-26\n")


def test_what_is_not_measured_says_so(ledger):
    text = to_markdown(draft(ledger, today=TODAY))
    assert text.count("not measured yet") == len(EVIDENCE)


# Text from people and from other computers, as a Markdown reader shows it

NASTY = [
    "# Not a heading",
    "<script>alert(1)</script>",
    "[click](javascript:alert(1)) ![x](http://example.org/x.png)",
    "a | b | c",
    "```\ncode without an end",
    "~~~",
    "title\n===",
    "title\n---",
    "- a list\n+ another\n* a third",
    "1. first\n2) second",
    "> a quotation",
    "    indented like code",
    "$40 to $50, and `code`, *stars*, _lines_, \\ and &amp; &#35;",
    "| a |\n|---|\n| b |",
    "[ref]: http://example.org",
    "<!-- hidden",
    "a\x00b\x1b[31m c\u202etxt",
    "ends with a backslash \\",
    ":-:\n:--",
    "half a pair \ud800",
]
READ_AS_TEXT = "".join(chr(code) for code in range(32, 127)) + "\n\t\r\x0b\u2028é漢"


def shown_by_a_reader(text):
    """The blocks of a Markdown document besides paragraphs, its kinds of text, and its texts, as a parser reads it."""
    parser = pytest.importorskip("markdown_it").MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = parser.parse(text)
    inline = [token for token in tokens if token.type == "inline"]
    kinds = {child.type for token in inline for child in token.children} | {"text", "softbreak"}
    texts = ["".join(child.content or "\n" for child in token.children) for token in inline]
    return [token.type for token in tokens if not token.type.startswith(("paragraph", "inline"))], kinds, texts


def plain(text):
    """What a reader should see of a text: its visible characters, with single spaces."""
    hidden = "\x00\x1b\u202e\ud800"
    return " ".join("".join(one for one in text if one not in hidden).split())


@given(st.text(alphabet=READ_AS_TEXT, min_size=1, max_size=60).filter(lambda text: text.strip()))
@example("a\n\n- b")
@example("1.")
def test_any_text_is_shown_as_it_was_written(text):
    check_shown(text)


@pytest.mark.parametrize("text", NASTY)
def test_marks_and_html_in_a_text_are_shown_as_they_were_written(text):
    check_shown(text)


def check_shown(text):
    finding = FINDING.model_copy(update={"what": text, "notebook": text, "questions": text})
    fields = dict.fromkeys(("title", "decision", "signed_by", "context", "because", "change"), text)
    record = complete(**fields, options=("RAG", text), evidence=(finding,))
    blocks, inline, texts = shown_by_a_reader(to_markdown(record))
    expected, _, _ = shown_by_a_reader(to_markdown(complete(options=("RAG", "hybrid"))))
    assert blocks == expected
    assert inline == {"text", "softbreak"}
    everything = plain(" ".join(texts))
    assert everything.count(plain(text)) >= 10
    assert plain(texts[0]) == plain(text)


# Saving


def test_a_saved_record_is_read_back(tmp_path):
    path = save(complete(), tmp_path / "new" / "decision.md")
    assert path == tmp_path / "new" / "decision.md"
    assert path.read_text(encoding="utf-8") == to_markdown(complete())


def test_saving_the_same_record_again_changes_nothing(tmp_path):
    path = save(complete(), tmp_path / "decision.md")
    before = path.stat().st_mtime_ns
    assert save(complete(), path) == path
    assert (path.stat().st_mtime_ns, os.listdir(tmp_path)) == (before, ["decision.md"])


def test_an_edited_record_is_kept_and_the_new_one_lies_beside_it(tmp_path):
    path = save(complete(), tmp_path / "decision.md")
    path.write_text("My own words.", encoding="utf-8")
    beside = save(complete(), path)
    assert beside == tmp_path / "decision-2.md"
    assert path.read_text(encoding="utf-8") == "My own words."
    assert save(complete(), path) == beside  # not one more file at each run
    third = save(complete(decision="RAG"), path)
    assert third.name == "decision-3.md"
    assert beside.read_text(encoding="utf-8") == to_markdown(complete())


def test_a_folder_gets_a_sentence(tmp_path):
    with pytest.raises(CourseError, match="is a folder: name a file in it"):
        save(complete(), tmp_path)


def test_a_full_disk_gets_a_sentence_and_leaves_no_half_of_a_record(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(paths.os, "fsync", full)
    with pytest.raises(CourseError, match="disk is full"):
        save(complete(), tmp_path / "decision.md")
    assert os.listdir(tmp_path) == []


def test_a_home_folder_of_nobody_is_an_ordinary_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(complete(), "~nosuchuser/decision.md")
    assert (tmp_path / "~nosuchuser" / "decision.md").is_file()


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "link.md").symlink_to(tmp_path / "elsewhere.md")
    save(complete(), tmp_path / "link.md")
    assert (tmp_path / "link.md").is_symlink()
    assert (tmp_path / "elsewhere.md").read_text(encoding="utf-8") == to_markdown(complete())
