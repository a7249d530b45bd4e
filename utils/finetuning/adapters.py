"""A trained adapter on disk: PEFT's two files and a manifest, replaced together (used in notebook 05).

    adapter_model.safetensors    the numbers of all pairs A, B, as PEFT names them
    adapter_config.json          rank, alpha and the names of the layers, as PEFT reads them
    manifest.json                which base it belongs to, what it learned from, and the checksums of the other two

Nothing here is a pickle, so loading an adapter never runs code.
"""

from __future__ import annotations

import copy
import glob
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from pydantic import BaseModel, ConfigDict, ValidationError

from utils.checksums import Sha256, weights_sha256
from utils.errors import CourseError
from utils.finetuning.examples import TrainingExample
from utils.finetuning.plan import LoraPlan
from utils.models import Generator
from utils.paths import OF_THE_SYSTEM, write_atomically

WEIGHTS_FILE = "adapter_model.safetensors"
CONFIG_FILE = "adapter_config.json"
MANIFEST_FILE = "manifest.json"
PACKAGES = ("peft", "safetensors", "torch", "transformers")


class AdapterManifest(BaseModel):
    """Where an adapter comes from.

    base_sha256: of the base's weights in memory, see `weights_sha256`.  examples_sha256: of the conversations and
    completions, in their order.  files: the checksum of each of the other files.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal["1"] = "1"
    base: str
    base_sha256: Sha256
    examples: int
    examples_sha256: Sha256
    files: dict[Literal["adapter_model.safetensors", "adapter_config.json"], Sha256]
    packages: dict[str, str]


def save_adapter(
    tuned: Generator, base: Generator, folder: Path | str, examples: Sequence[TrainingExample] = ()
) -> None:
    """Writes the adapter of `tuned`, in the place of an older one if there is one.

    base: the generator that it was trained on.  folder: the adapter's own.  examples: what it learned from.
    Raises CourseError when `tuned` has no adapter or another base, when its numbers are not finite, when the folder
    holds other files, and when it cannot be written; the older adapter stays then.
    """
    if not isinstance(tuned.model, PeftModel):
        raise CourseError("This generator has no adapter to save: pass in the one that train_lora returned.")
    if not _has_base(tuned.model, base.model):
        raise CourseError(
            f"The adapter does not belong to {_short(base.name)}, its frozen weights are others: pass in the base that "
            "it was trained on, and unmerge the adapter if it is merged."
        )
    if not all(tensor.isfinite().all() for tensor in _tensors(tuned.model).values()):
        raise CourseError(
            "The adapter holds numbers that are not finite: train it again with a lower learning rate, then save it."
        )
    files = _files(tuned.model, base)
    manifest = AdapterManifest(
        base=_short(base.name),
        base_sha256=weights_sha256(base.model),
        examples=len(examples),
        examples_sha256=examples_sha256(examples),
        files={name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        packages={name: version(name) for name in PACKAGES},
    )
    _put(_real(folder), files | {MANIFEST_FILE: (manifest.model_dump_json(indent=2) + "\n").encode()})


def load_adapter(base: Generator, folder: Path | str) -> Generator:
    """A copy of the base with the adapter that `save_adapter` wrote.  The base stays as it was.

    Raises CourseError when there is no adapter, when a file is missing, was changed or belongs to no adapter, when
    the adapter was trained on another base, and when it is no LoRA adapter with a rank of 1 or more.
    """
    folder = _real(folder)
    _recover(folder)
    manifest = read_manifest(folder)
    unknown = [name for name in _other_files(folder) if not (name.startswith(".") or name in OF_THE_SYSTEM)]
    if unknown:
        raise CourseError(
            f"The folder {folder} holds a file that no adapter has, {unknown[0]}: move it elsewhere, then load again."
        )
    config, weights = (_checked(folder / name, manifest) for name in (CONFIG_FILE, WEIGHTS_FILE))
    if manifest.base_sha256 != weights_sha256(base.model):
        raise CourseError(
            f"The adapter in {folder} was trained on {manifest.base}, and {_short(base.name)} has other weights now: "
            "load the base that it was trained on, or train the adapter again."
        )
    return Generator(base.name, _with_adapter(base, _settings(config, folder), weights, folder), base.tokenizer)


def read_manifest(folder: Path | str) -> AdapterManifest:
    """The manifest of a saved adapter.  Raises CourseError when there is none, or when it was changed."""
    path = Path(folder) / MANIFEST_FILE
    try:
        return AdapterManifest.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CourseError(f"There is no adapter in {path.parent}: save one there first, with save_adapter.") from error
    except ValidationError as error:
        raise CourseError(_damaged(path)) from error
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror or error}): check its permissions.") from error


def examples_sha256(examples: Sequence[TrainingExample]) -> str:
    """SHA-256 of training examples: it differs when one changes, is added, or moves."""
    lines = (json.dumps(asdict(example), ensure_ascii=False, sort_keys=True) + "\n" for example in examples)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def fingerprint(examples: Sequence[TrainingExample], plan: LoraPlan) -> str:
    """Eight digits that tell adapters of one base apart by what they learned and how."""
    settings = json.dumps(asdict(plan), sort_keys=True)
    return hashlib.sha256((examples_sha256(examples) + settings).encode()).hexdigest()[:8]


def _files(model: PeftModel, base: Generator) -> dict[str, bytes]:
    """PEFT's two files, in PEFT's form, so that its own `load_adapter` reads them too."""
    name = model.active_adapter
    settings = model.peft_config[name].to_dict()
    settings |= {"base_model_name_or_path": _short(base.name), "inference_mode": True}
    plain = {key: sorted(value) if isinstance(value, set) else value for key, value in settings.items()}
    return {
        WEIGHTS_FILE: safetensors.torch.save(_tensors(model), metadata={"format": "pt"}),
        CONFIG_FILE: (json.dumps(plain, indent=2, sort_keys=True) + "\n").encode(),
    }


def _tensors(model: PeftModel) -> dict[str, torch.Tensor]:
    """The numbers of the adapter in use, under PEFT's names."""
    tensors = get_peft_model_state_dict(model, adapter_name=model.active_adapter, save_embedding_layers=False)
    return {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}


