"""The pages for teachers follow the notebooks and quizzes, and the slides load nothing from elsewhere."""

import base64
import json
import re
import shutil
from html.parser import HTMLParser

import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from utils.authoring import __main__ as command_line
from utils.authoring import slides as slides_module
from utils.authoring.slides import REVEAL_VERSION, deck_notebook, decks, make_decks, slides_of
from utils.authoring.teaching import pages as pages_module
from utils.authoring.teaching.pages import FOLDER, MADE, make_pages, stale_pages, write_pages
from utils.authoring.teaching.plan import (
    CHECKPOINT,
    DISCUSSION,
    Teaching,
    planned,
    read_teaching,
)
from utils.authoring.teaching.sections import LINES_PER_MINUTE, WORDS_PER_MINUTE, lessons
from utils.course.notebook_files import normalise, notebook_paths, write_notebook
from utils.errors import CourseError
from utils.paths import SOLUTIONS

LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.fixture(scope="module")
def course():
    """All notebooks as lessons: read once, because that takes seconds."""
    return lessons()


@pytest.fixture(scope="module")
def made(course):
    return make_pages(read_teaching(), course)


# A small course

QUIZ = {
    "quiz": "02",
    "title": "Small",
    "questions": [
        {
            "id": "pick",
            "kind": "decision",
            "difficulty": 1,
            "minutes": 2,
            "title": "Decide: a *price* of $5",
            "text": "Is <b> it $5 or $6?",
            "evidence": {"notebook": "02", "section": "First"},
            "options": [
                {"text": "Five", "feedback": "Yes, five.", "right": True},
                {"text": "Six", "feedback": "No, five."},
            ],
        },
        {
            "id": "count",
            "kind": "knowledge",
            "difficulty": 1,
            "minutes": 3,
            "title": "Check",
            "text": "How many?",
            "evidence": {"notebook": "02", "section": "First"},
            "options": [
                {"text": "One", "feedback": "Yes, one.", "right": True},
                {"text": "Two", "feedback": "No, one."},
            ],
        },
    ],
}
PLAN = {
    "name": "An hour",
    "page": "an-hour",
    "minutes": 60,
    "goal": "To see.",
    "blocks": [
        {"title": "Welcome", "minutes": 5},
        {"notebook": "02", "do": ["First"], "show": ["Second"], "ask": ["count"]},
    ],
}


@pytest.fixture
def small(tmp_path):
    """A course of one notebook: 200 words of prose, an exercise of 4 minutes and two questions."""
    cells = [
        new_markdown_cell("# 02 · Small", id="a"),
        new_markdown_cell("## First\n\n" + "word " * 98, id="b"),
        new_code_cell('quiz.show("pick")\n\n1 + 1\n2\n3\n4', id="c"),
        new_markdown_cell("**Difficulty** ●○○ · **about 4 minutes**", id="d"),
        new_markdown_cell("## Second\n\n" + "word " * 398, id="e"),
        new_code_cell('quiz.show("count")', id="f"),
    ]
    write_notebook(tmp_path / "solutions" / "02_small.ipynb", normalise(new_notebook(cells=cells)))
    (tmp_path / "quizzes").mkdir()
    (tmp_path / "quizzes" / "02.yaml").write_text(yaml.safe_dump(QUIZ), encoding="utf-8")
    return tmp_path


def small_lessons(small):
    return lessons(small / "solutions", small / "quizzes")


def teaching_of(**changes):
    whole = {"formats": [PLAN]} | changes
    return Teaching.model_validate(whole)


# Minutes


def test_minutes_follow_from_words_lines_exercises_and_questions(small):
    first, second = (small_lessons(small)["02"].section(name) for name in ("First", "Second"))
    assert (first.words, first.lines, first.exercise_minutes) == (106, 5, 4)
    assert first.minutes == pytest.approx(106 / WORDS_PER_MINUTE + 5 / LINES_PER_MINUTE + 4 + 2)
    assert [one.id for one in second.questions] == ["count"]


