"""Every generated file of `datasets/`, by path: the same bytes each time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from utils.authoring.world.changes import make_changes
from utils.authoring.world.course import course_names
from utils.authoring.world.finetuning_sets import make_examples, make_jargon_pairs, make_taught_facts, make_tickets
from utils.authoring.world.handbooks import Handbook, make_handbook, markdown
from utils.authoring.world.phrasing import all_topics
from utils.authoring.world.public import make_public_questions
from utils.authoring.world.questions import make_questions
from utils.authoring.world.values import KINDS
from utils.checksums import CHECKSUMS, checksum_lines
from utils.paths import DATASETS, write_atomically

CAPSTONE_KEY = "marrowby"
GENERATED = ("handbook", "questions", "finetuning", "capstone")


def dataset_files() -> dict[str, str]:
    """Path within `datasets/` to text."""
    handbook, capstone = make_handbook(), make_handbook(CAPSTONE_KEY)
    changes, dated = make_changes(handbook)
    questions = {name: json_lines(rows) for name, rows in make_questions(handbook).items()}
    questions |= {"changed": json_lines(dated), "public": json_lines(make_public_questions())}
    files = _handbook_files(handbook) | _question_files("", questions)
    files["changes.jsonl"] = json_lines(changes)
    files["finetuning/train.jsonl"] = json_lines(make_examples(handbook))
    files["finetuning/facts.jsonl"] = json_lines(make_taught_facts(handbook))
    files["kinds.json"] = json.dumps(kinds_of_relations(), indent=1) + "\n"
    files["finetuning/jargon_pairs.jsonl"] = json_lines(make_jargon_pairs(handbook))
    for name, tickets in make_tickets(handbook).items():
        files[f"finetuning/tickets_{name}.jsonl"] = json_lines(tickets)
    files |= _handbook_files(capstone, "capstone/")
    files |= _question_files("capstone/", {n: json_lines(rows) for n, rows in make_questions(capstone).items()})
    files["capstone/finetuning/train.jsonl"] = json_lines(make_examples(capstone))
    return files


def kinds_of_relations() -> dict[str, str]:
    """The kind of value of every relation in the course's handbooks, sorted."""
    topics = {topic for company in course_names().values() for topic in company["topics"]}
    relations = (relation for topic in all_topics() if topic.topic in topics for relation in topic.relations)
    return dict(sorted((relation.id, KINDS[relation.value]) for relation in relations))


def write_files(folder: Path = DATASETS) -> dict[str, str]:
    """Writes every file that differs and removes what is not generated; path to "written" or "removed"."""
    files, stale = dataset_files(), stale_files(folder)
    for name in stale:
        if name in files:
            write_atomically(folder / name, files[name])
        else:
            (folder / name).unlink()
    return {name: "written" if name in files else "removed" for name in stale}


def stale_files(folder: Path = DATASETS) -> list[str]:
    """Paths of files that differ from what is generated, and of those that nothing generates."""
    files = dataset_files()
    there = {path.relative_to(folder).as_posix() for part in GENERATED for path in _files_below(folder / part)}
    changed = [name for name, text in files.items() if not (folder / name).exists() or _read(folder / name) != text]
    return [*changed, *sorted(there - set(files))]


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


def _files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
