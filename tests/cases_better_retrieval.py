"""Right ways and wrong ways to do the exercises of notebooks 03 and 04: what `test_checks.py` tries.

RIGHT: name, function.  WRONG: name, mistake, function, words that name it.  QUIET: wrong in a less typical way.
"""

from collections import Counter, defaultdict

import numpy as np


def rrf_with(score, reverse=True, start=1):
    """A fusion that scores a rank with `score(rank, k)`."""

    def attempt(rankings, k=60):
        scores = {}
        for ranking in rankings:
            for rank, name in enumerate(ranking, start=start):
                scores[name] = scores.get(name, 0) + score(rank, k)
        return sorted(scores, key=scores.get, reverse=reverse)

    return attempt


def rrf_best_only(rankings, k=60):
    scores = {}
    for ranking in rankings:
        for rank, name in enumerate(ranking, start=1):
            scores[name] = max(scores.get(name, 0), 1 / (k + rank))
    return sorted(scores, key=scores.get, reverse=True)


def replace_only(texts, kind, article_id, text):
    return texts | {article_id: text}


def withdraw_by_emptying(texts, kind, article_id, text):
    return texts | {article_id: text or ""}


def add_beside(texts, kind, article_id, text):
    if kind == "withdraw":
        return {name: old for name, old in texts.items() if name != article_id}
    return texts | {f"{article_id}-new": text}


def keep_only_the_changed(texts, kind, article_id, text):
    return {article_id: text}


def clear_all(texts, kind, article_id, text):
    return {} if kind == "withdraw" else texts | {article_id: text}


def half_by_loop(gold, shown):
    for name in gold:
        if name not in shown:
            return "search"
    return "reading"


def rrf_with_numpy(rankings, k=60):
    ids = sorted({name for ranking in rankings for name in ranking})
    sums = np.zeros(len(ids))
    for ranking in rankings:
        places = np.array([ids.index(name) for name in ranking], dtype=int)
        sums[places] += 1 / (k + 1 + np.arange(len(ranking)))
    return [ids[place] for place in np.argsort(-sums)]


def rrf_with_counter(rankings, k=60):
    scores = Counter()
    for ranking in reversed(rankings):
        scores.update({name: 1 / (k + place + 1) for place, name in enumerate(ranking)})
    return tuple(name for name, _ in scores.most_common())


def rrf_id_by_id(rankings, k=60):
    """For each id, a sum over the rankings."""
    ids = {name for ranking in rankings for name in ranking}
    return sorted(ids, key=lambda name: -sum(1 / (k + r.index(name) + 1) for r in rankings if name in r))


def change_case_by_case(texts, kind, article_id, text):
    match kind:
        case "withdraw":
            return {name: old for name, old in texts.items() if name != article_id}
        case "add" | "replace":
            return {**texts, article_id: text}


def change_by_deleting(texts, kind, article_id, text):
    new = texts.copy()
    if kind in ("add", "replace"):
        new.update({article_id: text})
    else:
        del new[article_id]
    return new


def change_and_sort(texts, kind, article_id, text):
    pairs = [(name, old) for name, old in texts.items() if name != article_id]
    return dict(sorted(pairs + [(article_id, text)] * (kind != "withdraw")))


RIGHT = [
    ("failed_half", lambda gold, shown: "search" if gold - shown else "reading"),
    ("failed_half", lambda gold, shown: "reading" if all(item in shown for item in gold) else "search"),
    ("failed_half", lambda gold, shown: ["search", "reading"][len(gold & shown) == len(gold)]),
    ("failed_half", half_by_loop),
    ("rrf", rrf_with(lambda rank, k: 1 / (k + rank))),
    ("rrf", rrf_with_numpy),
    ("rrf", rrf_with_counter),
    ("rrf", rrf_id_by_id),
    ("apply_change", lambda t, kind, i, text: {n: x for n, x in (t | {i: text}).items() if x is not None}),
    ("apply_change", change_case_by_case),
    ("apply_change", change_by_deleting),
    ("apply_change", change_and_sort),
]
WRONG = [
    (
        "failed_half",
        "the wrong way round",
        lambda gold, shown: "search" if gold <= shown else "reading",
        "These are swapped",
    ),
    ("failed_half", "equality", lambda gold, shown: "reading" if gold == shown else "search", "and other ones too"),
    ("failed_half", "any", lambda gold, shown: "reading" if gold & shown else "search", "Of two gold articles"),
    ("failed_half", "always reading", lambda gold, shown: "reading", "was not among the passages"),
    ("failed_half", "truth", lambda gold, shown: gold <= shown, "not True or False"),
    ("rrf", "worst first", rrf_with(lambda rank, k: 1 / (k + rank), reverse=False), "The worst comes first"),
    ("rrf", "best rank only", rrf_best_only, "add up the scores"),
    ("rrf", "no smoothing", rrf_with(lambda rank, k: 1 / rank), "use 1 / (k + rank)"),
    ("rrf", "k fixed", rrf_with(lambda rank, k: 1 / (60 + rank)), "use the k that is passed in"),
    ("rrf", "from 0", rrf_with(lambda rank, k: 1 / (k + rank), start=0), "count ranks from 1, with enumerate"),
    ("rrf", "place plus k", rrf_with(lambda rank, k: 1 / (k + rank - 1)), "count ranks from 1, with enumerate"),
    ("rrf", "dictionary", lambda rankings, k=60: dict.fromkeys(rankings[0], 1.0), "dictionary of scores"),
    ("rrf", "first ranking only", lambda rankings, k=60: rankings[0], "Return each id once"),
    ("apply_change", "withdraw as empty", withdraw_by_emptying, "with an empty text"),
    ("apply_change", "replace only", replace_only, 'After "withdraw" the article hours is still there'),
    ("apply_change", "old one kept", add_beside, "should hold the new text"),
    ("apply_change", "rest dropped", keep_only_the_changed, "leave the other articles"),
    ("apply_change", "all withdrawn", clear_all, "remove one article"),
    ("apply_change", "list", lambda t, kind, i, text: list(t), "as a dictionary"),
]