def test_a_block_counts_what_is_done_shown_and_asked(small):
    welcome, block = planned(teaching_of().formats[0], small_lessons(small))
    assert (welcome.start, welcome.minutes, block.start) == (0, 5, 5)
    shown = 0.5 * (400 / WORDS_PER_MINUTE + 1 / LINES_PER_MINUTE)
    exact = (1.06 + 1 + 4) + shown + (2 + 3) + DISCUSSION + CHECKPOINT
    assert exact == pytest.approx(18.16)
    assert block.minutes == 20


def test_a_changed_quiz_changes_the_plan(small):
    before = make_pages(teaching_of(), small_lessons(small))["plan-an-hour.md"]
    longer = json.loads(json.dumps(QUIZ))
    longer["questions"][0]["minutes"] = 12
    (small / "quizzes" / "02.yaml").write_text(yaml.safe_dump(longer), encoding="utf-8")
    after = make_pages(teaching_of(), small_lessons(small))["plan-an-hour.md"]
    assert "25 of 60 minutes are planned" in before
    assert "35 of 60 minutes are planned" in after


def test_a_plan_that_takes_too_long_says_so(small):
    short = teaching_of(formats=[PLAN | {"minutes": 30, "blocks": [{"title": "Talk", "minutes": 31}]}])
    with pytest.raises(CourseError, match='The plan "An hour" takes 31 minutes of 30'):
        planned(short.formats[0], small_lessons(small))


def test_a_notebook_without_a_quiz_is_a_lesson_too(small):
    (small / "quizzes" / "02.yaml").unlink()
    lesson = small_lessons(small)["02"]
    assert lesson.decisions == [] and lesson.section("First").questions == ()
    page = make_pages(teaching_of(formats=[]), {"02": lesson})["notebooks/02.md"]
    assert "takes a learner about 15 minutes alone. This page" in page


def test_every_question_of_the_real_quizzes_is_counted_once(course):
    for number, lesson in course.items():
        if lesson.quiz:
            shown = [question.id for section in lesson.sections for question in section.questions]
            assert sorted(shown) == sorted(question.id for question in lesson.quiz.questions), number


def test_every_notebook_that_there_is_has_a_page(course, made):
    stems = [path.name.partition("_")[0] for path in notebook_paths(SOLUTIONS)]
    assert list(course) == stems
    assert {f"notebooks/{number}.md" for number in stems} <= set(made)


# What is written by hand


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"formats": [PLAN | {"blocks": [{"notebook": "02", "do": ["Third"]}]}]}, "has no section 'Third'"),
        ({"formats": [PLAN | {"blocks": [{"notebook": "02", "ask": ["gone"]}]}]}, "has no question 'gone'"),
        ({"formats": [PLAN | {"blocks": [{"notebook": "02", "do": ["First"], "ask": ["pick"]}]}]}, "asks 'pick' twice"),
        ({"formats": [PLAN | {"blocks": [{"notebook": "02", "minutes": 5}]}]}, "states its minutes"),
        (
            {"formats": [PLAN | {"blocks": [{"notebook": "02", "do": ["First"], "checkpoint": ["Second"]}]}]},
            "has no section 'Second' for its `checkpoint`",
        ),
        ({"formats": [PLAN | {"blocks": [{"title": "Break"}]}]}, "needs `title` and `minutes`"),
        ({"formats": [PLAN | {"blocks": [{"notebook": "03"}]}]}, "names notebook 03, which does not exist"),
        ({"notes": {"02": {"Third": {"able": "x"}}}}, "has no section 'Third'"),
        ({"remarks": {"02": {"pick": {"likely": "Five", "say": "x"}}}}, "0 wrong options begin so"),
        ({"remarks": {"02": {"count": {"likely": "Two", "say": "x"}}}}, "0 wrong options begin so"),
        ({"remarks": {"03": {"pick": {"likely": "Six", "say": "x"}}}}, "names notebook 03"),
    ],
)
def test_what_is_written_by_hand_must_fit_the_course(small, changes, message):
    with pytest.raises(CourseError, match=re.escape(message)):
        make_pages(teaching_of(**changes), small_lessons(small))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("formats: [", "is not valid YAML at line 1"),
        ("formats: 3", "formats: "),
        ("formats: []\nremark: {}", "remark: "),
    ],
)
def test_a_wrong_file_is_one_sentence(tmp_path, text, message):
    (tmp_path / "teaching.yaml").write_text(text)
    with pytest.raises(CourseError, match=re.escape(message)) as caught:
        read_teaching(tmp_path / "teaching.yaml")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(CourseError, match="restore it with"):
        read_teaching(tmp_path / "teaching.yaml")


