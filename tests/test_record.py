"""The record: written, read, scored, found by a rule, and guaranteed by a grammar."""

import json

import pytest

from utils.datasets import load_examples, load_kinds, load_questions
from utils.handbook import Answer, Passage, Question
from utils.matching import contains_whole
from utils.models import load_generator
from utils.record import INSTRUCTION, KEYS, KINDS, Finding, format_record, read_record
from utils.record_grammar import QuotedValueGrammar, RecordGrammar
from utils.record_rule import record_by_rule, value_in
from utils.record_scores import score_records

PRICE = Finding("The fee is $12.", "$12", "amount", 2)
DAY = Finding("We open on Monday.", "Monday", "weekday", 1)
SHOWN = (
    Passage("opening", "opening", "Opening", "We open on Monday."),
    Passage("fees", "fees", "Fees", "The fee is $12. It is due now."),
)
RELATIONS = {"fee": "amount", "opening_day": "weekday"}
ASKED = Question("q", "What is the fee?", "plain", ("$12",), ("fees",), ("fee",), "The fee is $12.")
BOTH = Question(
    "b", "What is the fee? And when do you open?", "two_facts", ("$12", "Monday"), ("fees", "opening"),
    ("fee", "opening_day"), "The fee is $12. We open on Monday.",
)  # fmt: skip
UNKNOWN = Question("u", "Who knows?", "unanswerable", (), (), (), "The handbook does not say.")


@pytest.mark.parametrize("findings", [[], [PRICE], [PRICE, DAY]])
@pytest.mark.parametrize("order", [KEYS, KEYS[::-1], ("value", "kind", "cite", "quote")])
def test_what_is_written_is_read(findings, order):
    text = format_record(findings, order)
    assert list(json.loads(text)) == list(order)
    assert read_record(text) == findings


def test_a_record_in_full():
    assert format_record([PRICE]) == '{"quote": "The fee is $12.", "value": "$12", "kind": "amount", "cite": 2}'
    assert format_record([]) == '{"quote": null, "value": null, "kind": null, "cite": null}'


@pytest.mark.parametrize("order", [(), KEYS[:3], (*KEYS, "value"), ("quote", "value", "kind", "page")])
def test_other_keys_cannot_be_ordered(order):
    with pytest.raises(ValueError, match="quote, value, kind, cite"):
        format_record([PRICE], order)


