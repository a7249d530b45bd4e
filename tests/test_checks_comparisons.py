"""The checkers of notebook A2: right ways pass, typical mistakes are named.  `test_checks.py` tests the rest."""

import re
import string

import pandas as pd

from utils import checks as check
from utils.checks import comparisons, references

NAMES = ("same_questions", "leaked")


# Right ways


def pairs_by_a_loop(first, second):
    pairs, alone = [], []
    for name in first:
        if name in second:
            pairs.append([first[name], second[name]])
        else:
            alone.append(name)
    return pairs, alone + [name for name in second if name not in first]


def pairs_by_sets(first, second):
    shared = set(first) & set(second)
    return [(first[name], second[name]) for name in first if name in shared], (set(first) | set(second)) - shared


def pairs_by_pandas(first, second):
    table = pd.DataFrame({"first": first, "second": second})
    both = table.dropna().reindex([name for name in first if name in second])
    return list(both.itertuples(index=False, name=None)), table.index[table.isna().any(axis=1)].tolist()


def pairs_by_trying(first, second):
    pairs, alone = [], set(second)
    for name, score in first.items():
        try:
            pairs.append((score, second[name]))
            alone.remove(name)
        except KeyError:
            alone.add(name)
    return pairs, alone


def leaked_by_a_pattern(training, test):
    known = [re.sub(r"[^a-z0-9]", "", text.lower()) for text in training]
    return [text for text in test if re.sub(r"[^a-z0-9]", "", text.lower()) in known]


def leaked_by_a_table(training, test):
    without = str.maketrans("", "", string.punctuation + string.whitespace)
    known = {text.casefold().translate(without) for text in training}
    found = []
    for text in test:
        if text.casefold().translate(without) in known:
            found.append(text)
    return found


def leaked_by_lists_of_words(training, test):
    known = [re.findall(r"\w+", text.upper()) for text in training]
    return tuple(text for text in test if re.findall(r"\w+", text.upper()) in known)


RIGHT = [
    *(("same_questions", way) for way in (pairs_by_a_loop, pairs_by_sets, pairs_by_pandas, pairs_by_trying)),
    *(("leaked", way) for way in (leaked_by_a_pattern, leaked_by_a_table, leaked_by_lists_of_words)),
]


# Typical mistakes


def others(first, second):
    """The ids that only one arm answered."""
    return sorted(set(first) ^ set(second))


def pairs_of(names, first, second):
    """Pairs of the named questions, with 0 where an arm has none."""
    return [(first.get(name, 0.0), second.get(name, 0.0)) for name in names], others(first, second)


def right_pairs(first, second):
    return references.same_questions(first, second)[0]


WRONG_PAIRS = {
    "by position": (
        lambda a, b: (list(zip(a.values(), b.values(), strict=True)), others(a, b)), "by their position"
    ),
    "filled": (lambda a, b: pairs_of(a, a, b), "instead of filling in 0"),
    "filled from the second": (lambda a, b: pairs_of(b, a, b), "instead of filling in 0"),
    "union": (lambda a, b: pairs_of(a | b, a, b), "instead of filling in 0"),
    "sorted union": (lambda a, b: pairs_of(sorted(a | b), a, b), "instead of filling in 0"),
    "second's order": (lambda a, b: pairs_of([n for n in b if n in a], a, b), "not in the first arm's order"),
    "turned": (lambda a, b: ([(y, x) for x, y in right_pairs(a, b)], others(a, b)), "first arm's score comes"),
    "both true": (lambda a, b: pairs_of([n for n in a if a[n] and b.get(n)], a, b), "A score of 0 is a score too"),
    "second true": (lambda a, b: pairs_of([n for n in a if b.get(n)], a, b), "A score of 0 is a score too"),
    "first true": (lambda a, b: pairs_of([n for n in a if a[n] and n in b], a, b), "A score of 0 is a score too"),
    "one pair": (lambda a, b: (right_pairs(a, b)[1:], others(a, b)), "the pairs should be [(1.0, 1.0), (0.0, 1.0)"),
    "only the first's": (lambda a, b: (right_pairs(a, b), sorted(set(a) - set(b))), "what only the first"),
    "only the second's": (lambda a, b: (right_pairs(a, b), sorted(set(b) - set(a))), "what only the second"),
    "the shared ids": (lambda a, b: (right_pairs(a, b), sorted(set(a) & set(b))), "questions that both answered"),
    "no others": (lambda a, b: (right_pairs(a, b), []), "Return the ids that only one arm answered as well"),
    "all ids": (lambda a, b: (right_pairs(a, b), sorted(a | b)), "The ids that only one arm answered are ['q5', 'q6']"),
    "a number of others": (lambda a, b: (right_pairs(a, b), len(others(a, b))), "a list of ids, not 2"),
    "pairs alone": (right_pairs, "Return two things"),
    "a dictionary": (lambda a, b: ({n: (a[n], b[n]) for n in a if n in b}, others(a, b)), "pairs of two scores"),
    "with the id": (lambda a, b: ([(n, a[n], b[n]) for n in a if n in b], others(a, b)), "pairs of two scores"),
    "differences": (lambda a, b: ([a[n] - b[n] for n in a if n in b], others(a, b)), "pairs of two scores"),
    "refused": (lambda a, b: {}[min(others(a, b))], "stopped with KeyError"),
}  # fmt: skip


