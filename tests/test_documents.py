"""What the documents name is there: links, paths, commands, counts, quotations, the map of modules."""

import ast
import importlib.util
import json
import re
from collections import Counter
from dataclasses import fields
from pathlib import Path
from xml.etree import ElementTree

import pytest

from utils.authoring.build import parse_cell
from utils.authoring.refresh import COST_LINE
from utils.course.__main__ import main as course_command
from utils.course.notebook_files import code_cells, notebook_paths, read_notebook
from utils.datasets import (
    load_articles,
    load_changes,
    load_dated_questions,
    load_examples,
    load_jargon_pairs,
    load_kinds,
    load_public_questions,
    load_questions,
    load_taught_facts,
    load_tickets,
)
from utils.handbook import (
    Article,
    Change,
    DatedQuestion,
    Example,
    JargonPair,
    PublicQuestion,
    Question,
    Ticket,
)
from utils.paths import DATASETS, ROOT, SOLUTIONS
from utils.quiz.questions import load_quiz

README, CONTRIBUTING, DATA_CARD = ROOT / "README.md", ROOT / "CONTRIBUTING.md", DATASETS / "README.md"
PHRASINGS = ROOT / "utils" / "authoring" / "world" / "phrasings" / "README.md"
CARDS = [PHRASINGS, *sorted((ROOT / "models").glob("*/README.md"))]
DOCUMENTS = [README, CONTRIBUTING, DATA_CARD, ROOT / "docs" / "bigger-model.md", *CARDS]
FOLDERS = (".ci", ".github", "datasets", "docs", "models", "notebooks", "solutions", "tests", "utils")
NOT_OURS = (".venv/", "Qwen/")  # made by make; on the Hub

