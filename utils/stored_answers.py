"""Answers of a real run in a file, for a model that takes minutes or is not installed (used in notebooks 09 and 12).

Each answer is kept under the conversation that it belongs to, as a model that was not trained here reads it.  So a
changed prompt finds no answer to an older one.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from utils.chat_model import ChatModel
from utils.errors import CourseError
from utils.paths import write_atomically
from utils.prompts import Message, spell_out

if TYPE_CHECKING:
    from utils.decoding import Grammar

# Set to 1 by whoever makes the file: then answers that are not stored are asked for, and stored.  To make the file
# anew, delete it first; a run that was interrupted goes on.
STORE = "COURSE_STORE_ANSWERS"


class StoredAnswers:
    """The file, read once.  Raises CourseError when it is missing or a line of it is no stored answer."""

    def __init__(self, path: Path) -> None:
        self._path, self._texts = path, {}
        if self.storing and not path.exists():
            return
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as problem:
            raise CourseError(f"The stored answers {path} cannot be read: run `git checkout -- datasets`.") from problem
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                self._texts[str(row["model"]), str(row["conversation"])] = str(row["answer"])
            except (ValueError, TypeError, KeyError):
                raise CourseError(
                    f"Line {number} of {path} is no stored answer: run `git checkout -- datasets`."
                ) from None

    @property
    def storing(self) -> bool:
        """Whether this run makes the file."""
        return os.environ.get(STORE) == "1"

    def of(self, name: str, model: ChatModel | Callable[[], ChatModel] | None = None, again: int = 0) -> StoredModel:
        """The model of that name, which says what it said in the stored run.

        model: itself, where it is here, or what makes it, called when an answer is not stored; or a model with answers
        stored under another name, when it answers in another way, such as under a grammar.
        again: this many of each set of conversations are asked again.
        """
        return StoredModel(self, name, model.itself if isinstance(model, StoredModel) else model, again)

    def find(self, name: str, messages: list[Message]) -> str | None:
        """What the model said; None where nothing is stored."""
        return self._texts.get((name, _key(messages)))

    def keep(self, name: str, conversations: Sequence[list[Message]], texts: Sequence[str]) -> None:
        """Adds answers, and writes the file, sorted, so that a second run changes only what differs."""
        for messages, text in zip(conversations, texts, strict=True):
            self._texts[name, _key(messages)] = text
        rows = [
            {"model": model, "conversation": key, "answer": text} for (model, key), text in sorted(self._texts.items())
        ]
        write_atomically(self._path, "".join(json.dumps(row) + "\n" for row in rows))


@dataclass
class StoredModel:
    """A model as `utils.rag` asks it, whose answers are stored.

    asked: how many answers were asked for again.  same: how many of them were what is stored.
    """

    answers: StoredAnswers
    name: str
    model: ChatModel | Callable[[], ChatModel] | None
    again: int
    asked: int = field(default=0, init=False)
    same: int = field(default=0, init=False)
    prompt_room: int = field(default=sys.maxsize, init=False)

    def complete(
        self,
        conversations: Sequence[list[Message]],
        batch_tokens: int = 0,
        progress: bool = False,
        grammar: Grammar | None = None,
    ) -> list[str]:
        """The stored answers; those that are not stored come from the model itself.

        The first `again` are asked again too, and only compared: so a table holds what the stored run said.
        grammar: for the answers that are not stored; those that are need a name of their own.
        Raises CourseError where an answer is not stored and the model is not here.
        """
        stored = [self.answers.find(self.name, messages) for messages in conversations]
        again = self.again if self.model and not self.answers.storing else 0
        live = [n for n, text in enumerate(stored) if text is None or n < again]
        if live and self.model is None:
            raise CourseError(
                f"{len(live)} of {len(stored)} answers of {self.name} are not stored, and the model is not here: "
                "install it (`make smollm2`), or undo the change to the questions or the prompt."
            )
        texts = self._ask([conversations[n] for n in live], progress, grammar) if live else []
        for n, text in zip(live, texts, strict=True):
            if stored[n] is None:
                stored[n] = text
            else:
                self.asked, self.same = self.asked + 1, self.same + (text == stored[n])
        if live and self.answers.storing:
            self.answers.keep(self.name, [conversations[n] for n in live], texts)
        return stored

    def _ask(self, conversations: Sequence[list[Message]], progress: bool, grammar: Grammar | None) -> list[str]:
        return self.itself().complete(conversations, progress=progress, grammar=grammar)

    def itself(self) -> ChatModel:
        """The model without its stored answers, made if it has to be."""
        if not hasattr(self.model, "complete"):
            self.model = self.model()
        return self.model

    def can_answer(self, messages: list[Message]) -> bool:
        """Whether the answer is stored, or the model here to give it."""
        return self.model is not None or self.answers.find(self.name, messages) is not None

    def fits(self, messages: list[Message]) -> bool:
        """Always: the stored run asked whatever is stored."""
        return True


def _key(messages: list[Message]) -> str:
    return hashlib.sha256(json.dumps(spell_out(messages), sort_keys=True).encode()).hexdigest()[:16]
