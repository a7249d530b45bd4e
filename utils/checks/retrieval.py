"""Checkers of notebook 01."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, Stopped, alike, number, shown

# Chunks: sentences of unequal length, so that counting letters or words shows.

SENTENCES = ["We sell tents.", "Boots too.", "The shop opens at nine on weekdays.", "It is warm.", "Dogs may come in."]
TENTS, BOOTS, OPEN, WARM, DOGS = SENTENCES

# size, overlap, and the texts of the chunks.
CHUNK_CASES = [
    (2, 0, [f"{TENTS} {BOOTS}", f"{OPEN} {WARM}", DOGS]),
    (2, 1, [f"{TENTS} {BOOTS}", f"{BOOTS} {OPEN}", f"{OPEN} {WARM}", f"{WARM} {DOGS}"]),
    (3, 1, [f"{TENTS} {BOOTS} {OPEN}", f"{OPEN} {WARM} {DOGS}"]),
    (4, 2, [f"{TENTS} {BOOTS} {OPEN} {WARM}", f"{OPEN} {WARM} {DOGS}"]),
    (1, 0, SENTENCES),
    (9, 1, [" ".join(SENTENCES)]),
]


def diagnose_chunks(attempt: Attempt) -> str | None:
    """The first mistake in a learner's sentence_chunks, or None."""
    for size, overlap, expected in CHUNK_CASES:
        found = chunk_texts(attempt(sentences=SENTENCES, size=size, overlap=overlap))
        if found != expected:
            return _wrong_chunks(found, expected, size, overlap)
    return None


def chunk_texts(result: Any) -> list[str]:
    """The returned chunks as texts.  Raises Stopped when they are not texts."""
    if isinstance(result, str) or not np.iterable(result):
        raise Stopped(f"Return a list with one text for each chunk, not {shown(result)}.")
    found = list(result)
    if found and all(isinstance(chunk, (list, tuple)) for chunk in found):
        raise Stopped('Each chunk is a list of sentences: join it into one text, with " ".join(...).')
    if not all(isinstance(chunk, str) for chunk in found):
        raise Stopped(f"Return a list with one text for each chunk, not {shown(result)}.")
    return found


def _wrong_chunks(found: list[str], expected: list[str], size: int, overlap: int) -> str:
    case = f"With size={size} and overlap={overlap}"
    if [chunk.split() for chunk in found] == [chunk.split() for chunk in expected]:
        return "The chunks are right except for the spaces: put exactly one space between two sentences."
    if ["".join(chunk.split()) for chunk in found] == ["".join(chunk.split()) for chunk in expected]:
        return 'The sentences of a chunk run together: join them with a space, " ".join(...).'
    if not all(_is_whole(chunk) for chunk in found):
        return f"{case} a sentence is cut in two: count sentences, not letters or words."
    longest = max((sum(sentence in chunk for sentence in SENTENCES) for chunk in found), default=0)
    if longest > size:
        return f"{case} a chunk holds {longest} sentences: count the repeated ones too."
    if found == expected[:-1]:
        return f"{case} the end is missing: keep the last chunk, also when it holds fewer than {size} sentences."
    if found[: len(expected)] == expected:
        return (
            f"{case} there is one chunk too many, {shown(found[-1])}, which the previous chunk holds already: "
            "stop when a chunk reaches the last sentence."
        )
    return _wrong_windows(found, expected, size, overlap)


def _is_whole(chunk: str) -> bool:
    rest = chunk
    for sentence in SENTENCES:
        rest = rest.replace(sentence, "")
    return not rest.strip()


def _wrong_windows(found: list[str], expected: list[str], size: int, overlap: int) -> str:
    case = f"With size={size} and overlap={overlap}"
    if overlap and found == _windows(size, size):
        return f"{case} nothing is repeated: the next chunk starts size - overlap sentences after this one."
    if found[: len(expected)] == _windows(size, size + overlap)[: len(expected)]:
        return f"{case} sentences are missing: the step from chunk to chunk is size - overlap, not size + overlap."
    if len(found) > 1 and found == _windows(size, 1):
        return f"{case} every sentence starts a chunk: the step from chunk to chunk is size - overlap, not 1."
    return f"{case} there should be {len(expected)} chunks, {shown(expected)}, and you returned {shown(found)}."


def _windows(size: int, step: int) -> list[str]:
    return [" ".join(SENTENCES[start : start + size]) for start in range(0, len(SENTENCES), step)]


