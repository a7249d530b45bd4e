"""A case of one's own: documents, passages, and questions in two halves (built in notebook 11).

One half may be learned from and chosen with.  The other half only judges.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from utils.documents import Read, Skipped, passages_of, read_folder
from utils.errors import CourseError
from utils.handbook import Article, Passage, Question
from utils.matching import contains_whole, normalise
from utils.question_files import read_question_file
from utils.retrieval.dense import token_counts

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# Of the embedder, title included.  The course's own articles all fit in one passage of this size.
PASSAGE_TOKENS = 160
# With fewer test questions than this, an interval is about 40 points wide or wider.
FEW = 20
FEWEST = 10  # with fewer, even answers that are all alike say nothing about others
# How a drafted question begins until a person has corrected it.
DRAFT = "DRAFT: "


@dataclass(frozen=True)
class Case:
    """What is compared, and on what.

    company: who the help desk works for, as every prompt says.  passages: all documents, cut for the search.
    training: questions to learn from and to choose with.  test: questions that judge.  skipped: files that were not
    read, with the reasons.  other: how many files of each other ending were not opened.
    """

    company: str
    articles: Sequence[Article]
    passages: Sequence[Passage]
    training: Sequence[Question]
    test: Sequence[Question]
    skipped: Sequence[Skipped] = ()
    other: Mapping[str, int] = field(default_factory=dict)

    @property
    def too_few(self) -> str:
        """Why no arm can be called ahead of another; empty where enough questions judge."""
        needed = f"and at least {FEWEST} are needed to say which arm is ahead."
        if len(self.test) < FEWEST:
            return f"Only {len(self.test)} questions judge, {needed}"
        facts = len(set(self.test_facts))
        return f"The questions that judge are about {facts} different facts, {needed}" if facts < FEWEST else ""

    @cached_property
    def test_facts(self) -> list[str]:
        """The fact of each test question, for intervals that draw facts: comparing all questions takes a while."""
        return facts_of(self.test)

    @property
    def not_opened(self) -> str:
        """Which kinds of files were not opened, in words; empty where there are none."""
        kinds = ", ".join(f"{count} {ending or 'without an ending'}" for ending, count in sorted(self.other.items()))
        return kinds and f"Not opened, since files of these kinds are not read: {kinds}."

    @property
    def questions(self) -> list[Question]:
        """Both halves."""
        return [*self.training, *self.test]

    def gold_passages(self, question: Question) -> list[Passage]:
        """The first passage with each gold value, in the documents that the question names.

        Empty where one of the values is in none of them, word for word.
        """
        if question not in self._gold:
            named = [passage for passage in self.passages if passage.article_id in question.articles]
            found = [next((one for one in named if contains_whole(one.text, v)), None) for v in question.values]
            self._gold[question] = [] if None in found else list(dict.fromkeys(one for one in found if one))
        return self._gold[question]

    @cached_property
    def _gold(self) -> dict[Question, list[Passage]]:
        """What `gold_passages` has found: in a long document, each search takes a second."""
        return {}

    def unproven(self) -> list[Question]:
        """The questions whose gold answer is not in their documents, word for word: a person should look at them."""
        return [question for question in self.questions if question.answerable and not self.gold_passages(question)]

    def warnings(self) -> list[str]:
        """What a reader of the results must know, one sentence each."""
        lines, unproven = [], [question.id for question in self.unproven()]
        if len(self.test) < FEW:
            lines.append(
                f"The test half has only {len(self.test)} of at least {FEW} questions, so the intervals are wide: "
                "write more."
            )
        if unproven:
            others = f" and {len(unproven) - 3} more" if len(unproven) > 3 else ""
            lines.append(
                "Some gold answers are not in their documents, word for word, so no arm can quote them: check "
                f"{', '.join(unproven[:3])}{others}."
            )
        if any(article.audience != "public" for article in self.articles):
            lines.append("Some documents are not public. Here every question may use every document.")
        return lines


def read_case(
    documents: Path | str,
    questions: Path | str,
    load_embedder: Callable[[], SentenceTransformer],
    company: str = "",
    seed: int = 0,
    limit: int | None = None,
    progress: bool = False,
) -> Case:
    """A case from a folder of documents and a file of questions.

    load_embedder: called once the input is known to be good, since that takes seconds.  company: the folder's name if
    empty.  seed: draws the halves.  limit: uses only this many questions, drawn as well.
    Raises CourseError like `read_folder`, `read_question_file` and `halves`.
    """
    folder = read_folder(documents, progress)
    asked = usable_questions(questions, folder.articles, folder.read)
    training, test = halves(asked, seed, limit)
    name = company.strip() or name_of(documents)
    return case_of(name, folder.articles, training, test, load_embedder(), folder.skipped, folder.other)


def case_of(
    company: str,
    articles: Sequence[Article],
    training: Sequence[Question],
    test: Sequence[Question],
    embedder: SentenceTransformer,
    skipped: Sequence[Skipped] = (),
    other: Mapping[str, int] | None = None,
) -> Case:
    """A case whose halves are given.  Raises CourseError without an answerable question in one of them."""
    for name, half in (("training", training), ("test", test)):
        if not any(question.answerable for question in half):
            raise CourseError(
                f"The {name} half has no question with an answer: write more questions that the documents answer."
            )

    def count(text: str) -> int:
        return token_counts([text], embedder)[0]

    room = min(getattr(embedder, "max_seq_length", None) or PASSAGE_TOKENS, PASSAGE_TOKENS)
    passages = [passage for article in articles for passage in passages_of(article, count, room)]
    return Case(company, articles, passages, training, test, skipped, other or {})


def name_of(folder: Path | str) -> str:
    """What a folder is called, as a name to show: "our_handbook" becomes "Our handbook"."""
    name = Path(os.path.expanduser(folder)).resolve().name
    return " ".join(name.replace("_", " ").replace("-", " ").split()).capitalize() or "the company"


def usable_questions(path: Path | str, articles: Sequence[Article], files: Sequence[Read] = ()) -> list[Question]:
    """The questions of a file.  Raises CourseError like `read_question_file`, and for drafts and without an answer."""
    questions = read_question_file(path, articles, files)
    drafts = [question for question in questions if question.text.upper().startswith(DRAFT.strip())]
    if drafts:
        raise CourseError(
            f"{len(drafts)} of {len(questions)} questions in {path} are still drafts, which are no gold answers: "
            f"correct each, remove the word {DRAFT.strip()} in front of it, or delete its line."
        )
    if not any(question.answerable for question in questions):
        raise CourseError(
            f"None of the {len(questions)} questions in {path} has an answer, so nothing but silence can be right: add "
            "questions that the documents answer."
        )
    return questions


def halves(
    questions: Sequence[Question], seed: int = 0, limit: int | None = None
) -> tuple[list[Question], list[Question]]:
    """The training and the test half, drawn at random, with every question about the same fact on the same side.

    Questions with and without an answer are split alike.  limit: uses only this many of the questions.
    Raises CourseError when the limit is below 2, and when the answerable questions are all about one fact.
    """
    if limit is not None and limit < 2:
        raise CourseError(f"The limit is {limit}: use at least 2 questions, one for each half.")
    drawn = random.Random(seed).sample(list(questions), len(questions))[:limit]
    answered = _split([question for question in drawn if question.answerable])
    silent = _split([question for question in drawn if not question.answerable])
    if not answered[1]:
        raise CourseError(
            f"The answerable ones of these {len(drawn)} questions are all about one fact, so none is left to judge: "
            "write questions about other facts, or raise the limit."
        )
    # In drawn order, so that the first few of a half are a fair sample of it, with and without an answer.
    place = {question.id: number for number, question in enumerate(drawn)}
    training, test = (sorted(a + s, key=lambda one: place[one.id]) for a, s in zip(answered, silent, strict=True))
    return training, test


def fact_names(questions: Sequence[Question]) -> dict[str, str]:
    """For each question, by its id, the name of its fact: the id of the first question on it.

    A question on two facts makes one of both; a question without an answer has a fact of its own.
    """
    return {question.id: group[0].id for group in _by_fact(questions) for question in group}


def facts_of(questions: Sequence[Question]) -> list[str]:
    """The fact of each question, as `fact_names` names it, for intervals that draw facts."""
    names = fact_names(questions)
    return [names[question.id] for question in questions]


def _split(questions: Sequence[Question]) -> tuple[list[Question], list[Question]]:
    """Whole facts go to the training half until it has half of the questions; the others judge, or the last fact."""
    training: list[Question] = []
    test: list[Question] = []
    groups = _by_fact(questions)
    for group in groups:
        (training if len(training) < len(questions) / 2 else test).extend(group)
    if not test and len(groups) > 1:  # the last fact has more than half of the questions
        return training[: -len(groups[-1])], list(groups[-1])
    return training, test


def _is_same(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two values of one document are one fact: "28 days" and "28 days of leave", but not "2" and "2 weeks"."""
    (article, value), (elsewhere, written) = one, other
    if article != elsewhere or value == written:
        return article == elsewhere
    shorter, longer = sorted((value, written), key=len)
    says_something = any(sign.isdigit() for sign in shorter) and not shorter.isdigit()  # "$10", "28 days", not "2"
    return bool(article) and says_something and shorter in longer and contains_whole(longer, shorter)


def _by_fact(questions: Sequence[Question]) -> list[list[Question]]:
    """Groups of questions that are linked by a fact, in the order of their first question."""
    groups: list[tuple[set[tuple[str, str]], list[Question]]] = []
    for question in questions:
        facts = {(article, normalise(value)) for article in question.articles for value in question.values}
        facts.add(("", normalise(question.text)))  # the same question twice is the same fact, whatever it names
        linked = [group for group in groups if any(_is_same(one, other) for one in group[0] for other in facts)]
        group = linked[0] if linked else (set(), [])
        for other in linked[1:]:  # a question on two facts joins the groups of both
            group[0].update(other[0])
            group[1].extend(other[1])
            groups.remove(other)
        group[0].update(facts)
        group[1].append(question)
        if not linked:
            groups.append(group)
    return [group for _, group in groups]
