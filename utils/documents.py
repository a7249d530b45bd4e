"""Documents: any folder of Markdown or plain text, read as articles (used in notebook 11)."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from utils.errors import CourseError
from utils.front_matter import split_front_matter
from utils.handbook import AUDIENCES, Article

ENDINGS = (".md", ".markdown", ".txt")
MEGABYTE = 10**6
MAX_MEGABYTES = 5

_HEADING = re.compile(r"#{1,6}[ \t]+(\S.*)")
_FIELDS = ("id", "title", "section", "audience", "valid_from")


def read_folder(folder: Path) -> list[Article]:
    """Every .md, .markdown and .txt file in a folder and the folders within it, as articles in the order of their ids.

    Names that begin with a dot are left out.  Front matter is optional, and so is each of its fields; by default
    id: the path in the folder without its ending; title: the heading that a Markdown file begins with, else the
    file's name; section: the folder; audience: public.
    Raises CourseError when the folder is missing or holds no such file, when a file cannot be read, is not UTF-8
    text, has no text or more than 5 MB, when its front matter is broken, and when two files share an id.
    """
    folder = Path(folder)
    if not folder.exists():
        raise CourseError(f"The folder {folder} does not exist: check its path.")
    if not folder.is_dir():
        raise CourseError(f"{folder} is a file, not a folder: name the folder that it lies in.")
    paths = _text_files(folder)
    if not paths:
        raise CourseError(f"The folder {folder} holds no .md or .txt file: put at least one into it.")
    found: dict[str, tuple[Path, Article]] = {}
    for path in paths:
        article = _article(path, path.relative_to(folder))
        if article.id in found:
            raise CourseError(f"{found[article.id][0]} and {path} share the id {article.id!r}: give each its own.")
        found[article.id] = (path, article)
    return [found[identifier][1] for identifier in sorted(found)]


def _text_files(folder: Path) -> list[Path]:
    within = ((path, path.relative_to(folder).parts) for path in folder.rglob("*"))
    return sorted(
        path
        for path, parts in within
        if path.suffix.lower() in ENDINGS and not path.is_dir() and not any(part.startswith(".") for part in parts)
    )


def _article(path: Path, within: Path) -> Article:
    """One file as an article.  within: its path in the folder."""
    about, body = _split(path, _read_text(path))
    heading = None if "title" in about or path.suffix.lower() == ".txt" else _HEADING.match(body)
    text = (body[heading.end() :] if heading else body).strip()
    if not text:
        raise CourseError(f"The file {path} has no text: write some, or take it out of the folder.")
    audience = about.get("audience", "public")
    if audience not in AUDIENCES:
        raise CourseError(f"The audience of {path} is {audience!r}: write one of {', '.join(AUDIENCES)}.")
    return Article(
        id=about.get("id", within.with_suffix("").as_posix()),
        title=about.get(
            "title", heading[1].strip() if heading else re.sub(r"[-_\s]+", " ", path.stem).strip().capitalize()
        ),
        section=about.get("section", within.parent.as_posix().removeprefix(".")),
        audience=audience,
        valid_from=about.get("valid_from", ""),
        text=text,
    )


def _read_text(path: Path) -> str:
    """The text of a file, with line ends as \\n and no byte order mark."""
    mend = "or take it out of the folder"
    try:
        size = path.stat().st_size
        if size > MAX_MEGABYTES * MEGABYTE:
            raise CourseError(
                f"The file {path} has {size / MEGABYTE:.0f} MB, more than the {MAX_MEGABYTES} MB of one article: "
                f"split it, {mend}."
            )
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CourseError(f"The file {path} cannot be read ({error.strerror}): mend that, {mend}.") from error
    except UnicodeDecodeError as error:
        raise CourseError(_not_text(path)) from error
    if "\0" in text:
        raise CourseError(_not_text(path))
    return text


def _split(path: Path, text: str) -> tuple[dict[str, str], str]:
    """The known fields of the front matter, if there is one, and the text after it."""
    try:
        fields, body = split_front_matter(text)
    except ValueError as error:
        raise CourseError(_broken(path)) from error
    known = {name: fields[name] for name in _FIELDS if fields.get(name) not in (None, "")}
    if not all(isinstance(value, str | int | float | date) for value in known.values()):
        raise CourseError(_broken(path))
    return {name: str(value).strip() for name, value in known.items()}, body.lstrip()


def _not_text(path: Path) -> str:
    return f"The file {path} is not plain text in UTF-8: save it as such, or take it out of the folder."


def _broken(path: Path) -> str:
    return f"The front matter of {path} cannot be read: mend the lines between its two --- lines, or delete them."
