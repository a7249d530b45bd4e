"""The README's picture shows what notebook 09 stores, in bars and in words."""

import re
import tomllib
from dataclasses import replace

import pytest
import yaml
from test_prose_figures import outputs

from utils.authoring.headline import (
    COUNT_CELL,
    NOTEBOOK,
    PICTURE,
    README,
    TABLE_CELL,
    draw,
    in_readme,
    read_headline,
    shown,
    stale,
    write,
)
from utils.course.notebook_files import code_cells, read_notebook, write_notebook
from utils.errors import CourseError
from utils.paths import ROOT, SOLUTIONS


@pytest.fixture(scope="module")
def headline():
    return read_headline()


@pytest.fixture(scope="module")
def stored():
    """The table as plain text, which is not what the picture is read from."""
    outputs = {cell.id: cell.outputs for cell in code_cells(read_notebook(NOTEBOOK))}
    return "".join(one.data["text/plain"] for one in outputs[TABLE_CELL] if "data" in one)


def test_the_picture_and_the_readme_are_in_step_with_the_notebook():
    assert stale() == []


def test_every_arm_has_the_shares_that_the_notebook_prints(headline, stored):
    # Pandas breaks a wide table into two: the first part has the first three columns, the last part the last.
    first, last = stored.split("\n\n")
    printed = {re.split(r"\s{2,}", row)[0]: re.findall(r"(\d+) %", row) for row in first.splitlines()[1:]}
    complete = [int(re.findall(r"(\d+) %", row)[-1]) for row in last.splitlines()[1:]]
    assert len(printed) >= 9
    expected = {
        arm: [int(right), int(form), at_once]
        for (arm, (right, form, *_)), at_once in zip(printed.items(), complete, strict=True)
    }
    assert {arm: list(row) for arm, *row in headline.shares.itertuples()} == expected
    assert headline.shares["all at once"].is_monotonic_decreasing


def test_the_bars_are_as_long_as_their_figures(headline):
    texts, lengths = shown(PICTURE.read_text(encoding="utf-8"))
    figures = [share for measure in headline.shares for share in headline.shares[measure]]
    assert [text for text in texts if re.fullmatch(r"\d+ %", text)] == [f"{share} %" for share in figures]
    longest = max(lengths) / max(figures)
    assert lengths == pytest.approx([share * longest for share in figures], abs=1)


def test_the_picture_says_what_it_shows(headline):
    svg = PICTURE.read_text(encoding="utf-8")
    texts, _ = shown(svg)
    assert 'role="img" aria-labelledby="t d"' in svg
    assert {headline.title, headline.words, *headline.shares.index, *headline.shares.columns} <= set(texts)


def test_the_alt_text_holds_every_figure(headline):
    (alt,) = re.findall(r"!\[([^\]]*)\]\(docs/headline\.svg\)", README.read_text(encoding="utf-8"))
    rows = [f"{arm} {', '.join(map(str, shares))}" for arm, *shares in headline.shares.itertuples()]
    assert [row for row in rows if row not in alt] == []
    assert f"{headline.questions} test questions" in alt


def test_the_same_table_gives_the_same_bytes(headline):
    assert draw(headline) == draw(headline)
    assert "<dc:date>" not in draw(headline)


def test_another_table_gives_another_picture(headline):
    shares = headline.shares.copy()
    shares.iloc[0, 0] -= 1
    assert shown(draw(replace(headline, shares=shares))) != shown(draw(headline))


@pytest.fixture
def copies(tmp_path):
    """A picture and a README of other figures."""
    picture, readme = tmp_path / "headline.svg", tmp_path / "README.md"
    picture.write_text(PICTURE.read_text(encoding="utf-8").replace(" %</text>", "1 %</text>", 1), encoding="utf-8")
    readme.write_text("# A\n\n![Old words](docs/headline.svg)\n\nText\n", encoding="utf-8")
    return picture, readme


def test_what_is_out_of_step_is_named_and_made_again(copies, headline):
    problems = stale(*copies)
    assert [problem.split()[0] for problem in problems] == ["headline.svg", "README.md"]
    assert write(*copies) == ["headline.svg", "README.md"]
    assert stale(*copies) == write(*copies) == []
    assert copies[1].read_text(encoding="utf-8") == f"# A\n\n{in_readme(headline)}\n\nText\n"


def test_a_readme_without_the_picture_stays_as_it_is(copies):
    copies[1].write_text("# A\n", encoding="utf-8")
    with pytest.raises(CourseError, match=r"README.md does not show docs/headline.svg"):
        write(*copies)
    assert copies[1].read_text(encoding="utf-8") == "# A\n"


@pytest.mark.parametrize("cell", [TABLE_CELL, COUNT_CELL])
def test_a_notebook_without_outputs_is_named(tmp_path, cell):
    notebook = read_notebook(NOTEBOOK)
    next(one for one in notebook.cells if one.id == cell).outputs = []
    write_notebook(tmp_path / "09_hybrid.ipynb", notebook)
    with pytest.raises(CourseError, match="stores no table of its arms.*refresh 09"):
        read_headline(tmp_path / "09_hybrid.ipynb")


