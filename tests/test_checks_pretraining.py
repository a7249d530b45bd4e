"""The checkers of notebook A1: right ways pass, typical mistakes are named.  `test_checks.py` tests the rest."""

import re
from collections import Counter

from utils import checks as check
from utils.checks import pretraining, references

NAMES = ("merged", "number_from")


# Right ways


def merged_by_looking_back(pieces, pair):
    result, open_left = [], False
    for piece in pieces:
        if open_left and result[-1] == pair[0] and piece == pair[1]:
            result[-1] += piece
            open_left = False
        else:
            result.append(piece)
            open_left = True
    return result


def merged_by_recursion(pieces, pair):
    if len(pieces) < 2:
        return list(pieces)
    if (pieces[0], pieces[1]) == pair:
        return ["".join(pair), *merged_by_recursion(pieces[2:], pair)]
    return [pieces[0], *merged_by_recursion(pieces[1:], pair)]


def merged_by_taking_off(pieces, pair):
    left, result = list(pieces)[::-1], []
    while left:
        piece = left.pop()
        if piece == pair[0] and left and left[-1] == pair[1]:
            piece += left.pop()
        result.append(piece)
    return tuple(result)


def merged_by_a_pattern(pieces, pair):
    """Each piece ends with a sign that no text has, so that a pattern can join whole pieces."""
    text = "".join(f"\0{piece}\1" for piece in pieces)
    first, second = map(re.escape, pair)
    return re.findall("\0(.*?)\1", re.sub(f"\0{first}\1\0{second}\1", f"\0{pair[0]}{pair[1]}\1", text))


def number_by_a_search(answer, value, passage):
    found = re.search(r"\d+", answer)
    if found is None:
        return "no number"
    if found.group() == value:
        return "right"
    return "another" if re.search(rf"(?<!\d){found.group()}(?!\d)", passage) else "invented"


def number_by_splitting(answer, value, passage):
    def numbers(text):
        return "".join(sign if sign.isdigit() else " " for sign in text).split()

    for number in numbers(answer):
        return "right" if number == value else ("another" if number in numbers(passage) else "invented")
    return "no number"


def number_by_sets(answer, value, passage):
    said, read = set(re.findall("[0-9]+", answer)), set(re.findall("[0-9]+", passage))
    if not said:
        return "no number"
    return "right" if said == {value} else "another" if said <= read else "invented"


RIGHT = [
    *(
        ("merged", way)
        for way in (merged_by_looking_back, merged_by_recursion, merged_by_taking_off, merged_by_a_pattern)
    ),
    *(("number_from", way) for way in (number_by_a_search, number_by_splitting, number_by_sets)),
]


# Typical mistakes


def joined_where(test, step=2):
    """A merged that joins where the test says so, and goes on `step` places behind a pair."""

    def attempt(pieces, pair):
        result, place = [], 0
        while place < len(pieces):
            found = place + 1 < len(pieces) and test((pieces[place], pieces[place + 1]), pair)
            result.append("".join(pair) if found else pieces[place])
            place += step if found else 1
        return result

    return attempt


def equal(one, pair):
    return one == pair


def merged_by_text(pieces, pair):
    """Replaces in the whole text, so the borders of the pieces are lost."""
    return " ".join(pieces).replace(" ".join(pair), "".join(pair)).split()


def merged_once(pieces, pair):
    for place in range(len(pieces) - 1):
        if (pieces[place], pieces[place + 1]) == pair:
            return [*pieces[:place], "".join(pair), *pieces[place + 2 :]]
    return pieces


def merged_without_the_last(pieces, pair):
    result, place = [], 0
    while place < len(pieces) - 1:
        found = (pieces[place], pieces[place + 1]) == pair
        result.append("".join(pair) if found else pieces[place])
        place += 2 if found else 1
    return result


def merged_past_the_end(pieces, pair):
    result, place = [], 0
    while place < len(pieces):
        found = (pieces[place], pieces[place + 1]) == pair
        result.append("".join(pair) if found else pieces[place])
        place += 2 if found else 1
    return result


def merged_in_place(pieces, pair):
    place = 0
    while place < len(pieces) - 1:
        if (pieces[place], pieces[place + 1]) == pair:
            pieces[place : place + 2] = ["".join(pair)]
        place += 1
    return pieces


def merged_again(pieces, pair):
    """Joins a joined piece once more when it is the first of the pair again."""
    result = []
    for piece in pieces:
        if result and result[-1].endswith(pair[0]) and piece == pair[1]:
            result[-1] += piece
        else:
            result.append(piece)
    return result


