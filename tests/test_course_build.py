"""Solutions become learner copies: stubs in, outputs out, nothing given away, and drift is noticed."""

import json
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from utils.authoring import __main__ as command_line
from utils.authoring import build as build_module
from utils.authoring import output_checks
from utils.authoring.build import build, checked_copy, drift, leaked_lines, parse_cell
from utils.authoring.kept_results import FOLDER
from utils.authoring.output_checks import execution_problems, unexecuted
from utils.authoring.refresh import Run, chosen_paths, refresh
from utils.course.learner_copy import FINGERPRINT, Split, split_solution
from utils.course.notebook_files import NotebookError, normalise, notebook_text, read_notebook, write_notebook
from utils.course.reset import reset
from utils.errors import CourseError
from utils.paths import ROOT

FUNCTION = """def top_k(scores, k):
    # BEGIN SOLUTION
    order = np.argsort(-scores)
    return order[:k]
    # END SOLUTION"""

FUNCTION_STUB = """def top_k(scores, k):
    # your code here
    ..."""


def notebook_of(*cells):
    return new_notebook(cells=list(cells))


def code(source, count=None, outputs=(), tags=(), cell_id="c1"):
    metadata = {"tags": list(tags)} if tags else {}
    return new_code_cell(source, id=cell_id, execution_count=count, outputs=list(outputs), metadata=metadata)


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def learner_of(*cells):
    return checked_copy(notebook_of(*cells), "solutions/x.ipynb")


@pytest.fixture
def course(tmp_path):
    """Two folders with one solution, executed, and its learner copy."""
    solutions, notebooks = tmp_path / "solutions", tmp_path / "notebooks"
    cell = code(FUNCTION + "\n\nprint(1)", count=1, outputs=[stream("1\n")], tags=["nbval-check-output"])
    write_notebook(solutions / "00_a.ipynb", normalise(notebook_of(cell)))
    build(solutions, notebooks)
    return solutions, notebooks


def changed_solution(course):
    write_notebook(course[0] / "00_a.ipynb", normalise(notebook_of(code("print('a newer one')"))))


def backups(course):
    return sorted((course[1].parent / "backups").glob("*"))


@pytest.fixture
def command(course, monkeypatch):
    """The command line, working on that course."""
    monkeypatch.setattr(build_module, "build", partial(build, *course))
    monkeypatch.setattr(build_module, "drift", partial(drift, *course))
    monkeypatch.setattr(output_checks, "unexecuted", partial(unexecuted, course[0]))
    return lambda *arguments: command_line.main(arguments)


class TestRegions:
    def test_a_function_body_becomes_a_stub_that_returns_none(self):
        split = split_solution(FUNCTION)
        assert split.learner == FUNCTION_STUB
        assert split.hidden == ("    order = np.argsort(-scores)", "    return order[:k]")
        names = {}
        exec(split.learner, names)
        assert names["top_k"]([1], 1) is None

    def test_several_regions_and_what_stands_between_them(self):
        source = "a = 1\n# BEGIN SOLUTION\nb = 2\n# END SOLUTION\nc = 3\n### BEGIN SOLUTION\n### END SOLUTION\nd = 4"
        assert split_solution(source).learner == "a = 1\n# your code here\n...\nc = 3\n# your code here\n...\nd = 4"

    def test_a_cell_without_regions_stays(self):
        assert split_solution("x = 1\n\nx") == Split("x = 1\n\nx", ())

    @pytest.mark.parametrize(
        "source, words",
        [
            ("# BEGIN SOLUTION\n# BEGIN SOLUTION\n# END SOLUTION", "inside another"),
            ("x = 1\n# END SOLUTION", "never opened"),
            ("# BEGIN SOLUTION\n# END SOLUTION\n# END SOLUTION", "never opened"),
            ("# BEGIN SOLUTION\nx = 1", "never closes"),
            ("x = 1  # BEGIN SOLUTION\n# END SOLUTION", "is not alone on its line"),
        ],
    )
    def test_markers_that_do_not_pair_are_named_with_notebook_and_cell(self, source, words):
        with pytest.raises(ValueError, match=words) as caught:
            learner_of(code(source, cell_id="lonely-cell"))
        assert "solutions/x.ipynb, cell lonely-cell" in str(caught.value)

    def test_a_marker_in_prose_is_an_error(self):
        with pytest.raises(NotebookError, match="cell m1: has a solution marker in prose"):
            learner_of(new_markdown_cell("# BEGIN SOLUTION", id="m1"))

    def test_a_stub_that_does_not_parse_is_an_error(self):
        source = "if True:\n# BEGIN SOLUTION\n    x = 1\n# END SOLUTION"
        with pytest.raises(NotebookError, match="cell c1: no longer parses"):
            learner_of(code(source))

    @pytest.mark.parametrize("source", ["%matplotlib inline\nx = 1", "%%time\nx = 1", "!ls", "x?", "await f()"])
    def test_magics_and_await_parse(self, source):
        assert parse_cell(source).body
        assert learner_of(code(source)).cells[0].source == source