def test_remarks_notes_and_blocks_stand_on_the_pages(small):
    teaching = teaching_of(
        notes={"02": {"First": {"discuss": "Why five?", "able": "That it is five."}, "Second": {"able": "More."}}},
        remarks={"02": {"pick": {"likely": "Six", "say": "Count again."}}},
    )
    found = make_pages(teaching, small_lessons(small))
    plan, page = found["plan-an-hour.md"], found["notebooks/02.md"]
    assert "- Why five?" in plan and "- That it is five.\n- More." in plan
    assert "likely wrong answer b" in plan and "Expect **b** from many" in page and "Count again." in page
    assert "**a, right** Five" in page and "No, five." in page
    assert r"a \*price\* of \$5" in page and r"\<b\>" in page


def test_an_exercise_is_named_where_learners_do_it_and_not_where_it_is_shown(small):
    done = make_pages(teaching_of(), small_lessons(small))["plan-an-hour.md"]
    assert "- First, with an exercise of 4 minutes\n" in done
    shown_only = PLAN | {"blocks": [{"notebook": "02", "show": ["First"]}]}
    page = make_pages(teaching_of(formats=[shown_only]), small_lessons(small))["plan-an-hour.md"]
    assert "**You show, from the solution**\n\n- First\n" in page


def test_a_block_ends_with_a_few_sentences(small, monkeypatch):
    notes = {"02": {"First": {"able": "One."}, "Second": {"able": "Two."}}}
    monkeypatch.setattr(pages_module, "SENTENCES", 1)
    with pytest.raises(CourseError, match="notebook 02 ends with 2 sentences of 1 at most"):
        make_pages(teaching_of(notes=notes), small_lessons(small))
    chosen = PLAN | {"blocks": [PLAN["blocks"][1] | {"checkpoint": ["Second"]}]}
    page = make_pages(teaching_of(formats=[chosen], notes=notes), small_lessons(small))["plan-an-hour.md"]
    assert "- Two." in page and "- One." not in page


@pytest.mark.parametrize(
    ("second", "heading"),
    [({}, "Discuss, if there is time"), ({"discuss": "B?"}, "Discuss one of these, if there is time")],
)
def test_one_question_is_enough_to_discuss(small, second, heading):
    notes = {"02": {"First": {"discuss": "A?"}, "Second": {"able": "That."} | second}}
    page = make_pages(teaching_of(notes=notes), small_lessons(small))["plan-an-hour.md"]
    assert f"**{heading}**\n\n- A?\n" in page


def test_the_real_remarks_cover_the_decisions_of_the_plans(course):
    teaching = read_teaching()
    asked = {
        (block.lesson.number, question.id)
        for form in teaching.formats
        for block in planned(form, course)
        if block.lesson
        for question in block.decisions
    }
    assert len(asked) >= 10
    assert [one for one in sorted(asked) if one[1] not in teaching.remarks.get(one[0], {})] == []


# Pages and files


def test_the_pages_are_in_step(made):
    stale = [name for name, text in made.items() if (FOLDER / name).read_text(encoding="utf-8") != text]
    assert stale == [], "run `python -m utils.authoring teaching`"
    ours = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.md")}
    assert ours - set(made) == {"README.md"}


