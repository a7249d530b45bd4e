"""A model on a server, with as much of the interface of `utils.models.Generator` as needs no weights."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
from pydantic import SecretStr
from tqdm.auto import tqdm

from utils.errors import CourseError
from utils.prompts import Message, fold_system, spell_out, without_thoughts
from utils.server.markers import without_known_markers
from utils.server.transport import CONTEXT, Reply, Server

if TYPE_CHECKING:
    from utils.decoding import Grammar

# More than a loaded model's answer may have: many models on servers think before they answer, and both count.
ANSWER_TOKENS = 512
REQUESTS = 4  # at a time

Conversation = tuple[tuple[str, str], ...]  # (role, content) of each message
Asked = tuple[str, str, Conversation]  # address, model, conversation

# Answers by address, model and conversation, for as long as Python runs.  Not in the generator: a cell that is run
# again usually makes a new one, and must find the answers that an earlier run got before it failed or was interrupted.
_ANSWERS: dict[Asked, str] = {}

# A number that is too large is not a parameter that the server does not know.
_BOUND = re.compile(r"at most|maximum|less than|exceed|greater than", re.IGNORECASE)
_SYSTEM = re.compile(r"\bsystem\b|roles must alternate", re.IGNORECASE)


class NeedsWeights(CourseError, AttributeError):
    """Asked of a server what only a loaded model has.  An AttributeError too, so that `hasattr` says False."""


def _needs_weights(name: str) -> property:
    """An attribute that only a loaded model has."""

    def refuse(generator: ServerGenerator) -> None:
        raise NeedsWeights(
            f"This needs the model itself, its weights or its tokenizer (`{name}`), and a server gives only answers: "
            "unset COURSE_GENERATOR, or name a folder or a Hugging Face model."
        )

    return property(refuse, doc="Raises NeedsWeights.")


@dataclass(frozen=True)
class ServerGenerator:
    """A model on a server, with as much of the interface of `utils.models.Generator` as needs no weights.

    refused: what the server did not take so far, and is not sent again: parameters, or "system" for that role.
    """

    server: Server
    model_name: str
    refused: set[str] = field(default_factory=set, repr=False, compare=False)

    model = _needs_weights("model")
    tokenizer = _needs_weights("tokenizer")
    prompt = _needs_weights("prompt")
    prompt_ids = _needs_weights("prompt_ids")
    context = _needs_weights("context")

    @property
    def name(self) -> str:
        """For tables: the model without its folder, and where it runs."""
        last = re.split(r"[/\\]", self.model_name)[-1]
        return f"{self.server.shown(last)} at {self.server.address}"

    @property
    def prompt_room(self) -> int:
        """No limit: the server knows how long a prompt may be, and says so when it gets a longer one."""
        return sys.maxsize

    def fits(self, messages: list[Message]) -> bool:
        """True: see `prompt_room`."""
        return True

    def complete(
        self,
        conversations: Sequence[list[Message]],
        batch_tokens: int = 0,
        progress: bool = False,
        grammar: Grammar | None = None,
    ) -> list[str]:
        """The model's next turn in each conversation, in the order given; what it thought before is left out.

        Greedy where the server takes a temperature.  What an earlier call got, even one that failed, is not asked again
        (see `forget_answers`).  batch_tokens: not used.  progress: shows a bar.
        Raises CourseError for a grammar, and when the server cannot be reached or refuses; the answers so far are kept.
        """
        if grammar is not None:
            raise CourseError(
                "Constrained decoding needs the tokenizer of the model, and a server gives only answers: leave out the "
                "grammar, or unset COURSE_GENERATOR."
            )
        asked = [(self.server.url, self.model_name, _plain(spell_out(messages))) for messages in conversations]
        greedy = "temperature" not in self.refused
        try:
            self._fetch(asked, progress)
        except CourseError as error:
            kept = sum(key in _ANSWERS for key in asked)
            raise CourseError(
                f"{error} {kept} of {len(asked)} answers are kept: run the cell again to go on from there."
            ) from None
        texts = [_ANSWERS.get(key, "") for key in asked]
        _say_what_is_odd(texts, greedy and "temperature" in self.refused)
        return texts

    def _fetch(self, asked: Sequence[Asked], progress: bool) -> None:
        """Gets the answers that are missing, a few at a time, and keeps each as soon as it has come."""
        wanted = dict.fromkeys(asked)
        missing = [key for key in wanted if key not in _ANSWERS]
        if not missing:
            return
        stop, client, pool = threading.Event(), self.server.client(), ThreadPoolExecutor(REQUESTS)

        def fetch(key: Asked) -> None:
            # An empty answer is not kept: once the server's settings are changed, it is asked for again.
            if text := self._answer(client, key[2], stop):
                _ANSWERS[key] = text

        have, interrupted = len(wanted) - len(missing), False
        bar = tqdm(total=len(wanted), initial=have, desc="answers", leave=False, disable=not progress)
        try:
            with bar:
                pending = {pool.submit(fetch, key) for key in missing}
                while pending:
                    # Wakes up now and then: on Windows a thread that waits without end cannot be interrupted.
                    done, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
                    for future in done:
                        future.result()
                    bar.update(len(done))
        except KeyboardInterrupt:
            interrupted = True
            raise
        finally:
            stop.set()
            # After an interrupt nobody wants to wait; requests under way still end, and their answers are kept.
            pool.shutdown(wait=not interrupted, cancel_futures=True)
            if not interrupted:
                client.close()

    def _answer(self, client: httpx.Client, conversation: Conversation, stop: threading.Event) -> str:
        """The answer to one conversation.  Leaves out what the server refuses, as long as it names something new."""
        while True:
            sent_without = frozenset(self.refused)
            payload = _payload(self.model_name, conversation, sent_without)
            reply = self.server.request(client, "/chat/completions", payload, stop)
            if reply.status == 200:
                text = _content(reply)
                if text is None:
                    raise CourseError(self.server.nonsense(reply))
                return without_thoughts(text).strip()
            refused = _named(reply, payload)
            if not refused or refused in sent_without:
                raise CourseError(self.server.refusal(reply, "/chat/completions", self.model_name))
            self.refused.add(refused)


def connect(url: str, model: str | None = None, key: str | None = None) -> ServerGenerator:
    """A generator that asks the server at this address, such as http://127.0.0.1:8080/v1.

    model, key: else COURSE_MODEL and COURSE_API_KEY; without a model, the only one that the server lists.
    Raises CourseError when the address is none, when the key would travel in the clear, when the server cannot be
    reached, and when it lists several models.
    """
    key = (key or os.environ.get("COURSE_API_KEY") or "").strip()
    model = (model or os.environ.get("COURSE_MODEL") or "").strip()
    server = Server(url, SecretStr(key) if key else None)
    return ServerGenerator(server, model or server.only_model())


def forget_answers() -> None:
    """Forgets the answers kept so far: after the model behind an address has changed, or to measure seconds again."""
    _ANSWERS.clear()


def _plain(messages: Iterable[Message]) -> Conversation:
    """The conversation as it is sent: without markers, and without half letters, which JSON cannot carry."""
    return tuple((message["role"], without_known_markers(_sound(message["content"]))) for message in messages)


def _sound(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _payload(model: str, conversation: Conversation, refused: frozenset[str]) -> dict[str, object]:
    """What is sent for one conversation to a server that refuses these parameters, or the role "system"."""
    turns = [{"role": role, "content": content} for role, content in conversation]
    settings = {"max_tokens": ANSWER_TOKENS, "temperature": 0, "seed": 0}
    if "max_tokens" in refused:
        settings["max_completion_tokens"] = ANSWER_TOKENS
    return {
        "model": model,
        "messages": fold_system(turns) if "system" in refused else turns,
        "stream": False,
        **{name: value for name, value in settings.items() if name not in refused},
    }


def _named(reply: Reply, payload: Mapping[str, object]) -> str | None:
    """What the server refuses of what was sent, if its complaint names it; None where it names nothing of it."""
    said = reply.complaint
    if reply.status not in (400, 422, 500) or CONTEXT.search(said) or _BOUND.search(said):
        return None
    for name in ("max_tokens", "max_completion_tokens", "temperature", "seed"):
        if name in payload and re.search(rf"\b{name}\b", said):
            return name
    has_system = any(message["role"] == "system" for message in payload["messages"])
    return "system" if has_system and _SYSTEM.search(said) else None


def _content(reply: Reply) -> str | None:
    """The text of the answer, empty where the model gave none; None where the reply is no chat completion."""
    match reply.data:
        case {"choices": [{"message": dict(message)}, *_]}:
            content = message.get("content")
            return _sound(content or "") if content is None or isinstance(content, str) else None
    return None


def _say_what_is_odd(texts: Sequence[str], not_greedy: bool) -> None:
    empty = sum(not text for text in texts)
    if empty:
        print(
            f"{empty} of {len(texts)} answers {'is' if empty == 1 else 'are'} empty: a model that thinks first may "
            f"need more than {ANSWER_TOKENS} tokens, so turn its thinking off in the server."
        )
    if not_greedy:
        print("The server takes no temperature, so the same question may get another answer next time.")
