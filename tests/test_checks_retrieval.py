"""The checkers of notebook 01: right ways pass, typical mistakes are named.  `test_checks.py` tests the rest."""

from functools import partial

import numpy as np

from utils import checks as check
from utils.checks import references, retrieval

NAMES = ("cosine_search", "mean_recall", "sentence_chunks")


def verdict(name, function, capsys):
    """The one line that the checker prints; the notebook goes on with the function only if it is right."""
    capsys.readouterr()
    exercise = getattr(check, name)
    if function is exercise.reference:
        function = partial(function)  # the reference itself gets a line of its own
    used = exercise(function)
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and out.endswith("\n")
    assert used is (function if out.startswith("Right.") else exercise.reference)
    return out.strip()


def windows(step, join=" ".join, stop=True):
    """A sentence_chunks with another step or join; stop: leaves out what the last chunk only repeats."""

    def attempt(sentences, size, overlap):
        chunks = []
        for start in range(0, len(sentences), step(size, overlap)):
            chunks.append(join(sentences[start : start + size]))
            if stop and start + size >= len(sentences):
                break
        return chunks

    return attempt


def right_step(size, overlap):
    return size - overlap


def chunks_by_emptying(sentences, size, overlap):
    chunks, rest = [], list(sentences)
    while len(rest) > size:
        chunks.append(" ".join(rest[:size]))
        del rest[: size - overlap]
    return [*chunks, " ".join(rest)]


def chunks_by_slicing_the_list_itself(sentences, size, overlap):
    chunks = []
    while sentences:
        chunks.append(" ".join(sentences[:size]))
        del sentences[: size - overlap]
    return chunks


def chunks_with_overlap_on_top(sentences, size, overlap):
    return [" ".join(sentences[start : start + size + overlap]) for start in range(0, len(sentences), size)]


def chunks_of_words(sentences, size, overlap):
    words = " ".join(sentences).split()
    return [" ".join(words[start : start + size]) for start in range(0, len(words), size - overlap)]


def search(score, finish=lambda scores, k: np.argsort(-scores, kind="stable")[:k]):
    """A cosine_search with another score or another end."""
    return lambda query, vectors, k: finish(score(query, vectors), k)


def product(query, vectors):
    return vectors @ query


def cosine(query, vectors):
    return vectors @ query / np.linalg.norm(vectors, axis=1)


def distance(query, vectors):
    return np.linalg.norm(vectors - query, axis=1)


def search_in_place(query, vectors, k):
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.argsort(-(vectors @ query))[:k]


def mean_of(share, finish=np.mean):
    """A mean_recall that judges one question by `share`."""
    return lambda rankings, gold, k: finish(
        [share(ranking, right, k) for ranking, right in zip(rankings, gold, strict=True)]
    )


def found(ranking, right, k):
    return len(set(ranking[:k]) & set(right))


def share_found(ranking, right, k):
    return found(ranking, right, k) / len(right)


def pooled(rankings, gold, k):
    pairs = list(zip(rankings, gold, strict=True))
    return sum(found(*pair, k) for pair in pairs) / sum(len(right) for _, right in pairs)


def against_all(rankings, gold, k):
    everything = {name for right in gold for name in right}
    return np.mean(
        [min(1, found(ranking, everything, k) / len(right)) for ranking, right in zip(rankings, gold, strict=True)]
    )


def one_too_far(rankings, gold, k):
    return references.mean_recall(rankings, gold, k + 1 if k > 1 else 1)


def last_dropped(sentences, size, overlap):
    starts = range(0, len(sentences) - size + 1, size - overlap)
    return [" ".join(sentences[start : start + size]) for start in starts]


def nearest_unit_vectors(query, vectors, k):
    return np.argsort(distance(query / 2, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)))[:k]


def search_sorted(query, vectors, k):
    cosines = cosine(query, vectors)
    return sorted(range(len(vectors)), key=lambda place: -cosines[place])[:k]