def draw_sentences(draws: random.Random) -> dict[str, Any]:
    """A text of one sentence or more, some of them the same, with a size and an overlap."""
    size = draws.randint(1, 6)
    count = draws.randint(1, draws.choice([3, 6, 10]))
    sentences = [draws.choice([*SENTENCES, "Welcome!", "Is it free?", "Yes."]) for _ in range(count)]
    return {"sentences": sentences, "size": size, "overlap": draws.randrange(size)}


sentence_chunks = Exercise(
    name="sentence_chunks",
    difficulty=2,
    minutes=8,
    diagnose=diagnose_chunks,
    read=chunk_texts,
    draw=draw_sentences,
    praise="Whole sentences, the overlap repeated, nothing lost, and no chunk that only repeats.",
    clue="Let `start` run over range(0, len(sentences), size - overlap), and join sentences[start : start + size]. "
    "Leave the loop as soon as a chunk reaches the last sentence.",
    sources=(references.sentence_chunks,),
)

# Search: cosine, dot product and distance each order these vectors differently.

QUERY = [2.0, 0.0]
VECTORS = [[3.0, 4.0], [0.8, 0.6], [0.1, 0.0], [-2.5, 0.0], [1.0, 3.0], [5.0, 20.0]]
BY_COSINE = [2, 1, 0, 4, 5, 3]
BY_PRODUCT = [5, 0, 4, 1, 2, 3]
BY_DISTANCE = [1, 2, 4, 0, 3, 5]
BY_SIZE = [2, 3, 1, 0, 4, 5]  # of the cosine without its sign; 2 and 3 tie
LENGTHS = "divide each product by the length of its own passage vector"


def diagnose_search(attempt: Attempt) -> str | None:
    """The first mistake in a learner's cosine_search, or None."""
    for k in (3, 1, 6, 9):
        found = _positions(attempt, k)
        if found != BY_COSINE[:k]:
            return _wrong_search(found, k)
    return None


def _positions(attempt: Attempt, k: int) -> list[int]:
    return positions(attempt(query=np.array(QUERY), vectors=np.array(VECTORS), k=k))


def positions(result: Any) -> list[int]:
    """The returned positions as plain ints.  Raises Stopped when they are not positions."""
    if not np.iterable(result) or isinstance(result, (str, dict)):
        raise Stopped(f"Return a list of positions, best first, not {shown(result)}.")
    found = list(result)
    if any(isinstance(item, (bool, np.bool_)) or not isinstance(item, (int, np.integer)) for item in found):
        raise Stopped(f"Return positions, whole numbers such as 0 or 3, and not scores or vectors: {shown(found)}.")
    return [int(item) for item in found]


def _wrong_search(found: list[int], k: int) -> str:
    if found in (BY_COSINE, BY_COSINE[::-1]) or len(found) != min(k, len(VECTORS)):
        return f"With k={k} and six passages it returned {len(found)} positions: keep the first k, as with [:k]."
    orders = {
        "The worst came first: np.argsort puts the smallest first. Sort the negative cosines.": BY_COSINE[::-1],
        f"A long vector came first: that is the order of the plain dot products. For cosines, {LENGTHS}.": BY_PRODUCT,
        f"That is the order of the plain dot products, in reverse: sort best first, and {LENGTHS}.": BY_PRODUCT[::-1],
        "That is the order of the distances. The cosine compares directions only, however long the vectors are: "
        f"take the dot products, and {LENGTHS}.": BY_DISTANCE,
        "The passage that points the opposite way came near the top: a cosine of -1 is the worst. "
        "Use neither abs nor squares.": BY_SIZE,
    }
    for mistake, order in orders.items():
        if found == order[:k]:
            return mistake
    if sorted(found) == sorted(BY_COSINE[:k]):
        return "These are the right passages in the wrong order: sort them by their cosine, the best first."
    return f"For k={k} the positions are {BY_COSINE[:k]}, and you returned {shown(found)}."


LEAST_GAP = 1e-3  # between two cosines, so that no rounding changes the order


def draw_vectors(draws: random.Random) -> dict[str, Any]:
    """A query and one vector or more, short and long; no two have the same direction; k may exceed their number."""
    while True:
        width = draws.choice([2, 3, 4])
        query = np.array([float(draws.randint(-9, 9)) for _ in range(width)])
        vectors = np.array([_vector(draws, width) for _ in range(draws.randint(1, 6))])
        lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(query)
        if (lengths > 0).all() and (np.diff(np.sort(vectors @ query / lengths)) > LEAST_GAP).all():
            return {"query": query, "vectors": vectors, "k": draws.randint(1, 8)}


