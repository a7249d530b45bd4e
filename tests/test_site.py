"""The static site: questions as text, answers behind a fold, links that lead somewhere, nothing loaded from elsewhere.

The tests that build the site need Sphinx and are skipped without it; all others test plain text.
"""

import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
import yaml
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from utils.authoring.site import build as build_module
from utils.authoring.site.build import build_site, python_with_sphinx, size_of
from utils.authoring.site.links import Places, rewrite
from utils.authoring.site.notebooks import WIDGET, notebook_page, shown_questions, stems_of
from utils.authoring.site.pages import site_pages
from utils.authoring.site.questions import bounds_in_words, question_html
from utils.course.doctor import parse_pins
from utils.course.notebook_files import code_cells, notebook_paths, read_notebook
from utils.errors import CourseError
from utils.paths import ROOT, SOLUTIONS
from utils.quiz.options import Range
from utils.quiz.questions import load_quiz, quiz_numbers
from utils.quiz.schema import Quiz

ATTACK = '<script>alert(1)</script> <b>& "quotes" \' $x$ *stars*'
EVIDENCE = {"notebook": "02", "section": "Where an answer goes wrong"}
STEMS = {"02": "02_rag_pipeline"}
needs_sphinx = pytest.mark.skipif(
    python_with_sphinx() is None, reason="needs Sphinx: `make site` installs it into an environment of its own"
)


def question(kind, options, **fields):
    graded = {} if kind == "prediction" else {"evidence": EVIDENCE}
    raw = {"id": "q", "kind": kind, "title": "A title", "text": "A case?", "difficulty": 2, "minutes": 1}
    raw |= graded | fields | {"options": options}
    return Quiz.model_validate({"quiz": "02", "title": "t", "questions": [raw]}).questions[0]


def shown(html):
    """What a reader sees before a fold is opened."""
    soup = BeautifulSoup(html, "html.parser")
    for fold in soup.find_all("details"):
        fold.decompose()
    return soup.get_text(" ", strip=True)


def hidden(html):
    return BeautifulSoup(html, "html.parser").find("details").get_text(" ", strip=True)


# Questions

CHOICES = [{"text": "Search", "feedback": "No reason yet."}, {"text": "Look", "feedback": "It shows.", "right": True}]


def test_the_options_are_in_sight_and_the_answer_is_folded():
    html = question_html(question("decision", CHOICES), STEMS)
    assert "Search" in shown(html) and "Look" in shown(html) and "medium, about 1 minute" in shown(html)
    assert "right" not in shown(html).lower() and "It shows." not in shown(html)
    assert "b, right: It shows." in hidden(html) and "a: No reason yet." in hidden(html)


def test_the_evidence_is_a_link_to_the_section_where_that_notebook_has_a_page():
    one = question("decision", CHOICES)
    assert 'href="02_rag_pipeline.html#where-an-answer-goes-wrong"' in question_html(one, STEMS)
    without = question_html(one, {})
    assert "href" not in without and "notebook 02, “Where an answer goes wrong”" in without


def test_several_right_options_are_all_named():
    html = question_html(
        question("knowledge", [*CHOICES, {"text": "Both", "feedback": "This too.", "right": True}], several=True), STEMS
    )
    assert "b, right: It shows." in hidden(html) and "c, right: This too." in hidden(html)
    assert "a: No reason yet." in hidden(html)


def test_steps_are_shown_as_in_the_file_and_folded_in_their_order():
    steps = [
        {"text": text, "feedback": f"because {text}", "place": place}
        for text, place in zip("xyz", (3, 1, 2), strict=True)
    ]
    html = question_html(question("ordering", steps), STEMS)
    assert re.findall(r"<li>([xyz])</li>", html) == ["x", "y", "z"]
    assert re.findall(r"because ([xyz])", hidden(html)) == ["y", "z", "x"]


