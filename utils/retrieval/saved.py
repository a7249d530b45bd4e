"""An index on disk: vectors, passages and a manifest that says what belongs together (used in notebook 04).

    manifest.json          the embedder, its checksum, counts, and the checksums of the other two files
    vectors-….npy          float32, (passages, dimensions), one row a passage
    passages-….jsonl       one passage a line, in the same order

The first digits of a file's checksum stand in its name: a new version never overwrites the one that the manifest in
place still names, so an index is there as a whole or not at all.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from utils.errors import CourseError
from utils.paths import write_atomically
from utils.retrieval.passages import Passage

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

MANIFEST = "manifest.json"
# What this module writes, finished or not. Nothing else in the folder is ever deleted.
_OURS = re.compile(r"\.?(vectors-[0-9a-f]{12}\.npy|passages-[0-9a-f]{12}\.jsonl)(\.[0-9a-f]{8}\.tmp)?")

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Manifest(BaseModel):
    """What belongs together.  embedder_sha256: see `weights_sha256`; dimension: of the vectors; count: passages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    embedder: str
    embedder_sha256: Sha256
    dimension: int
    count: int
    vectors_sha256: Sha256
    passages_sha256: Sha256

    @property
    def files(self) -> tuple[str, str]:
        """Names of the two files beside the manifest: vectors, passages."""
        return f"vectors-{self.vectors_sha256[:12]}.npy", f"passages-{self.passages_sha256[:12]}.jsonl"


def write_index(folder: Path, passages: Sequence[Passage], vectors: np.ndarray, embedder: SentenceTransformer) -> None:
    """Writes an index, over an older one if there is one.

    vectors: float32, (len(passages), dimensions).
    Raises CourseError when it cannot be written, and leaves the older index as it was.
    """
    lines = "".join(json.dumps(asdict(passage), ensure_ascii=False) + "\n" for passage in passages).encode()
    rows = _npy(vectors)
    manifest = Manifest(
        embedder=embedder_name(embedder),
        embedder_sha256=weights_sha256(embedder),
        dimension=vectors.shape[1],
        count=len(passages),
        vectors_sha256=_sha256(rows),
        passages_sha256=_sha256(lines),
    )
    older = _files_in_place(folder)
    try:
        for name, content in zip(manifest.files, (rows, lines), strict=True):
            write_atomically(folder / name, content)
        write_atomically(folder / MANIFEST, manifest.model_dump_json(indent=1) + "\n")
    except CourseError:
        with suppress(CourseError):  # the first problem is the one to report
            _delete_ours(folder, older)
        raise
    _delete_ours(folder, manifest.files)


def read_index(folder: Path, embedder: SentenceTransformer) -> tuple[list[Passage], np.ndarray]:
    """The passages and vectors that `write_index` wrote.

    Raises CourseError when there is no index, when a file is missing, changed or cut short, or when the index was
    made with another embedder.
    """
    manifest = _read_manifest(folder)
    if manifest.embedder_sha256 != weights_sha256(embedder):
        raise CourseError(
            f"The index in {folder} was made with the embedder {manifest.embedder}, and the weights of "
            f"{embedder_name(embedder)} differ from it: load it with the first, or index the articles again."
        )
    rows_file, lines_file = manifest.files
    rows = _read_checked(folder / rows_file, manifest.vectors_sha256)
    lines = _read_checked(folder / lines_file, manifest.passages_sha256)
    vectors = np.load(io.BytesIO(rows), allow_pickle=False)
    passages = [Passage(**json.loads(line)) for line in lines.decode().split("\n") if line]
    if vectors.shape != (len(passages), manifest.dimension) or len(passages) != manifest.count:
        raise CourseError(
            f"The index in {folder} does not hold the {manifest.count} passages of {manifest.dimension} dimensions "
            "that its manifest names: index the articles again and save them."
        )
    return passages, vectors


def embedder_name(embedder: SentenceTransformer) -> str:
    """What an embedder is called: its id on the Hub, or the last two parts of its folder."""
    model = getattr(embedder, "transformers_model", None)  # none where an embedder is no transformer
    name = model.config.name_or_path if model is not None else ""
    return "/".join(Path(name).parts[-2:]) or type(embedder).__name__


def weights_sha256(embedder: torch.nn.Module) -> str:
    """SHA-256 of all parameters in memory, in the model's order: it differs after any fine-tuning.

    It is not the checksum of a file of weights, which holds names and padding too.
    """
    digest = hashlib.sha256()
    for parameter in embedder.parameters():
        values = parameter.detach().cpu().contiguous().flatten()
        digest.update(values.view(torch.uint8).numpy())  # as bytes: numpy has no bfloat16
    return digest.hexdigest()


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CourseError(f"There is no index in {folder}: save one there first, with index.save.") from error
    except OSError as error:
        raise CourseError(_unreadable(path, error)) from error
    except ValidationError as error:
        raise CourseError(
            f"{path} is not the manifest of an index, or it was edited: index the articles again and save them."
        ) from error


def _read_checked(path: Path, wanted: str) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise CourseError(f"The index file {path} is missing: index the articles again and save them.") from error
    except OSError as error:
        raise CourseError(_unreadable(path, error)) from error
    if _sha256(content) != wanted:
        raise CourseError(
            f"The index file {path} was changed or cut short, its checksum differs: "
            "index the articles again and save them."
        )
    return content


def _files_in_place(folder: Path) -> tuple[str, ...]:
    """Names of the files of the index that is in the folder now; none where there is no valid one."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes()).files
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        return ()
    except OSError as error:
        raise CourseError(_unreadable(folder / MANIFEST, error)) from error


def _delete_ours(folder: Path, kept: Sequence[str]) -> None:
    """Deletes the files that this module wrote, but for those kept: withdrawn text must not stay behind."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if _OURS.fullmatch(path.name) and path.name not in kept:
            try:
                path.unlink()
            except OSError as error:
                raise CourseError(
                    f"{path} is out of date but could not be deleted ({error.strerror}): delete it by hand, "
                    "for it may hold withdrawn text."
                ) from error


def _npy(vectors: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, vectors, allow_pickle=False)
    return buffer.getvalue()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _unreadable(path: Path, error: OSError) -> str:
    return f"{path} cannot be read ({error.strerror or error}): check its permissions."
