"""Every checker: passes the reference and other right ways, names typical mistakes, knows an untouched stub."""

import ast
import inspect
import re
from collections import Counter

import cases_better_retrieval
import cases_rag_pipeline
import numpy as np
import pytest
import test_checks_retrieval
from test_checks_retrieval import verdict

from utils import checks as check
from utils.authoring.build import learner_notebook
from utils.checks import references
from utils.course.notebook_files import code_cells, notebook_paths, read_notebook
from utils.matching import contains_whole
from utils.paths import SOLUTIONS

NAMES = check.__all__
OTHERS = (test_checks_retrieval, cases_rag_pipeline, cases_better_retrieval)


# Right ways: the reference and others


def share_with_lookarounds(answers, gold_values):
    right = 0
    for answer, value in zip(answers, gold_values, strict=True):
        right += bool(re.search(rf"(?<!\w){re.escape(value)}(?!\w)", answer, re.I))
    return np.float64(right / len(answers))


def outcome_with_its_own_patterns(answer, gold, sources):
    if "handbook does not say" in answer:
        return "abstained wrongly" if gold else "abstained rightly"
    if gold and re.search(rf"(?<!\w){re.escape(gold)}(?!\w)", answer, re.I):
        return "correct"
    text = re.sub(r"\s*\[\d+\]", "", answer).rstrip(".")
    return ["unsupported", "wrong"][any(text in source for source in sources)]


RIGHT = [
    *[(name, getattr(references, name)) for name in NAMES],
    ("share_right", share_with_lookarounds),
    ("lora_parameters", lambda d_in, d_out, rank: np.int64(rank) * (d_in + d_out)),
    ("lora_parameters", lambda *sizes: sizes[2] * sum(sizes[:2])),
    ("outcome", outcome_with_its_own_patterns),
    *(case for module in OTHERS for case in module.RIGHT),
]


@pytest.mark.parametrize("name, function", RIGHT)
def test_a_right_function_is_right(name, function, capsys):
    assert verdict(name, function, capsys).startswith("Right. ")


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
    "equality": (share(lambda answer, value: answer == value), "look with `in`, not with `==`"),
    "capitals": (share(lambda answer, value: re.search(rf"(?<!\w){re.escape(value)}(?!\w)", answer)), "Capitals"),
    "substring": (share(lambda answer, value: low(value) in low(answer)), '"15 days" was found inside "115 days"'),
    "left edge only": (share(lambda answer, value: low(f" {value}") in low(answer)), '"$45" was found inside "$450"'),
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


WRONG_COUNTS = {
    "whole weight": (lambda d_in, d_out, rank: d_in * d_out, "the whole frozen weight"),
    "A alone": (lambda d_in, d_out, rank: rank * d_in, "That is A alone"),
    "B alone": (lambda d_in, d_out, rank: rank * d_out, "That is B alone"),
    "with the frozen": (lambda d_in, d_out, rank: d_in * d_out + rank * (d_in + d_out), "counts the frozen weight too"),
    "times the rank": (lambda d_in, d_out, rank: d_in * d_out * rank, "the weight times the rank"),
    "twice A": (lambda d_in, d_out, rank: 2 * rank * d_in, "B has d_out rows"),
    "twice B": (lambda d_in, d_out, rank: 2 * rank * d_out, "A has d_in columns"),
    "no rank": (lambda d_in, d_out, rank: d_in + d_out, "The rank is missing"),
    "product": (lambda d_in, d_out, rank: rank * d_in * rank * d_out, "added, not multiplied"),
    "a guess": (lambda d_in, d_out, rank: 700, "A holds 8 x 192 = 1536 numbers"),
    "shapes": (lambda d_in, d_out, rank: ((rank, d_in), (d_out, rank)), "Return one number"),
}


def outcome_without(step):
    """The reference with one step left out or done badly."""

    def attempt(answer, gold, sources):
        if "The handbook does not say" in answer and step != "abstention":
            if step == "always rightly":
                return "abstained rightly"
            if step != "whole answer" or answer == "The handbook does not say.":
                return "abstained rightly" if gold is None else "abstained wrongly"
        found = gold and (low(gold) in low(answer) if step == "substring" else contains_whole(answer, gold))
        text = answer if step == "citation" else answer.split(" [")[0]
        text = text if step == "full stop" else text.removesuffix(".")
        supported = any(text in source for source in sources)
        if step == "sources first" and not supported:
            return "unsupported"
        if found:
            return "correct"
        return "wrong" if supported and step != "no gold is unsupported" or step == "all wrong" else "unsupported"

    return attempt