def test_a_number_is_folded_with_the_reason_for_each_range():
    ranges = [{"high": 3, "feedback": "Too few."}, {"low": 3, "feedback": "As counted.", "right": True}]
    html = question_html(question("numeric", ranges, value=1200, unit="answers"), STEMS)
    assert "Answer in answers." in shown(html) and "1,200" not in shown(html)
    assert "Right: 1,200 answers" in hidden(html)
    assert "under 3 answers: Too few." in hidden(html) and "3 answers or more: As counted." in hidden(html)


def test_a_bet_has_no_right_option_but_says_where_it_is_measured():
    options = [{"text": "More", "low": 0.0, "feedback": "If so."}, {"text": "Less", "high": 0.0, "feedback": "If not."}]
    html = question_html(question("prediction", options, grades_with="a.b", measured_in="02"), STEMS)
    assert "right" not in html and "a: If so." in hidden(html)
    assert '<a href="02_rag_pipeline.html">Notebook 02</a> measures it.' in html


@pytest.mark.parametrize(
    "bounds, words",
    [
        ({"high": 3}, "under 3 s"),
        ({"low": 3, "high": 5.5}, "from 3 to under 5.5 s"),
        ({"low": 1e4}, "10,000 s or more"),
    ],
)
def test_bounds_in_words(bounds, words):
    assert bounds_in_words(Range(feedback="x", **bounds), "s") == words


class Tags(HTMLParser):
    """The names of all tags in a text."""

    def __init__(self, html):
        super().__init__()
        self.names = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)


@pytest.mark.parametrize("kind", ["decision", "ordering", "numeric", "prediction"])
def test_text_from_a_quiz_never_becomes_html(kind):
    options = {
        "decision": [{"text": ATTACK, "feedback": ATTACK}, {"text": "b", "feedback": ATTACK, "right": True}],
        "ordering": [{"text": t, "feedback": ATTACK, "place": p} for t, p in ((ATTACK, 2), ("b", 1), ("c", 3))],
        "numeric": [{"high": 1, "feedback": ATTACK}, {"low": 1, "feedback": ATTACK, "right": True}],
        "prediction": [{"text": ATTACK, "feedback": ATTACK}, {"text": "b", "feedback": ATTACK}],
    }[kind]
    more = {"numeric": {"value": 2, "unit": ATTACK}, "prediction": {"measured_in": "02"}}.get(kind, {})
    one = question(kind, options, **{"title": ATTACK, "text": ATTACK} | more)
    if kind not in ("prediction",):
        one = one.model_copy(update={"evidence": one.evidence.model_copy(update={"section": ATTACK})})
    html = question_html(one, {"02": 'x"><script>'})
    assert set(Tags(html).names) <= {"div", "p", "strong", "br", "small", "ol", "ul", "li", "details", "summary", "a"}
    assert BeautifulSoup(html, "html.parser").get_text().count(ATTACK) >= 4


def test_every_question_of_the_course_becomes_text():
    stems = stems_of(notebook_paths(SOLUTIONS))
    for number in quiz_numbers():
        for one in load_quiz(number).questions:
            html = question_html(one, stems)
            text = " ".join(BeautifulSoup(html, "html.parser").get_text(" ").split())
            told = [one.title, one.text, *(option.feedback for option in one.options)]
            assert [part for part in told if " ".join(part.split()) not in text] == [], one.id


# Notebooks


def widget(plain, **twins):
    data = {WIDGET: {"model_id": "m"}, "text/plain": plain} | {f"text/{kind}": text for kind, text in twins.items()}
    return new_output("display_data", data=data)


def page_of(*outputs):
    cells = [new_markdown_cell("# 02 · T", id="c0"), new_code_cell("quiz", id="c1", outputs=list(outputs))]
    return notebook_page(new_notebook(cells=cells), "02_rag_pipeline.ipynb", STEMS)


