"""What every model can do that the course asks: the one interface of loaded, served, stored and kept models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from utils.prompts import Message

if TYPE_CHECKING:
    from utils.decoding import Grammar


class ChatModel(Protocol):
    """Whatever answers conversations: a loaded model, a server, answers in a file, a fake."""

    @property
    def name(self) -> str:
        """What the model is called: a folder, an id of the Hub, or a server's name for it."""
        ...

    @property
    def prompt_room(self) -> int:
        """How many tokens a prompt may have."""
        ...

    def fits(self, messages: list[Message]) -> bool:
        """Whether the model can read the conversation and still has room for an answer."""
        ...

    def complete(
        self,
        conversations: Sequence[list[Message]],
        batch_tokens: int = ...,
        progress: bool = False,
        grammar: Grammar | None = None,
    ) -> list[str]:
        """The next turn in each conversation, in the order given.

        batch_tokens: how many in one batch, where batches are the model's own.  progress: shows a bar.
        grammar: which tokens may follow those of an answer so far; only a loaded model has one.
        """
        ...