def _has_base(model: PeftModel, base: torch.nn.Module) -> bool:
    """Whether the frozen weights of a model with an adapter are those of the base."""
    own = {
        name.replace(".base_layer", ""): weight
        for name, weight in model.get_base_model().named_parameters()
        if ".lora_" not in name
    }
    wanted = dict(base.named_parameters())
    return own.keys() == wanted.keys() and all(torch.equal(own[name], wanted[name]) for name in wanted)


def _settings(config: bytes, folder: Path) -> dict[str, Any]:
    """PEFT's settings of a LoRA adapter.  Raises CourseError when they are of no such adapter."""
    try:
        settings = json.loads(config)
    except ValueError as error:
        raise CourseError(_damaged(folder / CONFIG_FILE)) from error
    if not isinstance(settings, dict):
        raise CourseError(_damaged(folder / CONFIG_FILE))
    kind, rank = settings.get("peft_type"), settings.get("r")
    if kind != "LORA":
        raise CourseError(f"The adapter in {folder} is no LoRA adapter but {kind}: load it with PEFT itself.")
    if type(rank) is not int:
        raise CourseError(f"The adapter in {folder} has no rank that is a whole number: train it again and save it.")
    if rank < 1:
        raise CourseError(f"The adapter in {folder} has rank {rank}: train one with a rank of 1 or more.")
    return settings | {"base_model_name_or_path": None}  # PEFT would warn that the base has moved


def _with_adapter(base: Generator, settings: dict[str, Any], weights: bytes, folder: Path) -> PeftModel:
    """A copy of the base's model with an adapter from the content of PEFT's two files.

    Raises CourseError when settings, weights and base do not fit together.
    """
    try:
        tensors = safetensors.torch.load(weights)
        with torch.random.fork_rng(devices=[]):  # PEFT draws first values, which the saved ones replace
            model = get_peft_model(copy.deepcopy(base.model), LoraConfig.from_peft_type(**settings))
        set_peft_model_state_dict(model, tensors)
        read = get_peft_model_state_dict(model, save_embedding_layers=False)
    except Exception as error:  # PEFT, torch and safetensors raise errors of many kinds
        raise CourseError(
            f"The adapter in {folder} cannot be put onto its base, since its files do not fit together: train it again "
            "and save it."
        ) from error
    if read.keys() != tensors.keys():
        raise CourseError(
            f"The installed PEFT reads the adapter in {folder} differently from the one that wrote it: install the "
            f"versions that its {MANIFEST_FILE} names, or train the adapter again."
        )
    return model.eval()