def outputs_of(page):
    (cell,) = code_cells(page)
    return [output.get("data", {}).get("text/html") or output.get("text") for output in cell.outputs]


def test_a_card_becomes_its_question_where_it_was_shown():
    before, after = (new_output("stream", name="stdout", text=text) for text in ("before", "after"))
    html = outputs_of(page_of(before, widget("Quiz 02, question wrong_price", markdown="**old**"), after))
    assert html[0] == "before" and html[2] == "after" and len(html) == 3
    assert html[1] == question_html(load_quiz("02").find("wrong_price"), STEMS)


def test_a_whole_quiz_becomes_all_its_questions():
    (html,) = outputs_of(page_of(widget("Quiz 00: 9 questions", markdown="old")))
    assert html.count("<details>") == len(load_quiz("00").questions) == 9


def test_a_card_whose_question_is_gone_is_named():
    with pytest.raises(CourseError, match="no question 'gone'"):
        page_of(widget("Quiz 02, question gone"))


def test_progress_bars_go_and_other_widgets_become_their_text():
    bar = widget("answers:   0%|          | 0/118 [00:00<?, ?it/s]")
    html = outputs_of(page_of(bar, widget("Dashboard", markdown="# Your *progress*\n\n<script>x</script>")))
    assert html == [
        '<div class="course-text"><p class="course-heading">Your <em>progress</em></p>\n'
        "<p>&lt;script&gt;x&lt;/script&gt;</p>\n</div>"
    ]


def test_other_outputs_stay_and_the_notebook_itself_is_untouched():
    table = new_output("execute_result", data={"text/html": "<table></table>", "text/plain": "t"}, execution_count=1)
    original = new_notebook(cells=[new_markdown_cell("# T", id="c0"), new_code_cell("x", id="c1", outputs=[table])])
    page = notebook_page(original, "02_x.ipynb", STEMS)
    assert outputs_of(page) == ["<table></table>"]
    assert len(original.cells) == 2 and "notebooks/02_x.ipynb" in page.cells[1].source


def test_every_widget_of_the_solutions_has_a_place_on_the_site():
    """All cards are found: none is dropped as if it were a progress bar."""
    for path in notebook_paths(SOLUTIONS):
        outputs = [output for cell in code_cells(read_notebook(path)) for output in cell.outputs]
        cards = [one for one in outputs if "Quiz " in str(one.get("data", {}).get("text/plain", ""))]
        assert cards, path.name
        assert [one.data["text/plain"] for one in cards if not shown_questions(one)] == []


# Links

PAGES = {"README.md": "README.md", "docs/site/index.md": "index.md", "datasets/README.md": "datasets/README.md"} | {
    "solutions/02_a.ipynb": "solutions/02_a.ipynb"
}