def rrf_by_mean(rankings, k=60):
    scores = defaultdict(list)
    for ranking in rankings:
        for rank, name in enumerate(ranking, start=1):
            scores[name].append(1 / (k + rank))
    return sorted(scores, key=lambda name: -np.mean(scores[name]) * min(2, len(scores[name])))


def rrf_of(choose):
    """The right fusion of other rankings than those passed in."""
    return lambda rankings, k=60: rrf_with(lambda rank, k: 1 / (k + rank))(choose(rankings), k)


def rrf_that_adds_up():
    """A fusion that keeps its scores from call to call, as one in a notebook with a global dictionary does."""
    scores = {}

    def attempt(rankings, k=60):
        for ranking in rankings:
            for rank, name in enumerate(ranking, start=1):
                scores[name] = scores.get(name, 0) + 1 / (k + rank)
        here = {name for ranking in rankings for name in ranking}
        return sorted(here, key=lambda name: -scores[name])

    return attempt


def change_by_text(texts, kind, article_id, text):
    """Withdraws every article that says the same."""
    if kind == "withdraw":
        return {name: old for name, old in texts.items() if old != texts[article_id]}
    return texts | {article_id: text}


def change_in_place(texts, kind, article_id, text):
    if kind == "withdraw":
        del texts[article_id]
        return texts
    return texts | {article_id: text}


def withdraw_last(texts, kind, article_id, text):
    new = dict(texts)
    if kind == "withdraw":
        new.popitem()
        return new
    return new | {article_id: text}


def replace_where_found(texts, kind, article_id, text):
    """Never adds to an empty handbook."""
    if not texts:
        return texts
    return change_case_by_case(texts, kind, article_id, text)


QUIET = [
    ("failed_half", "proper subset", lambda gold, shown: "reading" if gold < shown else "search"),
    ("failed_half", "first gold only", lambda gold, shown: "reading" if min(gold) in shown else "search"),
    ("failed_half", "last gold only", lambda gold, shown: "reading" if max(gold) in shown else "search"),
    ("failed_half", "half is enough", lambda gold, shown: "reading" if len(gold & shown) > len(gold) / 2 else "search"),
    ("failed_half", "two are enough", lambda g, s: "reading" if len(g & s) >= min(2, len(g)) else "search"),
    (
        "failed_half",
        "by number",
        lambda g, s: "reading" if g & s and len(s) >= len(g) and not (g - s > s) else "search",
    ),
    ("rrf", "rank squared", rrf_with(lambda rank, k: 1 / (k + rank**2))),
    ("rrf", "square root", rrf_with(lambda rank, k: 1 / (k + rank) ** 0.5)),
    ("rrf", "whole square", rrf_with(lambda rank, k: 1 / (k + rank) ** 2)),
    ("rrf", "half of k", rrf_with(lambda rank, k: 1 / (k / 2 + rank))),
    ("rrf", "twice the rank", rrf_with(lambda rank, k: 1 / (k + 2 * rank))),
    ("rrf", "from 2", rrf_with(lambda rank, k: 1 / (k + rank), start=2)),
    ("rrf", "mean", rrf_by_mean),
    ("rrf", "three rankings at most", rrf_of(lambda rankings: rankings[:3])),
    ("rrf", "first five places", rrf_of(lambda rankings: [ranking[:5] for ranking in rankings])),
    ("rrf", "scores kept", rrf_that_adds_up()),
    ("rrf", "another default", lambda rankings, k=1: rrf_with_counter(rankings, k)),
    ("apply_change", "by text", change_by_text),
    ("apply_change", "in place", change_in_place),
    ("apply_change", "last one out", withdraw_last),
    ("apply_change", "never the first", replace_where_found),
    ("apply_change", "text stripped", lambda t, kind, i, x: change_case_by_case(t, kind, i, x and x.rstrip("."))),
    ("apply_change", "lower case", lambda t, kind, i, x: change_case_by_case(t, kind, i.lower(), x)),
]