CODE = re.compile(r"```\w*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(r"[\w.*-]+(/[\w.*-]*)+")
FILE_NAME = re.compile(r"[\w.-]+\.(ipynb|jinja|json|jsonl|lock|md|py|safetensors|svg|toml|txt|yaml|yml)")
COMMAND = re.compile(r"python -m (utils[\w.]*)([^\n`]*)")

every_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


def read(path):
    return path.read_text(encoding="utf-8")


def code_in(text):
    """The code of a document: fenced blocks and what stands in backticks."""
    return [block or span for block, span in CODE.findall(text)]


def words_in(text):
    return {word.strip("'\"(),:;") for code in code_in(text) for word in code.split()}


def section(text, heading):
    """The text under a heading of the second level, in one line."""
    return " ".join(text.split(f"\n## {heading}\n")[1].split("\n## ")[0].split())


def table_rows(text):
    """The cells of every table row."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


def anchors(text):
    """The headings, as a link names them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_there(name, folder):
    """Whether a path, pattern or bare file name leads anywhere from the root or from the document's folder."""
    if "/" not in name:
        return any((place / name).exists() for place in (ROOT, folder)) or any(
            any((ROOT / part).rglob(name)) for part in FOLDERS
        )
    return any(any(place.glob(name.rstrip("/"))) for place in (ROOT, folder))


def missing_paths(text, folder):
    """The words of a document's code that look like paths of this repository, and lead nowhere."""
    named = {word for word in words_in(text) if PATH.fullmatch(word) or FILE_NAME.fullmatch(word)}
    return sorted(name for name in named if not name.startswith(NOT_OURS) and not is_there(name, folder))


def broken_links(text, folder):
    """The relative links of a document that lead nowhere."""
    broken = []
    for link in LINK.findall(text):
        target, _, anchor = link.partition("#")
        path = folder / target
        if re.match(r"[a-z]+:", link):
            continue
        if not path.exists() or (anchor and anchor not in anchors(text if not target else read(path))):
            broken.append(link)
    return broken


def unknown_commands(text):
    """The `python -m utils...` commands that cannot be run, or that name an option their module does not have."""
    unknown = []
    for name, rest in COMMAND.findall("\n".join(code_in(text))):
        sources = runnable_sources(name)
        options = re.findall(r"--[a-z-]+", rest)
        if not sources or not all(f'"{option}"' in sources for option in options):
            unknown.append(f"python -m {name}{rest}")
    return unknown


def runnable_sources(name):
    """The source of what `python -m name` runs; empty when there is no such thing."""
    try:
        spec = importlib.util.find_spec(name)
        if spec and spec.submodule_search_locations:
            spec = importlib.util.find_spec(f"{name}.__main__")
    except ModuleNotFoundError:
        return ""
    source = read(Path(spec.origin)) if spec else ""
    return source if '__name__ == "__main__"' in source else ""


def imported_modules(path):
    """The modules of `utils` that a file imports, in functions too: `utils.quiz` for `utils.quiz.schema`."""
    return modules_in(ast.parse(read(path)))


def modules_in(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "utils":
            yield from (f"utils.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from re.findall(r"^utils\.\w+", node.module)
        elif isinstance(node, ast.Import):
            yield from (found for alias in node.names for found in re.findall(r"^utils\.\w+", alias.name))


def modules_of_utils():
    """Each module or package right below `utils/`, with its files."""
    for path in sorted((ROOT / "utils").iterdir()):
        if path.is_dir() and (path / "__init__.py").exists():
            yield f"utils.{path.name}", sorted(path.rglob("*.py"))
        elif path.suffix == ".py" and path.stem != "__init__":
            yield f"utils.{path.stem}", [path]


# Every document


@every_document
def test_links_lead_somewhere(path):
    assert broken_links(read(path), path.parent) == []


@every_document
def test_named_paths_exist(path):
    assert missing_paths(read(path), path.parent) == []


@every_document
def test_make_targets_exist(path):
    targets = re.findall(r"^([a-z][a-z0-9-]*):", read(ROOT / "Makefile"), re.MULTILINE)
    assert set(re.findall(r"\bmake ([a-z][a-z0-9-]*)", "\n".join(code_in(read(path))))) <= set(targets)


@every_document
def test_commands_can_be_run(path):
    assert unknown_commands(read(path)) == []


@every_document
def test_tools_of_the_course_exist(path, capsys):
    for tool in set(re.findall(r"utils\.course ([a-z]+)", "\n".join(code_in(read(path))))):
        with pytest.raises(SystemExit) as ended:
            course_command([tool, "--help"])
        assert ended.value.code == 0, tool


@every_document
def test_variables_are_read_somewhere(path):
    source = "\n".join(read(file) for file in (ROOT / "utils").rglob("*.py"))
    named = re.findall(r"COURSE_[A-Z_]+", read(path))
    assert [name for name in named if f'"{name}"' not in source] == []


@every_document
def test_pictures_have_alt_text(path):
    assert all(len(alt) > 40 for alt in re.findall(r"!\[(.*?)\]\(", read(path)))


# README

CORE = ("00", "01", "02", "03", "04", "06", "09")


def notebook_numbers():
    return [path.name[:2] for path in notebook_paths(SOLUTIONS)]


def test_the_readme_names_every_notebook():
    names = [path.name for path in notebook_paths(SOLUTIONS)]
    assert len(names) >= 4
    assert [name for name in names if f"notebooks/{name}" not in read(README)] == []


def test_the_readme_and_the_notebooks_agree_on_what_a_run_takes():
    for path in notebook_paths(SOLUTIONS):
        (line,) = COST_LINE.findall(read_notebook(path).cells[0].source)
        seconds, gigabytes = re.search(r"about (\d+) seconds and (\d\.\d) GB", line).groups()
        row = rf"^\| {path.name[:2]} .* \| {seconds} s \| {gigabytes} GB \|$"
        assert re.search(row, read(README), re.MULTILINE), row


def test_the_readme_adds_up_the_hours():
    rows = [row for row in table_rows(read(README)) if len(row) == 7 and row[0][:2] in notebook_numbers()]
    minutes = {row[0][:2]: int(row[4].removesuffix(" min")) for row in rows}
    main = [number for number in minutes if number.isdigit()]
    parts = (CORE, main, minutes.keys() - set(main))
    core, all_hours, appendices = (round(sum(minutes[number] for number in part) / 60) for part in parts)
    words = " ".join(read(README).split())
    assert f"about {all_hours} hours for notebooks 00 to 12, and {appendices} more for the appendices" in words
    assert f"The core (00 to 04, 06 and 09) takes about {core}." in words


def test_the_readme_has_the_counted_minutes():
    page = read(ROOT / "docs" / "teaching" / "minutes.md")
    counted = dict(re.findall(r"^\| \[(\w\w) · .*\| (\d+) \|$", page, re.MULTILINE))
    rows = [row for row in table_rows(read(README)) if len(row) == 7 and row[0][:2] in notebook_numbers()]
    assert {row[0][:2]: row[4].removesuffix(" min") for row in rows} == counted


def test_the_readme_states_the_claims_of_the_bets():
    titles = [bet.title.partition(": ")[2] for bet in load_quiz("00").predictions]
    listed = re.findall(r"^\d\. (.+)\.$", read(README), re.MULTILINE)
    assert [line[:1].lower() + line[1:] for line in listed] == [title[:1].lower() + title[1:] for title in titles]


def test_no_notebook_shows_a_placeholder():
    for path in notebook_paths(SOLUTIONS):
        prose = "\n".join(cell.source for cell in read_notebook(path).cells if cell.cell_type == "markdown")
        assert re.findall(r"^[A-Z_]{3,}$|\b(?:TODO|FIXME|XXX)\b", prose, re.MULTILINE) == [], path


def test_the_picture_says_what_it_shows():
    picture = ElementTree.parse(ROOT / "docs" / "path.svg").getroot()
    title, description = (picture.find(f"{{*}}{tag}") for tag in ("title", "desc"))
    assert title.text and len(description.text) > 40
    assert picture.get("aria-labelledby").split() == [title.get("id"), description.get("id")]


# Data card


def counts_of_files():
    """What the data card's first table counts, by its words."""
    articles, examples = load_articles(), load_examples()
    audiences = Counter(article.audience for article in articles)
    changes, capstone = Counter(change.kind for change in load_changes()), DATASETS / "capstone"
    tickets = {part: len(load_tickets(part)) for part in ("train", "dev", "test")}
    quizzes = [load_quiz(path.stem) for path in (DATASETS / "quizzes").glob("*.yaml")]
    kinds = Counter(question.kind for quiz in quizzes for question in quiz.questions)
    declined = sum(example.source is None for example in examples)
    return {
        "articles": len(articles),
        "of them for the public": audiences["public"],
        "of them for staff": audiences["staff"],
        "of them for managers": audiences["managers"],
        "words, titles left out": sum(len(article.text.split()) for article in articles),
        "articles replaced by a newer text, within thirty days": changes["replace"],
        "articles added": changes["add"],
        "articles withdrawn": changes["withdraw"],
        "questions whose right answer depends on the day": len(load_dated_questions()),
        "questions on the public companies of pre-training": len(load_public_questions()),
        "tickets to train on": tickets["train"],
        "tickets to choose with": tickets["dev"],
        "tickets to test on": tickets["test"],
        "facts to teach, each with six questions": len(load_taught_facts()),
        "kinds of fact, each with its kind of value": len(load_kinds()),
        "jargon questions, each with its article": len(load_jargon_pairs()),
        "articles of the second company": len(load_articles(capstone / "handbook")),
        "questions to choose with": len(load_questions("dev", capstone / "questions")),
        "questions to test on": len(load_questions("test", capstone / "questions")),
        "its fine-tuning examples": len(load_examples("train", capstone / "finetuning")),
        "examples with an answer": len(examples) - declined,
        "examples in which the passages do not say": declined,
        "stored answers of notebook 09": len(read(DATASETS / "hybrid" / "answers.jsonl").splitlines()),
        "other editions of the handbook, measured for notebook 09": len(
            json.loads(read(DATASETS / "hybrid" / "editions.json"))
        ),
        "stored answers of two models": len(read(DATASETS / "carry_over" / "answers.jsonl").splitlines()),
        "predictions": kinds["prediction"],
        "decisions": kinds["decision"],
    }


def test_the_data_card_counts_the_files():
    rows = [row for row in table_rows(read(DATA_CARD)) if len(row) == 3 and row[2].isdigit()]
    assert {row[1]: int(row[2]) for row in rows} == counts_of_files()


def test_the_data_card_counts_the_questions():
    rows = [row for row in table_rows(read(DATA_CARD)) if len(row) == 4 and row[1].isdigit()]
    dev, test = (Counter(question.category for question in load_questions(part)) for part in ("dev", "test"))
    wanted = {category: (dev[category], test[category]) for category in sorted(dev | test)}
    assert {row[0].strip("`"): (int(row[1]), int(row[2])) for row in rows} == wanted


@pytest.mark.parametrize(
    "record", [Article, Change, DatedQuestion, Example, JargonPair, PublicQuestion, Question, Ticket]
)
def test_the_data_card_explains_every_field(record):
    explained = set(re.findall(r"`(\w+)`", section(read(DATA_CARD), "Fields"))) | {"text"}
    assert {field.name for field in fields(record)} <= explained


def test_quoted_oddities_stand_in_the_data():
    said = "\n".join(article.text for article in load_articles())
    asked = "\n".join(question.text for part in ("dev", "test") for question in load_questions(part))
    quoted = re.findall(r'"([^"]+)"', section(read(DATA_CARD), "Known oddities"))
    assert len(quoted) >= 5
    assert [text for text in quoted if text not in said + asked] == []


# Map of the modules


def rows_of_map():
    rows = [row for row in table_rows(read(CONTRIBUTING)) if row[0].isdigit()]
    return {row[1].strip("`"): int(row[0]) for row in rows}


def test_the_map_names_every_module_once():
    rows = [row for row in table_rows(read(CONTRIBUTING)) if row[0].isdigit()]
    assert sorted(row[1].strip("`") for row in rows) == [name for name, _ in modules_of_utils()]


def test_imports_point_to_rows_above():
    rows = rows_of_map()
    climbing = [
        f"{name} imports {other}"
        for name, files in modules_of_utils()
        for other in sorted({found for file in files for found in imported_modules(file)} - {name})
        if rows[other] >= rows[name]
    ]
    assert climbing == []


def imports_of_notebooks():
    for path in notebook_paths(SOLUTIONS):
        for cell in code_cells(read_notebook(path)):
            yield from ((name, path.name) for name in modules_in(parse_cell(cell.source)))


def test_nothing_that_a_learner_runs_imports_authoring():
    modules = [
        (found, name) for name, files in modules_of_utils() for file in files for found in imported_modules(file)
    ]
    assert {name for found, name in modules if found == "utils.authoring"} == {"utils.authoring"}
    assert "utils.handbook" in {found for found, _ in imports_of_notebooks()}
    assert [name for found, name in imports_of_notebooks() if found == "utils.authoring"] == []


# The checks above find what is wrong


def test_a_wrong_document_is_found(tmp_path):
    text = "\n".join(
        [
            "[gone](nowhere.md) [here](#a-heading) [not here](#another) [far](https://example.org)",
            "## A heading",
            "`utils/models.py` `utils/model.py` `datasets/handbook/*.md` `nothing.yaml` `Makefile`",
            "`python -m utils.authoring build --check`, `python -m utils.course reset --never`",
            "`python -m utils.nothing`",
            "```sh\njupyter lab notebooks/nowhere.ipynb\n```",
        ]
    )
    assert broken_links(text, tmp_path) == ["nowhere.md", "#another"]
    assert missing_paths(text, tmp_path) == ["notebooks/nowhere.ipynb", "nothing.yaml", "utils/model.py"]
    assert unknown_commands(text) == ["python -m utils.course reset --never", "python -m utils.nothing"]
    assert words_in("say `one, two`") == {"one", "two"}
