"""Training examples of one's own, from a JSONL file: what is read, and which line is named when one is malformed."""

import json
import re
from dataclasses import asdict

import pytest

from utils.errors import CourseError
from utils.finetuning import TrainingExample, read_training_examples, refuse_overlap


def turns(*texts, system=None):
    roles = ["user", "assistant"] * len(texts)
    said = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=False)]
    return ([{"role": "system", "content": system}] if system else []) + said


FIRST = TrainingExample(turns("Where is the stove?", system="You are the help desk."), "In “Aisle 4”.\nSource: none")
SECOND = TrainingExample(turns("Hello", "Hi!", "Größe?"), "42")


def write(path, *lines):
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
    return path


def test_what_is_written_is_read(tmp_path):
    path = write(tmp_path / "mine.jsonl", asdict(FIRST), asdict(SECOND))
    assert read_training_examples(path) == [FIRST, SECOND] == read_training_examples(str(path))


def test_byte_order_mark_windows_line_ends_blank_lines_and_other_fields(tmp_path):
    second = json.dumps(asdict(SECOND) | {"id": "x"}, ensure_ascii=False).encode()
    path = tmp_path / "mine.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(asdict(FIRST)).encode() + b"\r\n\r\n  \r\n" + second + b"\r\n")
    assert read_training_examples(path) == [FIRST, SECOND]


def test_a_line_separator_inside_a_text_ends_no_line(tmp_path):
    said = TrainingExample(turns("one\u2028two\x85three"), "yes")
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps(asdict(said), ensure_ascii=False), encoding="utf-8")
    assert read_training_examples(path) == [said]


@pytest.mark.parametrize("content", [b"", b"\n \r\n", b"\xef\xbb\xbf"])
def test_an_empty_file(content, tmp_path):
    (tmp_path / "mine.jsonl").write_bytes(content)
    with pytest.raises(CourseError, match=r"mine.jsonl is empty: write one training example on each line\.$"):
        read_training_examples(tmp_path / "mine.jsonl")


def test_a_file_that_is_not_there(tmp_path):
    for path in (tmp_path / "no.jsonl", tmp_path):
        with pytest.raises(CourseError, match=f"{re.escape(str(path))} cannot be read"):
            read_training_examples(path)


MALFORMED = {
    "not JSON": (b'{"messages": [', "Invalid JSON"),
    "not UTF-8": (b'{"messages": "\xff"}', "Invalid JSON"),
    "a list": ([1, 2], "should be an object"),
    "no completion": ({"messages": turns("Why?")}, "completion: Field required"),
    "no messages": ({"completion": "Yes."}, "messages: Field required"),
    "empty messages": ({"messages": [], "completion": "Yes."}, "messages: List should have at least 1 item"),
    "a number": ({"messages": turns("Why?"), "completion": 4}, "completion: Input should be a valid string"),
    "a blank completion": ({"messages": turns("Why?"), "completion": " \n"}, "completion: String should match"),
    "an unknown role": ({"messages": [{"role": "me", "content": "x"}], "completion": "y"}, "messages, 0, role: Input"),
    "a text for messages": ({"messages": "Why?", "completion": "y"}, "messages: Input should be a valid"),
    "an answer last": ({"messages": turns("Why?", "So."), "completion": "y"}, "has no question"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_line_is_named(case, tmp_path):
    line, reason = MALFORMED[case]
    path = write(tmp_path / "mine.jsonl", asdict(FIRST), b"", line, asdict(SECOND))
    with pytest.raises(CourseError) as raised:
        read_training_examples(path)
    said = str(raised.value)
    assert said.startswith(f"Line 3 of {path} ") and reason in said and "\n" not in said


def test_dev_may_not_repeat_training():
    refuse_overlap([FIRST, SECOND], [])
    refuse_overlap([FIRST], [SECOND])
    other_answer = TrainingExample(turns("where  is the STOVE?", system="You are the help desk. "), "Elsewhere.")
    with pytest.raises(CourseError, match="^Dev example 2 has the same conversation as training example 1: remove it"):
        refuse_overlap([FIRST], [SECOND, other_answer])
    refuse_overlap([FIRST], [TrainingExample(turns("Where is the stove?"), FIRST.completion)])