def test_pages_are_written_compared_and_removed(small, monkeypatch, capsys):
    monkeypatch.setattr(pages_module, "lessons", lambda: small_lessons(small))
    folder = small / "teaching"
    (folder / "notebooks").mkdir(parents=True)
    (folder / "teaching.yaml").write_text(yaml.safe_dump({"formats": [PLAN]}), encoding="utf-8")
    (folder / "notebooks" / "99.md").write_text(f"{MADE}\nold", encoding="utf-8")
    (folder / "README.md").write_text("by hand", encoding="utf-8")
    assert len(stale_pages(folder)) == 4
    assert sorted(write_pages(folder)) == ["minutes.md", "notebooks/02.md", "notebooks/99.md", "plan-an-hour.md"]
    assert stale_pages(folder) == [] and write_pages(folder) == []
    assert (folder / "README.md").read_text() == "by hand" and not (folder / "notebooks" / "99.md").exists()
    (folder / "minutes.md").write_text("edited")
    assert "minutes.md is out of step: run `python -m utils.authoring teaching`" in stale_pages(folder)[0]


def test_the_command_fails_when_a_page_is_out_of_step(monkeypatch, capsys):
    monkeypatch.setattr(pages_module, "stale_pages", lambda: ["one is out of step"])
    assert command_line.main(["teaching", "--check"]) == 1
    assert capsys.readouterr().out == "one is out of step\n"
    monkeypatch.setattr(pages_module, "stale_pages", lambda: [])
    assert command_line.main(["teaching", "--check"]) == 0


def anchors(text):
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.replace("\\", "").lower()).replace(" ", "-") for heading in headings}


def test_every_link_of_the_pages_leads_somewhere():
    broken, count = [], 0
    for path in FOLDER.rglob("*.md"):
        for link in LINK.findall(path.read_text(encoding="utf-8")):
            target, _, anchor = link.partition("#")
            goal = path.parent / target if target else path
            count += 1
            if not goal.exists() or (anchor and anchor not in anchors(goal.read_text(encoding="utf-8"))):
                broken.append(f"{path.name}: {link}")
    assert count > 40 and broken == []


def test_the_plans_say_that_no_class_was_timed(made):
    plans = [text for name, text in made.items() if name.startswith("plan-")]
    assert len(plans) == 3
    for text in [*plans, (FOLDER / "README.md").read_text(encoding="utf-8")]:
        assert "No class has been timed" in text


def test_the_readme_names_the_version_of_reveal_that_is_checked():
    assert f"reveal.js@{REVEAL_VERSION}" in (FOLDER / "README.md").read_text(encoding="utf-8")


# Slides


class Loaded(HTMLParser):
    """Everything that a page loads, and its inline styles and scripts."""

    def __init__(self):
        super().__init__()
        self.loaded, self.inline, self.inside = [], [], False

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        if tag in {
            "script",
            "link",
            "img",
            "iframe",
            "object",
            "embed",
            "source",
            "video",
            "audio",
            "base",
            "image",
            "use",
        }:
            self.loaded += [
                value for name, value in named.items() if name in {"src", "href", "data", "srcset"} and value
            ]
        self.inline.append(named.get("style") or "")
        self.inside = tag in {"script", "style"}

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in {"script", "style"}

    def handle_data(self, data):
        if self.inside:
            self.inline.append(data)


REMOTE = re.compile(
    r"(?:url\(|@import|import |from |src\s*=|fetch\(|href\s*=)\s*[\"'(]*\s*(?:https?:)?//", re.IGNORECASE
)