def outcome_gold_first(answer, gold, sources):
    return "correct" if gold and contains_whole(answer, gold) else references.outcome(answer, gold, sources)


WRONG_OUTCOMES = {
    "no abstention": (outcome_without("abstention"), "Look for the abstention first: it is right when gold is None"),
    "always rightly": (outcome_without("always rightly"), "it is wrong when there is a gold value"),
    "gold before abstention": (outcome_gold_first, "this one happens to hold the gold value too"),
    "abstention as whole answer": (outcome_without("whole answer"), "anywhere in the answer"),
    "substring": (outcome_without("substring"), '"15 days" is not in "115 days" as a whole'),
    "sources before gold": (outcome_without("sources first"), "Look for the gold value before the sources"),
    "citation kept": (outcome_without("citation"), "cut off the citation mark"),
    "full stop kept": (outcome_without("full stop"), "take off its full stop"),
    "never wrong": (outcome_without("no gold is unsupported"), "stands in a source"),
    "never unsupported": (outcome_without("all wrong"), "stands in no source: it is unsupported"),
    "own label": (lambda answer, gold, sources: "right", "'right' is none of the five outcomes"),
    "true or false": (lambda answer, gold, sources: True, "True is none of the five outcomes"),
}

WRONG = [
    (name, mistake, *case)
    for name, cases in [
        ("share_right", WRONG_SHARES),
        ("lora_parameters", WRONG_COUNTS),
        ("outcome", WRONG_OUTCOMES),
    ]
    for mistake, case in cases.items()
]
WRONG += [case for module in OTHERS for case in module.WRONG]


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


def exercises():
    """The notebook and the cell, by checker, of every exercise in `solutions`."""
    return {
        name: (path, cell)
        for path in notebook_paths(SOLUTIONS)
        for cell in code_cells(read_notebook(path))
        for name in NAMES
        if "# BEGIN SOLUTION" in cell.source and re.search(rf"^def {name}\(", cell.source, re.MULTILINE)
    }


def defined_by(cell, name):
    """The function that an exercise's cell defines, with the imports that stand before it in a notebook."""
    names = {"np": np, "re": re, "contains_whole": contains_whole}
    exec(cell.source, names)
    return names[name]


def test_every_checker_has_its_exercise():
    assert set(exercises()) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_s_own_solution_is_right_and_its_stub_is_not_attempted(name, capsys):
    path, cell = exercises()[name]
    stub = next(copy for copy in learner_notebook(read_notebook(path), path.name).cells if copy.id == cell.id)
    assert verdict(name, defined_by(cell, name), capsys).startswith("Right. ")
    assert verdict(name, defined_by(stub, name), capsys).startswith("Not attempted yet. ")


@pytest.mark.parametrize("name", NAMES)
def test_an_exercise_says_its_difficulty_and_minutes_its_hint_and_solution(name):
    path, cell = exercises()[name]
    cells = read_notebook(path).cells
    before = "\n".join(one.source for one in cells[: cells.index(cell)] if one.cell_type == "markdown")
    prose = "\n".join(one.source for one in cells if one.cell_type == "markdown")
    assert getattr(check, name).effort in before
    assert f"`check.{name}.hint()`" in prose and f"`check.{name}.solution()`" in prose


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_goes_on_with_the_reference(name):
    """After the check, the learner's function is not used again: a skipped exercise breaks nothing."""
    path, cell = exercises()[name]
    cells = list(code_cells(read_notebook(path)))
    later = [
        ast.walk(ast.parse(one.source)) for one in cells[cells.index(cell) + 1 :] if not one.source.startswith("%")
    ]
    calls = [node.func for tree in later for node in tree if isinstance(node, ast.Call)]
    assert [call.id for call in calls if isinstance(call, ast.Name) and call.id == name] == []


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
    "not a function": (3, "Hand over the function itself"),
    "a result": ([1, 3], "Hand over the function itself"),
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