# The README's table of findings


def rows_of(readme):
    """What the README found in each notebook, by the notebook's number."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in readme.splitlines() if line[:1] == "|"]
    return {row[0][:2]: row[3] for row in rows if len(row) == 7 and "notebooks/" in row[0]}


def figures_in(text):
    """Its percentages and points, without signs, as (number, unit)."""
    return {(number, unit[0]) for number, unit in re.findall(r"(\d+) ?(%|points)", text)}


def unproven(readme):
    """The figures in the README's findings that their notebook does not store."""
    stored = {path.name[:2]: figures_in(outputs(read_notebook(path))) for path in SOLUTIONS.glob("*.ipynb")}
    return [(name, figure) for name, found in rows_of(readme).items() for figure in figures_in(found) - stored[name]]


def test_every_finding_in_the_readme_comes_from_its_notebook():
    readme = README.read_text(encoding="utf-8")
    assert sorted(rows_of(readme)) == sorted(path.name[:2] for path in SOLUTIONS.glob("*.ipynb"))
    assert sum(len(figures_in(found)) for found in rows_of(readme).values()) > 15
    assert unproven(readme) == []
    assert unproven(readme.replace("was 9 points ahead of the hybrid", "was 37 points ahead of the hybrid")) == [
        ("09", ("37", "p"))
    ]


# How the README puts each comparison of notebook 12: what is measured, and the two sides.
CARRIED_OVER = {
    "1: letter in format, three examples over none": (
        "letters in the house format",
        "three examples in the prompt",
        "none",
    ),
    "1: letter in format, adapter over three examples": (
        "letters in the house format",
        "an adapter",
        "three examples in the prompt",
    ),
    "1: record complete, rule over adapter": ("complete records", "a rule", "an adapter"),
    "2: tickets, neighbours in the prompt over adapter": (
        "tickets sent to the right queue",
        "similar tickets in the prompt",
        "an adapter",
    ),
    "2: tickets, vote of the nearest over adapter": (
        "tickets sent to the right queue",
        "a vote of the most similar tickets",
        "an adapter",
    ),
    "4: changed facts, RAG over adapter": (
        "right answers after a change",
        "RAG",
        "an adapter that was not trained again",
    ),
    "5: cites rightly, RAG over always citing the first": ("right citations", "RAG", "always citing the first passage"),
    "7: right, hybrid over RAG": ("right answers on the handbook", "the hybrid", "RAG"),
    "7: complete letter, template over hybrid": ("complete letters", "a template", "the hybrid"),
    "reading: handbook, nearest sentence over RAG": ("right answers on the handbook", "the nearest sentence", "RAG"),
    "reading: Python, RAG over memory": ("right answers on Python's pages", "RAG", "memory"),
    "reading: Python, nearest sentence over RAG": ("right answers on Python's pages", "the nearest sentence", "RAG"),
}
GROUPS = {
    "same verdict": "The same on both models",
    "other verdict": "Different on the two models",
    "cannot tell": "Too close to call",
}


def test_the_readme_says_what_carries_over():
    """A comparison whose verdict changed moves to another list: "first, not second" in the first list, else "or"."""
    printed = outputs(read_notebook(next(SOLUTIONS.glob("12_*.ipynb"))))
    verdicts = re.findall(r"^(same verdict|other verdict|cannot tell) +(\w.*)$", printed, re.MULTILINE)
    assert sorted(claim for _, claim in verdicts) == sorted(CARRIED_OVER)
    readme = README.read_text(encoding="utf-8")
    for verdict, heading in GROUPS.items():
        (listed,) = re.findall(rf"^\*\*{heading}[^\n]*\n\n((?:\* [^\n]*\n)+)", readme, re.MULTILINE)
        between = ", not" if verdict == "same verdict" else " or"
        wanted = [CARRIED_OVER[claim] for each, claim in verdicts if each == verdict]
        lines = [f"* {what}: {first}{between} {second}" for what, first, second in wanted]
        assert sorted(listed.splitlines()) == sorted(lines), heading


# The files that a repository's page shows


def loaded(name):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def test_the_citation_names_the_version_that_is_there():
    citation, project = loaded("CITATION.cff"), tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0" and citation["authors"] == [{"name": "The authors of finetune-or-rag"}]
    assert citation["version"] == project["project"]["version"]
    assert " AND ".join(citation["license"]) == project["project"]["license"]


def test_every_issue_form_asks_for_something():
    forms = [path for path in sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")) if path.stem != "config"]
    assert len(forms) == 3
    for form in map(loaded, forms):
        fields = [field for field in form["body"] if field["type"] != "markdown"]
        assert {"name", "description", "body"} <= set(form)
        assert len({field["id"] for field in fields}) == len(fields)
        assert any(field.get("validations", {}).get("required") for field in fields)


def test_hooks_fetch_nothing():
    repositories = loaded(".pre-commit-config.yaml")["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    assert {hook["language"] for hook in repositories[0]["hooks"]} == {"system"}