def same(form, keep=lambda text, known: text in known):
    """A leaked that compares texts in one form."""
    return lambda training, test: [text for text in test if keep(form(text), [form(one) for one in training])]


def letters(text):
    return "".join(filter(str.isalnum, text.lower()))


def words(text):
    return set(re.findall(r"\w+", text.lower()))


def once(function):
    return lambda training, test: list(dict.fromkeys(function(training, test)))


WRONG_LEAKS = {
    "exact": (same(str), "Only exact copies"),
    "lower": (same(str.lower), "Only exact copies"),
    "no question mark": (same(lambda text: text.rstrip("?")), "Only exact copies"),
    "spaces and capitals": (same(lambda text: text.lower().split()), "A missing question mark hides a copy"),
    "lower, no question mark": (same(lambda text: text.lower().rstrip("?")), "Two spaces or a hyphen"),
    "capitals": (same(lambda text: "".join(filter(str.isalnum, text))), "Capitals hide a copy"),
    "punctuation removed": (
        same(lambda text: re.sub(r"[^\w\s]", "", text.lower()).split()), "a hyphen or a space must not hide a copy"
    ),
    "without copies": (once(references.leaked), "is in the test twice"),
    "without copies and hyphens": (
        once(same(lambda text: re.sub(r"[^\w\s]", "", text.lower()).split())), "is in the test twice"
    ),
    "the clean ones": (lambda a, b: [text for text in b if text not in references.leaked(a, b)], "return the others"),
    "a part of a training text": (same(letters, lambda text, known: any(text in one for one in known)), "only a part"),
    "a training text as a part": (same(letters, lambda text, known: any(one in text for one in known)), "only a part"),
    "parts of each other": (
        same(letters, lambda text, known: any(one in text or text in one for one in known)), "only a part"
    ),
    "sets of words": (same(words), "The same words in another order"),
    "sets of words at spaces": (
        same(lambda text: {word.strip("?").lower() for word in text.split()}), "The same words in another order"
    ),
    "never": (lambda training, test: [], "five are in the training set"),
    "always": (lambda training, test: test, "the leaked questions should be"),
    "training texts": (lambda training, test: references.leaked(test, training), "not those of the training set"),
    "cleaned texts": (lambda a, b: [letters(text) for text in references.leaked(a, b)], "as they are, and not as you"),
    "places": (lambda a, b: [b.index(text) for text in references.leaked(a, b)], "not [0, 1, 3, 4, 1]"),
    "a count": (lambda a, b: len(references.leaked(a, b)), "not 5"),
    "a set": (lambda a, b: set(references.leaked(a, b)), "a set has no order"),
    "true or false": (lambda a, b: [text in references.leaked(a, b) for text in b], "Return a list with the texts"),
}  # fmt: skip

WRONG = [
    *(("same_questions", name, *case) for name, case in WRONG_PAIRS.items()),
    *(("leaked", name, *case) for name, case in WRONG_LEAKS.items()),
]


def first_wording_only(training, test):
    return references.leaked(training[:5], test)


QUIET = [
    ("same_questions", "sorted by id", lambda a, b: pairs_of(sorted(set(a) & set(b)), a, b)),
    ("same_questions", "whole scores", lambda a, b: ([(x // 1, y // 1) for x, y in right_pairs(a, b)], others(a, b))),
    ("same_questions", "four pairs at most", lambda a, b: (right_pairs(a, b)[:4], others(a, b))),
    ("same_questions", "two others at most", lambda a, b: (right_pairs(a, b), others(a, b)[:2])),
    ("leaked", "the end of each text", same(lambda text: letters(text)[-9:])),
    ("leaked", "without digits", same(lambda text: re.sub(r"[^a-z]", "", text.lower()))),
    ("leaked", "some punctuation", same(lambda text: re.sub(r"[ ?-]", "", text.lower()))),
    ("leaked", "five training texts", first_wording_only),
]


def test_drawn_inputs_cover_the_domain():
    pairs = [references.same_questions(**case) for case in check.same_questions.inputs()]
    assert any(not both for both, _ in pairs) and any(not alone for _, alone in pairs)
    assert sum(bool(both) and bool(alone) for both, alone in pairs) > 50
    cases = check.leaked.inputs()
    found = [references.leaked(**case) for case in cases]
    assert sum(bool(texts) for texts in found) > 50 and sum(not texts for texts in found) > 50
    inexact = [set(texts) - set(case["training"]) for case, texts in zip(cases, found, strict=True)]
    assert sum(map(bool, inexact)) > 40


def test_the_written_cases_are_what_the_references_return():
    pairs, alone = references.same_questions(comparisons.FIRST, comparisons.SECOND)
    assert (pairs, alone) == (comparisons.PAIRS, comparisons.ALONE)
    expected = [comparisons.TEST[place] for place in comparisons.LEAKED]
    assert references.leaked(comparisons.TRAINING, comparisons.TEST) == expected
