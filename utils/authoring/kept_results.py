"""What notebooks compute twice in one test run is computed once: answers, adapters, embeddings.

A learner copy asks the same model the same questions as its solution, and greedy decoding gives the same answers.  So
the second notebook reads what the first one got.  Every result is kept under all that it depends on: the weights in
memory, the token ids or texts, the settings.  The folder lives as long as the test run, so no result outlives the code
that gave it.  Refreshing and learners never use this.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import uuid4

from utils.paths import write_atomically

FOLDER = "COURSE_KEPT_RESULTS"
# Fewer texts than these are quicker to embed than to look up.
FEWEST_TEXTS = 20
# Of adapters: how strong each is, which are in use, and which were added to the weights.
SETTINGS = ("scaling", "disable_adapters", "active_adapters", "merged_adapters")
# Once asked for its hidden states, a model keeps this module's hooks, which change no answer.
HARMLESS_HOOKS = "transformers.utils.output_capturing"
# The name of an adapter's losses among its tensors; no weight has it.
LOSSES = "losses"
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
    @functools.wraps(complete)
    def kept(self: Any, conversations: Sequence, *arguments: Any, grammar: Any = None, **named: Any) -> list[str]:
        if grammar is not None or len(arguments) > 2:  # a grammar is code, which has no checksum
            return complete(self, conversations, *arguments, grammar=grammar, **named)
        batch_tokens = arguments[0] if arguments else named.get("batch_tokens")
        key = _key("answers", self.model, self.prompt_ids(conversations), self.answer_tokens, batch_tokens, self.ends)
        path = folder / f"{key}.json"
        if path.exists():
            return json.loads(path.read_text(encoding="utf-8"))
        texts = complete(self, conversations, *arguments, **named)
        write_atomically(path, json.dumps(texts))
        return texts

    return kept


def _keeping_adapters(train: Callable, folder: Path) -> Callable:
    import safetensors.torch
    import torch

    from utils.finetuning.loop import put

    @functools.wraps(train)
    def kept(self: Any) -> list[float]:
        if self.checkpoints or self.stopping or self.losses:
            return train(self)
        path = folder / f"{_key('adapter', self.tuned.model, self.rows, asdict(self.plan))}.safetensors"
        if path.exists():
            kept = safetensors.torch.load(path.read_bytes())
            self.losses = kept.pop(LOSSES).tolist()
            put(kept, self.adapter)
            self.tuned.model.eval()
            return self.losses
        losses = train(self)
        tensors = {name: weight.detach().contiguous() for name, weight in self.adapter.items()}
        tensors[LOSSES] = torch.tensor(losses, dtype=torch.float64)
        write_atomically(path, safetensors.torch.save(tensors))
        return losses

    return kept


def _keeping_vectors(encode: Callable, folder: Path) -> Callable:
    import numpy as np

    @functools.wraps(encode)
    def kept(self: Any, texts: Any, *arguments: Any, **named: Any) -> Any:
        plain = not arguments and named.get("convert_to_numpy", True) and not named.get("convert_to_tensor")
        if not plain or isinstance(texts, str) or len(texts) < FEWEST_TEXTS:
            return encode(self, texts, *arguments, **named)
        path = folder / f"{_key('vectors', self, list(texts), self.max_seq_length, named)}.npy"
        if path.exists():
            return np.load(path, allow_pickle=False)
        vectors = encode(self, texts, **named)
        if isinstance(vectors, np.ndarray):
            content = io.BytesIO()
            np.save(content, vectors, allow_pickle=False)
            write_atomically(path, content.getvalue())
        return vectors

    return kept


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
