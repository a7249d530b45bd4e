"""A sweep over ranks and seeds on Ray Tune: every trial trains an adapter, and a trial that is killed goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from utils.errors import CourseError
from utils.finetuning import LoraPlan, TrainingExample, mean_loss, train_lora
from utils.models import Generator
from utils.scale.ray_cluster import ray_module

KILLED = "killed"
STEPS = "steps"  # a file with one byte for each step


@dataclass(frozen=True)
class Trial:
    """One adapter of the sweep.  loss: on the dev examples.  starts: how often a process began or went on with it.
    steps: that were done in all of its starts, so a trial that began anew would have more than the others.
    """

    rank: int
    seed: int
    loss: float
    steps: int
    starts: int


def train_trial(
    base: Generator,
    examples: Sequence[TrainingExample],
    dev: Sequence[TrainingExample],
    plan: LoraPlan,
    folder: Path,
    kill_after: int = 0,
) -> Trial:
    """Trains one adapter, or goes on with it from the checkpoint in the folder.

    kill_after: the process kills itself after this many steps, unless it has done so before; 0: it does not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    begun = folder / f"start-{len(list(folder.glob('start-*')))}"
    begun.touch()

    def note(done: int) -> None:
        """Counts the steps; ends the process once, as on a node without power: nothing more is saved."""
        if kill_after and done == kill_after and not (folder / KILLED).exists():
            (folder / KILLED).touch()
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        with (folder / STEPS).open("ab") as file:
            file.write(b".")

    tuned, _ = train_lora(base, examples, plan, checkpoint=folder / "run", checkpoint_every=1, before_step=note)
    starts = len(list(folder.glob("start-*")))
    return Trial(plan.rank, plan.seed, mean_loss(tuned, dev), (folder / STEPS).stat().st_size, starts)


def sweep(
    make: Any, plan: LoraPlan, ranks: Sequence[int], seeds: Sequence[int], folder: Path, kill_after: int = 0
) -> list[Trial]:
    """One trial for each rank and seed, two at a time, in rank's and seed's order; the first one is killed once.

    make: a function that can be pickled, such as one of a module; gives base, examples and dev examples in a trial's
    own process.  folder: an absolute path, for the checkpoints and Tune's notes.  kill_after: as for `train_trial`, the
    first rank and seed only.  Needs a cluster of `local_cluster`.  Raises CourseError when a trial does not end.
    """
    tune = ray_module("ray.tune")
    plans = [replace(plan, rank=rank, alpha=2 * rank, seed=seed) for rank in ranks for seed in seeds]
    first = plans[0]

    def trial(config: dict[str, Any]) -> dict[str, Any]:
        import torch

        torch.set_num_threads(1)
        mine = LoraPlan(**config["plan"])
        where = folder / "trials" / f"rank-{mine.rank}-seed-{mine.seed}"
        return asdict(train_trial(*make(), mine, where, kill_after if mine == first else 0))

    tuner = tune.Tuner(
        tune.with_resources(trial, {"cpu": 1}),
        param_space={"plan": tune.grid_search([asdict(one) for one in plans])},
        run_config=tune.RunConfig(
            name="sweep", storage_path=str(folder), failure_config=tune.FailureConfig(max_failures=1), verbose=0
        ),
    )
    results = tuner.fit()
    if results.errors:
        raise CourseError(f"{len(results.errors)} of {len(plans)} trials did not end: see {folder / 'sweep'}.")
    fields = Trial.__dataclass_fields__
    trials = [Trial(**{name: result.metrics[name] for name in fields}) for result in results]
    return sorted(trials, key=lambda one: (ranks.index(one.rank), seeds.index(one.seed)))
