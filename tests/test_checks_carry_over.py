"""The checkers of notebook 12: right ways pass, typical mistakes are named.  `test_checks.py` tests the rest."""

import numpy as np

from utils import checks as check
from utils.checks import references
from utils.checks.carry_over import OTHER, SAME, UNCLEAR

NAMES = ("quote_nearest", "carries_over")


# Right ways


def quote_by_a_loop(passages, similarities):
    best, text = None, ""
    for number, sentences in enumerate(passages, start=1):
        for sentence, similarity in zip(sentences, similarities[number - 1], strict=True):
            if best is None or similarity > best:
                best, text = similarity, f"{sentence} [{number}]"
    return text


def quote_best_passage_first(passages, similarities):
    number = int(np.argmax([max(row) for row in similarities]))
    return f"{passages[number][int(np.argmax(similarities[number]))]} [{number + 1}]"


def quote_by_flat_lists(passages, similarities):
    flat = [(sentence, number) for number, sentences in enumerate(passages, start=1) for sentence in sentences]
    place = int(np.argmax(np.concatenate([np.asarray(row) for row in similarities])))
    return "{} [{}]".format(*flat[place])


def side(interval):
    low, high = interval
    return 1 if low > 0 else -1 if high < 0 else 0


def carries_by_sides(first, second):
    if side(first) and side(first) == side(second):
        return SAME
    return OTHER if max(first[0], second[0]) > min(first[1], second[1]) else UNCLEAR


def carries_by_cases(first, second):
    if (first[0] > 0 and second[0] > 0) or (first[1] < 0 and second[1] < 0):
        return SAME
    if first[1] < second[0] or second[1] < first[0]:
        return OTHER
    return UNCLEAR


def carries_from_the_end(first, second):
    verdict = UNCLEAR
    if not (first[0] <= second[1] and second[0] <= first[1]):
        verdict = OTHER
    if min(first[0], second[0]) > 0 or max(first[1], second[1]) < 0:
        verdict = SAME
    return verdict


RIGHT = [
    *(("quote_nearest", way) for way in (quote_by_a_loop, quote_best_passage_first, quote_by_flat_lists)),
    *(("carries_over", way) for way in (carries_by_sides, carries_by_cases, carries_from_the_end)),
]


# Typical mistakes


def quoting(finish, pick=max):
    """A quote_nearest that picks a sentence with `pick` and ends with `finish(sentence, passage, place)`."""

    def attempt(passages, similarities):
        rated = [
            (similarities[p][s], passages[p][s], p, s) for p in range(len(passages)) for s in range(len(passages[p]))
        ]
        found = pick(rated)
        return finish(found[1], found[2], rated.index(found))

    return attempt


WRONG_QUOTES = {
    "no citation": (quoting(lambda text, p, place: text), "The citation is missing"),
    "no space": (quoting(lambda text, p, place: f"{text}[{p + 1}]"), "a space between"),
    "citation first": (quoting(lambda text, p, place: f"[{p + 1}] {text}"), "after the sentence"),
    "from zero": (quoting(lambda text, p, place: f"{text} [{p}]"), "passages count from"),
    "always passage 1": (quoting(lambda text, p, place: f"{text} [1]"), "its own passage's number"),
    "counts sentences": (quoting(lambda text, p, place: f"{text} [{place + 1}]"), "That counts sentences"),
    "lowest": (quoting(lambda text, p, place: f"{text} [{p + 1}]", min), "take the highest"),
    "first passage only": (
        lambda passages, near: references.quote_nearest(passages[:1], near[:1]),
        "the first passage only",
    ),
    "first sentence of the best passage": (
        lambda passages, near: f"{passages[int(np.argmax([max(row) for row in near]))][0]} [2]",
        "not its nearest sentence",
    ),
    "starts at zero": (
        lambda passages, near: references.quote_nearest(
            [["Nothing."], *passages], [[0.0], *near]
        ).replace("[3]", "[2]"),
        "can be negative",
    ),
    "a pair": (lambda passages, near: ("Send them within 30 days.", 2), "Return one text"),
    "something else": (lambda passages, near: "I do not know. [1]", "The result should be"),
}  # fmt: skip

WRONG_VERDICTS = {
    "overlap alone": (
        lambda a, b: OTHER if max(a[0], b[0]) > min(a[1], b[1]) else SAME,
        "even though they do not overlap",
    ),
    "signs of the means": (lambda a, b: SAME if (sum(a) > 0) == (sum(b) > 0) else OTHER, "do not overlap"),
    "unclear counts as same": (lambda a, b: SAME if side(a) == side(b) else OTHER, "overlap"),
    "opposite sides only": (
        lambda a, b: SAME if side(a) == side(b) != 0 else OTHER if side(a) * side(b) < 0 else UNCLEAR,
        "only the first one excludes zero",
    ),
    "first above second only": (
        lambda a, b: SAME if side(a) == side(b) != 0 else OTHER if a[0] > b[1] else UNCLEAR,
        "only the second one excludes zero",
    ),
    "zero counts as clear": (
        lambda a, b: SAME if (a[0] >= 0 and b[0] >= 0) or (a[1] <= 0 and b[1] <= 0) else carries_by_sides(a, b),
        "touches zero",
    ),
    "two unclear are the same": (
        lambda a, b: SAME if side(a) == side(b) else carries_by_sides(a, b),
        "do not confirm each other",
    ),
    "other words": (lambda a, b: "equal", "Return 'same verdict', 'other verdict' or 'cannot tell'"),
    "a truth value": (lambda a, b: True, "not True"),
}

WRONG = [
    *(("quote_nearest", name, *case) for name, case in WRONG_QUOTES.items()),
    *(("carries_over", name, *case) for name, case in WRONG_VERDICTS.items()),
]


def cut_at_two(passages, similarities):
    return references.quote_nearest(passages[:2], similarities[:2])


def two_sentences_at_most(passages, similarities):
    return references.quote_nearest([p[:2] for p in passages], [row[:2] for row in similarities])


QUIET = [
    ("quote_nearest", "two passages at most", cut_at_two),
    ("quote_nearest", "two sentences at most", two_sentences_at_most),
    ("quote_nearest", "two of the numbers", lambda p, s: references.quote_nearest(p, s).replace("[3]", "[2]")),
    ("quote_nearest", "no single one", lambda p, s: references.quote_nearest(p, s) if len(p) > 1 else p[0][0]),
    ("carries_over", "wide ones are unclear", lambda a, b: UNCLEAR if a[1] - a[0] > 0.31 else carries_by_sides(a, b)),
    ("carries_over", "second wide", lambda a, b: UNCLEAR if b[1] - b[0] > 0.31 else carries_by_sides(a, b)),
    ("carries_over", "far below", lambda a, b: UNCLEAR if a[1] < -0.3 else carries_by_cases(a, b)),
    ("carries_over", "a gap counts from 0.1", lambda a, b: (
        UNCLEAR if carries_by_cases(a, b) == OTHER and max(a[0], b[0]) - min(a[1], b[1]) < 0.1
        and side(a) * side(b) >= 0 else carries_by_cases(a, b)
    )),
]  # fmt: skip


def test_drawn_inputs_cover_the_domain():
    quotes = check.quote_nearest.inputs()
    assert {len(case["passages"]) for case in quotes} == {1, 2, 3}
    assert {len(sentences) for case in quotes for sentences in case["passages"]} == {1, 2, 3}
    verdicts = [references.carries_over(**case) for case in check.carries_over.inputs()]
    assert min(verdicts.count(verdict) for verdict in (SAME, OTHER, UNCLEAR)) >= 20
