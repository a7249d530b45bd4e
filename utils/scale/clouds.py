"""Many vectors from a few real ones, so that an index can be measured at sizes that nobody here has texts for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from utils.errors import CourseError
from utils.handbook import Article
from utils.sampling import spread
from utils.sentences import sentences

SHORTEST = 4  # words; shorter sentences are headings and fragments
JITTER = 0.4  # length of the noise added to a vector of length 1
CHUNK = 50_000


def distinct_sentences(articles: Sequence[Article], count: int) -> list[str]:
    """That many different sentences of articles, evenly spread over them.

    Raises CourseError when the articles have fewer.
    """
    every = dict.fromkeys(line for article in articles for line in sentences(article.text))
    found = [line for line in every if len(line.split()) >= SHORTEST]
    if not 1 <= count <= len(found):
        raise CourseError(f"The articles have {len(found):,} different sentences: ask for 1 to {len(found):,} of them.")
    return spread(found, count)


def enlarge(vectors: np.ndarray, count: int, seed: int = 0, jitter: float = JITTER) -> np.ndarray:
    """That many unit vectors, float32: each is a mixture of two of the given ones, plus noise.

    The first of the two weighs between one half and all.  The same seed gives the same vectors, and a smaller count the
    first of them up to 50,000 at a time.  Raises CourseError without vectors, or when count < 1.
    """
    if not len(vectors) or count < 1:
        raise CourseError("An enlarged set needs at least one vector to start from, and at least one to make.")
    starts = range(0, count, CHUNK)
    parts = (_mixtures(vectors, min(CHUNK, count - start), (seed, start), jitter) for start in starts)
    return np.concatenate(list(parts))


def random_directions(count: int, dimensions: int, seed: int = 0) -> np.ndarray:
    """Unit vectors, float32, whose directions are drawn at random."""
    return _unit(np.random.default_rng(seed).standard_normal((count, dimensions), dtype=np.float32))


def _mixtures(vectors: np.ndarray, count: int, seed: tuple[int, int], jitter: float) -> np.ndarray:
    draws = np.random.default_rng(seed)
    first, second = draws.integers(len(vectors), size=(2, CHUNK))[:, :count]
    weight = draws.uniform(0.5, 1, size=(CHUNK, 1)).astype(np.float32)[:count]
    noise = draws.standard_normal((count, vectors.shape[1]), dtype=np.float32) / np.sqrt(np.float32(vectors.shape[1]))
    return _unit(weight * vectors[first] + (1 - weight) * vectors[second] + np.float32(jitter) * noise)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
