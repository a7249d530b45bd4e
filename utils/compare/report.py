"""The report of a comparison: one HTML file that opens anywhere, without a script and without a network."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from xml.etree.ElementTree import Element

from utils.compare.arms import ARMS, RAG
from utils.compare.figures import shares_figure
from utils.compare.page import Content, bullets, element, image, page, table
from utils.compare.results import Results, in_percent, mean_of
from utils.compare.tables import as_percent, as_points
from utils.evaluation import OUTCOMES
from utils.handbook import Answer
from utils.paths import write_atomically

PACKAGES = ("torch", "transformers", "peft", "sentence-transformers", "faiss-cpu", "numpy", "pandas")
WORST = 10


def write_report(results: Results, path: Path) -> None:
    """Writes the report, in the place of an older one.  Raises CourseError, and keeps the older one, when it cannot."""
    write_atomically(path, to_html(results))


def to_html(results: Results) -> str:
    """The report as one HTML document; nothing in it but its own headings comes as markup."""
    case = results.case
    title = f"Fine-tune or retrieve? {case.company}"
    counted = (
        f"{len(case.articles)} documents in {len(case.passages)} passages. {len(case.training)} questions to learn "
        f"from and choose with, {len(case.test)} others that judge."
    )
    parts = [_in_short, _reading, _arms, _differences, _next_steps, _failures, _to_check, _skipped, _settings]
    sections = [element("section", *part(results)) for part in parts]
    return page(title, element("h1", title), element("p", counted), *sections)


def _in_short(results: Results) -> list[Content]:
    best = f"Most right answers: {results.best}, with {in_percent(results.right[results.best])}."
    return [element("h2", "In short"), bullets([best, *_verdicts(results), *results.case.warnings()])]


def _verdicts(results: Results) -> list[str]:
    if results.case.too_few:
        return [results.case.too_few]
    words = {
        "higher": "{}: clearly more right answers than {}.",
        "lower": "{}: clearly fewer right answers than {}.",
    }
    unclear = "{} and {}: no clear difference in right answers."
    return [words.get(gap.verdict, unclear).format(first, second) for first, second, gap in results.differences]


def _reading(results: Results) -> list[Content]:
    return [
        element("h2", "Can this model read these texts?"),
        element("p", results.reading.in_words),
        element(
            "p",
            "The passages that the search finds hold the whole answer for "
            f"{in_percent(results.recall)} of the answerable test questions. What the search misses, a model cannot "
            "read.",
        ),
    ]


def _arms(results: Results) -> list[Content]:
    rows = [
        [
            name,
            in_percent(results.right[name]),
            mean_of(scores["citation_precision"]),
            mean_of(scores["citation_recall"]),
            ARMS[name],
        ]
        for name, scores in results.scores.items()
    ]
    header = ["arm", "right answers", "citation precision", "citation recall", "what it is"]
    outcomes = [[str(name), *row] for name, row in zip(*_outcome_rows(results), strict=True)]
    return [
        element("h2", "The arms"),
        table("Right answers and citations, on the test half", header, rows),
        image(*shares_figure(results.right, results.bar)),
        table("What became of the test questions", ["arm", *OUTCOMES], outcomes),
        element(
            "p",
            "Wrong: quotes a sentence of a shown passage that does not answer the question. Unsupported: says what no "
            "shown passage says.",
        ),
        *_left_out(results),
    ]


def _left_out(results: Results) -> list[Content]:
    if not results.arms.left_out:
        return []
    return [
        element("h3", "Arms that are left out"),
        bullets(f"{name}: {reason}" for name, reason in results.arms.left_out.items()),
    ]


def _outcome_rows(results: Results) -> tuple[list[str], list[list[str]]]:
    shown = as_percent(results.outcomes)
    return list(shown.index), shown.to_numpy().tolist()


def _differences(results: Results) -> list[Content]:
    few = results.case.too_few and "too few questions"
    rows = [
        [f"{first} over {second}", as_points(gap).rpartition(":")[0], few or gap.verdict]
        for first, second, gap in results.differences
    ]
    return [
        element("h2", "Differences"),
        table("Right answers, arm over arm, on the same questions", ["pair", "difference", "verdict"], rows),
        element(
            "p",
            "A difference is clear when its interval excludes zero. Each interval draws facts, with all questions "
            "about them. With questions about more facts, intervals narrow.",
        ),
    ]


def _next_steps(results: Results) -> list[Content]:
    lines = [f"{needs}: {advice}" for needs, advice in results.advice().items()]
    return [element("h2", f"The next step, for a bar of {results.bar:.0%}"), bullets(lines)]


def _failures(results: Results) -> list[Content]:
    shown = dict.fromkeys([results.best, RAG])
    return [element("h2", "Failures"), *(part for arm in shown for part in _failures_of(arm, results))]


def _failures_of(arm: str, results: Results) -> list[Content]:
    failures = results.failures(arm, len(results.case.test))
    heading = element("h3", f"Failures of the arm {arm}")
    if not failures:
        return [heading, element("p", "There are none among the test questions.")]
    worst = failures[:WORST]
    said = f"{len(worst)} of {len(failures)}, the most harmful first. Read them before you trust a share."
    return [heading, element("p", said), *(_failure(outcome, answer) for outcome, answer in worst)]


def _failure(outcome: str, answer: Answer) -> Element:
    question = answer.question
    gold = " | ".join(question.values) or "The documents do not say."
    parts: list[Content] = [
        element("h4", f"{question.id}: {outcome}"),
        element("p", "Question: ", element("strong", question.text, dir="auto")),
        element("p", "Gold answer: ", element("strong", gold, dir="auto")),
        element("p", "Answer:"),
        element("blockquote", answer.text or "(empty)", dir="auto"),
    ]
    for number, passage in enumerate(answer.passages, start=1):
        gold_mark = ", a document with the answer" if passage.article_id in question.articles else ""
        parts += [
            element("p", f"Passage {number}: {passage.title} ({passage.article_id}{gold_mark})"),
            element("blockquote", passage.text, dir="auto"),
        ]
    return element("article", *parts)


def _to_check(results: Results) -> list[Content]:
    unproven = results.case.unproven()
    heading = element("h2", "Questions to check")
    if not unproven:
        return [heading, element("p", "Every gold answer is in its documents, word for word.")]
    rows = [[one.id, one.text, " | ".join(one.values), ", ".join(one.articles)] for one in unproven]
    return [
        heading,
        table("Gold answers that are not in their documents", ["id", "question", "answer", "documents"], rows),
    ]


def _skipped(results: Results) -> list[Content]:
    parts: list[Content] = [element("h2", "Files that were skipped")]
    if results.case.skipped:
        rows = [[one.path, one.reason] for one in results.case.skipped]
        parts.append(table("Files that are not part of this comparison", ["file", "reason"], rows))
    if results.case.other:
        parts.append(element("p", results.case.not_opened))
    return parts if len(parts) > 1 else [*parts, element("p", "None.")]


def _settings(results: Results) -> list[Content]:
    rows = [[name, value] for name, value in results.settings.items()]
    versions = [[name, _version(name)] for name in PACKAGES]
    return [
        element("h2", "Settings and versions"),
        table("What was run", ["setting", "value"], rows),
        table("Packages", ["package", "version"], versions),
    ]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # conda has a few under other names
        return "–"
