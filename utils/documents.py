"""Documents: any folder of Markdown or plain text, read as articles (used in notebook 11)."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from pathlib import Path

from utils.errors import CourseError
from utils.front_matter import mistake_in, split_front_matter
from utils.handbook import AUDIENCES, Article

ENDINGS = (".md", ".markdown", ".txt")
MEGABYTE = 10**6
MAX_MEGABYTES = 5

_HEADING = re.compile(r"#{1,6}[ \t]+(\S.*)")
_FIELDS = ("id", "title", "section", "audience", "valid_from")
_AUDIENCE_LINE = re.compile(r"^\s*audience\s*:", re.IGNORECASE | re.MULTILINE)


def read_folder(folder: Path | str) -> list[Article]:
    """Every .md, .markdown and .txt file in a folder and its subfolders, as articles sorted by id.

    Names that begin with a dot are skipped.  Front matter is optional, and so is each of its fields; by default
    id: the path in the folder without its ending; title: the heading that a Markdown file begins with, else the
    file's name; section: the subfolder; audience: public.
    Raises CourseError when the folder is missing or has no such file, when a file cannot be read, is not UTF-8
    text, has no text or more than 5 MB, when its front matter or one of its fields is wrong, and when two files
    share an id.  An audience that cannot be read is an error too, so that no article becomes public by mistake.
    """
    folder = Path(os.path.expanduser(folder))
    if not folder.exists():
        raise CourseError(f"The folder {folder} does not exist: check its path.")
    if not folder.is_dir():
        raise CourseError(f"{folder} is a file, not a folder: name the folder that contains it.")
    paths = _text_files(folder)
    if not paths:
        raise CourseError(f"The folder {folder} has no .md or .txt file: put at least one into it.")
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
    """One file as an article.  within: its path relative to the folder."""
    about, body = _split(path, _read_text(path))
    heading = None if "title" in about or path.suffix.lower() == ".txt" else _HEADING.match(body)
    text = (body[heading.end() :] if heading else body).strip()
    if not text:
        raise CourseError(f"The file {path} has no text: write some, or take it out of the folder.")
    return Article(
        id=about.get("id", within.with_suffix("").as_posix()),
        title=about.get(
            "title", heading[1].strip() if heading else re.sub(r"[-_\s]+", " ", path.stem).strip().capitalize()
        ),
        section=about.get("section", within.parent.as_posix().removeprefix(".")),
        audience=about.get("audience", "public"),
        valid_from=about.get("valid_from", ""),
        text=text,
    )


def _read_text(path: Path) -> str:
    """The text of a file, with \\n at the end of each line and without a byte order mark."""
    otherwise = "or take it out of the folder"
    try:
        size = path.stat().st_size
        if size > MAX_MEGABYTES * MEGABYTE:
            raise CourseError(
                f"The file {path} has {size / MEGABYTE:.0f} MB, and one article may have {MAX_MEGABYTES} MB: "
                f"split it, {otherwise}."
            )
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CourseError(f"The file {path} cannot be read ({error.strerror}): fix that, {otherwise}.") from error
    except UnicodeDecodeError as error:
        raise CourseError(_not_text(path)) from error
    if "\0" in text:
        raise CourseError(_not_text(path))
    return text


def _split(path: Path, text: str) -> tuple[dict[str, str], str]:
    """The known fields of the front matter, if there is any, and the text after it."""
    text = text.lstrip()
    try:
        fields, body = split_front_matter(text)
    except ValueError as error:
        raise CourseError(_broken(path)) from error
    stripped = {name: value.strip() if isinstance(value, str) else value for name, value in fields.items()}
    known = {name: stripped[name] for name in _FIELDS if stripped.get(name)}
    mistake = mistake_in(known, path, AUDIENCES)
    if mistake:
        raise CourseError(mistake)
    if "audience" not in known:
        _require_no_audience(path, fields, text.removesuffix(body) or text)
    return known, body.lstrip()


def _require_no_audience(path: Path, fields: dict[str, object], top: str) -> None:
    """Raises CourseError when a file names an audience in a way that would be overlooked.

    top: the front matter; all of the text where no front matter was found.
    """
    for name in fields:
        if get_close_matches(name.lower(), ["audience"], cutoff=0.75) and name != "audience":
            raise CourseError(f"The front matter of {path} has a field {name!r}: name it 'audience'.")
    if top.startswith("---") and _AUDIENCE_LINE.search(top):
        raise CourseError(
            f"The audience of {path} cannot be read: write a line such as `audience: staff` between two --- lines at "
            "the top, or delete the line."
        )


def _not_text(path: Path) -> str:
    return f"The file {path} is not plain text in UTF-8: save it as such, or take it out of the folder."


def _broken(path: Path) -> str:
    return f"The front matter of {path} cannot be read: fix the lines between its two --- lines, or delete them."