def remote_references(page):
    parser = Loaded()
    parser.feed(page)
    loaded = [link for link in parser.loaded if re.match(r"(https?:)?//", link.strip(), re.IGNORECASE)]
    return loaded + [found[0] for text in parser.inline for found in REMOTE.finditer(text)]


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//cdn.example/x.css">',
        "<style>@import url('https://fonts.example/x.css');</style>",
        "<p style=\"background: url('http://a.example/b.png')\">",
        "<script type='module'>import mermaid from 'https://cdn.example/m.mjs';</script>",
        '<img src="http://a.example/b.png">',
    ],
)
def test_a_remote_reference_is_found(page):
    assert remote_references(page)
    assert not remote_references('<a href="https://arxiv.org">x</a><img src="data:image/png;base64,AA">')


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory):
    """A stand-in for what npm fetches: the slides only link its files."""
    folder = tmp_path_factory.mktemp("node_modules")
    (folder / "reveal.js" / "dist" / "theme").mkdir(parents=True)
    (folder / "reveal.js" / "package.json").write_text(json.dumps({"version": REVEAL_VERSION}))
    for name in (
        "LICENSE",
        "dist/reveal.js",
        "dist/reveal.css",
        "dist/theme/white.css",
        "dist/theme/simple.css",
        "dist/reveal.js.map",
    ):
        (folder / "reveal.js" / name).write_text("/* */")
    return folder


@pytest.fixture(scope="module")
def two_notebooks(tmp_path_factory):
    """Notebook 05, which has formulas, and A2, whose answers are folded away: parts II and III."""
    folder = tmp_path_factory.mktemp("solutions")
    for path in notebook_paths(SOLUTIONS):
        if path.name.startswith(("05", "A2")):
            shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="module")
def made_decks(tmp_path_factory, node_modules, two_notebooks):
    out = tmp_path_factory.mktemp("decks")
    return make_decks(out, node_modules, two_notebooks)


def test_slides_load_nothing_from_elsewhere(made_decks):
    assert [path.name for path in made_decks] == ["part-2.html", "part-3.html"]
    for path in made_decks:
        page = path.read_text(encoding="utf-8")
        assert remote_references(page) == []
        for link in re.findall(r'(?:src|href)="(reveal\.js/[^"]+)"', page):
            assert (path.parent / link).is_file(), link
        assert page.count("reveal.js/dist/reveal.js") == 1 and "Reveal.initialize" in page
        assert "require(" not in page and "MathJax" not in page
    copied = {path.name for path in made_decks[0].parent.rglob("*") if path.is_file() and "reveal.js" in path.parts}
    assert copied == {"LICENSE", "reveal.js", "reveal.css", "white.css"}


def test_slides_show_no_code_and_no_widgets(made_decks):
    page = made_decks[0].read_text(encoding="utf-8")
    assert "widget-view+json" not in page and 'class="jp-InputPrompt' not in page
    assert "from utils." not in page and "quiz.answer(" not in page
    assert "Decide: forty customers, forty formats" in page
    assert 'alt="B A"' in page and page.count("$") < 5


def test_the_parts_take_in_every_notebook_that_there_is(tmp_path):
    for number in ("00", "04", "05", "09", "10", "12", "A1", "A3"):
        (tmp_path / f"{number}_x.ipynb").touch()
    found = {deck.stem: [path.name[:2] for path in deck.notebooks] for deck in decks(tmp_path)}
    assert found == {"part-1": ["00", "04"], "part-2": ["05", "09"], "part-3": ["10", "12", "A1", "A3"]}
    real = [path for deck in decks() for path in deck.notebooks]
    assert sorted(real) == notebook_paths(SOLUTIONS)


def output(text="", html="", markdown=""):
    if text:
        return new_output("stream", name="stdout", text=text)
    data = {"text/html": html, "text/plain": "x"} if html else {"text/markdown": markdown, "text/plain": "x"}
    return new_output("display_data", data=data)


def shown(*cells):
    notebook = new_notebook(cells=[new_markdown_cell("# T\n\nOne. Two."), *cells])
    return [
        (
            slide.kind,
            slide.cell.source or slide.cell.outputs[0].get("text") or next(iter(slide.cell.outputs[0].data.values())),
        )
        for slide in slides_of(notebook)
    ]


def code(*outputs, verdict=False):
    return new_code_cell("x = 1", outputs=list(outputs), metadata={"tags": ["nbval-check-output"]} if verdict else {})


