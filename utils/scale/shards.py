"""A corpus in shards, on one machine: split, embedded and searched piece by piece (built by hand in notebook A3).

A hit is a pair of a score and a passage's id, the best first.  What merges the shards' hits is passed in.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

import numpy as np

from utils.errors import CourseError
from utils.scale.indexes import exact_neighbours

T = TypeVar("T")
Hits = list[tuple[float, str]]
Merge = Callable[[list[Hits], int], Hits]

DIGITS = 5  # of a score: two processes may round the last ones of float32 differently


def split(items: Sequence[T], shards: int) -> list[list[T]]:
    """The items in that many runs of nearly equal length, in order.  Raises CourseError when a shard stays empty."""
    if not 1 <= shards <= len(items):
        raise CourseError(f"{len(items):,} items make 1 to {len(items):,} shards, not {shards:,}.")
    ends = [number * len(items) // shards for number in range(shards + 1)]
    return [list(items[start:end]) for start, end in zip(ends, ends[1:], strict=False)]


def search_shard(ids: Sequence[str], vectors: np.ndarray, queries: np.ndarray, k: int) -> list[Hits]:
    """For each query, the k nearest passages of one shard; all of them when the shard has fewer."""
    places = exact_neighbours(vectors, queries, min(k, len(ids)))
    cosines = queries.astype(np.float64) @ vectors.T.astype(np.float64)
    scores = np.take_along_axis(cosines, places, axis=1).round(DIGITS)
    return [
        [(score, ids[place]) for score, place in zip(*row, strict=True)]
        for row in zip(scores.tolist(), places.tolist(), strict=True)
    ]


def merged(shards: Sequence[list[Hits]], k: int, merge: Merge) -> list[Hits]:
    """The k best of all shards for each query.  shards: of `search_shard`; merge: joins one query's lists."""
    return [merge(list(lists), k) for lists in zip(*shards, strict=True)]


def embed_texts(texts: Sequence[str]) -> np.ndarray:
    """Unit vectors of the course's embedder, on one core; can run in a process of its own, which loads it first."""
    import torch

    from utils.models import embedder_folder, load_embedder
    from utils.retrieval.dense import embed

    torch.set_num_threads(1)
    return embed(texts, load_embedder(embedder_folder()))


def embed_in_processes(shards: Sequence[Sequence[str]]) -> list[np.ndarray]:
    """The vectors of each shard's texts, each shard in a process of its own.

    Raises BrokenProcessPool when one of the processes dies: then the shards of all of them are lost.
    """
    with ProcessPoolExecutor(len(shards), multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(embed_texts, shards))
