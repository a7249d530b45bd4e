"""What an index costs and what it finds: recall, latency, build time and bytes of seven kinds of FAISS search."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isqrt

import faiss
import numpy as np

from utils.errors import CourseError
from utils.evaluation import Interval, mean_interval, median_interval

K = 10
LINKS = 16  # of each vector in HNSW's graph
CANDIDATES = {"HNSW": 200, "HNSW, thorough": 2000}  # that a search keeps while it walks
CODE = 48  # bytes of a vector in IVF-PQ
LISTS = 16  # that a search in IVF-PQ reads
RANKED = "IVF-PQ, ranked again"
AGAIN = 10  # times as many candidates as are wanted, which it compares by their whole vectors
TRAINED_ON = 40  # vectors for each list and each code word of IVF-PQ
ROUNDS = 8  # of k-means

CODED = ("IVF-PQ", RANKED)  # one index, searched in two ways

KINDS = ("Flat", "Flat, float16", "Flat, 8 bits", "HNSW", "HNSW, thorough", *CODED)


@dataclass(frozen=True)
class Measured:
    """One kind of index over one set of vectors.

    recall: share of the exact ten nearest that the index returns, a mean over the queries.  milliseconds: of one query
    on one core, the median.  build: seconds on one core, training included.  bytes: of the whole index.
    """

    kind: str
    vectors: int
    recall: Interval
    milliseconds: Interval
    build: float
    bytes: int


def recipe(kind: str, vectors: int) -> str:
    """FAISS's recipe for an index of that kind with about that many vectors.  Raises CourseError for another kind."""
    recipes = {
        "Flat": "Flat",
        "Flat, float16": "SQfp16",
        "Flat, 8 bits": "SQ8",
        **dict.fromkeys(CANDIDATES, f"HNSW{LINKS}"),
        # np: without the minutes of training that polysemous codes take
        **dict.fromkeys(CODED, f"IVF{max(1, isqrt(vectors))},PQ{CODE}np"),
    }
    if kind not in recipes:
        raise CourseError(f"There is no kind of index {kind!r} here: choose one of {', '.join(KINDS)}.")
    return recipes[kind]


def build(kind: str, vectors: np.ndarray) -> faiss.Index:
    """An index of that kind with these unit vectors in it, ready to search.  Raises CourseError for another kind."""
    return as_searched(_filled(kind, vectors), kind, vectors)


def as_searched(index: faiss.Index, kind: str, vectors: np.ndarray) -> faiss.Index:
    """The index as that kind searches it.  It stays as it was built, so kinds with one recipe can share it.

    vectors: those in the index.  One kind keeps them beside it, to compare its candidates by them.
    """
    if kind in CANDIDATES:
        index.hnsw.efSearch = CANDIDATES[kind]
    if kind in CODED:
        index.nprobe = LISTS
    if kind == RANKED:
        index = faiss.IndexRefineFlat(index, faiss.swig_ptr(np.ascontiguousarray(vectors, dtype=np.float32)))
        index.k_factor = AGAIN
    return index


def exact_neighbours(vectors: np.ndarray, queries: np.ndarray, k: int = K) -> np.ndarray:
    """The places of the k vectors with the highest cosine to each query, best first: (queries, k)."""
    return build("Flat", vectors).search(queries, k)[1]


def recalls(found: np.ndarray, exact: np.ndarray) -> list[float]:
    """For each query, the share of the exact neighbours that was found."""
    return [
        len(set(some) & set(right)) / len(right) for some, right in zip(found.tolist(), exact.tolist(), strict=True)
    ]


def measure(kind: str, vectors: np.ndarray, queries: np.ndarray, exact: np.ndarray) -> Measured:
    """Builds an index and asks it every query alone, all on one core.  exact: of `exact_neighbours`.

    Raises CourseError for another kind.
    """
    return _asked(kind, *_built(kind, vectors), vectors, queries, exact)


def measure_all(
    vectors: np.ndarray, queries: np.ndarray, sizes: Sequence[int], kinds: Sequence[str] = KINDS
) -> Iterator[Measured]:
    """Every kind over the first vectors of every size, one after the other, smallest first.

    Neighbouring kinds that differ only in how thoroughly they are searched share one index.
    """
    for size in sizes:
        exact, built, last = exact_neighbours(vectors[:size], queries), None, ""
        for kind in kinds:
            if recipe(kind, size) != last:
                built = None  # before the next one is built: two large ones may not fit in memory
                gc.collect()
                built, last = _built(kind, vectors[:size]), recipe(kind, size)
            yield _asked(kind, *built, vectors[:size], queries, exact)


def size_of(index: faiss.Index) -> int:
    """The bytes of an index as it would be written to disk, which is about what it takes in memory."""
    counter = faiss.VectorIOWriter()
    faiss.write_index(index, counter)
    return counter.data.size()


@contextmanager
def cores(count: int) -> Iterator[None]:
    """Within it, FAISS computes on that many cores."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _filled(kind: str, vectors: np.ndarray) -> faiss.Index:
    index = faiss.index_factory(vectors.shape[1], recipe(kind, len(vectors)), faiss.METRIC_INNER_PRODUCT)
    if kind in CODED:
        for clustering in (index.cp, index.pq.cp):
            clustering.max_points_per_centroid = TRAINED_ON
            clustering.niter = ROUNDS
            clustering.min_points_per_centroid = 1  # small sets are measured too, so FAISS need not warn of them
    if not index.is_trained:
        index.train(vectors)
    index.add(vectors)
    return index


def _built(kind: str, vectors: np.ndarray) -> tuple[faiss.Index, float]:
    """An index and the seconds that it took.  On one core: several would wait for each other on a busy machine."""
    start = time.perf_counter()
    with cores(1):
        index = _filled(kind, vectors)
    return index, time.perf_counter() - start


def _asked(
    kind: str, index: faiss.Index, seconds: float, vectors: np.ndarray, queries: np.ndarray, exact: np.ndarray
) -> Measured:
    index = as_searched(index, kind, vectors)
    with cores(1):
        found, times = _one_by_one(index, queries, exact.shape[1])
    spans = median_interval([1000 * span for span in times])
    return Measured(kind, index.ntotal, mean_interval(recalls(found, exact)), spans, seconds, size_of(index))


def _one_by_one(index: faiss.Index, queries: np.ndarray, k: int) -> tuple[np.ndarray, list[float]]:
    """What each query finds, and its seconds.  The first query is asked once before, so that nothing is cold."""
    found, times = [], []
    index.search(queries[:1], k)
    for query in queries:
        start = time.perf_counter()
        places = index.search(query[None], k)[1]
        times.append(time.perf_counter() - start)
        found.append(places[0])
    return np.array(found), times
