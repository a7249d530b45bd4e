"""Every generated file of `datasets/`, by path: the same bytes each time (`python -m utils.world` writes them)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from utils.checksums import CHECKSUMS, checksum_lines
from utils.world.changes import make_changes
from utils.world.handbooks import Handbook, make_handbook, markdown
from utils.world.lessons import make_examples, make_jargon_pairs, make_tickets
from utils.world.public import make_public_questions
from utils.world.questions import make_questions

CAPSTONE_KEY = "marrowby"


def dataset_files() -> dict[str, str]:
    """Path within `datasets/` to text."""
    handbook, capstone = make_handbook(), make_handbook(CAPSTONE_KEY)
    changes, dated = make_changes(handbook)
    questions = {name: json_lines(rows) for name, rows in make_questions(handbook).items()}
    questions |= {"changed": json_lines(dated), "public": json_lines(make_public_questions())}
    files = _handbook_files(handbook) | _question_files("", questions)
    files["changes.jsonl"] = json_lines(changes)
    files["finetuning/train.jsonl"] = json_lines(make_examples(handbook))
    files["finetuning/jargon_pairs.jsonl"] = json_lines(make_jargon_pairs(handbook))
    for name, tickets in make_tickets(handbook).items():
        files[f"finetuning/tickets_{name}.jsonl"] = json_lines(tickets)
    files |= _handbook_files(capstone, "capstone/")
    files |= _question_files("capstone/", {n: json_lines(rows) for n, rows in make_questions(capstone).items()})
    files["capstone/finetuning/train.jsonl"] = json_lines(make_examples(capstone))
    return files


def json_lines(rows: Iterable) -> str:
    """Records as JSON, one a line."""
    return "".join(json.dumps(asdict(row)) + "\n" for row in rows)


def _handbook_files(handbook: Handbook, folder: str = "") -> dict[str, str]:
    return {f"{folder}handbook/{article.id}.md": markdown(article) for article in handbook.articles}


def _question_files(folder: str, texts: Mapping[str, str]) -> dict[str, str]:
    """The frozen questions, and beside them their checksums."""
    files = {f"{name}.jsonl": text for name, text in texts.items()}
    sums = checksum_lines({name: text.encode() for name, text in files.items()})
    return {f"{folder}questions/{name}": text for name, text in (files | {CHECKSUMS: sums}).items()}