def test_only_figures_and_verdicts_become_slides():
    table, figure = output(html="<table></table>"), output(html='<img src="data:,">')
    title = ("slide", "# T\n\nOne. Two.")
    assert shown(code(output("noise"))) == [title]
    assert shown(code(output("RAG is higher"), verdict=True)) == [title, ("-", "RAG is higher")]
    assert shown(code(figure), code(table)) == [title, ("subslide", '<img src="data:,">')]
    assert shown(code(output("noise")), code(table)) == [title, ("subslide", "<table></table>")]
    assert shown(code(output("\n".join("abcdefgh")), verdict=True))[1][0] == "subslide"


def test_questions_become_one_slide_each_without_how_to_answer():
    cards = "\n\n".join(
        [
            "**Q1**",
            "- **a** x",
            'Answer with `quiz.answer("q", "a")`, or another letter.',
            "**Q2**",
            'Answer with `quiz.answer("r", 42)`, or another number.',
        ]
    )
    assert shown(code(output(markdown=cards), verdict=True))[1:] == [
        ("subslide", "**Q1**\n\n- **a** x"),
        ("subslide", "**Q2**"),
    ]
    assert shown(code(output(markdown="**Your progress.**"), verdict=True))[1:] == []


def test_a_section_begins_with_whole_sentences():
    long = "This sentence has six words. " * 30
    cells = [new_markdown_cell(f"## A\n\n{long}"), new_markdown_cell("## B\n\n**Difficulty** x\n\nDo it.\n\nAnd more.")]
    (_, first), (_, second) = shown(*cells)[1:]
    assert first == "## A\n\n" + " ".join(["This sentence has six words."] * 12)
    assert second == "## B\n\nDo it."


def test_a_heading_without_anything_is_left_out():
    assert len(shown(new_markdown_cell("## Words\n\n| a | b |\n|---|---|"), code())) == 1


def test_formulas_become_pictures_and_prices_stay():
    ((_, text),) = [
        one for one in shown(new_markdown_cell(r"## A" + "\n\n" + r"$x^2$ costs \$19, then \$12.")) if "A" in one[1]
    ]
    found = re.search(r'alt="x\^2" src="data:image/svg\+xml;base64,([^"]+)"', text)
    assert b"<svg" in base64.b64decode(found[1])
    assert text.endswith(r"costs \$19, then \$12.")


def test_a_formula_that_cannot_be_drawn_is_shown_as_text():
    assert r"<code>\nonsense{x}</code>" in shown(new_markdown_cell("## A\n\n" + r"$\nonsense{x}$ here."))[1][1]


def test_cells_of_a_deck_have_types(two_notebooks):
    deck = decks(two_notebooks)[0]
    notebook = deck_notebook(deck)
    kinds = [cell.metadata["slideshow"]["slide_type"] for cell in notebook.cells]
    assert kinds[0] == "slide" and kinds.count("slide") == 2 and set(kinds) == {"slide", "subslide", "-"}


@pytest.mark.parametrize("version", [None, "4.0.2"])
def test_without_the_right_reveal_nothing_is_written(tmp_path, capsys, version):
    if version:
        (tmp_path / "m" / "reveal.js").mkdir(parents=True)
        (tmp_path / "m" / "reveal.js" / "package.json").write_text(json.dumps({"version": version}))
    assert command_line.main(["slides", str(tmp_path / "out"), "--node-modules", str(tmp_path / "m")]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and f"reveal.js@{REVEAL_VERSION}" in said
    assert not (tmp_path / "out").exists()


def test_nbconvert_s_failure_is_one_sentence(tmp_path, monkeypatch, node_modules, two_notebooks):
    monkeypatch.setattr(slides_module, "TEMPLATE", tmp_path / "gone.html.j2")
    with pytest.raises(CourseError, match="nbconvert made no slides of part-2") as caught:
        make_decks(tmp_path / "out", node_modules, two_notebooks)
    assert "\n" not in str(caught.value)