@pytest.mark.parametrize(
    "text",
    [
        "", "The fee is $12. [2]", "[]", "null", "{}", format_record([PRICE])[:-1], format_record([PRICE]) + " Bye.",
        '{"quote": "a", "value": "b", "kind": "c"}',
        '{"quote": "a", "value": "b", "kind": "c", "cite": 1, "more": 2}',
        '{"quote": "a", "value": "b", "kind": "c", "cite": "1"}',
        '{"quote": "a", "value": "b", "kind": "c", "cite": true}',
        '{"quote": "a", "value": 12, "kind": "c", "cite": 1}',
        '{"quote": null, "value": "b", "kind": "c", "cite": 1}',
        '{"quote": ["a"], "value": ["b", "d"], "kind": ["c"], "cite": [1]}',
        '{"quote": ["a"], "value": "b", "kind": ["c"], "cite": [1]}',
        '{"quote": [], "value": [], "kind": [], "cite": []}',
        "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_record(text):
    assert read_record(text) is None


def scored(question, text):
    return score_records([Answer(question, text, SHOWN)], RELATIONS).iloc[0]


def test_a_right_record_is_complete():
    row = scored(ASKED, format_record([PRICE]))
    assert row[["parses", "quoted", "value_right", "kind_right", "source_right", "right", "complete"]].all()


@pytest.mark.parametrize(
    "finding, wrong",
    [
        (Finding("The fee is $12.", "12", "amount", 2), {"value_right", "right"}),
        (Finding("The fee is $12.", "The fee is $12", "amount", 2), {"value_right", "right"}),
        (Finding("The fee is $12.", "$12", "number", 2), {"kind_right"}),
        (Finding("The fee is $12.", "$12", "amount", 1), {"quoted", "source_right"}),
        (Finding("The fee is $12.", "$12", "amount", 3), {"quoted", "source_right"}),
        (Finding("The fee is $12.", "$12", "amount", 0), {"quoted", "source_right"}),
        (Finding("The fee is", "$12", "amount", 2), {"quoted"}),
    ],
)
def test_each_part_of_a_record_is_checked(finding, wrong):
    row = scored(ASKED, format_record([finding]))
    columns = ("parses", "quoted", "value_right", "kind_right", "source_right", "right", "complete")
    assert {key for key in columns if not row[key]} == wrong | {"complete"}


def test_two_facts_need_both_and_no_more():
    assert scored(BOTH, format_record([PRICE, DAY]))["complete"]
    assert scored(BOTH, format_record([DAY, PRICE]))["complete"]
    assert not scored(BOTH, format_record([PRICE]))["right"]
    assert not scored(ASKED, format_record([PRICE, DAY]))["right"]
    assert not scored(BOTH, format_record([PRICE, PRICE]))["right"]


def test_abstaining_is_right_only_where_nothing_is_said():
    assert scored(UNKNOWN, format_record([]))[["right", "complete"]].all()
    assert not scored(UNKNOWN, format_record([PRICE]))["right"]
    assert not scored(ASKED, format_record([]))["right"]
    assert not scored(UNKNOWN, "The handbook does not say.")["right"]


def test_no_answers_no_scores():
    with pytest.raises(ValueError, match="no answers"):
        score_records([], RELATIONS)


@pytest.mark.parametrize(
    "sentence, question, expected",
    [
        ("It costs $1,200 a week.", "", ("$1,200", "amount")),
        ("Call ext. 4706 on a Monday.", "", ("ext. 4706", "contact")),
        ("Write to help@tarnwick.example.", "", ("help@tarnwick.example", "contact")),
        ("The box weighs 2.5 kg.", "", ("2.5 kg", "measure")),
        ("We close at 5:30 pm.", "", ("5:30 pm", "time")),
        ("Pay by 17 May.", "", ("17 May", "date")),
        ("Within 7 weeks.", "", ("7 weeks", "duration")),
        ("Ask Callum Strand.", "", ("Callum Strand", "person")),
        ("Our Hexcombe branch is managed by Ravindra Pillai.", "Who manages Hexcombe?", ("Ravindra Pillai", "person")),
        ("The Ember Stove is dark red.", "What colour is the Ember Stove?", ("dark red", "colour")),
        ("There are 12 lockers.", "", ("12", "number")),
        ("Of the 30 days, 5 days are free.", "Of the 30 days, how many are free?", ("5 days", "duration")),
        ("Use the diary.", "", ("Use the diary", "choice")),
    ],
)
def test_the_rule_finds_values_by_their_form(sentence, question, expected):
    assert value_in(sentence, question) == expected


def test_the_rule_turns_plain_answers_into_records():
    assert read_record(record_by_rule("The fee is $12. [2]")) == [PRICE]
    assert read_record(record_by_rule("The fee is $12. [2] We open on Monday. [1]")) == [PRICE, DAY]
    assert read_record(record_by_rule("The handbook does not say.")) == []
    assert read_record(record_by_rule("The fee is $12.")) == [Finding("The fee is $12.", "$12", "amount", 1)]


def test_the_rule_is_no_weak_rival():
    """On the training examples' own sentences it finds every value that has a form of its own."""
    answered = [e for e in load_examples() if e.source and e.kind != "choice"]
    found = [value_in(e.sentence, e.question) == (e.value, e.kind) for e in answered]
    assert len(answered) > 90 and all(found)


def test_every_kind_is_known():
    kinds = load_kinds()
    assert set(kinds.values()) <= set(KINDS)
    for part in ("dev", "test"):
        assert all(relation in kinds for question in load_questions(part) for relation in question.relations)
    assert all(key in INSTRUCTION for key in KEYS)


@pytest.fixture(scope="module")
def tokenizer():
    return load_generator().tokenizer


@pytest.mark.parametrize("findings", [[], [PRICE], [PRICE, DAY]])
@pytest.mark.parametrize("order", [KEYS, ("value", "kind", "quote", "cite")])
def test_the_grammar_lets_every_record_through(tokenizer, findings, order):
    grammar = RecordGrammar(tokenizer, order)
    ids = tokenizer(" " + format_record(findings, order), add_special_tokens=False)["input_ids"]
    for place, token in enumerate(ids):
        assert token in grammar(ids[:place])
    assert grammar(ids) == [tokenizer.eos_token_id]


def test_the_grammar_lets_nothing_else_through(tokenizer):
    grammar = RecordGrammar(tokenizer)
    begun = tokenizer(' {"quote": "The fee is $12.", "', add_special_tokens=False)["input_ids"]
    texts = {tokenizer.decode([token]) for token in grammar(begun)}
    assert texts and all("value".startswith(text) for text in texts)
    assert tokenizer.eos_token_id not in grammar(begun)
    assert not {tokenizer.pad_token_id, tokenizer.eos_token_id} & set(grammar([]))


def test_any_choice_among_the_allowed_ends_as_a_record(tokenizer):
    """The last allowed token each time, whatever it is, with a quote that is ended after a few tokens."""
    grammar, ids = RecordGrammar(tokenizer), []
    for step in range(300):
        allowed = grammar(ids)
        if allowed == [tokenizer.eos_token_id]:
            break
        closing = [token for token in allowed if '"' in tokenizer.decode([token])]
        ids.append(closing[-1] if closing and step % 5 == 4 else allowed[-1])
    assert read_record(tokenizer.decode(ids).strip()) is not None


@pytest.mark.parametrize("findings", [[], [PRICE], [PRICE, DAY]])
def test_values_that_are_in_their_quotes_pass_the_stricter_grammar(tokenizer, findings):
    grammar = QuotedValueGrammar(tokenizer)
    ids = tokenizer(" " + format_record(findings), add_special_tokens=False)["input_ids"]
    for place, token in enumerate(ids):
        assert token in grammar(ids[:place])
    assert grammar(ids) == [tokenizer.eos_token_id]


def test_a_value_can_only_go_on_in_the_words_of_its_own_quote(tokenizer):
    grammar = QuotedValueGrammar(tokenizer)

    def may_follow(text):
        ids = tokenizer(f" {text}", add_special_tokens=False)["input_ids"]
        return {tokenizer.decode([token]) for token in grammar(ids)}

    one = '{"quote": "The fee is $12, says Ann.", "value": "'
    assert all("The fee is $12, says Ann".find(text.rstrip('"')) >= 0 for text in may_follow(one))
    assert not {"h", "The fees", "says Ann.", "."} & may_follow(one), "a word begins where a word of the quote does"
    assert all(text.startswith('"') for text in may_follow(one + "Ann"))
    assert any(text.startswith('"') for text in may_follow(one + "$12")), "without the comma behind it"
    two = '{"quote": ["Ann is in.", "Bob is out."], "value": ["Ann", "'
    assert {text[0] for text in may_follow(two)} <= {"B", "i", "o"}


def test_any_choice_under_the_stricter_grammar_has_its_value_in_its_quote(tokenizer):
    grammar = QuotedValueGrammar(tokenizer)
    for choice in (0, -1):
        ids = tokenizer(' {"quote": "The fee is $12, says Ann.", "value": "', add_special_tokens=False)["input_ids"]
        while (allowed := grammar(ids)) != [tokenizer.eos_token_id] and len(ids) < 300:
            ids.append(allowed[choice])
        (finding,) = read_record(tokenizer.decode(ids).strip())
        assert contains_whole(finding.quote, finding.value)