def chunks_by_counting(sentences, size, overlap):
    step, rest = size - overlap, max(0, len(sentences) - size)
    number = 1 + -(-rest // step)
    return [" ".join(sentences[n * step :][:size]) for n in range(number)]


def chunks_sentence_by_sentence(sentences, size, overlap):
    chunks, chunk, fresh = [], [], 0
    for sentence in sentences:
        chunk.append(sentence)
        fresh += 1
        if len(chunk) == size:
            chunks.append(" ".join(chunk))
            chunk, fresh = chunk[size - overlap :], 0
    return chunks + [" ".join(chunk)] * bool(fresh)


def search_in_plain_python(query, vectors, k):
    def cosine_of(vector):
        return sum(a * b for a, b in zip(query, vector, strict=True)) / sum(a * a for a in vector) ** 0.5

    return [place for _, place in sorted((-cosine_of(vector), place) for place, vector in enumerate(vectors))][:k]


def search_by_angle(query, vectors, k):
    angles = np.arccos(np.clip(cosine(query, vectors) / np.linalg.norm(query), -1, 1))
    return [int(place) for place in angles.argsort()[:k]]


def recall_by_loop(rankings, gold, k):
    total = 0.0
    for number in range(len(gold)):
        hits = 0
        for name in gold[number]:
            if name in rankings[number][:k]:
                hits += 1
        total += hits / len(gold[number])
    return total / len(gold)


def recall_with_numpy(rankings, gold, k):
    return np.mean([np.isin(right, ranking[:k]).mean() for ranking, right in zip(rankings, gold, strict=True)])


RIGHT = [
    ("sentence_chunks", chunks_by_emptying),
    ("sentence_chunks", chunks_by_counting),
    ("sentence_chunks", chunks_sentence_by_sentence),
    ("cosine_search", search_in_plain_python),
    ("cosine_search", search_by_angle),
    ("mean_recall", recall_by_loop),
    ("mean_recall", recall_with_numpy),
    (
        "mean_recall",
        mean_of(lambda *given: np.float32(share_found(*given)), lambda shares: np.float32(np.mean(shares))),
    ),
    ("sentence_chunks", lambda *given: tuple(references.sentence_chunks(*given))),
    ("cosine_search", search(cosine)),
    ("cosine_search", search(cosine, lambda scores, k: tuple(scores.argsort()[::-1][:k]))),
    ("cosine_search", search_sorted),
    ("cosine_search", nearest_unit_vectors),
    ("mean_recall", mean_of(share_found)),
    ("mean_recall", mean_of(lambda ranking, right, k: sum(name in ranking[:k] for name in right) / len(right))),
]


WRONG_CHUNKS = {
    "no overlap": (windows(lambda size, overlap: size), "nothing is repeated"),
    "step adds": (windows(lambda size, overlap: size + overlap), "not size + overlap"),
    "step of one": (windows(lambda size, overlap: 1, stop=False), "every sentence starts a chunk"),
    "repeats at the end": (windows(right_step, stop=False), "one chunk too many, 'Dogs may come in.'"),
    "overlap on top": (chunks_with_overlap_on_top, "overlap=1 a chunk holds 3 sentences"),
    "last one dropped": (last_dropped, "the end is missing: keep the last chunk"),
    "lists": (windows(right_step, join=list), "join it into one text"),
    "run together": (windows(right_step, join="".join), "join them with a space"),
    "line breaks": (windows(right_step, join="\n".join), "exactly one space"),
    "one text": (lambda sentences, size, overlap: " ".join(sentences), "one text for each chunk"),
    "words": (chunks_of_words, "count sentences, not letters or words"),
    "letters": (
        lambda sentences, size, overlap: [sentence[:size] for sentence in sentences],
        "a sentence is cut in two",
    ),
    "eats its input": (chunks_by_slicing_the_list_itself, "work on a copy"),
    "nothing": (lambda sentences, size, overlap: [], "With size=2 and overlap=0 there should be 3 chunks"),
}
WRONG_SEARCHES = {
    "plain product": (search(product), "A long vector came first"),
    "query's length only": (
        search(lambda query, vectors: vectors @ query / np.linalg.norm(query)),
        "A long vector came first",
    ),
    "one length for all": (
        search(lambda query, vectors: vectors @ query / np.linalg.norm(vectors)),
        "A long vector came first",
    ),
    "product, worst first": (
        search(product, lambda scores, k: np.argsort(scores)[:k]),
        "plain dot products, in reverse",
    ),
    "worst first": (search(cosine, lambda scores, k: np.argsort(scores)[:k]), "The worst came first"),
    "distance": (search(distance, lambda scores, k: np.argsort(scores)[:k]), "the order of the distances"),
    "absolute": (search(lambda query, vectors: np.abs(cosine(query, vectors))), "Use neither abs"),
    "axis 0": (lambda query, vectors, k: vectors @ query / np.linalg.norm(vectors, axis=0), "stopped with ValueError"),
    "all of them": (search(cosine, lambda scores, k: np.argsort(-scores)), "With k=3 and six passages it returned 6"),
    "fixed k": (search(cosine, lambda scores, k: np.argsort(-scores)[:3]), "With k=1 and six passages it returned 3"),
    "unsorted": (search(cosine, lambda scores, k: np.argpartition(-scores, min(k, 5))[:k][::-1]), "in the wrong order"),
    "cosines": (search(cosine, lambda scores, k: np.sort(scores)[::-1][:k]), "and not scores or vectors"),
    "vectors": (search(cosine, lambda scores, k: [[0.1, 0.0]] * k), "and not scores or vectors"),
    "best alone": (search(cosine, lambda scores, k: int(scores.argmax())), "Return a list of positions"),
    "normalises in place": (search_in_place, "work on a copy"),
}

WRONG_RECALLS = {
    "whole ranking": (
        lambda rankings, gold, k: mean_of(share_found)(rankings, gold, 99),
        "cut each ranking to its first k",
    ),
    "one too far": (one_too_far, "the places 0 to k - 1"),
    "any": (
        mean_of(lambda *given: float(found(*given) > 0)),
        "divide the number found by the number of right ids. Yours says 1",
    ),
    "all": (mean_of(lambda *given: float(share_found(*given) == 1)), "Yours says 0."),
    "precision": (
        mean_of(lambda ranking, right, k: found(ranking, right, k) / k),
        "divided by k, and that is precision",
    ),
    "count": (mean_of(found), "divide the number found by the number of right ids"),
    "percent": (mean_of(lambda *given: 100 * share_found(*given)), "don't multiply by 100"),
    "sum": (mean_of(share_found, sum), "the sum over the questions"),
    "pooled": (pooled, "every question counts the same"),
    "at most k": (
        mean_of(lambda ranking, right, k: found(ranking, right, k) / min(k, len(right))),
        "divide by the number of right ids, also when",
    ),
    "twice found": (
        mean_of(lambda ranking, right, k: sum(name in right for name in ranking[:k]) / len(right)),
        "twice in a ranking counts once",
    ),
    "against all": (against_all, "its own right ids"),
    "list": (mean_of(share_found, list), "Return one number"),
}


def search_by_length(length):
    """A cosine_search with another length than the Euclidean."""
    return search(lambda query, vectors: vectors @ query / length(vectors))


def centred(query, vectors):
    return cosine(query - query.mean(), vectors - vectors.mean(axis=1, keepdims=True) + 1e-9)


def search_with_last_place_first(query, vectors, k):
    order = references.cosine_search(query, vectors, k)
    return order if k <= len(vectors) else [*order[:-2], *order[-2:][::-1]]


def recall_of_hits(rankings, gold, k):
    """Leaves the last question out of the mean where it found nothing."""
    shares = [share_found(*pair, k) for pair in zip(rankings, gold, strict=True)]
    return sum(shares) / (len(shares) - (len(shares) > 4 and shares[-1] == 0))


def chunks_by_index(sentences, size, overlap):
    """Looks up where a sentence is, and finds its first place."""
    starts = [sentences.index(sentences[start]) for start in range(0, len(sentences), size - overlap)]
    chunks = []
    for start in starts:
        chunks.append(" ".join(sentences[start : start + size]))
        if start + size >= len(sentences):
            break
    return chunks


def chunks_of(choose):
    """The right chunks of something else than what was passed in."""
    return lambda sentences, size, overlap: references.sentence_chunks(*choose(list(sentences), size, overlap))


def chunks_with_full_end(sentences, size, overlap):
    chunks = references.sentence_chunks(sentences, size, overlap)
    return [*chunks[:-1], " ".join(sentences[-size:])] if len(sentences) > 5 else chunks


def chunks_without_doubles(sentences, size, overlap):
    return list(dict.fromkeys(references.sentence_chunks(sentences, size, overlap)))


def chunks_stop_late(sentences, size, overlap):
    """Stops one sentence too late, but only in a long text."""
    chunks = windows(right_step, stop=False)(sentences, size, overlap)
    return chunks if len(sentences) > 6 else references.sentence_chunks(sentences, size, overlap)


QUIET = [
    ("cosine_search", "sum of squares", search_by_length(lambda vectors: (vectors**2).sum(axis=1))),
    ("cosine_search", "sum of sizes", search_by_length(lambda vectors: np.abs(vectors).sum(axis=1))),
    ("cosine_search", "largest number", search_by_length(lambda vectors: np.abs(vectors).max(axis=1))),
    ("cosine_search", "root of the length", search_by_length(lambda vectors: np.linalg.norm(vectors, axis=1) ** 0.5)),
    ("cosine_search", "rounded", search(lambda query, vectors: (cosine(query, vectors)).round(1))),
    ("cosine_search", "negatives as zero", search(lambda query, vectors: cosine(query, vectors).clip(0))),
    ("cosine_search", "first two numbers", search(lambda query, vectors: cosine(query[:2], vectors[:, :2] + 1e-9))),
    ("cosine_search", "query as units", search(lambda query, vectors: cosine(np.sign(query), vectors))),
    ("cosine_search", "mean taken off", search(centred)),
    ("cosine_search", "last two swapped", search_with_last_place_first),
    ("mean_recall", "set before cut", lambda r, g, k: references.mean_recall([sorted(set(x)) for x in r], g, k)),
    (
        "mean_recall",
        "repeats dropped first",
        lambda r, g, k: references.mean_recall([[*dict.fromkeys(x)] for x in r], g, k),
    ),
    ("mean_recall", "first right id only", lambda r, g, k: references.mean_recall(r, [x[:1] for x in g], k)),
    ("mean_recall", "at most two right", mean_of(lambda *given: found(*given) / min(3, len(given[1])))),
    ("mean_recall", "last question left out", recall_of_hits),
    (
        "mean_recall",
        "overlap over union",
        mean_of(lambda r, g, k: found(r, g, k) / len({*g} | {*r[:k]}) ** (k > 4) / len(g) ** (k < 5)),
    ),
    ("mean_recall", "rounded", lambda *given: round(references.mean_recall(*given), 2)),
    (
        "mean_recall",
        "mean of middle",
        lambda *given: np.median([references.mean_recall([r], [g], given[2]) for r, g in zip(*given[:2], strict=True)]),
    ),
    ("sentence_chunks", "by index", chunks_by_index),
    ("sentence_chunks", "repeated sentences dropped", chunks_of(lambda s, size, o: (list(dict.fromkeys(s)), size, o))),
    ("sentence_chunks", "repeated chunks dropped", chunks_without_doubles),
    ("sentence_chunks", "overlap of two at most", chunks_of(lambda s, size, o: (s, size, min(o, 2)))),
    (
        "sentence_chunks",
        "size of four at most",
        chunks_of(lambda s, size, o: (s, min(size, 4) if size < 9 else 9, min(o, 3))),
    ),
    ("sentence_chunks", "full end", chunks_with_full_end),
    ("sentence_chunks", "late stop", chunks_stop_late),
    ("sentence_chunks", "full stops only", chunks_of(lambda s, size, o: ([x.replace("!", ".") for x in s], size, o))),
]

WRONG = [
    (name, mistake, *case)
    for name, cases in [
        ("sentence_chunks", WRONG_CHUNKS),
        ("cosine_search", WRONG_SEARCHES),
        ("mean_recall", WRONG_RECALLS),
    ]
    for mistake, case in cases.items()
]


def stub(*arguments):
    """What the learner finds."""
    ...


def test_the_three_orders_of_the_search_case_differ():
    """The written positions follow from the vectors, and no two ways of searching agree on them."""
    query, vectors = np.array(retrieval.QUERY), np.array(retrieval.VECTORS)
    assert np.argsort(-cosine(query, vectors)).tolist() == retrieval.BY_COSINE
    assert np.argsort(-product(query, vectors)).tolist() == retrieval.BY_PRODUCT
    assert np.argsort(distance(query, vectors)).tolist() == retrieval.BY_DISTANCE
    firsts = {tuple(order[:3]) for order in (retrieval.BY_COSINE, retrieval.BY_PRODUCT, retrieval.BY_DISTANCE)}
    assert len(firsts) == 3


def test_a_second_check_does_not_praise_the_course_s_own_solution(capsys):
    mean_recall = check.mean_recall(lambda rankings, gold, k: 0.0)
    capsys.readouterr()
    assert check.mean_recall(mean_recall) is references.mean_recall
    assert capsys.readouterr().out.startswith("This is the course's own solution. Run the cell with your function")
