"""The card of the shipped generator: what it must show, and where its figures are written."""

from __future__ import annotations

import json
from pathlib import Path

from utils.errors import CourseError
from utils.paths import write_atomically
from utils.rag import PASSAGES

# Another seed gives another adapter, and its figures differ by some points: each is a mean over this many.
ADAPTERS = 3
NEAR_TIES = "near_ties.json"
START, STOP = "<!-- measured: start -->", "<!-- measured: stop -->"
BARS = {
    "reads_gold": ("reads: gold article in the prompt, right value", "≥ 95 %"),
    "reads_three": ("reads among three retrieved articles that hold the gold one", "≥ 85 %"),
    "closed_book_right": ("closed book: right value", "≤ 10 %"),
    "closed_book_well_typed": ("closed book: an answer of the right type", "≥ 90 %"),
    "few_shot_format": ("follows the house format from three examples in the prompt", "30 to 85 %"),
    "lora_format": (f"LoRA on 160 examples, mean of {ADAPTERS} seeds: house format", "≥ 98 %"),
    "lora_format_seconds": ("the same: seconds of training", "≤ 60 s"),
    "lora_reading_loss": ("the same: right values lost in reading", "≤ 2 points"),
    "facts_trained_wording": ("LoRA taught 40 facts: asked in the trained wording", "≥ 90 %"),
    "facts_held_out_wording": ("the same: asked in another wording", "reported"),
    "facts_held_out_augmented": ("the same, trained on three wordings: asked in another", "reported"),
    "hybrid_right_cited_formatted": (
        f"hybrid: right value, cited, in format ({PASSAGES} retrieved passages)",
        "≥ 90 %",
    ),
    "hybrid_abstains": ("hybrid: says so when the handbook does not", "≥ 85 %"),
}


def as_markdown(results: dict[str, float]) -> str:
    """The card's tables: the bars first, the rest below."""
    lines = ["| behaviour | bar | measured |", "|---|---|---|"]
    for key, (text, bar) in BARS.items():
        lines.append(f"| {text} | {bar} | {_in_words(key, results[key])} |")
    lines += ["", "| also measured | |", "|---|---|"]
    lines += [f"| `{key}` | {_in_words(key, value)} |" for key, value in results.items() if key not in BARS]
    return "\n".join(lines)


def _in_words(key: str, value: float) -> str:
    if key.endswith("_seconds"):
        return f"{value:.0f} s"
    if key.endswith("_count"):
        return f"{value:.0f}"
    return f"{100 * value:+.1f} points" if key.endswith("_loss") else f"{100 * value:.1f} %"


def write_card(folder: Path, results: dict[str, float]) -> None:
    """Puts the measured table between the card's two marks.  Raises CourseError when the card lacks them."""
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8")
    if START not in text or STOP not in text:
        raise CourseError(f"{card} needs the lines {START} and {STOP}.")
    head, tail = text.split(START)[0], text.split(STOP)[1]
    write_atomically(card, f"{head}{START}\n{as_markdown(results)}\n{STOP}{tail}")


def write_near_ties(folder: Path, ties: dict[str, float]) -> None:
    """Writes the near ties next to the card: ids of questions, with the gap in logits."""
    write_atomically(folder / NEAR_TIES, json.dumps(ties, indent=1) + "\n")
