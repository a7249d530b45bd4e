"""The ladder: each step follows from a measured failure, and training from the failure of everything cheaper."""

from dataclasses import replace
from itertools import product
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils import ladder
from utils.authoring.quiz_lint import read_sources
from utils.errors import CourseError
from utils.evaluation import Interval
from utils.ladder import (
    SOURCES,
    STEPS,
    Findings,
    Needs,
    Verdict,
    findings_from,
    next_step,
    sources_for,
    standing,
)
from utils.ledger import Ledger
from utils.paths import SOLUTIONS

BAR = 0.7


def share(mean, width=0.05):
    return Interval(mean, max(0.0, mean - width), min(1.0, mean + width))


HIGH, LOW, CLOSE = share(0.9), share(0.3), share(0.7)
LETTERS = Needs(form="fixed")


def advise(needs=None, bar=BAR, **shares):
    advice = next_step(Findings(**shares), needs or Needs(), bar)
    return advice.verdict, advice.step


# One rung after the other

WALKS = {
    "nothing measured": ({}, Needs(), ("not measured", "prompt")),
    "the prompt is enough": ({"prompt": HIGH}, Needs(), ("enough", "prompt")),
    "the prompt is too close": ({"prompt": CLOSE}, Needs(), ("too close to call", "prompt")),
    "the prompt fails": ({"prompt": LOW}, Needs(), ("next step", "RAG")),
    "RAG is enough": ({"prompt": LOW, "rag": HIGH}, Needs(), ("enough", "RAG")),
    "RAG is too close": ({"prompt": LOW, "rag": CLOSE}, Needs(), ("too close to call", "RAG")),
    "search or reading?": ({"prompt": LOW, "rag": LOW}, Needs(), ("not measured", "better retrieval")),
    "the search fails": ({"prompt": LOW, "rag": LOW, "recall": LOW}, Needs(), ("next step", "better retrieval")),
    "the search is too close": (
        {"prompt": LOW, "rag": LOW, "recall": CLOSE}, Needs(), ("too close to call", "better retrieval"),
    ),
    "the better search is enough": (
        {"prompt": LOW, "rag": LOW, "better_retrieval": HIGH}, Needs(), ("enough", "better retrieval"),
    ),
    "the better search fails, too": (
        {"prompt": LOW, "rag": LOW, "recall": LOW, "better_retrieval": LOW}, Needs(), ("next step", "better retrieval"),
    ),
    "the reading fails": ({"prompt": LOW, "rag": LOW, "recall": HIGH}, Needs(), ("next step", "examples")),
    "the reading fails with examples": (
        {"prompt": LOW, "rag": LOW, "recall": HIGH, "examples": LOW}, Needs(), ("next step", "hybrid"),
    ),
    "the hybrid reads": (
        {"prompt": LOW, "rag": LOW, "recall": HIGH, "examples": LOW, "hybrid": HIGH}, Needs(), ("enough", "hybrid"),
    ),
    "nobody reads": (
        {"prompt": LOW, "rag": share(0.6), "recall": HIGH, "examples": LOW, "hybrid": share(0.62)},
        Needs(), ("end of the ladder", "RAG"),
    ),
    "the hybrid reads, and examples were not measured": (
        {"prompt": LOW, "rag": LOW, "recall": HIGH, "hybrid": HIGH}, Needs(citations=True), ("enough", "hybrid"),
    ),
    "training without passages does, and examples were not measured": (
        {"prompt": LOW, "rag": LOW, "recall": HIGH, "lora": HIGH, "hybrid": HIGH}, Needs(), ("enough", "LoRA"),
    ),
    "training without passages does, and sources are needed": (
        {"prompt": LOW, "rag": LOW, "recall": HIGH, "lora": HIGH, "hybrid": LOW}, Needs(citations=True),
        ("next step", "examples"),
    ),
    "all trainings fail, and examples were not measured": (
        {"prompt": LOW, "rag": LOW, "recall": HIGH, "lora": LOW, "hybrid": LOW}, Needs(), ("next step", "examples"),
    ),
    "nobody reads, and the best may not be used": (
        {"prompt": LOW, "rag": LOW, "recall": HIGH, "examples": share(0.5), "lora": HIGH, "hybrid": LOW},
        Needs(citations=True), ("end of the ladder", "examples"),
    ),
    "is it in form?": ({"prompt": LOW, "rag": HIGH}, LETTERS, ("not measured", "RAG")),
    "it is in form": ({"prompt": LOW, "rag": HIGH, "plain": HIGH}, LETTERS, ("enough", "RAG")),
    "it is not in form": ({"prompt": LOW, "rag": HIGH, "plain": LOW}, LETTERS, ("next step", "template or rule")),
    "a template does it": (
        {"prompt": LOW, "rag": HIGH, "plain": LOW, "code": HIGH}, LETTERS, ("enough", "template or rule"),
    ),
    "a rule does not": (
        {"prompt": LOW, "rag": HIGH, "plain": LOW, "code": LOW}, Needs(form="needs reading"), ("next step", "examples"),
    ),
    "no cheap step does": (
        {"prompt": LOW, "rag": HIGH, "plain": LOW, "code": LOW, "examples": LOW}, LETTERS, ("next step", "hybrid"),
    ),
    "no cheap step does, and the prompt has the facts": (
        {"prompt": HIGH, "plain": LOW, "code": LOW, "examples": LOW}, LETTERS, ("next step", "LoRA"),
    ),
    "training does": (
        {"prompt": HIGH, "plain": LOW, "code": LOW, "examples": LOW, "lora": HIGH}, LETTERS, ("enough", "LoRA"),
    ),
    "nothing does": (
        {"prompt": LOW, "rag": HIGH, "plain": LOW, "code": share(0.6), "examples": LOW, "hybrid": LOW},
        LETTERS, ("end of the ladder", "template or rule"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("shares, needs, expected", WALKS.values(), ids=WALKS)
def test_a_walk_ends_where_the_measurements_end_it(shares, needs, expected):
    assert advise(needs, **shares) == expected


@pytest.mark.parametrize("need", ["facts_change", "citations", "forgetting", "permissions"])
def test_a_need_for_text_in_the_prompt_leads_to_rag_however_good_the_prompt_is(need):
    assert advise(Needs(**{need: True}), prompt=HIGH) == ("next step", "RAG")
    assert advise(Needs(**{need: True}), prompt=CLOSE) == ("next step", "RAG")
    assert advise(Needs(**{need: True})) == ("not measured", "prompt")


def test_few_failures_are_fixed_by_hand_and_many_are_a_reason_to_train():
    shares = {"prompt": LOW, "rag": HIGH, "plain": LOW, "code": share(0.59, 0.1), "examples": LOW}
    few, some, many = (Needs(form="fixed", questions_a_day=number, by_hand_a_day=10) for number in (19, 30, 50))
    assert advise(few, **shares) == ("enough", "template or rule")  # 6 to 10 a day
    assert advise(some, **shares) == ("too close to call", "template or rule")  # 9 to 15
    assert advise(many, **shares) == ("next step", "hybrid")  # 15 to 25


def test_wrong_facts_are_never_left_to_people_who_cannot_see_them():
    quiet = Needs(questions_a_day=1, by_hand_a_day=1000)
    assert advise(quiet, prompt=LOW, rag=LOW, recall=HIGH, examples=LOW) == ("next step", "hybrid")


# In words


def test_the_reason_names_the_failure_that_asks_for_the_step():
    advice = next_step(Findings(prompt=share(0.04, 0.02)), Needs(), 0.6)
    assert advice.in_words() == (
        "Next step: RAG. With prompt, 4% (2% to 6%) of the answers are as wanted; the bar is 60%. "
        "If the documents fit into the prompt, measure that as a rival."
    )
    advice = next_step(Findings(prompt=HIGH), Needs(citations=True, permissions=True), 0.6)
    assert "answers must name a source; readers may see different things" in advice.reason
    assert next_step(Findings(prompt=HIGH), Needs(), BAR).in_words().startswith("Stay at: prompt. 90% (85% to 95%)")
    assert next_step(Findings(), Needs(), BAR).in_words().startswith("Not measured: prompt.")
    close = next_step(Findings(prompt=CLOSE), Needs(), BAR).in_words()
    assert close.startswith("Too close to call: prompt. 70% (65% to 75%)") and "includes the bar of 70%" in close


def test_the_volume_is_said_in_answers_a_day():
    needs = Needs(form="fixed", questions_a_day=2000, by_hand_a_day=1500)
    advice = next_step(Findings(HIGH, plain=LOW, code=LOW, examples=LOW), needs, BAR)
    assert advice.reason == "1,300 to 1,500 of 2,000 answers a day are not as wanted, and people can fix 1,500 by hand."


@pytest.mark.parametrize("need", ["forgetting", "permissions"])
def test_advice_to_train_warns_of_data_that_weights_cannot_delete_or_filter(need):
    shares = {"prompt": LOW, "rag": HIGH, "plain": LOW, "code": LOW, "examples": LOW}
    warned = next_step(Findings(**shares), Needs(form="fixed", **{need: True}), BAR)
    assert (warned.step, "personal and internal data" in warned.reason) == ("hybrid", True)
    assert "personal" not in next_step(Findings(**shares), LETTERS, BAR).reason


# Bad input


@pytest.mark.parametrize("bar", [0, -0.1, 1.01, 70, float("nan")])
def test_a_bar_that_is_no_share_is_refused(bar):
    with pytest.raises(CourseError, match="The bar is"):
        next_step(Findings(), Needs(), bar)


@pytest.mark.parametrize("numbers", [(0.5, 0.6, 0.4), (0.5, -0.1, 0.6), (0.5, 0.4, 1.2), (90, 85, 95)])
def test_a_share_that_cannot_be_is_refused(numbers):
    with pytest.raises(CourseError, match="The share 'rag'"):
        Findings(rag=Interval(*numbers))


@pytest.mark.parametrize("wrong", [{"form": "letter"}, {"questions_a_day": -1}, {"by_hand_a_day": float("inf")}])
def test_needs_that_cannot_be_are_refused(wrong):
    with pytest.raises(CourseError):
        Needs(**wrong)


def test_a_bound_exactly_at_the_bar_reaches_it():
    assert standing(Interval(0.8, 0.7, 0.9), 0.7) == "reaches the bar"
    assert standing(Interval(0.6, 0.5, 0.7), 0.7) == "too close to call"
    assert standing(Interval(0.6, 0.5, 0.69), 0.7) == "misses the bar"
    assert standing(None, 0.7) == "not measured"


# The learner's ledger


def test_the_ledger_gives_the_shares_of_the_form(tmp_path):
    ledger = Ledger.open(tmp_path / "ledger.json")
    assert findings_from(ledger) == Findings()
    ledger.record("rag.correct", 0.7, 0.6, 0.8, notebook="09", questions="test")
    ledger.record("rag_template.complete", 0.75, notebook="09", questions="test")
    ledger.record("record.rule.complete", 0.5, 0.4, 0.6, notebook="06", questions="dev")
    assert findings_from(ledger) == Findings(rag=Interval(0.7, 0.6, 0.8))
    assert findings_from(ledger, "fixed").code == Interval(0.75, 0.75, 0.75)
    assert findings_from(ledger, "needs reading").code == Interval(0.5, 0.4, 0.6)
    with pytest.raises(CourseError, match="no form 'letter'"):
        findings_from(ledger, "letter")


def test_the_rule_for_records_can_be_enough(tmp_path):
    """A plain answer is no record, so nobody has to measure how many are."""
    ledger = Ledger.open(tmp_path / "ledger.json")
    for key, value in (("prompt.correct", 0.1), ("rag.correct", 0.9)):
        ledger.record(key, value, value - 0.02, value + 0.02, notebook="09", questions="test")
    needs = Needs(form="needs reading")
    ledger.record("record.rule.complete", 0.95, 0.92, 0.98, notebook="06", questions="dev")
    advice = ladder.next_step(findings_from(ledger, needs.form), needs, 0.6)
    assert (advice.verdict, advice.step) == ("enough", "template or rule")


def test_the_example_of_the_module_asks_for_the_form_that_it_names(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_LEDGER", str(tmp_path / "ledger.json"))
    for name in ("COURSE_GENERATOR", "COURSE_EMBEDDER"):
        monkeypatch.delenv(name, raising=False)
    for key, value in (("prompt.correct", 0.1), ("rag.correct", 0.9), ("rag.complete", 0.1)):
        Ledger.open().record(key, value, value - 0.05, value + 0.05, notebook="09", questions="test")
    example = next(line.strip() for line in ladder.__doc__.splitlines() if line.strip().startswith("advice = "))
    names = dict(vars(ladder))
    exec(example, names)
    assert (names["advice"].verdict, names["advice"].step) == ("next step", "template or rule")


def test_a_value_that_is_no_share_is_not_taken_for_one(tmp_path):
    ledger = Ledger.open(tmp_path / "ledger.json")
    ledger.record("rag.correct", 0.7, unit="seconds")
    assert findings_from(ledger).rag is None


@pytest.mark.parametrize("form", SOURCES)
def test_every_source_is_recorded_by_the_notebook_that_it_names(form):
    notebooks = read_sources(SOLUTIONS)
    assert [source for source in sources_for(form).values() if not notebooks[source.notebook].records(source.key)] == []


# For all measurements


@st.composite
def intervals(draw):
    low, mean, high = sorted(draw(st.lists(st.floats(0, 1), min_size=3, max_size=3)))
    return Interval(mean, low, high)


maybe = st.none() | intervals()
names = ("prompt", "rag", "recall", "better_retrieval", "plain", "code", "examples", "lora", "hybrid")


# Any findings; and findings that get far up the ladder, with one or two of them changed.
def test_a_reader_that_fails_with_the_right_passage_is_named_beside_the_search():
    missed = Findings(prompt=LOW, rag=LOW, recall=LOW)
    assert "another model" not in next_step(missed, Needs(), BAR).reason
    assert "another model" not in next_step(replace(missed, reading=CLOSE), Needs(), BAR).reason
    advice = next_step(replace(missed, reading=LOW), Needs(), BAR)
    assert advice.step == "better retrieval"
    assert "with the right passage in its prompt, the model has only 30%" in advice.reason


FORM_FAILS = Findings(prompt=LOW, rag=HIGH, recall=HIGH, plain=LOW, code=LOW, examples=LOW)
FAR = [FORM_FAILS, replace(FORM_FAILS, prompt=HIGH), replace(FORM_FAILS, rag=LOW)]
any_shares = st.sampled_from([HIGH, LOW, CLOSE]) | maybe
findings = st.builds(Findings, **dict.fromkeys(names, any_shares)) | st.builds(
    lambda start, changes: replace(start, **changes),
    st.sampled_from(FAR),
    st.dictionaries(st.sampled_from(names), any_shares, max_size=2),
)
needs = st.builds(
    Needs,
    **dict.fromkeys(("facts_change", "citations", "forgetting", "permissions"), st.booleans()),
    form=st.sampled_from(["none", "fixed", "needs reading"]),
    questions_a_day=st.sampled_from([0, 10, 1000, 1e6]),
    by_hand_a_day=st.sampled_from([0, 10, 400]),
)
bars = st.sampled_from([0.01, 0.5, BAR, BAR, 0.9, 1.0])


def failed(share, bar):
    return standing(share, bar) == "misses the bar"


@pytest.mark.parametrize("wanted", [Needs(), LETTERS, Needs(citations=True), Needs(forgetting=True, form="fixed")])
def test_there_is_always_one_advice_with_a_reason(wanted):
    seen = set()
    for shares in product([HIGH, LOW, CLOSE, None], repeat=7):
        found = Findings(*shares[:3], None, *shares[3:6], lora=shares[6], hybrid=shares[6])
        advice = next_step(found, wanted, BAR)
        seen.add(advice.verdict)
        assert advice.step in STEPS and advice.reason.endswith(".") and "  " not in advice.in_words()
    assert seen == set(get_args(Verdict))


@settings(max_examples=400)
@given(findings, needs, bars)
def test_training_is_never_next_before_everything_cheaper_measurably_failed(found, wanted, bar):
    advice = next_step(found, wanted, bar)
    if advice.step not in ("LoRA", "hybrid") or advice.verdict != "next step":
        return
    assert failed(found.examples, bar)
    assert failed(found.prompt, bar) or wanted.reasons_for_passages or advice.step == "LoRA"
    facts = [found.prompt] if advice.step == "LoRA" else [found.rag, found.better_retrieval]
    if any(standing(share, bar) == "reaches the bar" for share in facts):  # the form fails
        assert wanted.form != "none" and failed(found.code, bar)
        assert wanted.form == "needs reading" or failed(found.plain, bar)
    else:  # the reading fails, and not the search
        assert failed(found.rag, bar) and standing(found.recall, bar) == "reaches the bar"


def test_the_walks_that_end_in_training_exist():
    """So that the property above is not about nothing."""
    shares = {"prompt": LOW, "rag": HIGH, "plain": LOW, "code": LOW, "examples": LOW}
    assert advise(LETTERS, **shares) == ("next step", "hybrid")
    for cheaper in shares:
        for better in (HIGH, CLOSE, None):
            changed = advise(LETTERS, **(shares | {cheaper: better}))
            assert cheaper == "rag" and better == HIGH or changed != ("next step", "hybrid")


@given(findings, needs, bars)
def test_no_step_is_next_that_was_measured_already_except_another_try_at_the_search(found, wanted, bar):
    advice = next_step(found, wanted, bar)
    fields = {"RAG": "rag", "template or rule": "code", "examples": "examples", "LoRA": "lora", "hybrid": "hybrid"}
    if advice.verdict == "next step" and advice.step != "better retrieval":
        assert getattr(found, fields[advice.step]) is None


@given(findings, needs, bars)
def test_enough_means_that_a_whole_interval_reaches_the_bar_or_that_people_fix_the_rest(found, wanted, bar):
    advice = next_step(found, wanted, bar)
    if advice.verdict == "enough" and "by hand" not in advice.reason:
        measured = [getattr(found, name) for name in names if name != "recall"]
        assert any(standing(share, bar) == "reaches the bar" for share in measured)


def height(advice):
    """How far up a walk got: the place of its step, and above all of them when every step was tried."""
    return len(STEPS) if advice.verdict == "end of the ladder" else STEPS.index(advice.step)


def in_order(found):
    """Without trainings that were measured before the examples: when such a training fails, the examples come next."""
    return found if found.examples else replace(found, lora=None, hybrid=None)


@given(findings.map(in_order), needs, st.lists(bars, min_size=2, max_size=2).map(sorted))
def test_a_higher_bar_never_leads_to_an_earlier_step_as_long_as_search_finds_everything(found, wanted, two):
    found = replace(found, recall=Interval(1, 1, 1))
    wanted = replace(wanted, form="none")  # else the facts of a higher bar come before the form of a lower one
    lower, higher = (next_step(found, wanted, bar) for bar in two)
    assert height(lower) <= height(higher)


@given(findings, needs, bars)
def test_more_questions_never_lead_to_an_earlier_step(found, wanted, bar):
    quiet, busy = (
        next_step(found, replace(wanted, questions_a_day=wanted.questions_a_day * factor), bar) for factor in (1, 100)
    )
    assert height(quiet) <= height(busy)


@given(findings.map(in_order), needs, bars)
def test_a_need_more_never_leads_to_an_earlier_step_for_plain_answers(found, wanted, bar):
    free = replace(wanted, facts_change=False, citations=False, forgetting=False, permissions=False, form="none")
    bound = replace(free, citations=True)
    one, other = next_step(found, free, bar), next_step(found, bound, bar)
    assert height(one) <= height(other)


@given(findings.map(in_order), needs, bars, st.sampled_from(names))
def test_a_better_share_of_right_or_wanted_answers_never_leads_further_up(found, wanted, bar, name):
    share = getattr(found, name)
    wanted = replace(wanted, form="none")
    if share and name in ("prompt", "rag", "better_retrieval", "examples", "hybrid"):
        better = replace(found, **{name: Interval(1, 1, 1)})
        assert height(next_step(better, wanted, bar)) <= height(next_step(found, wanted, bar))