WRONG_MERGES = {
    "one step": (joined_where(equal, step=1), "the pair becomes one piece, in its place"),
    "once": (merged_once, "joined each time that it comes"),
    "either order": (joined_where(lambda one, pair: set(one) == set(pair)), "not b followed by a"),
    "joined again": (merged_again, "joined already cannot be joined again"),
    "same letters": (
        joined_where(lambda one, pair: "".join(one) == "".join(pair)), "though they spell the same"
    ),
    "first piece alone": (joined_where(lambda one, pair: one[0] == pair[0]), "both must be there, and side by side"),
    "the last dropped": (merged_without_the_last, "in its place"),
    "past the end": (merged_past_the_end, "stopped with IndexError"),
    "in place": (merged_in_place, "changes its arguments"),
    "as text": (lambda pieces, pair: "".join(pieces), "not one text"),
    "the text's replace": (merged_by_text, "a space is a piece like any other"),
    "pairs as pieces": (lambda pieces, pair: list(zip(pieces, pieces[1:], strict=False)), "Return a list of pieces"),
    "unchanged": (lambda pieces, pair: pieces, "the pair becomes one piece"),
    "a count": (lambda pieces, pair: len(pieces), "Return a list of pieces, not 5"),
    "with a space": (lambda pieces, pair: [" ".join(pair)] + pieces[2:], "in its place"),
}  # fmt: skip


def number_when(right, read, default="no number"):
    """A number_from that asks `right` of the answer and the value, and `read` of the answer and the passage."""

    def attempt(answer, value, passage):
        if not re.search(r"\d", answer):
            return default
        if right(answer, value):
            return "right"
        return "another" if read(answer, passage) else "invented"

    return attempt


def number_of(text):
    return re.findall(r"\d+", text)


def is_the_value(answer, value):
    return number_of(answer)[0] == value


def is_read(answer, passage):
    return number_of(answer)[0] in number_of(passage)


WRONG_NUMBERS = {
    "value as a part": (number_when(lambda a, v: v in a, is_read), "455 is a part of 1455"),
    "part of the value": (number_when(lambda a, v: number_of(a)[0] in v, is_read), "45 is a part of 455"),
    "part of the passage": (number_when(is_the_value, lambda a, p: number_of(a)[0] in p), "no number of the passage"),
    "passage first": (
        lambda a, v, p: "no number" if not number_of(a) else "another" if is_read(a, p) else "invented",
        "it has the number that was asked about",
    ),
    "never another": (number_when(is_the_value, lambda a, p: False), "130 is in the passage"),
    "never invented": (number_when(is_the_value, lambda a, p: True), "731 is not in the passage"),
    "no number is invented": (number_when(is_the_value, is_read, default="invented"), "the answer has no number"),
    "as integers": (
        number_when(lambda a, v: int(number_of(a)[0]) == int(v), is_read), "the digits must be the same"
    ),
    "single digits": (
        number_when(lambda a, v: set("".join(number_of(a))) == set(v), is_read), "45 is a part of 455"
    ),
    "no check for a number": (
        lambda a, v, p: "right" if is_the_value(a, v) else "another" if is_read(a, p) else "invented",
        "stopped with IndexError",
    ),
    "true or false": (lambda a, v, p: is_the_value(a, v), "Return one of 'right', 'another', 'invented'"),
    "another word": (lambda a, v, p: "wrong", "Return one of 'right', 'another', 'invented'"),
    "one word": (lambda a, v, p: "right", "130 is in the passage, but it is the weight"),
}  # fmt: skip

WRONG = [
    *(("merged", name, *case) for name, case in WRONG_MERGES.items()),
    *(("number_from", name, *case) for name, case in WRONG_NUMBERS.items()),
]


def merged_twice_at_most(pieces, pair):
    for _ in range(2):
        pieces = merged_once(pieces, pair)
    return pieces


def two_letters(one, pair):
    return [piece[:2] for piece in one] == [piece[:2] for piece in pair]


QUIET = [
    ("merged", "ten pieces at most", lambda p, pair: references.merged(p[:10], pair) + p[10:]),
    ("merged", "short pairs", lambda p, pair: p if len("".join(pair)) > 4 else references.merged(p, pair)),
    ("merged", "twice at most", merged_twice_at_most),
    ("merged", "two letters", joined_where(two_letters)),
    ("number_from", "four digits", number_when(lambda a, v: number_of(a)[0][:3] == v[:3] and len(number_of(a)[0]) < 4
                                               and is_the_value(a, v), is_read)),
    ("number_from", "the last three of the passage", lambda a, v, p: references.number_from(
        a, v, " ".join(number_of(p)[-3:]))),
    ("number_from", "numbers with a space before", number_when(is_the_value, lambda a, p: f" {number_of(a)[0]} " in p)),
    ("number_from", "numbers at spaces", lambda a, v, p: references.number_from(
        " ".join(word for word in a.split() if word.strip(".").isdigit()), v, p)),
]  # fmt: skip


def test_drawn_inputs_cover_the_domain():
    cases = check.merged.inputs()
    joins = [len(case["pieces"]) - len(references.merged(**case)) for case in cases]
    assert sum(not joined for joined in joins) > 10 and sum(joined > 1 for joined in joins) > 20
    assert any(not case["pieces"] for case in cases) and any(case["pair"][0] == case["pair"][1] for case in cases)
    counts = Counter(references.number_from(**case) for case in check.number_from.inputs())
    assert set(counts) == set(pretraining.NUMBERS_FROM) and min(counts.values()) > 15


def test_the_written_cases_are_what_the_references_return():
    for pieces, pair, expected, _ in pretraining.MERGES:
        assert references.merged(pieces, pair) == expected
    for answer, value, expected, _ in pretraining.SOURCES:
        assert references.number_from(answer, value, pretraining.PASSAGE) == expected
