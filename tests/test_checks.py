"""Every checker: passes the reference and other right ways, names typical mistakes, knows an untouched stub."""

import functools
import inspect
import random
import re
import time
from collections import Counter

import cases_better_retrieval
import cases_rag_pipeline
import numpy as np
import pytest
import test_checks_carry_over
import test_checks_comparisons
import test_checks_latency_and_cost
import test_checks_lora
import test_checks_making_the_choice
import test_checks_own_documents
import test_checks_pretraining
import test_checks_retrieval
import test_checks_scale
import test_checks_teaching_facts
import test_checks_training
from hypothesis import given, settings
from hypothesis import strategies as st
from test_checks_retrieval import verdict

from utils import checks as check
from utils.authoring.build import learner_notebook
from utils.checks import hybrid, references
from utils.checks.exercise import DRAWS, side_by_side
from utils.course.notebook_files import code_cells, notebook_paths, read_notebook
from utils.evaluation import outcome as scored_outcome
from utils.handbook import Answer, Passage, Question
from utils.matching import contains_whole
from utils.paths import SOLUTIONS
from utils.prompts import is_abstention
from utils.sentences import sentences

NAMES = check.__all__
# In these modules, all QUIET cases pass the written cases, so that only drawn inputs can tell.
QUIET_TO_THE_END = (
    test_checks_lora,
    test_checks_teaching_facts,
    test_checks_latency_and_cost,
    test_checks_carry_over,
    test_checks_making_the_choice,
    test_checks_comparisons,
    test_checks_own_documents,
    test_checks_pretraining,
    test_checks_scale,
)
OTHERS = (
    test_checks_retrieval,
    cases_rag_pipeline,
    cases_better_retrieval,
    test_checks_training,
    *QUIET_TO_THE_END,
)


# Right ways: the reference and others


def share_with_lookarounds(answers, gold_values):
    right = 0
    for answer, value in zip(answers, gold_values, strict=True):
        right += bool(re.search(rf"(?<!\w){re.escape(value)}(?!\w)", answer, re.I))
    return np.float64(right / len(answers))


def share_with_the_course_s_own(answers, gold_values):
    return np.mean([contains_whole(*pair) for pair in zip(answers, gold_values, strict=False)])


def share_by_letters(answers, gold_values):
    """Without patterns: looks at the letters on both sides of each place."""

    def holds(answer, value):
        place = answer.find(value)
        while place >= 0:
            sides = answer[:place][-1:] + answer[place + len(value) :][:1]
            if not any(letter.isalnum() for letter in sides):
                return True
            place = answer.find(value, place + 1)
        return False

    right = list(map(holds, map(str.lower, answers), map(str.lower, gold_values)))
    return right.count(True) / len(right)


def outcome_flags_first(answer, gold, sources):
    text = re.sub(r"\s+", " ", answer)
    correct = bool(gold) and contains_whole(answer, gold)
    quoted = [sentence for source in sources for sentence in sentences(source) if sentence in text]
    if correct:
        return "correct"
    if is_abstention(answer):
        return f"abstained {'wrongly' if gold else 'rightly'}"
    return "wrong" if quoted else "unsupported"


def outcome_by_loops(answer, gold, sources):
    if gold is not None:
        if contains_whole(answer, gold):
            return "correct"
        if is_abstention(answer):
            return "abstained wrongly"
    elif is_abstention(answer):
        return "abstained rightly"
    for source in sources:
        for sentence in sentences(source):
            if " ".join(answer.split()).count(sentence):
                return "wrong"
    return "unsupported"


def outcome_by_match(answer, gold, sources):
    known = gold is not None
    said = " ".join(answer.split())
    match known and contains_whole(said, gold), is_abstention(said):
        case True, _:
            return "correct"
        case False, True:
            return "abstained wrongly" if known else "abstained rightly"
    supported = any(sentence in said for source in sources for sentence in sentences(source))
    return ["unsupported", "wrong"][supported]


RIGHT = [
    *[(name, getattr(references, name)) for name in NAMES],
    ("share_right", share_with_lookarounds),
    ("share_right", share_with_the_course_s_own),
    ("share_right", share_by_letters),
    ("outcome", outcome_flags_first),
    ("outcome", outcome_by_loops),
    ("outcome", outcome_by_match),
    *(case for module in OTHERS for case in module.RIGHT),
]