class TestLearnerCopy:
    def test_outputs_counts_and_widget_state_go_ids_and_tags_stay(self):
        cell = code("print(1)", count=7, outputs=[stream("1\n")], tags=["raises-exception", "nbval-check-output"])
        cell.metadata["execution"] = {"iopub.execute_input": "2026-11-01"}
        solution = notebook_of(cell)
        solution.metadata = {"widgets": {"state": {}}, "kernelspec": {"name": "my-env", "display_name": "mine"}}
        learner = checked_copy(solution, "x")
        (copy,) = learner.cells
        assert (copy.outputs, copy.execution_count, copy.id) == ([], None, "c1")
        assert copy.metadata == {"tags": ["raises-exception"]}
        assert set(learner.metadata) == {"kernelspec", "language_info", FINGERPRINT}
        assert learner.metadata["kernelspec"]["name"] == "python3"

    def test_the_solution_itself_is_not_changed(self):
        solution = notebook_of(code(FUNCTION, count=1, outputs=[stream("1\n")]))
        before = nbformat.writes(solution)
        checked_copy(solution, "x")
        assert nbformat.writes(solution) == before

    def test_cells_tagged_as_solution_are_left_out(self):
        prose = new_markdown_cell("The reason is plain to see.", id="p", metadata={"tags": ["solution"]})
        learner = learner_of(code("x = 1", cell_id="kept"), prose, code("x", tags=["solution-only"], cell_id="gone"))
        assert [cell.id for cell in learner.cells] == ["kept"]

    def test_the_copy_is_a_valid_notebook(self):
        nbformat.validate(learner_of(code(FUNCTION), new_markdown_cell("Read on.", id="m")))


class TestLeaks:
    LINE = "return order[:k]"

    @pytest.mark.parametrize(
        "other",
        [
            code("order[:k]\n\ndef hint():\n    return order[ :k ]", cell_id="c2"),
            new_markdown_cell(f"Hint: write `{LINE}`.", id="c2"),
            code(f"# {LINE}", cell_id="c2"),
        ],
        ids=["code", "prose", "comment"],
    )
    def test_a_line_of_the_solution_elsewhere_is_an_error(self, other):
        with pytest.raises(NotebookError, match=r"still shows this line of the solution: 'return order\[:k\]'"):
            learner_of(code(FUNCTION), other)

    def test_a_line_of_a_left_out_cell_is_guarded_as_well(self):
        prose = new_markdown_cell("Mean pooling averages the token vectors.", id="p", metadata={"tags": ["solution"]})
        with pytest.raises(NotebookError, match="Mean pooling"):
            learner_of(prose, new_markdown_cell("Mean pooling averages the  token vectors.", id="q"))

    def test_lines_that_give_nothing_away_may_recur(self):
        trivial = ["import numpy as np", "from math import sqrt, pi", "# a comment of some length", "return scores", ""]
        learner = notebook_of(code("\n".join(trivial)))
        assert leaked_lines(trivial, learner) == []


