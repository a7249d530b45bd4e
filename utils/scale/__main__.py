"""Runs what notebook A3 reads as stored: `python -m utils.scale indexes`, `cluster`, `sweep` or `vectors`.

`cluster` and `sweep` need Ray: `python -m pip install -r requirements-scale.txt -c requirements.lock`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from utils.command_line import guarded
from utils.datasets import load_articles, load_examples, load_questions
from utils.errors import CourseError
from utils.finetuning import LoraPlan, TrainingExample, house_training_examples
from utils.models import Generator, embedder_folder, load_embedder, load_generator
from utils.python_reference import load_python_questions, load_topics
from utils.retrieval.dense import embed
from utils.sampling import spread, use_all
from utils.scale.clouds import JITTER, distinct_sentences, enlarge
from utils.scale.indexes import measure_all
from utils.scale.ray_cluster import local_cluster
from utils.scale.ray_corpus import BATCH, embed_on_ray
from utils.scale.shards import embed_texts
from utils.scale.stored import FOLDER, Row, save_run, save_vectors
from utils.scale.sweep import sweep

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

REAL = 1_500  # sentences that are embedded; all other vectors are made from theirs
QUERIES = 100
PLAN = LoraPlan(epochs=2)
RANKS, SEEDS = (1, 4, 16), (0, 1, 2)
KILL_AFTER = 5  # steps of the first trial


def sizes_up_to(largest: int) -> list[int]:
    """1,000, 3,000, 10,000, 30,000, … up to the largest.  Raises CourseError when that is less than 1,000."""
    if largest < 1_000:
        raise CourseError(f"--largest is {largest}: choose 1000 or more.")
    every = (start * 10**power for power in range(3, 10) for start in (1, 3))
    return [size for size in every if size <= largest]


def sentence_vectors(embedder: SentenceTransformer) -> np.ndarray:
    """The vectors of the handbook's and Python's sentences."""
    return embed(distinct_sentences(load_articles() + load_topics(), REAL), embedder)


def query_vectors(embedder: SentenceTransformer) -> np.ndarray:
    """The vectors of dev questions on both."""
    asked = [question.text for question in [*load_questions("dev"), *load_python_questions("dev")]]
    return embed(spread(asked, QUERIES), embedder)


def sweep_data() -> tuple[Generator, list[TrainingExample], list[TrainingExample]]:
    """The generator, 32 examples to train on, and 24 others; made anew in each trial's process."""
    examples = house_training_examples(load_examples(), load_articles(), k=2)
    return load_generator(), examples[:32], examples[32:56]


def indexes(largest: int) -> tuple[list[Row], Row]:
    """Every kind of index at every size."""
    embedder = load_embedder(embedder_folder())
    vectors, queries = sentence_vectors(embedder), query_vectors(embedder)
    rows = []
    for one in measure_all(enlarge(vectors, largest), queries, sizes_up_to(largest)):
        print(f"{one.kind}, {one.vectors:,} vectors: {one.milliseconds.mean:.2f} ms, recall {one.recall.mean:.3f}")
        rows.append(asdict(one))
    return rows, {"real": len(vectors), "dimensions": vectors.shape[1], "queries": len(queries), "jitter": JITTER}


def cluster(texts: int) -> tuple[list[Row], Row]:
    """One process, two nodes, and two nodes of which one is killed, on the same texts."""
    corpus = distinct_sentences(load_articles() + load_topics(), texts)
    alone, rows = embed_texts(corpus), []
    for killed in (False, True):
        with local_cluster(2) as nodes, tempfile.TemporaryDirectory() as journal:
            victim = min(nodes.worker_nodes, key=lambda node: node.node_id) if killed else None
            found = embed_on_ray(nodes, corpus, Path(journal), victim)
        rows.append(
            {
                "killed": killed,
                "texts": len(corpus),
                "lost": found.rows.count(0),
                "twice": sum(count > 1 for count in found.rows),
                "farthest": float(np.abs(found.vectors - alone).max()),
                "by_node": sorted(found.nodes.values(), reverse=True),
                "batches": found.needed,
                "begun": found.begun,
                "seconds": round(found.seconds, 1),
            }
        )
    return rows, {"nodes": 2, "batch": BATCH}


def ranks_and_seeds() -> tuple[list[Row], Row]:
    """The sweep, with its first trial killed."""
    with local_cluster(2), tempfile.TemporaryDirectory() as folder:
        trials = sweep(sweep_data, PLAN, RANKS, SEEDS, Path(folder), KILL_AFTER)
    return [asdict(trial) for trial in trials], {"killed_after": KILL_AFTER, "epochs": PLAN.epochs}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and stores; returns the exit status.  A CourseError becomes one line on stderr and status 1."""
    parser = argparse.ArgumentParser(prog="python -m utils.scale", description="Measures what notebook A3 shows.")
    parser.add_argument("what", choices=("indexes", "cluster", "sweep", "vectors"))
    parser.add_argument("--largest", type=int, default=1_000_000, help="vectors in the largest index")
    parser.add_argument("--texts", type=int, default=1_200, help="texts that the cluster embeds")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder for the results")
    options = parser.parse_args(arguments)
    use_all()
    return guarded(lambda: print(f"Stored in {_measure_and_store(options)}."))


def _measure_and_store(options: argparse.Namespace) -> Path:
    if options.what == "vectors":
        return save_vectors(sentence_vectors(load_embedder(embedder_folder())), options.out)
    measure, of_its_own = {
        "indexes": (lambda: indexes(options.largest), f" --largest {options.largest}"),
        "cluster": (lambda: cluster(options.texts), f" --texts {options.texts}"),
        "sweep": (ranks_and_seeds, ""),
    }[options.what]
    rows, about = measure()
    return save_run(options.what, f"python -m utils.scale {options.what}{of_its_own}", rows, about, options.out)


if __name__ == "__main__":
    sys.exit(main())