@pytest.mark.parametrize("name, function", RIGHT)
def test_a_right_function_is_right(name, function, capsys):
    assert verdict(name, function, capsys).startswith("Right. ")


def test_every_exercise_is_tried_with_three_right_ways_next_to_the_reference():
    ways = Counter(name for name, function in RIGHT if function is not getattr(references, name))
    assert set(ways) == set(NAMES) and min(ways.values()) >= 3


# Typical mistakes


def share(judge, finish=lambda right, total: right / total):
    """A share_right that judges one answer with `judge` and ends with `finish`."""

    def attempt(answers, gold_values):
        right = sum(bool(judge(answer, value)) for answer, value in zip(answers, gold_values, strict=True))
        return finish(right, len(answers))

    return attempt


def share_against_all(answers, gold_values):
    return sum(any(contains_whole(answer, value) for value in gold_values) for answer in answers) / len(answers)


def share_of_pairs(answers, gold_values):
    right = [contains_whole(answer, value) for answer, value in zip(answers, gold_values, strict=True)]
    return sum(right) / max(1, sum(right))


def low(text):
    return text.lower()


WRONG_SHARES = {
    "equality": (share(lambda answer, value: low(answer) == low(value)), "look with `in`, not with `==`"),
    "equality, capitals": (share(lambda answer, value: answer == value), "look with `in`, not with `==`"),
    "spaces around": (share(lambda a, value: low(f" {value} ") in low(f" {a} ")), "a full stop may follow the value"),
    "words": (share(lambda a, value: set(low(value).split()) <= set(low(a).split())), "a full stop may follow"),
    "at the start": (share(lambda a, value: low(a).startswith(low(value))), "anywhere in the answer"),
    "at the end": (share(lambda a, value: low(a).rstrip(".").endswith(low(value))), "anywhere in the answer"),
    "capitals, full stop": (
        share(lambda a, value: re.search(rf"{value}(?![.\w])", a)),
        "a full stop may follow the value",
    ),
    "always": (share(lambda answer, value: True), "'You have 9 days left' does not contain '30 days'"),
    "any word": (share(lambda a, value: any(w in a for w in value.split())), "does not contain '30 days'"),
    "never": (share(lambda answer, value: False), "is exactly '30 days'"),
    "by letters": (
        lambda answers, values: sum(map(contains_whole, answers, values)) / len(answers[0]),
        "should be 1, and",
    ),
    "only lower case": (share(lambda answer, value: value in low(answer)), "Capitals"),
    "return in the loop": (
        lambda answers, values: contains_whole(answers[0], values[0]) / len(answers),
        "after the loop",
    ),
    "first answer": (lambda answers, values: float(contains_whole(answers[0], values[0])), "yours says 1"),
    "whole division": (share(contains_whole, lambda right, total: right // total), "yours says 0"),
    "capitals": (share(lambda answer, value: re.search(rf"(?<!\w){re.escape(value)}(?!\w)", answer)), "Capitals"),
    "substring": (share(lambda answer, value: low(value) in low(answer)), '"15 days" was found inside "115 days"'),
    "left edge only": (
        share(lambda answer, value: low(f" {value}") in low(f" {answer}")),
        '"$45" was found inside "$450"',
    ),
    "no escape": (share(lambda answer, value: re.search(rf"(?<!\w){value}(?!\w)", answer, re.I)), "re.escape"),
    "word edges": (
        share(lambda answer, value: re.search(rf"\b{re.escape(value)}\b", answer, re.I)),
        r"\b sees no edge",
    ),
    "percent": (share(contains_whole, lambda right, total: 100 * right / total), "don't multiply by 100"),
    "count": (share(contains_whole, lambda right, total: right), "That is how many answers are right"),
    "fixed number": (share(contains_whole, lambda right, total: right / 4 if total > 1 else right), "0.2"),
    "by the right ones": (share_of_pairs, "Three of four answers are right, 0.75"),
    "against all": (share_against_all, "pairing them with zip"),
    "text": (lambda answers, gold_values: "all", "Return one number, not 'all'"),
    "list": (lambda answers, gold_values: [True] * len(answers), "Return one number, not [True]"),
}


def outcome_with(
    holds=contains_whole,
    abstains=is_abstention,
    quotes=lambda said, source: any(sentence in said for sentence in sentences(source)),
    said=lambda answer: " ".join(answer.split()),
):
    """An outcome with one step done in another way."""

    def attempt(answer, gold, sources):
        if gold is not None and holds(answer, gold):
            return "correct"
        if abstains(answer):
            return "abstained rightly" if gold is None else "abstained wrongly"
        return "wrong" if any(quotes(said(answer), source) for source in sources) else "unsupported"

    return attempt


def outcome_abstention_first(answer, gold, sources):
    """The scorer's earlier rule."""
    if is_abstention(answer):
        return "abstained rightly" if gold is None else "abstained wrongly"
    return references.outcome(answer, gold, sources)


def outcome_sources_first(answer, gold, sources):
    supported = any(sentence in answer for source in sources for sentence in sentences(source))
    found = references.outcome(answer, gold, sources)
    return "unsupported" if found == "correct" and not supported else found


def outcome_renamed(**labels):
    """The reference with one outcome called another."""
    return lambda *given: labels.get(references.outcome(*given).replace(" ", "_"), references.outcome(*given))


def answer_in_source(said, source):
    return said.split(" [")[0].removesuffix(".") in source


WRONG_OUTCOMES = {
    "no abstention": (outcome_with(abstains=lambda answer: False), "Look for an abstention before the sources"),
    "always rightly": (outcome_renamed(abstained_wrongly="abstained rightly"), "wrong when there is a gold value"),
    "always wrongly": (outcome_renamed(abstained_rightly="abstained wrongly"), "right when gold is None"),
    "abstention before gold": (outcome_abstention_first, "Look for the gold value before the abstention"),
    "one phrase": (outcome_with(abstains=lambda answer: "The handbook does not say" in answer), "use is_abstention"),
    "abstention as whole answer": (
        outcome_with(abstains=lambda answer: is_abstention(answer) and len(answer) < 30),
        "anywhere in the answer",
    ),
    "substring": (outcome_with(lambda answer, gold: low(gold) in low(answer)), '"15 days" is not in "115 days"'),
    "capitals": (outcome_with(lambda answer, gold: gold in answer), "Capitals do not matter"),
    "sources before gold": (outcome_sources_first, "Look for the gold value before the sources"),
    "answer in source": (outcome_with(quotes=lambda said, source: said in source), "not the answer in the source"),
    "without citation": (outcome_with(quotes=answer_in_source), "is not a whole sentence"),
    "whole source": (outcome_with(quotes=lambda said, source: source in said), "one whole "),
    "equality": (
        outcome_with(quotes=lambda said, source: said.split(" [")[0] in sentences(source)),
        "more than the sentence",
    ),
    "no spaces": (outcome_with(said=str), "Spaces of every kind"),
    "empty answer": (
        outcome_with(quotes=lambda said, source: not said or any(x in said for x in sentences(source))),
        "An empty answer",
    ),
    "never wrong": (outcome_renamed(wrong="unsupported"), "is in a source"),
    "never unsupported": (outcome_renamed(unsupported="wrong"), "in no source: it is unsupported"),
    "no gold is unsupported": (
        lambda answer, gold, sources: references.outcome(answer, gold, sources if gold else []),
        "Where gold is None",
    ),
    "own label": (lambda answer, gold, sources: "right", "'right' is none of the five outcomes"),
    "true or false": (lambda answer, gold, sources: True, "True is none of the five outcomes"),
}

WRONG = [
    (name, mistake, *case)
    for name, cases in [
        ("share_right", WRONG_SHARES),
        ("outcome", WRONG_OUTCOMES),
    ]
    for mistake, case in cases.items()
]
WRONG += [case for module in OTHERS for case in module.WRONG]


def share_first_place(answer, value):
    """Judges only the first place where the value is found."""
    place = low(answer).find(low(value))
    return place >= 0 and not re.search(r"\w$", answer[:place]) and not re.match(r"\w", answer[place + len(value) :])


def share_of_distinct(answers, gold_values):
    pairs = set(zip(answers, gold_values, strict=True))
    return sum(contains_whole(*pair) for pair in pairs) / len(pairs)


def share_that_empties(answers, gold_values):
    total, right = len(answers), 0
    while answers:
        right += contains_whole(answers.pop(), gold_values.pop())
    return right / total


def sentences_at_full_stops(said, source):
    return any(part.strip(".") + "." in said for part in source.split(". "))


QUIET = [
    ("share_right", "first place only", share(share_first_place)),
    ("share_right", "distinct answers", share_of_distinct),
    ("share_right", "digits before", share(lambda a, v: re.search(rf"(?<!\d){re.escape(v)}(?!\w)", a, re.I))),
    ("share_right", "digits after", share(lambda a, v: re.search(rf"(?<!\w){re.escape(v)}(?!\d)", a, re.I))),
    ("share_right", "rounded", share(contains_whole, lambda right, total: round(right / total, 2))),
    ("share_right", "five at most", share(contains_whole, lambda right, total: right / min(total, 5))),
    ("share_right", "empties its input", share_that_empties),
    ("share_right", "before the comma", share(lambda a, value: contains_whole(a.split(",")[0], value))),
    (
        "outcome",
        "first source",
        lambda a, g, s: references.outcome(a, g, s[:1]) if len(s) > 2 else references.outcome(a, g, s),
    ),
    (
        "outcome",
        "first sentence",
        outcome_with(quotes=lambda said, source: any(x in said for x in sentences(source)[:2])),
    ),
    (
        "outcome",
        "without its full stop",
        outcome_with(quotes=lambda said, source: any(x[:-1] in said for x in sentences(source))),
    ),
    ("outcome", "full stops only", outcome_with(quotes=sentences_at_full_stops)),
    ("outcome", "no-break spaces only", outcome_with(said=lambda answer: answer.replace("\u00a0", " "))),
    ("outcome", "no capitals", outcome_with(abstains=lambda a: is_abstention(a) and not a.isupper())),
    (
        "outcome",
        "value or abstention",
        outcome_with(lambda a, gold: contains_whole(a, gold) and not a.startswith("I ")),
    ),
    *(case for module in OTHERS for case in module.QUIET),
]


CAUGHT_BY_DRAWN_INPUTS = {name for module in QUIET_TO_THE_END for name, *_ in module.QUIET}


@pytest.mark.parametrize("name, function", [(name, f) for name, _, f in QUIET], ids=[f"{c[0]}-{c[1]}" for c in QUIET])
def test_a_wrong_solution_of_another_kind_is_refused(name, function, capsys):
    """Some are caught by the written cases, most by the comparison with the reference on drawn inputs."""
    line = verdict(name, function, capsys)
    assert not line.startswith(("Right.", "Not attempted"))
    if name in CAUGHT_BY_DRAWN_INPUTS:
        assert line.startswith("For ") and "the result should be" in line


def test_every_exercise_is_tried_with_several_such_solutions():
    counted = Counter(name for name, *_ in QUIET)
    assert set(counted) == set(NAMES) and min(counted.values()) >= 4


# The comparison with the reference on drawn inputs


def exercise_of(name):
    return getattr(check, name)


@pytest.mark.parametrize("name", NAMES)
def test_a_function_that_fails_late_is_told_the_input_and_both_results(name, capsys):
    """Whatever is wrong on few inputs only: the line names the input, the right result and the learner's."""
    exercise = exercise_of(name)
    written = []
    exercise.diagnose(lambda **case: written.append(shown_in_full(case)) or exercise.reference(**case))

    def late(*given):
        case = dict(zip(inspect.signature(exercise.reference).parameters, given, strict=False))
        other = {
            "failed_half": "search", "outcome": "wrong", "user_prompt": "Question", "apply_change": {},
            "same_questions": ([], []), "quote_nearest": "Nothing. [1]", "carries_over": "cannot tell",
            "next_step": ("nothing", "enough"), "split_questions": ([], []),
            "number_from": "invented",
        }  # fmt: skip
        right = exercise.reference(*given)
        return (
            right if shown_in_full(case) in written else other.get(name, right[:-1] if isinstance(right, list) else 9)
        )

    line = verdict(name, late, capsys)
    assert re.fullmatch(r"For \w+=.+ the result should be .+, and yours is .+\.", line)


@pytest.mark.parametrize("name", NAMES)
def test_the_drawn_inputs_are_the_same_each_time_and_differ(name):
    first, second = (list(map(shown_in_full, exercise_of(name).inputs())) for _ in range(2))
    assert first == second and len(first) == DRAWS and len(set(first)) > DRAWS / 4


def shown_in_full(case):
    return repr({name: sorted(value) if isinstance(value, set) else value for name, value in case.items()})


@pytest.mark.parametrize("name", NAMES)
def test_a_check_takes_well_under_a_second(name, capsys):
    def once():
        started = time.thread_time()
        verdict(name, exercise_of(name).reference, capsys)
        return time.thread_time() - started

    assert any(once() < 0.5 for _ in range(5)), "a busy processor can slow one run down, not five"


def test_the_simplest_input_on_which_two_functions_differ_is_named(capsys):
    def two_are_enough(gold, shown):
        return "reading" if len(gold & shown) >= min(2, len(gold)) else "search"

    line = verdict("failed_half", two_are_enough, capsys)
    named = (
        r"For gold=\{('\w', ){2}'\w'\}, shown=\{'\w', '\w'\} the result should be 'search', and yours is 'reading'\."
    )
    assert re.fullmatch(named, line)


@pytest.mark.parametrize(
    "first, second, as_shown",
    [
        (1.0, 0.5, ("1", "0.5")), ({"b", "a"}, set(), ("{'a', 'b'}", "set()")), ("a  b", "a b", ("'a  b'", "'a b'")),
        ("x" * 99 + "y", "x" * 99, (f"…{'x' * 30}y'", f"…{'x' * 30}'")),
        (["a"], "z" * 200, ("['a']", f"'{'z' * 88}…")),
    ],
)  # fmt: skip
def test_two_results_are_cut_so_that_their_difference_can_be_seen(first, second, as_shown):
    assert side_by_side(first, second) == as_shown


def test_what_a_function_prints_is_not_repeated_for_every_drawn_input(capsys):
    def talkative(gold, shown):
        print("working")
        return references.failed_half(gold, shown)

    check.failed_half(talkative)
    out = capsys.readouterr().out
    assert out.count("working") < 10 and "Right. " in out


def test_a_function_that_spoils_a_drawn_input_is_told(capsys):
    def spoils(rankings, gold, k):
        result = references.mean_recall(rankings, gold, k)
        if len(rankings) > 4:
            rankings.pop()
        return result

    assert "work on a copy" in verdict("mean_recall", spoils, capsys)


def test_a_function_that_stops_on_a_drawn_input_is_told_on_which(capsys):
    def stops(rankings, k=60):
        return references.rrf(rankings, k) if len(rankings) < 4 else 1 // 0

    assert "stopped with ZeroDivisionError" in verdict("rrf", stops, capsys)


# The exercise of notebook 09 and the course's scorer

PASSAGES = [
    "Delivery takes 115 days. Delivery costs $12. Is it tracked? Yes, with a number.",
    "You can return goods for 30 days after they arrive.",
    "Dogs are welcome! We open on Monday.",
]
PIECES = [
    *(sentence for passage in PASSAGES for sentence in sentences(passage)),
    *(sentence.upper() for sentence in sentences(PASSAGES[0])),
    "The handbook does not say.", "THE HANDBOOK DOES NOT SAY.", "I don\u2019t know.",
    "I don't know whether 30 days apply.",
    "Delivery costs $19.", "Delivery costs\u00a0$12.", "We open on MONDAY.", "You can return goods for 30 days.", "[1]",
    "[1, 2]", "[3]", "Delivery takes", "115 days", "15 days", "30\u00a0days", "$12", "\u00a0", "", "\n", "Monday",
]  # fmt: skip
VALUES = [None, "30 days", "15 days", "115 days", "$12", "Monday"]


def scored(answer, gold, sources):
    """What the course's scorer says of an answer."""
    passages = tuple(Passage(str(n), str(n), "Title", text) for n, text in enumerate(sources))
    values = () if gold is None else (gold,)
    return scored_outcome(Answer(Question("q", "?", "plain", values, ("a",), (), ""), answer, passages))


@settings(max_examples=500)
@given(
    pieces=st.lists(st.sampled_from(PIECES), max_size=4),
    between=st.sampled_from([" ", "  ", "\n", "\u00a0"]),
    gold=st.sampled_from(VALUES),
    sources=st.lists(st.sampled_from(PASSAGES), max_size=3),
)
def test_the_exercise_judges_every_answer_as_the_scorer_does(pieces, between, gold, sources):
    answer = between.join(pieces)
    assert references.outcome(answer, gold, sources) == scored(answer, gold, sources)


def test_the_scorer_agrees_with_the_written_and_the_drawn_cases_of_the_exercise():
    for answer, gold, expected, _ in hybrid.CASES:
        assert scored(answer, gold, hybrid.SOURCES) == expected == references.outcome(answer, gold, hybrid.SOURCES)
    drawn = list(check.outcome.inputs())
    results = Counter(references.outcome(**case) for case in drawn)
    assert [scored(**case) for case in drawn] == [references.outcome(**case) for case in drawn]
    assert set(results) == set(hybrid.OUTCOMES) and min(results.values()) >= 10


@pytest.mark.parametrize("seed", range(3))
def test_the_two_rules_for_a_whole_value_agree_in_the_domain_of_share_right(seed):
    draws = random.Random(seed)
    for _ in range(300):
        case = check.share_right.draw(draws)
        pairs = list(zip(case["answers"], case["gold_values"], strict=True))
        assert references.share_right(**case) == sum(contains_whole(*pair) for pair in pairs) / len(pairs)


@pytest.mark.parametrize(
    "name, function, message", [(name, *case) for name, _, *case in WRONG], ids=[f"{c[0]}-{c[1]}" for c in WRONG]
)
def test_a_typical_mistake_is_named(name, function, message, capsys):
    line = verdict(name, function, capsys)
    assert message in line
    assert not line.startswith(("Right.", "Not attempted"))


def test_every_checker_is_tried_with_three_mistakes_or_more():
    mistakes = Counter(name for name, *_ in WRONG)
    assert set(mistakes) == set(NAMES) and min(mistakes.values()) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_no_checker_compares_the_learners_answer_with_itself(name, capsys):
    """A function that returns what it is given, whatever that is, passes nowhere."""
    for returned in (lambda *given: given[0], lambda *given: given[-1], lambda *given: given):
        assert not verdict(name, returned, capsys).startswith("Right.")


# The exercises as the notebooks give them


@functools.cache
def solution(path):
    return read_notebook(path)


@functools.cache
def exercises():
    """The notebook and the cell, by checker, of every exercise in `solutions`."""
    return {
        name: (path, cell)
        for path in notebook_paths(SOLUTIONS)
        for cell in code_cells(solution(path))
        for name in NAMES
        if "# BEGIN SOLUTION" in cell.source and re.search(rf"^def {name}\(", cell.source, re.MULTILINE)
    }


def defined_by(cell, name):
    """The function that an exercise's cell defines, with the imports that come before it in a notebook."""
    names = {"np": np, "re": re}
    exec(cell.source, names)
    return names[name]


def test_every_checker_has_its_exercise():
    assert set(exercises()) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_s_own_solution_is_right_and_its_stub_is_not_attempted(name, capsys):
    path, cell = exercises()[name]
    stub = next(copy for copy in learner_notebook(solution(path), path.name).cells if copy.id == cell.id)
    assert verdict(name, defined_by(cell, name), capsys).startswith("Right. ")
    assert verdict(name, defined_by(stub, name), capsys).startswith("Not attempted yet. ")


@pytest.mark.parametrize("name", NAMES)
def test_an_exercise_says_its_difficulty_and_minutes_its_hint_and_solution(name):
    path, cell = exercises()[name]
    cells = solution(path).cells
    before = "\n".join(one.source for one in cells[: cells.index(cell)] if one.cell_type == "markdown")
    prose = "\n".join(one.source for one in cells if one.cell_type == "markdown")
    assert getattr(check, name).effort in before
    assert f"`check.{name}.hint()`" in prose and f"`check.{name}.solution()`" in prose


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_goes_on_with_what_the_check_returns(name):
    """The learner's own function when it is right, else the reference: a skipped exercise breaks nothing."""
    path, cell = exercises()[name]
    sources = [one.source for one in code_cells(solution(path))]
    later = sources[sources.index(cell.source) + 1 :]
    assert re.search(rf"^{name} = check\.{name}\({name}\)$", later[0], re.MULTILINE)
    assert not any("utils.checks.references" in source for source in later)


@pytest.mark.parametrize("name", NAMES)
def test_exercise_and_reference_take_the_same_arguments(name):
    learner, reference = defined_by(exercises()[name][1], name), getattr(references, name)
    assert list(inspect.signature(learner).parameters) == list(inspect.signature(reference).parameters)


# Stubs, accidents and oddities


def stub(*arguments):
    """What the learner finds."""
    ...


def bare_stub(*arguments): ...


def unimplemented(*arguments):
    raise NotImplementedError


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("function", [stub, bare_stub, unimplemented, None, ...])
def test_an_untouched_stub_is_not_attempted(name, function, capsys):
    assert verdict(name, function, capsys).startswith("Not attempted yet. ")


class Odd:
    """Compares, shows and converts with an error."""

    __hash__ = None

    def __eq__(self, other):
        raise RuntimeError("no comparing")

    def __repr__(self):
        raise RuntimeError("no showing")

    def __float__(self):
        raise RuntimeError("no converting")


class OddError(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def forgets_return(*arguments):
    len(arguments)


def raises(error):
    def attempt(*arguments):
        raise error

    return attempt


def calls_itself(*arguments):
    return calls_itself(*arguments)


ODD = {
    "raises": (raises(ValueError("three\nlines\nhere")), "stopped with ValueError: three lines here, when called with"),
    "raises silently": (raises(KeyError()), "stopped with KeyError, when"),
    "raises oddly": (raises(OddError()), "stopped with OddError, when"),
    "exits": (raises(SystemExit(1)), "stopped with SystemExit: 1"),
    "never ends": (calls_itself, "RecursionError"),
    "wrong arguments": (lambda: 1, "stopped with TypeError"),
    "no return": (forgets_return, "returned nothing: end it with `return`"),
    "a class": (Odd, "stopped with TypeError"),
    "not a function": (3, "Pass in the function itself"),
    "a result": ([1, 3], "Pass in the function itself"),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("function, message", ODD.values(), ids=ODD)
def test_odd_code_gets_a_sentence(name, function, message, capsys):
    assert message in verdict(name, function, capsys)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("result", [Odd(), [Odd()], float("nan"), b"x", {}, np.zeros((2, 2)), [[1, 2]], 1j, object])
def test_an_odd_result_gets_a_sentence(name, result, capsys):
    line = verdict(name, lambda *arguments: result, capsys)
    assert not line.startswith(("Right.", "Not attempted"))


def test_interrupting_still_works():
    with pytest.raises(KeyboardInterrupt):
        check.share_right(raises(KeyboardInterrupt()))


# Hints and solutions


@pytest.mark.parametrize("name", NAMES)
def test_a_hint_helps_without_giving_the_answer(name, capsys):
    getattr(check, name).hint()
    line = capsys.readouterr().out
    assert line.startswith("Hint. ") and line.count("\n") == 1 and "def " not in line


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_can_be_pasted_and_passes(name, capsys):
    getattr(check, name).solution()
    pasted = {}
    exec(capsys.readouterr().out, pasted)
    assert verdict(name, pasted[name], capsys).startswith("Right. ")


@pytest.mark.parametrize("name", NAMES)
def test_the_text_form_is_fixed(name):
    assert repr(getattr(check, name)) == f"Exercise {name}: call check.{name}({name}), or .hint(), or .solution()"


@pytest.mark.parametrize(
    "text, value, whole",
    [
        ("It takes 15 days.", "15 days", True), ("It takes 115 days.", "15 days", False), ("$45!", "$45", True),
        ("$45.50", "$45", False), ("$1,450", "450", False), ("Sold in DARK GREEN", "dark green", True),
        ("ext. 4471.", "ext. 4471", True), ("at 19:30 am", "9:30 am", False), ("1.4 kg", "4 kg", False),
        ("KT-4821", "KT-482", False), ("Open, Tuesday", "Tuesday", True), ("10:30", "10", False),
    ],
)  # fmt: skip
def test_a_value_counts_only_as_a_whole(text, value, whole):
    assert contains_whole(text, value) is whole