@pytest.fixture
def places(tmp_path):
    for name in (*PAGES, "notebooks/02_a.ipynb", "LICENSE", "docs/path.svg", "utils/rag.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    return Places(PAGES, root=tmp_path)


@pytest.mark.parametrize(
    "source, before, after",
    [
        ("docs/site/index.md", "[get it](../../README.md#start)", "[get it](README.md#start)"),
        ("datasets/README.md", "[02](../notebooks/02_a.ipynb)", "[02](../solutions/02_a.ipynb)"),
        ("README.md", "See `notebooks/02_a.ipynb`.", "See [`notebooks/02_a.ipynb`](solutions/02_a.ipynb)."),
        (
            "README.md",
            "[`notebooks/02_a.ipynb`](notebooks/02_a.ipynb)",
            "[`notebooks/02_a.ipynb`](solutions/02_a.ipynb)",
        ),
        ("README.md", "`notebooks/99_none.ipynb`", "`notebooks/99_none.ipynb`"),
        ("README.md", "([LICENSE](LICENSE)).", "(LICENSE)."),
        ("README.md", "[a](https://example.org/a) [b](#start)", "[a](https://example.org/a) [b](#start)"),
        ("docs/site/index.md", "![The path](../path.svg)", "![The path](docs/path.svg)"),
        ("README.md", "[![CI](https://x.org/badge.svg)](https://x.org/ci)", "[CI](https://x.org/ci)"),
        ("README.md", '<p><img alt="A bar" src="docs/path.svg"></p>', '<p><img alt="A bar" src="docs/path.svg"></p>'),
        ("README.md", '<img src="https://x.org/a.png" alt="A badge">', "A badge"),
        ("README.md", '<a href="notebooks/02_a.ipynb">02</a>', '<a href="solutions/02_a.html">02</a>'),
        ("README.md", "```\n[a](nothing.md)\n```", "```\n[a](nothing.md)\n```"),
        ("README.md", "``[a](nothing.md)`` and `[b](none)`", "``[a](nothing.md)`` and `[b](none)`"),
    ],
)
def test_links_work_on_the_site(source, before, after, places):
    assert rewrite(before, source, places) == after


def test_with_an_address_other_files_are_linked_in_the_repository(places):
    there = Places(PAGES, "https://example.org/course", places.root)
    assert (
        rewrite("[rag](utils/rag.py)", "README.md", there) == "[rag](https://example.org/course/blob/main/utils/rag.py)"
    )


def test_pictures_are_collected(places):
    rewrite('![a](docs/path.svg) <img alt="b" src="docs/path.svg">', "README.md", places)
    assert places.copied == {"docs/path.svg"}


@pytest.mark.parametrize("link", ["[a](nothing.md)", "![a](nothing.png)", '<a href="nothing.md">a</a>', "[a](../x.md)"])
def test_a_link_to_nothing_is_named(link, places):
    with pytest.raises(CourseError, match=r"README.md links to .*, which is not there: fix the link"):
        rewrite(link, "README.md", places)


# All pages


@pytest.fixture(scope="module")
def pages():
    return site_pages()


def test_every_solution_and_every_linked_document_has_a_page(pages):
    assert [path.name for path in notebook_paths(SOLUTIONS) if f"solutions/{path.name}" not in pages] == []
    assert {"index.md", "README.md", "CONTRIBUTING.md", "datasets/README.md", "docs/path.svg"} <= set(pages)


def test_no_page_keeps_a_widget(pages):
    assert [path for path, content in pages.items() if isinstance(content, str) and WIDGET in content] == []


def test_the_front_page_lists_every_notebook_with_what_it_decides(pages):
    rows = re.findall(r"^\| \[(.*?)\]\((.*?)\) \| (.+) \|$", pages["index.md"], re.MULTILINE)
    assert [target for _, target, _ in rows] == [f"solutions/{path.name}" for path in notebook_paths(SOLUTIONS)]
    assert all(decision.endswith(".") for _, _, decision in rows)


def test_the_navigation_names_every_page_once(pages):
    entries = re.findall(r"^(?:.* <)?([\w./-]+?)>?$", "\n".join(toctrees(pages["index.md"])), re.MULTILINE)
    named = [path.rpartition(".")[0] for path in pages if path.endswith((".md", ".ipynb")) and path != "index.md"]
    assert sorted(entries) == sorted(named)


def toctrees(text):
    return re.findall(r"```\{toctree\}\n(?::\w+:[^\n]*\n)+\n(.*?)\n```", text, re.DOTALL)


def test_claims_in_the_readme_get_a_page_of_their_own(tmp_path):
    (tmp_path / "docs" / "site").mkdir(parents=True)
    (tmp_path / "datasets").mkdir()
    section = "## What we found\n\n| claim | verdict |\n|---|---|\n| [fast](datasets/README.md) | [no](#start) |\n"
    with_picture = section.replace("\n\n", "\n\n![A path](docs/site/path.png)\n\n", 1)
    (tmp_path / "docs" / "site" / "path.png").write_bytes(b"")
    (tmp_path / "README.md").write_text(f"# A\n\n## Start\n\nx\n\n{with_picture}\n## Last\n\ny\n", encoding="utf-8")
    for name in ("CONTRIBUTING.md", "datasets/README.md", "docs/site/index.md"):
        (tmp_path / name).write_text("# T\n", encoding="utf-8")
    pages = site_pages(root=tmp_path)
    assert pages["claims.md"] == f"# Claims and verdicts\n\n{section.replace('#start', 'README.md#start')}"
    (tmp_path / "README.md").write_text("# A\n\n## Start\n\nNo claim here.\n", encoding="utf-8")
    assert "claims.md" not in site_pages(root=tmp_path)


# Sphinx


def test_without_sphinx_the_command_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(build_module, "python_with_sphinx", lambda: None)
    with pytest.raises(CourseError, match="make site.*requirements-site.txt"):
        build_site(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_site_needs_neither_torch_nor_sphinx_to_be_imported():
    code = "import sys, utils.authoring.site.build; print([m for m in ('torch', 'sphinx') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "[]\n", done.stderr


def test_the_pins_agree_with_those_of_the_course():
    site, course = (
        parse_pins((ROOT / name).read_text(encoding="utf-8")) for name in ("requirements-site.txt", "requirements.lock")
    )
    listed = parse_pins((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    assert {"sphinx", "myst-nb", "furo"} <= {name.lower() for name in site}
    # Sphinx does not support the course's docutils yet.
    shared = {name: version for name, version in site.items() if name in listed and name != "docutils"}
    assert len(shared) >= 5 and {name: course[name] for name in shared} == shared


def test_the_workflow_publishes_what_make_site_builds():
    text = (ROOT / ".github" / "workflows" / "site.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert workflow[True] == {"push": {"branches": ["main"]}, "workflow_dispatch": None}  # YAML reads `on` as true
    assert "make site" in text and "path: build/site/html" in text
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["jobs"]["deploy"]["permissions"] == {"pages": "write", "id-token": "write"}
    assert re.findall(r"uses: \S+@(?!v\d+$)\S+", text, re.MULTILINE) == []


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    return build_site(tmp_path_factory.mktemp("site"))


@needs_sphinx
def test_the_site_is_built_without_a_warning(html):
    count, size = size_of(html)
    assert count > len(notebook_paths(SOLUTIONS)) + 3
    assert size < 10_000_000


@needs_sphinx
def test_no_page_loads_anything_from_elsewhere(html):
    loading = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "srcset", "object": "data"}
    found = []
    for path in sorted(html.rglob("*.html")):
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")
        targets = [tag[name] for kind, name in loading.items() for tag in soup.find_all(kind) if tag.has_attr(name)]
        assert targets, path.name
        found += [f"{path.name}: {target}" for target in targets if re.match(r"(https?:)?//", target)]
    assert found == []
    styles = [path.read_text(encoding="utf-8") for path in html.rglob("*.css")]
    assert styles and [text for text in styles if re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", text)] == []


@needs_sphinx
def test_each_question_is_on_the_page_of_its_notebook_with_its_answer_folded(html):
    for path in notebook_paths(SOLUTIONS):
        soup = BeautifulSoup((html / "solutions" / f"{path.stem}.html").read_text(encoding="utf-8"), "lxml")
        cells = code_cells(read_notebook(path))
        wanted = [one.title for cell in cells for output in cell.outputs for one in shown_questions(output)]
        cards = soup.select(".course-question")
        assert [card.select_one(".course-title").get_text() for card in cards] == wanted
        assert all(len(card.select("details:not([open])")) == 1 for card in cards)


@needs_sphinx
def test_formulas_are_mathml_and_prices_are_no_formulas(html):
    pages = {path.stem for path in html.rglob("*.html") if "<math" in path.read_text(encoding="utf-8")}
    assert pages == {"05_lora"}