def _checked(path: Path, manifest: AdapterManifest) -> bytes:
    """A file's content, once its checksum matches: it is read only once, so nobody can change it in between."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise CourseError(f"The adapter file {path} is missing: train the adapter again and save it.") from error
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror or error}): check its permissions.") from error
    if manifest.files.get(path.name) != hashlib.sha256(content).hexdigest():
        raise CourseError(_damaged(path))
    return content


def _put(folder: Path, files: Mapping[str, bytes]) -> None:
    """Replaces the folder by one with these files.  Whatever fails, the older folder is there afterwards.

    No system call replaces a full folder, so the older one moves aside first.  A process that is killed between the
    two moves leaves it there, and the next `load_adapter` or `save_adapter` moves it back.
    """
    _recover(folder)
    refuse_other_files(folder)
    _sweep(folder)
    beside = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        for name, content in files.items():
            write_atomically(beside / name, content)
        if not all((beside / name).exists() for name in files):  # another save has swept them away
            raise CourseError(f"Another program saved an adapter in {folder} at the same time: save yours again.")
        _swap(beside, folder)
    except CourseError as problem:
        shutil.rmtree(beside, ignore_errors=True)
        raise CourseError(str(problem).replace(str(beside), str(folder))) from problem
    _sweep(folder)


def _swap(beside: Path, folder: Path) -> None:
    try:
        if folder.exists():
            os.rename(folder, _older(folder))
        os.rename(beside, folder)
    except OSError as problem:
        with suppress(CourseError):  # the first problem is the one to report
            _recover(folder)
        raise CourseError(
            f"The adapter could not be moved to {folder} ({problem.strerror or problem}): check the folder's "
            "permissions and close programs that use it."
        ) from problem


def _recover(folder: Path) -> None:
    """Moves the older adapter back when a save was killed between its two moves."""
    if folder.exists() or not _older(folder).exists():
        return
    try:
        os.rename(_older(folder), folder)
    except OSError as problem:
        raise CourseError(
            f"A save was interrupted, and the adapter in {_older(folder)} could not be moved back "
            f"({problem.strerror or problem}): rename that folder to {folder.name} by hand."
        ) from problem


def _sweep(folder: Path) -> None:
    """Deletes what saves leave beside the folder: the adapter that was replaced, and what a killed save had written."""
    if folder.exists():
        shutil.rmtree(_older(folder), ignore_errors=True)
    for left in folder.parent.glob(f".{glob.escape(folder.name)}.*.tmp"):
        shutil.rmtree(left, ignore_errors=True)


def refuse_other_files(folder: Path | str) -> None:
    """Raises CourseError for a path whose content is not an adapter: replacing it would delete that.

    A training that takes an hour asks before it begins.
    """
    folder = _real(folder)
    if not folder.exists():
        return
    if not folder.is_dir():
        raise CourseError(f"{folder} is a file: name a folder for the adapter.")
    others = [name for name in _other_files(folder) if name not in OF_THE_SYSTEM]
    if others:
        raise CourseError(f"The folder {folder} holds other files, such as {others[0]}: name a new or empty folder.")


def _other_files(folder: Path) -> list[str]:
    """Names in the folder that no adapter has."""
    return sorted({path.name for path in folder.iterdir()} - {WEIGHTS_FILE, CONFIG_FILE, MANIFEST_FILE})


def _real(folder: Path | str) -> Path:
    return Path(os.path.realpath(os.path.expanduser(folder)))


def _older(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.older")


def _short(name: str) -> str:
    """What a base is called: its id on the Hub, or the last two parts of its folder."""
    return "/".join(Path(name).parts[-2:])


def _damaged(path: Path) -> str:
    return f"The adapter file {path} was changed or cut short: train the adapter again and save it."
