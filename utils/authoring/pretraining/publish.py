"""Ships trained runs to models/, with checksums: `python -m utils.authoring.pretraining.publish --run FOLDER …`.

Of several runs the mean of their weights is shipped: runs that share a beginning can be averaged, and the mean is often
better than each (Wortsman et al. 2022, arXiv 2203.05482).  Optimiser state and training state stay behind; the log goes
along, for the curve of how reading appeared.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save

from utils.checksums import CHECKSUMS, checksum_lines
from utils.command_line import guarded
from utils.errors import CourseError
from utils.models import GENERATOR
from utils.paths import write_atomically

WEIGHTS = "model.safetensors"
CHECKED = (
    "config.json",
    "generation_config.json",
    WEIGHTS,
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
)
LOG = "log.jsonl"


def publish(runs: Sequence[Path], folder: Path = GENERATOR) -> None:
    """Writes the model of one run, or the mean of several, to `folder`, and its checksums.

    Raises CourseError for a missing file, and for runs that differ in tokenizer or configuration.
    """
    first = runs[0]
    for run in runs:
        _refuse_unfinished(run)
    for run in runs[1:]:
        for name in ("config.json", "tokenizer.json"):
            if (run / name).read_bytes() != (first / name).read_bytes():
                raise CourseError(
                    f"{run} and {first} differ in {name}: only runs with a common beginning can be averaged."
                )
    weights = save(mean_weights([load_file(run / WEIGHTS) for run in runs]), metadata={"format": "pt"})
    files = {name: weights if name == WEIGHTS else (first / name).read_bytes() for name in CHECKED}
    log = joined_log([(run / LOG).read_text(encoding="utf-8") for run in runs])
    for name, content in files.items():
        write_atomically(folder / name, content)
    write_atomically(folder / LOG, log)
    write_atomically(folder / CHECKSUMS, checksum_lines(files))


def _refuse_unfinished(run: Path) -> None:
    missing = [name for name in (*CHECKED, LOG) if not (run / name).is_file()]
    if missing:
        raise CourseError(f"{run} has no {missing[0]}: name the folder of a finished run.")


def mean_weights(models: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The mean of each tensor over models of one shape."""
    return {name: torch.stack([model[name] for model in models]).mean(dim=0) for name in models[0]}


def joined_log(logs: Sequence[str]) -> str:
    """The first run's rows, and of the others those after the common beginning; each with its run's number."""
    seen: set[str] = set()
    rows = []
    for number, log in enumerate(logs):
        for line in log.splitlines():
            if line not in seen:
                seen.add(line)
                rows.append(json.dumps({"run": number} | json.loads(line)) + "\n")
    return "".join(rows)


def main(arguments: list[str]) -> int:
    """Publishes the runs named on the command line; returns the exit status.  A CourseError becomes one line."""
    parser = argparse.ArgumentParser(prog="python -m utils.authoring.pretraining.publish", description=__doc__)
    parser.add_argument("--run", type=Path, required=True, nargs="+", help="folders of finished runs")
    options = parser.parse_args(arguments)
    return guarded(lambda: _publish_and_say(options.run))


def _publish_and_say(runs: Sequence[Path]) -> None:
    publish(runs)
    print(f"shipped to {GENERATOR.name}; now run python -m utils.authoring.pretraining.evaluate --card")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