class TestFolders:
    @pytest.mark.parametrize(
        "change",
        [
            lambda cells: cells[0].update(source="print('mine')"),
            lambda cells: cells[0].update(execution_count=3),
            lambda cells: cells[0].update(outputs=[stream("1\n")]),
            lambda cells: cells.append(new_markdown_cell("My notes.", id="notes")),
            lambda cells: cells.clear(),
        ],
        ids=["edited", "executed", "with an output", "a new cell", "cells deleted"],
    )
    def test_a_copy_with_work_in_it_is_backed_up_first(self, course, capsys, change):
        copy = course[1] / "00_a.ipynb"
        notebook = read_notebook(copy)
        change(notebook.cells)
        copy.write_text(notebook_text(notebook))
        mine = copy.read_bytes()
        assert build(*course) == [copy]
        (kept,) = backups(course)
        assert kept.read_bytes() == mine
        assert kept.name in capsys.readouterr().out
        assert drift(*course) == []

    @pytest.mark.parametrize("content", [b"not json", b"\xff\xfe", b"", b'{"nbformat": 4, "cells": ["x"]}'])
    def test_a_copy_that_cannot_be_read_is_backed_up_as_it_is(self, course, content):
        (course[1] / "00_a.ipynb").write_bytes(content)
        build(*course)
        assert [path.read_bytes() for path in backups(course)] == [content]
        assert drift(*course) == []

    def test_a_copy_without_a_fingerprint_counts_as_work_unless_it_is_what_the_solution_gives(self, course):
        copy = course[1] / "00_a.ipynb"
        fresh = read_notebook(copy)
        write_notebook(copy, normalise(fresh))
        assert build(*course) == [copy] and backups(course) == []
        write_notebook(copy, normalise(notebook_of(code("print('whose?')"))))
        assert build(*course) == [copy] and len(backups(course)) == 1

    def test_an_older_copy_without_work_is_replaced_without_a_backup(self, course):
        changed_solution(course)
        assert build(*course) and drift(*course) == []
        assert backups(course) == []

    def test_what_jupyterlab_changes_on_saving_is_no_work(self, course):
        copy = course[1] / "00_a.ipynb"
        saved = json.loads(copy.read_text())
        saved["metadata"]["language_info"] |= {"version": "3.12.1", "codemirror_mode": {"name": "ipython"}}
        saved["metadata"]["widgets"] = {"state": {}}
        saved["cells"][0]["metadata"] |= {"editable": True, "slideshow": {"slide_type": ""}, "trusted": True}
        saved["cells"][0]["source"] = "".join(saved["cells"][0]["source"])
        copy.write_text(json.dumps(dict(reversed(saved.items())), indent=4))
        changed_solution(course)
        assert build(*course) == [copy] and backups(course) == []

    def test_starting_over_gives_the_copy_that_building_gives(self, course):
        copy = course[1] / "00_a.ipynb"
        built = copy.read_bytes()
        copy.unlink()
        reset("00", *course)
        assert copy.read_bytes() == built

    def test_building_twice_changes_nothing(self, course):
        solutions, notebooks = course
        before = (notebooks / "00_a.ipynb").stat().st_mtime_ns
        assert build(solutions, notebooks) == []
        assert (notebooks / "00_a.ipynb").stat().st_mtime_ns == before
        assert drift(solutions, notebooks) == []

    def test_an_edited_copy_is_drift_until_it_is_built_again(self, course):
        solutions, notebooks = course
        path = notebooks / "00_a.ipynb"
        path.write_text(path.read_text().replace("your code here", "my code here"))
        (line,) = drift(solutions, notebooks)
        assert line.startswith("notebooks/00_a.ipynb differs") and "python -m utils.authoring build" in line
        assert build(solutions, notebooks) == [path]
        assert drift(solutions, notebooks) == []

    def test_missing_and_extra_copies_are_drift(self, course):
        solutions, notebooks = course
        os.rename(notebooks / "00_a.ipynb", notebooks / "99_z.ipynb")
        missing, extra = drift(solutions, notebooks)
        assert missing == "notebooks/00_a.ipynb is missing: run `python -m utils.authoring build`"
        assert extra.startswith("notebooks/99_z.ipynb has no solution") and "git rm notebooks/99_z.ipynb" in extra

    def test_one_bad_solution_and_nothing_is_written(self, course):
        solutions, notebooks = course
        changed = normalise(notebook_of(code("print('a change in the good one')")))
        write_notebook(solutions / "00_a.ipynb", changed)
        write_notebook(solutions / "01_b.ipynb", normalise(notebook_of(code("# BEGIN SOLUTION"))))
        before = (notebooks / "00_a.ipynb").read_bytes()
        with pytest.raises(NotebookError, match="solutions/01_b.ipynb, cell c1"):
            build(solutions, notebooks)
        assert (notebooks / "00_a.ipynb").read_bytes() == before

    def test_no_solutions_is_an_error_rather_than_a_pass(self, tmp_path):
        with pytest.raises(CourseError, match="holds no notebooks"):
            drift(tmp_path, tmp_path)

    @pytest.mark.parametrize("text", ["not json", "[]", "{}", '{"cells": [], "nbformat": 3}'])
    def test_a_broken_file_is_named(self, tmp_path, text):
        path = tmp_path / "00_a.ipynb"
        path.write_text(text)
        with pytest.raises(NotebookError, match="00_a.ipynb is not a notebook that can be read"):
            read_notebook(path)

    def test_cells_without_their_own_id_are_refused(self, tmp_path):
        path = tmp_path / "00_a.ipynb"
        path.write_text(nbformat.writes(notebook_of(code("1"), code("2", cell_id="c2"))).replace('"c2"', '"c1"'))
        with pytest.raises(NotebookError, match="without an id of their own"):
            read_notebook(path)

    def test_check_on_the_command_line_fails_on_drift_only(self, course, command, capsys):
        _, notebooks = course
        assert command("build", "--check") == 0
        (notebooks / "00_a.ipynb").unlink()
        assert command("build", "--check") == 1
        assert "notebooks/00_a.ipynb is missing" in capsys.readouterr().out
        assert command("build") == 0
        assert command("build", "--check") == 0

    def test_check_on_the_command_line_fails_on_a_cell_not_executed(self, course, command, capsys):
        solutions, _ = course
        notebook = read_notebook(solutions / "00_a.ipynb")
        notebook.cells[0].execution_count = None
        write_notebook(solutions / "00_a.ipynb", notebook)
        assert command("build", "--check") == 1
        assert "python -m utils.authoring refresh 00_a" in capsys.readouterr().out


