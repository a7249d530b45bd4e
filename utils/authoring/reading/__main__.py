"""Teaches a pretrained model to read, and measures it: `python -m utils.authoring.reading --out FOLDER`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from utils.authoring.reading.measure import measure
from utils.authoring.reading.training import ReadingPlan, ReadingRun
from utils.command_line import guarded
from utils.finetuning import load_adapter, save_adapter
from utils.finetuning.adapters import refuse_other_files
from utils.models import Generator, load_generator


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m utils.authoring.reading", description=__doc__)
    parser.add_argument("--model", default="smollm2", help="the pretrained model")
    parser.add_argument(
        "--out", type=Path, help="folder of the adapter, its log and checkpoint; none: measure the model"
    )
    parser.add_argument("--minutes", type=float, default=360.0, help="0: only measure")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Trains unless there is nothing to train, then measures.  A CourseError is one line on stderr, and status 1."""
    options = parse(arguments)
    return guarded(lambda: _train_and_measure(options))


def _train_and_measure(options: argparse.Namespace) -> None:
    generator = load_generator(options.model)
    if options.out and options.minutes:
        _train(options, generator)
    if options.out:
        generator = load_adapter(generator, options.out / "adapter")
    print("of the questions: right, abstained, and cited rightly")
    for one in measure(generator):
        print(f"{one.name} ({one.questions}): {one.right:.0%}, {one.abstained:.0%}, {one.cited:.0%}", flush=True)


def _train(options: argparse.Namespace, base: Generator) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    refuse_other_files(options.out / "adapter")
    plan = ReadingPlan(options.out, options.minutes, seed=options.seed)
    # The run puts its adapter into a model of its own.
    tuned = ReadingRun(load_generator(options.model), plan).train()
    save_adapter(tuned, base, options.out / "adapter")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
