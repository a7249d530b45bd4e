"""An index on disk: one safetensors file, so that it is there as a whole or not at all (used in notebook 04).

    vectors    float32, (passages, dimensions), one row a passage
    passages   uint8, the passages as UTF-8 JSON, one a line, in the same order

The file's metadata is the manifest: which embedder made the vectors, and the checksum of both tensors.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import safetensors
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.numpy import save

from utils.checksums import Sha256, weights_sha256
from utils.errors import CourseError
from utils.handbook import Passage
from utils.paths import left_behind, write_atomically

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

INDEX_FILE = "index.safetensors"


class Manifest(BaseModel):
    """Where the vectors come from.  embedder_sha256: see `weights_sha256`; content_sha256: of both tensors' bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal["1"] = "1"
    embedder: str
    embedder_sha256: Sha256
    content_sha256: Sha256


def write_index(folder: Path, passages: Sequence[Passage], vectors: np.ndarray, embedder: SentenceTransformer) -> None:
    """Writes an index, in the place of an older one if there is one.

    vectors: float32, (len(passages), dimensions).
    Raises CourseError when it cannot be written, and leaves the older index as it was.
    """
    lines = "".join(json.dumps(asdict(passage), ensure_ascii=False) + "\n" for passage in passages).encode()
    tensors = {"vectors": np.ascontiguousarray(vectors), "passages": np.frombuffer(lines, dtype=np.uint8)}
    manifest = Manifest(
        embedder=embedder_name(embedder),
        embedder_sha256=weights_sha256(embedder),
        content_sha256=_content_sha256(tensors),
    )
    write_atomically(folder / INDEX_FILE, save(tensors, metadata=manifest.model_dump()))
    _sweep(folder / INDEX_FILE)


def read_index(folder: Path, embedder: SentenceTransformer) -> tuple[list[Passage], np.ndarray]:
    """The passages and vectors that `write_index` wrote.

    Raises CourseError when there is no index, when it was changed or cut short, or when it was made with another
    embedder.
    """
    path = folder / INDEX_FILE
    manifest, tensors = _read(path)
    if _content_sha256(tensors) != manifest.content_sha256:
        raise CourseError(_damaged(path))
    if manifest.embedder_sha256 != weights_sha256(embedder):
        raise CourseError(
            f"The index in {folder} was made with the embedder {manifest.embedder}, and the weights of "
            f"{embedder_name(embedder)} differ from it: load it with the first, or index the articles again."
        )
    passages = [Passage(**json.loads(line)) for line in tensors["passages"].tobytes().decode().split("\n") if line]
    return passages, tensors["vectors"]


def embedder_name(embedder: SentenceTransformer) -> str:
    """What an embedder is called: its id on the Hub, or the last two parts of its folder."""
    model = getattr(embedder, "transformers_model", None)  # none where an embedder is no transformer
    name = model.config.name_or_path if model is not None else ""
    return "/".join(Path(name).parts[-2:]) or type(embedder).__name__


def _read(path: Path) -> tuple[Manifest, dict[str, np.ndarray]]:
    try:
        path.open("rb").close()  # safetensors reports a missing or locked file in words of its own
        with safetensors.safe_open(path, framework="numpy") as file:
            return Manifest.model_validate(file.metadata()), {n: file.get_tensor(n) for n in ("vectors", "passages")}
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CourseError(f"There is no index in {path.parent}: save one there first, with index.save.") from error
    except (safetensors.SafetensorError, ValidationError) as error:
        raise CourseError(_damaged(path)) from error
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror or error}): check its permissions.") from error


def _sweep(path: Path) -> None:
    """Deletes what a killed save left beside the file: withdrawn text must not stay behind."""
    for left in left_behind(path):
        try:
            left.unlink()
        except OSError as error:
            raise CourseError(
                f"{left} is out of date but could not be deleted ({error.strerror}): delete it by hand, "
                "for it may hold withdrawn text."
            ) from error


def _content_sha256(tensors: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in ("vectors", "passages"):
        digest.update(f"{name} {tensors[name].dtype} {tensors[name].shape}\n".encode())
        digest.update(tensors[name].tobytes())
    return digest.hexdigest()


def _damaged(path: Path) -> str:
    return f"The index file {path} was changed or cut short: index the articles again and save them."