class TestExecuted:
    def problems(self, *cells):
        return execution_problems(notebook_of(*cells), "solutions/00_a.ipynb")

    def test_cells_run_in_order_are_fine(self):
        first = code("print(1)", 1, [stream("1\n")], ["nbval-check-output"])
        assert self.problems(first, new_markdown_cell("and", id="m"), code("x = 2", 2, cell_id="c2")) == []

    @pytest.mark.parametrize("counts", [(2, 1), (1, 3), (None, 1), (2, 3)])
    def test_any_other_order_is_named(self, counts):
        problems = self.problems(code("1", counts[0]), code("2", counts[1], cell_id="c2"))
        assert problems and all("was executed as" in line and "refresh 00_a`" in line for line in problems)

    def test_a_cell_to_compare_must_store_an_output(self):
        assert "stores no output" in self.problems(code("x = 1", 1, tags=["nbval-check-output"]))[0]

    def test_a_stored_error_is_named_unless_it_is_meant(self):
        error = new_output("error", ename="KeyError", evalue="'a'", traceback=[])
        assert "stores an error (KeyError)" in self.problems(code("d['a']", 1, [error]))[0]
        assert self.problems(code("d['a']", 1, [error], ["raises-exception"])) == []

    @pytest.mark.parametrize(
        "text",
        ["/home/ada/x.py:3: UserWarning", "File '/tmp/ipykernel_12/3.py'", r"C:\Users\ada", "site-packages/torch"],
    )
    def test_paths_of_a_machine_are_found_in_streams_and_results(self, text):
        result = new_output("execute_result", data={"text/plain": text}, execution_count=1)
        for output in (stream(text, "stderr"), result):
            assert "a path of the machine" in self.problems(code("1", 1, [output]))[0]

    @pytest.mark.parametrize("text", ["https://x.org/home/page", "datasets/handbook.jsonl", "and/or", "10 C: mild"])
    def test_other_text_is_no_path_of_a_machine(self, text):
        assert self.problems(code("1", 1, [stream(text)])) == []

    def test_widget_state_is_named(self):
        notebook = notebook_of(code("1", 1))
        notebook.metadata["widgets"] = {"state": {}}
        assert "stores widget state" in execution_problems(notebook, "solutions/00_a.ipynb")[0]

    def test_a_folder_is_read_whole(self, course):
        solutions, _ = course
        write_notebook(solutions / "01_b.ipynb", normalise(notebook_of(code("1"))))
        assert [line.partition(",")[0] for line in unexecuted(solutions)] == ["solutions/01_b.ipynb"]


