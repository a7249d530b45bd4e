"""Trains the generator from scratch: `python -m utils.authoring.pretraining --out FOLDER`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from utils.command_line import guarded
from utils.errors import CourseError


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m utils.authoring.pretraining", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the model, its log and its checkpoint")
    parser.add_argument("--minutes", type=float, default=118.0, help="wall-clock budget")
    parser.add_argument("--processes", type=int, default=2, help="side by side, one thread each")
    parser.add_argument("--trained", type=Path, help="folder of a trained model that goes on, with records")
    parser.add_argument("--decay", type=float, default=0.6, help="last share of the run, in which the rates fall")
    parser.add_argument("--architecture", choices=["lfm2", "llama"], default="lfm2")
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--tokens", type=int, default=3072, help="per step and process")
    parser.add_argument("--learning-rate", type=float, default=3e-3, help="AdamW's learning rate")
    parser.add_argument("--matrix-learning-rate", type=float, default=0.015, help="Muon's; 0: AdamW everywhere")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Starts the processes, or trains when started as one of them; returns the exit status.

    A CourseError becomes one line on stderr, from each process that raises it: the first to fail ends the others.
    """
    options = parse(arguments)
    return guarded(lambda: _run(options, arguments))


def _run(options: argparse.Namespace, arguments: list[str]) -> int | None:
    if options.trained and not (options.trained / "config.json").is_file():
        raise CourseError(f"{options.trained} has no config.json: name the folder of a trained model.")
    if options.processes > 1 and "LOCAL_RANK" not in os.environ:
        return _start(options.processes, arguments)
    return _train(options)


def _start(processes: int, arguments: list[str]) -> int:
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.call([*launch, "-m", "utils.authoring.pretraining", *arguments], env=environment)


def _train(options: argparse.Namespace) -> None:
    import torch

    from utils.authoring.pretraining.training import Plan, Trainer

    torch.set_num_threads(1)
    if "LOCAL_RANK" in os.environ:
        torch.distributed.init_process_group("gloo")
    options.out.mkdir(parents=True, exist_ok=True)
    settings = {key.replace("-", "_"): value for key, value in vars(options).items() if key not in ("out", "processes")}
    Trainer(Plan(folder=options.out, **settings)).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