def _vector(draws: random.Random, width: int) -> list[float]:
    scale = draws.choice([10, 1, 0.1])
    return [draws.randint(-90, 90) / scale for _ in range(width)]


cosine_search = Exercise(
    name="cosine_search",
    difficulty=2,
    minutes=6,
    diagnose=diagnose_search,
    read=positions,
    draw=draw_vectors,
    praise="Only directions count, not lengths. A vector search does nothing more.",
    clue="vectors @ query gives all the dot products. np.linalg.norm(vectors, axis=1) gives one length for each "
    "passage. Divide, then np.argsort.",
    sources=(references.cosine_search,),
    imports="import numpy as np",
)

# Recall: rankings, gold, k, the mean, and what it means when a function disagrees.

RECALL_CASES = [
    ([["a", "b", "c"]], [["b"]], 3, 1.0, "The right article is among the first three, so recall@3 is 1."),
    ([["a", "b", "c"]], [["b"]], 1, 0.0,
     "With k=1 only the first place counts: cut each ranking to its first k."),
    ([["a", "b", "c", "d"]], [["d"]], 3, 0.0,
     "The fourth place does not count for k=3: cut the ranking with [:k], which keeps the places 0 to k - 1."),
    ([["a", "b", "c"]], [["c", "z"]], 3, 0.5,
     "One of two right articles was found, so recall is one half: divide the number found by the number of right ids."),
    ([["a", "b", "c"]], [["a", "b", "c", "d"]], 2, 0.5,
     "Two of four right articles are among the first two, so recall is one half: divide by the number of right ids, "
     "also when there are more than k."),
    ([["a", "a", "b"]], [["a", "z"]], 3, 0.5,
     "An id that is twice in a ranking counts once: one of two right articles was found, so recall is one half."),
    ([["a", "b", "c", "d"]], [["c", "a"]], 4, 1.0, "Both right articles were found, so recall is 1, in any order."),
    ([["a", "b"], ["c", "d"], ["e", "f"], ["g", "h"]], [["a"], ["x"], ["f"], ["h"]], 2, 0.75,
     "Three of four questions found their article: take the mean over the questions."),
    ([["a"], ["b"], ["c"], ["d"]], [["b"], ["a"], ["c"], ["d"]], 1, 0.5,
     "Another question's article does not count: compare each ranking with its own right ids, pairing them with zip."),
    ([["a", "b", "c"], ["d", "e", "f"]], [["a"], ["x", "y", "z"]], 3, 0.5,
     "One question found all, the other none, so the mean is one half: every question counts the same, "
     "however many right articles it has. Take the share of each question first, then the mean."),
]  # fmt: skip


def diagnose_recall(attempt: Attempt) -> str | None:
    """The first mistake in a learner's mean_recall, or None."""
    for rankings, gold, k, expected, mistake in RECALL_CASES:
        found = number(attempt(rankings=rankings, gold=gold, k=k))
        if not alike(found, expected):
            return _wrong_recall(found, expected, len(rankings), k) or f"{mistake} Yours says {found:.3g}."
    return None


def _wrong_recall(found: float, expected: float, questions: int, k: int) -> str | None:
    if expected and math.isclose(found, 100 * expected):
        return "A share lies between 0 and 1: don't multiply by 100."
    if expected and math.isclose(found, expected / k):
        return "You divided by k, and that is precision: recall divides by the number of right articles."
    if questions > 1 and math.isclose(found, expected * questions):
        return "That is the sum over the questions: divide it by the number of questions."
    return None


def draw_recall(draws: random.Random) -> dict[str, Any]:
    """Questions with rankings, some empty, some with an id twice; up to four right ids; k small and large."""
    count = draws.randint(1, draws.choice([1, 3, 6]))
    rankings = [draws.choices("abcdef", k=draws.randint(0, 6)) for _ in range(count)]
    rankings = [list(dict.fromkeys(ranking)) if draws.random() < 0.5 else ranking for ranking in rankings]
    gold = [draws.sample("abcdef", draws.randint(1, 4)) for _ in range(count)]
    return {"rankings": rankings, "gold": gold, "k": draws.randint(1, 8)}


mean_recall = Exercise(
    name="mean_recall",
    difficulty=1,
    minutes=5,
    diagnose=diagnose_recall,
    read=number,
    draw=draw_recall,
    praise="The share found for each question, then the mean.",
    clue="For one question: set(ranking[:k]) & set(right) holds the right articles that were found. "
    "Its length, divided by what?",
    sources=(references.mean_recall,),
)