class TestRefresh:
    def test_a_stale_notebook_comes_back_executed_and_isolated(self, course, capsys, monkeypatch):
        solutions, _ = course
        source = (
            "import os, pathlib, sys, ipywidgets\n"
            "print(pathlib.Path.cwd().name, pathlib.Path(os.environ['COURSE_LEDGER']).parent.name[:15])\n"
            "print('loopback_only' in sys.modules, sys.executable == os.environ['WANTED'])"
        )
        stale = notebook_of(code(source, 5), code("ipywidgets.HTML('hello')", 9, cell_id="c2"))
        write_notebook(solutions / "01_b.ipynb", stale)
        monkeypatch.setenv("WANTED", sys.executable)
        (run,) = refresh(["01"], solutions)
        after = read_notebook(solutions / "01_b.ipynb")
        assert after.cells[0].outputs[0].text == "solutions course-refresh-\nTrue True\n"
        assert unexecuted(solutions) == []
        assert [cell.id for cell in after.cells] == ["c1", "c2"]
        assert all("execution" not in cell.metadata for cell in after.cells)
        assert 20 * 2**20 < run.peak_bytes < 2 * 2**30 and 0 < run.seconds < 120
        assert capsys.readouterr().out.startswith("solutions/01_b.ipynb: ")

    def test_the_first_cell_learns_what_a_run_takes(self, course):
        solutions, _ = course
        opening = new_markdown_cell("# Title\n\nA whole run takes some time.", id="c0")
        write_notebook(solutions / "01_b.ipynb", notebook_of(opening, code("1")))
        (run,) = refresh(["01"], solutions)
        title, _, line = read_notebook(solutions / "01_b.ipynb").cells[0].source.split("\n")
        assert (title, line) == ("# Title", run.cost)

    def test_the_cost_of_a_run_is_rounded_up(self):
        cost = Run(Path("00_a.ipynb"), seconds=21.2, peak_bytes=1_410_000_000).cost
        assert cost.startswith("A whole run takes about 25 seconds and 1.5 GB of memory on ")

    def test_a_failing_cell_leaves_the_file_as_it_was(self, course):
        solutions, _ = course
        write_notebook(solutions / "00_a.ipynb", normalise(notebook_of(code("1 / 0"))))
        before = (solutions / "00_a.ipynb").read_bytes()
        with pytest.raises(CourseError, match="00_a.ipynb failed and was left as it was: ZeroDivisionError"):
            refresh(["00"], solutions)
        assert (solutions / "00_a.ipynb").read_bytes() == before

    def test_an_edit_during_the_run_is_kept(self, course):
        solutions, _ = course
        edit = "import pathlib; edited = pathlib.Path('01_b.ipynb'); edited.write_text(edited.read_text() + '\\n')"
        write_notebook(solutions / "01_b.ipynb", notebook_of(code(edit)))
        before = (solutions / "01_b.ipynb").read_text()
        with pytest.raises(CourseError, match="01_b.ipynb was changed while it ran: refresh it again"):
            refresh(["01"], solutions)
        assert (solutions / "01_b.ipynb").read_text() == before + "\n"

    def test_names_choose_notebooks_in_their_order(self, course):
        solutions, _ = course
        write_notebook(solutions / "01_b.ipynb", notebook_of(code("1")))
        names = [[path.name for path in chosen_paths(given, solutions)] for given in ([], ["01", "00_a"], ["01_b"])]
        assert names == [["00_a.ipynb", "01_b.ipynb"], ["00_a.ipynb", "01_b.ipynb"], ["01_b.ipynb"]]
        with pytest.raises(CourseError, match="No solution is called '7': name one of 00_a, 01_b."):
            chosen_paths(["7"], solutions)


CHECKED = ("nbval-check-output",)
STDERR = "import sys\nprint('one machine', file=sys.stderr)\nprint('loopback_only' in sys.modules)"


def test_nbval_compares_tagged_cells_and_nothing_else(tmp_path):
    """The settings of pyproject.toml and the root conftest.py, on one notebook with a cell of each kind."""
    cells = [
        code("print('yes')", 1, [stream("yes\n")], CHECKED, "right"),
        code("print('yes')", 2, [stream("no\n")], CHECKED, "wrong"),
        code("print('yes')", 3, [stream("no\n")], cell_id="not-compared"),
        code(STDERR, 4, [stream("True\n"), stream("another machine\n", "stderr")], CHECKED, "stderr"),
        code("1 / 0", 5, tags=["raises-exception"], cell_id="meant-to-raise"),
        code("1 / 0", 6, cell_id="raises"),
    ]
    write_notebook(tmp_path / "00_a.ipynb", normalise(notebook_of(*cells)))
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "-p", "conftest", "-p", "no:cacheprovider"]
    alone = os.environ | {FOLDER: ""}  # nothing to keep, so the kernel need not load what would be kept
    result = subprocess.run([*command, tmp_path], cwd=ROOT, env=alone, capture_output=True, text=True, timeout=600)
    failed = re.findall(r"^FAILED .*00_a\.ipynb::(Cell \d)", result.stdout, re.MULTILINE)
    assert failed == ["Cell 1", "Cell 5"], result.stdout
    assert "2 failed, 4 passed" in result.stdout.splitlines()[-1]


class TestThisCourse:
    def test_notebooks_follow_from_solutions(self):
        assert drift() == []

    def test_solutions_were_executed_in_order(self):
        assert unexecuted() == []

    def test_files_are_in_their_one_form(self):
        for path in build_module.notebook_paths(build_module.SOLUTIONS):
            assert notebook_text(normalise(read_notebook(path))) == path.read_text(encoding="utf-8"), path.name
