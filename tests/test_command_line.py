"""How a command line ends: an error for the user and Ctrl-C are one line each, and everything else stays visible."""

import argparse

import pytest

from utils.command_line import guarded, run
from utils.errors import CourseError


def raising(problem):
    def action():
        raise problem

    return action


@pytest.mark.parametrize(("result", "status"), [(None, 0), (0, 0), (3, 3)])
def test_an_action_gives_its_own_status(result, status, capsys):
    assert guarded(lambda: result) == status
    assert capsys.readouterr() == ("", "")


def test_an_error_for_the_user_is_one_line_on_stderr(capsys):
    assert guarded(raising(CourseError("x is missing: add it."))) == 1
    assert capsys.readouterr() == ("", "x is missing: add it.\n")


def test_ctrl_c_is_one_line_and_the_status_that_shells_know(capsys):
    assert guarded(raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr() == ("", "Interrupted.\n")


def test_a_command_has_its_own_status_and_words():
    said = []
    assert guarded(raising(CourseError("no.")), failed=2, say=said.append) == 2
    assert guarded(raising(KeyboardInterrupt()), say=said.append, interrupted="Kept.") == 130
    assert said == ["no.", "Kept."]


def test_a_mistake_in_the_code_passes_through():
    with pytest.raises(ValueError, match="bug"):
        guarded(raising(ValueError("bug")))


def test_run_gives_the_options_to_the_chosen_command(capsys):
    parser = argparse.ArgumentParser()
    parser.add_argument("number", type=int)
    parser.set_defaults(command=lambda options: options.number)
    assert run(parser, ["4"]) == 4
    parser.set_defaults(command=lambda options: raising(CourseError("no."))())
    assert run(parser, ["4"]) == 1
    assert capsys.readouterr().err == "no.\n"
