"""A training run on disk, so that it goes on after a kill: one file, replaced in one move.

`training.safetensors` holds the adapter, the optimiser's state, the random states and the best adapter so far as
tensors, and the rest as JSON in its header.  One file is never half new and half old, and reading it runs no code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import safetensors
import safetensors.torch
import torch
from pydantic import BaseModel, ConfigDict, ValidationError

from utils.checksums import weights_sha256
from utils.errors import CourseError
from utils.finetuning.early_stopping import EarlyStopping
from utils.finetuning.plan import LoraPlan
from utils.finetuning.rows import Row
from utils.paths import left_behind, write_atomically

FILE = "training.safetensors"

Tensors = dict[str, torch.Tensor]


class TrainingState(BaseModel):
    """How far a run has come: everything but its tensors.

    losses: one for each step done.  scores: of early stopping, one for each epoch.  stopped: whether it ended the run.
    groups, schedule: the settings of the optimiser and of its schedule.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")  # a score may be infinite

    version: Literal["1"] = "1"
    losses: list[float]
    scores: list[float]
    stopped: bool
    groups: list[dict[str, object]]
    schedule: dict[str, object]


@dataclass(frozen=True)
class Checkpoints:
    """Where a run is saved, and when.

    every: steps from one save to the next; the end of an epoch is saved too.  run: see `run_identity`.
    Raises CourseError for a path that cannot be a folder, and for less than one step.
    """

    folder: Path
    every: int
    run: Mapping[str, str]

    def __post_init__(self) -> None:
        if self.every < 1:
            raise CourseError(f"A checkpoint every {self.every} steps is not possible: choose 1 or more.")
        if self.folder.exists() and not self.folder.is_dir():
            raise CourseError(f"{self.folder} is a file: name a folder for the checkpoint.")

    def save(self, state: TrainingState, tensors: Tensors) -> None:
        """Replaces the checkpoint in one step.  Raises CourseError when it cannot be written."""
        path = self.folder / FILE
        plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        metadata = {"state": state.model_dump_json(), "run": json.dumps(self.run)}
        write_atomically(path, safetensors.torch.save(plain, metadata))
        for left in left_behind(path):  # by a save that was killed
            left.unlink(missing_ok=True)

    def load(self) -> tuple[TrainingState, Tensors] | None:
        """The checkpoint; None when there is none yet.

        Raises CourseError when it was changed or cut short, and when it belongs to another run.
        """
        path = self.folder / FILE
        if not path.exists():
            return None
        try:
            # Not mapped into memory: Windows would not let the next checkpoint replace a mapped file.
            with safetensors.safe_open(path, framework="pt", backend="pread") as file:
                header = file.metadata() or {}
                run, state = json.loads(header["run"]), TrainingState.model_validate_json(header["state"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, it is not a dict
        except (safetensors.SafetensorError, KeyError, json.JSONDecodeError, ValidationError) as error:
            raise CourseError(f"The checkpoint {path} was changed or cut short: delete it to start anew.") from error
        except OSError as error:
            raise CourseError(f"{path} cannot be read ({error.strerror or error}): check its permissions.") from error
        different = [name for name, value in self.run.items() if run.get(name) != value]
        if different:
            raise CourseError(
                f"The checkpoint in {self.folder} belongs to a run with other settings ({', '.join(different)}): name "
                "another folder, or delete that one to start anew."
            )
        return state, tensors


def run_identity(
    base: torch.nn.Module, rows: Sequence[Row], plan: LoraPlan, stopping: EarlyStopping | None = None
) -> dict[str, str]:
    """What two runs must share so that one can go on where the other was killed."""
    patience = stopping.patience if stopping else None
    dev = [asdict(example) for example in stopping.dev] if stopping else []
    return {
        "base": weights_sha256(base),
        "examples": hashlib.sha256(json.dumps(rows).encode()).hexdigest(),
        "plan": json.dumps(asdict(plan), sort_keys=True),
        "early stopping": str(patience),
        "dev examples": hashlib.sha256(json.dumps(dev).encode()).hexdigest(),
    }
