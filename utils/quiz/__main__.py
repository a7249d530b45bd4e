"""`python -m utils.quiz`: are the quizzes in form and fair, and do their proofs exist?"""

import sys

from utils.quiz.lint import problems


def main() -> int:
    """Print what is wrong, one line each; the exit status is 1 if anything is."""
    found = problems()
    for problem in found:
        print(problem)
    if not found:
        print("The quizzes are in form, and every proof is there.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
