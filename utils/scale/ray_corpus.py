"""A corpus embedded on a Ray cluster, in batches, by actors that hold the embedder; a node may die midway."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from utils.errors import CourseError
from utils.scale.ray_cluster import ray_module

BATCH = 16  # texts; small, so that a node dies in the middle of the work
LONGEST_START = 180  # seconds, of the actors, which load the embedder


class Embedder:
    """An actor: loads the course's embedder once, then embeds batch after batch.

    journal: a folder; each batch leaves an empty file there, named by the node and the first text's id, when it is
    begun.  So one can see afterwards what was begun where, and how often.
    """

    def __init__(self, journal: str) -> None:
        import torch

        from utils.models import embedder_folder, load_embedder

        torch.set_num_threads(1)
        self._model = load_embedder(embedder_folder())
        self._journal = Path(journal)
        self._node = ray_module().get_runtime_context().get_node_id()

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The batch with its vectors and the node that made them."""
        from utils.retrieval.dense import embed

        (self._journal / f"{self._node}.{batch['number'][0]}.{uuid4().hex}").touch()
        vectors = embed(batch["text"].tolist(), self._model)
        return {"number": batch["number"], "vector": vectors, "node": np.array([self._node] * len(vectors))}


@dataclass(frozen=True)
class Embedded:
    """The vectors in the order of the texts.

    rows: of each text, how many came back; all ones, or something was lost or counted twice.  nodes: how many vectors
    each node made that is in the result.  begun: how many batches were begun, those of a killed node included; needed:
    how many there are.
    """

    vectors: np.ndarray
    rows: list[int]
    nodes: dict[str, int]
    begun: int
    needed: int
    seconds: float


def embed_on_ray(cluster: Any, texts: Sequence[str], journal: Path, kill: Any = None) -> Embedded:
    """Embeds the texts on every worker node of a cluster of `local_cluster`.

    journal: an empty folder.  kill: one of `cluster.worker_nodes`, killed without warning when a quarter of the results
    are here, some of them its own, while it works on others and there is more to do.
    Raises CourseError when the journal is not empty, and when there was no such moment.
    """
    if any(journal.iterdir()):
        raise CourseError(f"The journal {journal} is not empty: name an empty folder.")
    start, rows = time.perf_counter(), []
    for batch in _batches(texts, len(cluster.worker_nodes), journal):
        rows.append(batch)
        if kill is not None and _is_midway(rows, kill, len(texts), journal):
            cluster.remove_node(kill, allow_graceful=False)
            kill = None
    if kill is not None:
        raise CourseError("The work was done before the node could be killed: give it more texts.")
    return _in_order(rows, texts, journal, time.perf_counter() - start)


def _batches(texts: Sequence[str], actors: int, journal: Path) -> Iterator[dict[str, np.ndarray]]:
    data = ray_module("ray.data")
    context = data.DataContext.get_current()
    context.enable_progress_bars = False
    context.wait_for_min_actors_s = LONGEST_START  # so that every node has a part of a small corpus too
    rows = [{"number": number, "text": text} for number, text in enumerate(texts)]
    blocks = data.from_items(rows, override_num_blocks=-(-len(rows) // BATCH))
    embedded = blocks.map_batches(
        Embedder,
        fn_constructor_args=(str(journal),),
        batch_size=None,  # a block at a time
        compute=data.ActorPoolStrategy(size=actors),
        num_cpus=1,
    )
    return iter(embedded.iter_batches(batch_size=None, prefetch_batches=0))


def _is_midway(rows: list[dict[str, np.ndarray]], node: Any, texts: int, journal: Path) -> bool:
    """Whether a quarter of the results are here, some of this node's among them, and it has begun more than these, and
    not every batch has been begun.
    """
    done = sum(len(row["number"]) for row in rows)
    delivered = sum(node.node_id in row["node"] for row in rows)
    begun = [path.name.startswith(node.node_id) for path in journal.iterdir()]
    return 0 < delivered < sum(begun) and 4 * done >= texts and len(begun) < -(-texts // BATCH)


def _in_order(rows: list[dict[str, np.ndarray]], texts: Sequence[str], journal: Path, seconds: float) -> Embedded:
    numbers = np.concatenate([row["number"] for row in rows])
    vectors = np.concatenate([row["vector"] for row in rows])
    names, counts = np.unique(np.concatenate([row["node"] for row in rows]), return_counts=True)
    placed = np.full((len(texts), vectors.shape[1]), np.nan, dtype=np.float32)
    placed[numbers] = vectors
    return Embedded(
        placed,
        np.bincount(numbers, minlength=len(texts)).tolist(),
        dict(zip(names.tolist(), counts.tolist(), strict=True)),
        sum(1 for _ in journal.iterdir()),
        -(-len(texts) // BATCH),
        seconds,
    )
