"""Right ways and typical mistakes in the exercises of notebooks 03 and 04: what `test_checks.py` tries."""


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


RIGHT = [
    ("failed_half", lambda gold, shown: "search" if gold - shown else "reading"),
    ("failed_half", lambda gold, shown: "reading" if all(item in shown for item in gold) else "search"),
    ("rrf", rrf_with(lambda rank, k: 1 / (k + rank))),
    ("apply_change", lambda t, kind, i, text: {n: x for n, x in (t | {i: text}).items() if x is not None}),
]
WRONG = [
    ("failed_half", "the wrong way round", lambda gold, shown: "search" if gold <= shown else "reading", "wrong way"),
    ("failed_half", "equality", lambda gold, shown: "reading" if gold == shown else "search", "and other ones too"),
    ("failed_half", "any", lambda gold, shown: "reading" if gold & shown else "search", "Of two gold articles"),
    ("failed_half", "always reading", lambda gold, shown: "reading", "was not among the passages"),
    ("failed_half", "truth", lambda gold, shown: gold <= shown, "not True or False"),
    ("rrf", "worst first", rrf_with(lambda rank, k: 1 / (k + rank), reverse=False), "The worst stands first"),
    ("rrf", "best rank only", rrf_best_only, "add up the scores"),
    ("rrf", "no smoothing", rrf_with(lambda rank, k: 1 / rank), "use 1 / (k + rank)"),
    ("rrf", "k fixed", rrf_with(lambda rank, k: 1 / (60 + rank)), "use the k that is handed over"),
    ("rrf", "dictionary", lambda rankings, k=60: dict.fromkeys(rankings[0], 1.0), "dictionary of scores"),
    ("rrf", "first ranking only", lambda rankings, k=60: rankings[0], "Each id of any ranking"),
    ("apply_change", "withdraw as empty", withdraw_by_emptying, "with an empty text"),
    ("apply_change", "replace only", replace_only, 'After "withdraw" the article hours is still there'),
    ("apply_change", "old one kept", add_beside, "should hold the new text"),
    ("apply_change", "rest dropped", keep_only_the_changed, "leave the other articles"),
    ("apply_change", "all withdrawn", clear_all, "take out one article"),
    ("apply_change", "list", lambda t, kind, i, text: list(t), "as a dictionary"),
]
