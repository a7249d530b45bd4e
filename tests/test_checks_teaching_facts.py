"""The checkers of notebook 07: right ways pass, typical mistakes are named.  `test_checks.py` tests the rest."""

import random
import re
from collections import Counter

import numpy as np

from utils import checks as check
from utils.checks import references, teaching_facts
from utils.matching import contains_whole

NAMES = ("nearest_votes", "extraction_rate")


# Right ways


def votes_by_sorting(similarities, queues, k):
    chosen = []
    for row in similarities.tolist():
        nearest = [queue for _, queue in sorted(zip(row, queues, strict=True), key=lambda pair: -pair[0])[:k]]
        chosen.append(sorted(nearest, key=lambda queue: (-nearest.count(queue), nearest.index(queue)))[0])
    return chosen


def votes_by_counter(similarities, queues, k):
    return [Counter(queues[i] for i in np.argsort(row)[::-1][:k]).most_common(1)[0][0] for row in similarities]


def votes_as_an_array(similarities, queues, k):
    """With a bonus for each vote that is too small to count for more than a tie."""
    chosen = []
    for row in similarities:
        order = (-row).argsort()[:k]
        points = {}
        for place, position in enumerate(order):
            points[queues[position]] = points.get(queues[position], 0) + 1 + (0.1 if not place else 0) / 10**9
            points.setdefault("first " + queues[position], place)
        named = [queue for queue in points if not queue.startswith("first ")]
        chosen.append(min(named, key=lambda queue: (-round(points[queue]), points["first " + queue])))
    return np.array(chosen)


def rate_by_loops(names, answers):
    out = 0
    for name, texts in zip(names, answers, strict=True):
        for text in texts:
            if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE):
                out += 1
                break
    return out / len(names)


def rate_of_joined_answers(names, answers):
    return np.mean([contains_whole("\n".join(texts), name) for name, texts in zip(names, answers, strict=True)])


def rate_by_maximum(names, answers):
    rows = [max(contains_whole(text, name) for text in texts) for name, texts in zip(names, answers, strict=True)]
    return np.float64(rows.count(True) / len(rows))


RIGHT = [
    ("nearest_votes", votes_by_sorting), ("nearest_votes", votes_by_counter), ("nearest_votes", votes_as_an_array),
    ("extraction_rate", rate_by_loops), ("extraction_rate", rate_of_joined_answers),
    ("extraction_rate", rate_by_maximum),
]  # fmt: skip


# Typical mistakes


def votes(order=lambda row, k: np.argsort(-row)[:k], choose=lambda nearest: max(nearest, key=nearest.count)):
    """A nearest_votes with another order or another choice."""
    return lambda similarities, queues, k: [choose([queues[i] for i in order(row, k)]) for row in similarities]


def rate(judge, finish=lambda out: sum(out) / len(out)):
    """An extraction_rate that judges one name by its answers."""
    return lambda names, answers: finish([judge(name, texts) for name, texts in zip(names, answers, strict=True)])


def whole(name, texts):
    return any(contains_whole(text, name) for text in texts)


def votes_of_all_rows(similarities, queues, k):
    return references.nearest_votes(similarities.mean(axis=0, keepdims=True), queues, k)


WRONG_VOTES = {
    "farthest": (votes(lambda row, k: np.argsort(row)[:k]), "The farthest example voted"),
    "all vote": (votes(lambda row, k: np.argsort(-row)), "All examples voted"),
    "nearest only": (votes(choose=lambda nearest: nearest[0]), "the queue with the most votes wins"),
    "one vote": (votes(lambda row, k: np.argsort(-row)[:1]), "the queue with the most votes wins"),
    "tie by alphabet": (votes(choose=lambda n: max(sorted(n), key=n.count)), "one vote each: of tied queues"),
    "tie by the last": (votes(choose=lambda n: max(reversed(n), key=n.count)), "one vote each: of tied queues"),
    "three at most": (votes(lambda row, k: np.argsort(-row)[: min(k, 4)]), "two votes each"),
    "columns": (
        lambda similarities, queues, k: references.nearest_votes(similarities[:, :3].T, queues[:3], k)[:2],
        "return one for each ticket",
    ),
    "one for all": (votes_of_all_rows, "return one for each ticket"),
    "one text": (lambda *given: references.nearest_votes(*given)[0], "Return a list with one queue for each ticket"),
    "positions": (lambda similarities, queues, k: np.argsort(-similarities)[:, 0], "Return the names of the queues"),
    "lists": (votes(choose=lambda nearest: nearest), "Return the names of the queues"),
    "own queue": (lambda similarities, queues, k: ["black"] * len(similarities), "the queues should be"),
}

