"""Answers kept in a file of the output folder, so that a comparison that was stopped goes on where it was.

Each answer is kept under its model and its whole conversation: it never counts for another prompt or another model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm.auto import tqdm

from utils.chat_model import ChatModel
from utils.errors import CourseError
from utils.paths import write_atomically
from utils.prompts import Message
from utils.stored_answers import StoredAnswers

if TYPE_CHECKING:
    from utils.decoding import Grammar

BATCH = 32  # answers asked for, and then kept, at a time


class KeptAnswers:
    """The file.  Raises CourseError when it cannot be read or written, and when it is there and no such file."""

    def __init__(self, path: Path) -> None:
        self._identities: dict[int, tuple[ChatModel, str]] = {}
        if not path.exists():
            write_atomically(path, "")
        try:
            self.stored = StoredAnswers(path)
        except CourseError as problem:
            if isinstance(problem.__cause__, OSError):
                raise CourseError(
                    f"The answers in {path} cannot be read ({problem.__cause__.strerror}): close the file in other "
                    "programs, and check who may read it."
                ) from problem
            raise CourseError(
                f"The answers in {path} were changed or cut short: delete that file, and they are asked for again."
            ) from problem

    def of(self, generator: ChatModel, adapter: str = "", make: Callable[[], ChatModel] | None = None) -> KeptModel:
        """The generator, asked only for what is not kept.

        adapter: what tells a tuned copy from its base.  make: makes that copy, when its first answer is missing.
        """
        name = ", ".join(filter(None, [self.identity_of(generator), adapter]))
        return KeptModel(self.stored, name, generator, make or (lambda: generator))

    def identity_of(self, generator: ChatModel) -> str:
        """The generator's `identity`, found once: for a model of gigabytes, that takes seconds."""
        if id(generator) not in self._identities:
            self._identities[id(generator)] = generator, identity(generator)
        return self._identities[id(generator)][1]


class KeptModel:
    """A generator for `utils.rag` whose answers are kept.  asked: how many answers were not kept yet."""

    def __init__(self, stored: StoredAnswers, name: str, base: ChatModel, make: Callable[[], ChatModel]) -> None:
        self.name, self.asked = name, 0
        self._stored, self._base, self._make = stored, base, make

    @cached_property
    def _model(self) -> ChatModel:
        return self._make()

    @property
    def prompt_room(self) -> int:
        """How many tokens a prompt may have."""
        return self._base.prompt_room

    def fits(self, messages: list[Message]) -> bool:
        """Whether the model can read the conversation."""
        return self._base.fits(messages)

    def complete(
        self,
        conversations: Sequence[list[Message]],
        batch_tokens: int = 0,
        progress: bool = False,
        grammar: Grammar | None = None,
    ) -> list[str]:
        """The next turn in each conversation; each batch is kept as soon as it is answered.

        Raises CourseError for a grammar, and when an answer cannot be kept.
        """
        if grammar is not None:
            raise CourseError("Kept answers cannot be constrained: use the model itself.")
        missing = [messages for messages in conversations if self._stored.find(self.name, messages) is None]
        with tqdm(total=len(missing), desc="answers", leave=False, disable=not missing) as bar:
            for start in range(0, len(missing), BATCH):
                batch = missing[start : start + BATCH]
                said = [pair for pair in zip(batch, self._model.complete(batch), strict=True) if pair[1]]
                if said:  # an empty answer is asked for again: a server's settings may be the reason
                    self._stored.keep(self.name, *zip(*said, strict=True))
                self.asked += len(batch)
                bar.update(len(batch))
        return [self._stored.find(self.name, messages) or "" for messages in conversations]


def identity(generator: ChatModel) -> str:
    """A name that two models never share, whatever folder they are in: by weights and template, or by server."""
    # A server says no to `hasattr` for what only a loaded model has.
    if hasattr(generator, "model"):
        from utils.checksums import weights_sha256

        marks = [weights_sha256(generator.model), str(generator.tokenizer.chat_template)]
    else:
        marks = [str(getattr(getattr(generator, "server", None), "url", "")), getattr(generator, "model_name", "")]
    mark = hashlib.sha256("\n".join(marks).encode()).hexdigest()[:12]
    return f"{shown_name(generator)} ({mark})"


def shown_name(generator: ChatModel) -> str:
    """What a model is called in a report: its name on the Hub, or the last part of its folder."""
    name = generator.name
    return Path(name).name if Path(name).is_absolute() else name
