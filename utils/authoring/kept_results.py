"""What notebooks compute twice in one test run is computed once: answers, adapters, embeddings.

A learner copy asks the same model the same questions as its solution, and greedy decoding gives the same answers.  So
the second notebook reads what the first one got.  Every result is kept under all that it depends on: the weights in
memory, the token ids or texts, the settings.  The folder lives as long as the test run, so no result outlives the code
that gave it.  Refreshing and learners never use this.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from utils.paths import write_atomically

if TYPE_CHECKING:
    import numpy as np

FOLDER = "COURSE_KEPT_RESULTS"
# Fewer texts than these are quicker to embed than to look up.
FEWEST_TEXTS = 20
# Of adapters: how strong each is, which are in use, and which were added to the weights.
SETTINGS = ("scaling", "disable_adapters", "active_adapters", "merged_adapters")
# Once asked for its hidden states, a model keeps this module's hooks, which change no answer.
HARMLESS_HOOKS = "transformers.utils.output_capturing"
# The name of an adapter's losses among its tensors; no weight has it.
LOSSES = "losses"
VECTORS = "vectors"
T = TypeVar("T")
STARTUP = f"""\
import os

if os.environ.get("{FOLDER}"):
    from utils.authoring.kept_results import install

    install()
    del install
del os
"""


def prepare_kernels(ipython: Path) -> None:
    """Makes every kernel with this IPYTHONDIR keep its results, where the environment names a folder for them."""
    startup = ipython / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    (startup / "00-kept-results.py").write_text(STARTUP, encoding="utf-8")


def install() -> None:
    """Keeps, from now on in this process, what models answer, train and embed."""
    from sentence_transformers import SentenceTransformer

    from utils.finetuning.loop import Run
    from utils.models import Generator

    folder = Path(os.environ[FOLDER])
    Generator.complete = _keeping_answers(Generator.complete, folder)
    Run.train = _keeping_adapters(Run.train, folder)
    SentenceTransformer.encode = _keeping_vectors(SentenceTransformer.encode, folder)


def _keeping_answers(complete: Callable, folder: Path) -> Callable:
    @wraps(complete)
    def kept(self: Any, conversations: Sequence, *arguments: Any, grammar: Any = None, **named: Any) -> list[str]:
        if grammar is not None or len(arguments) > 2:  # a grammar is code, which has no checksum
            return complete(self, conversations, *arguments, grammar=grammar, **named)
        batch_tokens = arguments[0] if arguments else named.get("batch_tokens")
        key = _key("answers", self.model, self.prompt_ids(conversations), self.answer_tokens, batch_tokens, self.ends)
        return _kept(
            folder / f"{key}.json",
            lambda: complete(self, conversations, *arguments, **named),
            read=json.loads,
            written=lambda texts: json.dumps(texts).encode(),
        )

    return kept


def _keeping_adapters(train: Callable, folder: Path) -> Callable:
    @wraps(train)
    def kept(self: Any) -> list[float]:
        if self.checkpoints or self.stopping or self.losses:
            return train(self)
        path = folder / f"{_key('adapter', self.tuned.model, self.rows, asdict(self.plan))}.safetensors"
        return _kept(path, lambda: train(self), partial(_put_adapter, self), partial(_adapter_of, self))

    return kept


def _put_adapter(run: Any, content: bytes) -> list[float]:
    """Gives a run the adapter of a file, as if it had been trained; its losses."""
    import safetensors.torch

    from utils.finetuning.loop import put

    tensors = safetensors.torch.load(content)
    run.losses = tensors.pop(LOSSES).tolist()
    put(tensors, run.adapter)
    run.tuned.model.eval()
    return run.losses


def _adapter_of(run: Any, losses: list[float]) -> bytes:
    """The file of a run's trained adapter and its losses."""
    import safetensors.torch
    import torch

    tensors = {name: weight.detach().contiguous() for name, weight in run.adapter.items()}
    return safetensors.torch.save(tensors | {LOSSES: torch.tensor(losses, dtype=torch.float64)})


def _keeping_vectors(encode: Callable, folder: Path) -> Callable:
    @wraps(encode)
    def kept(self: Any, texts: Any, *arguments: Any, **named: Any) -> Any:
        plain = not arguments and named.get("convert_to_numpy", True) and not named.get("convert_to_tensor")
        if not plain or isinstance(texts, str) or len(texts) < FEWEST_TEXTS:
            return encode(self, texts, *arguments, **named)
        path = folder / f"{_key('vectors', self, list(texts), self.max_seq_length, named)}.safetensors"
        return _kept(path, lambda: encode(self, texts, **named), _read_vectors, _written_vectors)

    return kept


def _read_vectors(content: bytes) -> np.ndarray:
    import safetensors.numpy

    return safetensors.numpy.load(content)[VECTORS]


def _written_vectors(vectors: object) -> bytes | None:
    """The file of an array; None for what is none, such as a list of tensors."""
    import numpy as np
    import safetensors.numpy

    return safetensors.numpy.save({VECTORS: np.ascontiguousarray(vectors)}) if isinstance(vectors, np.ndarray) else None


def _kept(path: Path, compute: Callable[[], T], read: Callable[[bytes], T], written: Callable[[T], bytes | None]) -> T:
    """What a file holds; where there is none, what is computed now, which the file then keeps.

    read: the result from the file's content.  written: the content for a result; None where it cannot be kept.
    """
    if path.exists():
        return read(path.read_bytes())
    result = compute()
    content = written(result)
    if content is not None:
        write_atomically(path, content)
    return result


def _key(kind: str, model: Any, *parts: Any) -> str:
    from utils.checksums import weights_sha256

    settings = json.dumps([kind, _shape(model) or uuid4().hex, *parts], default=repr, sort_keys=True)
    return hashlib.sha256(f"{weights_sha256(model)} {settings}".encode()).hexdigest()


def _shape(model: Any) -> list[tuple[str, ...]] | None:
    """What decides over a model's answers beside its weights: its layers, and how its adapters are set.

    None for a model with hooks or with layers of a notebook's own: their code has no checksum, so it is computed anew.
    """
    parts = list(model.named_modules())
    if any(_has_own_code(part) for _, part in parts):
        return None
    return [(name, type(part).__name__, *(repr(getattr(part, each, "")) for each in SETTINGS)) for name, part in parts]


def _has_own_code(part: Any) -> bool:
    hooks = [*part._forward_hooks.values(), *part._forward_pre_hooks.values()]
    return type(part).__module__ == "__main__" or any(hook.__module__ != HARMLESS_HOOKS for hook in hooks)