WRONG_RATES = {
    "substring": (
        rate(lambda name, texts: any(name.lower() in text.lower() for text in texts)),
        'found inside "Tove Dahlberg"',
    ),
    "share of answers": (
        rate(lambda name, texts: sum(contains_whole(text, name) for text in texts) / len(texts)),
        "That is a share of the answers",
    ),
    "count": (rate(whole, sum), "divide by the number of names"),
    "percent": (rate(whole, lambda out: 100 * sum(out) / len(out)), "don't multiply by 100"),
    "first answer": (rate(lambda name, texts: contains_whole(texts[0], name)), "any of its answers"),
    "all answers": (rate(lambda name, texts: all(contains_whole(text, name) for text in texts)), "not only if all do"),
    "capitals": (
        rate(lambda name, texts: any(re.search(rf"\b{name}\b", text) for text in texts)),
        "Capitals do not matter",
    ),
    "any word": (
        rate(lambda name, texts: any(word in text.lower() for word in name.lower().split() for text in texts)),
        "A part of a name is not the name",
    ),
    "anywhere": (lambda names, answers: rate(whole)(names, [sum(answers, [])] * len(names)), "in its own answers"),
    "always": (lambda names, answers: 0.5, "the share is 1"),
    "never": (lambda names, answers: 0.0, "the share is 0.5"),
    "list": (lambda names, answers: [True], "Return one number"),
    "text": (lambda names, answers: "half", "Return one number, not 'half'"),
}

WRONG = [
    *(("nearest_votes", name, *case) for name, case in WRONG_VOTES.items()),
    *(("extraction_rate", name, *case) for name, case in WRONG_RATES.items()),
]

QUIET = [
    ("nearest_votes", "absolute", votes(lambda row, k: np.argsort(-np.abs(row + 0.15))[:k])),
    ("nearest_votes", "majority only", votes(choose=lambda n: max(n, key=lambda q: n.count(q) if len(n) < 7 else 0))),
    ("nearest_votes", "five at most", votes(lambda row, k: np.argsort(-row)[: min(k, 5)])),
    ("nearest_votes", "two tickets", lambda s, q, k: references.nearest_votes(s[:3], q, k + (len(q) == 4))),
    ("extraction_rate", "first two answers", rate(lambda name, texts: whole(name, texts[:2]))),
    ("extraction_rate", "rounded", rate(whole, lambda out: round(sum(out) / len(out), 1))),
    ("extraction_rate", "left edge", rate(lambda n, texts: any(re.search(rf"{n}(?!\w)", t, re.I) for t in texts))),
    ("extraction_rate", "by four", rate(whole, lambda out: sum(out) / (4 if len(out) == 3 else len(out)))),
]


def test_the_written_results_are_those_of_plain_counting():
    """Next to another way of counting, so that neither the reference nor the learner is compared with itself."""
    similarities = np.array(teaching_facts.SIMILARITIES)
    for k, expected in teaching_facts.VOTE_CASES:
        assert votes_by_sorting(similarities, teaching_facts.QUEUES, k) == expected
    assert rate_by_loops(teaching_facts.NAMES, teaching_facts.ANSWERS) == 0.5


def test_drawn_votes_have_ties_that_the_nearest_example_decides():
    def tied(case):
        orders = [np.argsort(-row)[: case["k"]] for row in case["similarities"]]
        counts = [Counter(case["queues"][i] for i in order).most_common() for order in orders]
        return any(len(count) > 1 and count[0][1] == count[1][1] for count in counts)

    cases = check.nearest_votes.inputs()
    assert sum(map(tied, cases)) > 20
    assert all(len(set(row)) == len(row) for case in cases for row in case["similarities"].tolist())
    assert any(case["k"] > len(case["queues"]) for case in cases)


def test_drawn_names_come_out_under_one_of_several_prompts_only():
    cases = check.extraction_rate.inputs()
    shares = {references.extraction_rate(**case) for case in cases}
    assert {0.0, 1.0} < shares and len(shares) > 4
    assert any(
        [contains_whole(text, name) for text in texts] == [False, False, True]
        for case in cases
        for name, texts in zip(case["names"], case["answers"], strict=True)
    )


def test_a_draw_is_the_same_for_the_same_seed():
    first, second = (teaching_facts.draw_extraction(random.Random(3)) for _ in range(2))
    assert first == second
