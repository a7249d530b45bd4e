"""The checkers of notebook 11: right ways pass, typical mistakes are named.  `test_checks.py` tests the rest."""

from utils import checks as check
from utils.checks import references

NAMES = ("split_questions",)


# Right ways


def split_by_seen_facts(facts):
    training, test = [], []
    for fact in dict.fromkeys(facts.values()):
        half = training if 2 * len(training) < len(facts) else test
        half += [question for question, about in facts.items() if about == fact]
    return training, test


def split_by_pop(facts):
    left, training = dict(facts), []
    while len(training) * 2 < len(facts):
        fact = next(iter(left.values()))
        training += [question for question in list(left) if left[question] == fact and [left.pop(question)]]
    order = list(dict.fromkeys(left.values()))
    return [training, sorted(left, key=lambda question: order.index(left[question]))]


def split_by_set_of_facts(facts):
    chosen, count = set(), 0
    for fact in facts.values():
        if fact not in chosen and count < len(facts) / 2:
            chosen.add(fact)
            count += list(facts.values()).count(fact)
    order = list(dict.fromkeys(facts.values()))
    ranked = sorted(facts, key=lambda question: order.index(facts[question]))
    return tuple(q for q in ranked if facts[q] in chosen), tuple(q for q in ranked if facts[q] not in chosen)


RIGHT = [("split_questions", way) for way in (split_by_seen_facts, split_by_pop, split_by_set_of_facts)]


# Typical mistakes


def groups_of(facts):
    groups = {}
    for question, fact in facts.items():
        groups.setdefault(fact, []).append(question)
    return groups


def walking(go_on, groups=lambda facts: list(groups_of(facts).values())):
    """A split with another test: `go_on` takes the training half, the next group and the number of questions."""

    def attempt(facts):
        training, test = [], []
        for group in groups(facts):
            (training if go_on(training, group, len(facts)) else test).extend(group)
        return training, test

    return attempt


def not_half_yet(training, group, total):
    return len(training) < total / 2


def cut_in_the_middle(facts):
    questions = list(facts)
    return questions[: len(questions) // 2], questions[len(questions) // 2 :]


def half_of_the_facts(facts):
    groups = list(groups_of(facts).values())
    middle = (len(groups) + 1) // 2
    return [one for group in groups[:middle] for one in group], [one for group in groups[middle:] for one in group]


def alternating(facts):
    return list(facts)[::2], list(facts)[1::2]


WRONG_SPLITS = {
    "cut in the middle": (cut_in_the_middle, "the fact 'price' is on both sides"),
    "alternating": (alternating, "the fact 'price' is on both sides"),
    "at most half": (
        walking(lambda training, group, total: len(training) + len(group) <= total / 2),
        "a fact goes over as a whole, even where training gets more than half",
    ),
    "half rounded down": (
        walking(lambda training, group, total: len(training) < total // 2),
        "one question is less than half of three",
    ),
    "more than half": (
        walking(lambda training, group, total: len(training) <= total / 2),
        "one question is half of two",
    ),
    "half of the facts": (half_of_the_facts, "training is full"),
    "the facts by name": (
        walking(not_half_yet, lambda facts: [group for _, group in sorted(groups_of(facts).items())]),
        "the order is that of the questions",
    ),
    "the halves swapped": (lambda facts: references.split_questions(facts)[::-1], "one question is half of two"),
    "one question for each fact": (
        walking(not_half_yet, lambda facts: [group[:1] for group in groups_of(facts).values()]),
        "each question should be on one side, once",
    ),
    "the training half alone": (lambda facts: references.split_questions(facts)[0], "Return two lists"),
    "the facts themselves": (
        lambda facts: tuple([facts[one] for one in half] for half in references.split_questions(facts)),
        "each question should be on one side, once",
    ),
    "numbers": (lambda facts: ([0], [1]), "names of questions"),
}  # fmt: skip

WRONG = [("split_questions", name, *case) for name, case in WRONG_SPLITS.items()]

QUIET = [
    ("split_questions", "six questions at most", lambda facts: references.split_questions(
        dict(list(facts.items())[:6])
    )),
    ("split_questions", "four facts at most", lambda facts: references.split_questions(
        {question: fact.replace("bed", "floor") for question, fact in facts.items()}
    )),
    ("split_questions", "one more than half of eight", walking(
        lambda training, group, total: len(training) < total / 2 + (total >= 8)
    )),
    ("split_questions", "at most three that judge", lambda facts: (
        references.split_questions(facts)[0], references.split_questions(facts)[1][:3]
    )),
]  # fmt: skip


def test_drawn_inputs_have_halves_of_every_kind():
    cases = [case["facts"] for case in check.split_questions.inputs()]
    halves = [references.split_questions(facts) for facts in cases]
    whole = sum(not test for _, test in halves)
    uneven = sum(len(training) > len(test) + 1 for training, test in halves)
    assert whole >= 10 and uneven >= 20 and len(cases) - whole >= 100
    assert all(not {f[q] for q in a} & {f[q] for q in b} for f, (a, b) in zip(cases, halves, strict=True))
