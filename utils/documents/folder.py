"""A folder of files becomes articles.  A file that cannot be one is listed with the reason, and the rest is read."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm.auto import tqdm

from utils.documents.docx_file import read_docx
from utils.documents.encodings import whole_characters
from utils.documents.fields import known_fields, redirect_in
from utils.documents.files import OTHERWISE, read_bytes, walk
from utils.documents.headings import split_heading
from utils.documents.page import Page, Unreadable
from utils.documents.pdf_file import read_pdf
from utils.documents.text_file import read_html, read_markdown, read_rst, read_text
from utils.errors import CourseError
from utils.handbook import Article
from utils.matching import normalise

READERS: dict[str, Callable[[bytes], Page]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_text,
    ".rst": read_rst,
    ".html": read_html,
    ".htm": read_html,
    ".docx": read_docx,
    ".pdf": read_pdf,
}
ENDINGS = tuple(READERS)


@dataclass(frozen=True)
class Read:
    """A file that became an article, or has the text of one.

    path: within the folder.  encoding: empty for Word and PDF.  own_id: what a copy would be called.
    """

    path: str
    article_id: str
    encoding: str
    own_id: str = ""


@dataclass(frozen=True)
class Skipped:
    """A file that became none.  path: within the folder.  reason: one sentence with the fix."""

    path: str
    reason: str


@dataclass(frozen=True)
class Folder:
    """What a folder holds.  articles: sorted by id.  other: how many files of each other ending were not opened."""

    articles: list[Article]
    read: list[Read]
    skipped: list[Skipped]
    other: dict[str, int]


def read_folder(folder: Path | str, progress: bool = False) -> Folder:
    """Every file in a folder and its subfolders whose ending is one of ENDINGS, as articles in Markdown.

    Front matter is optional, and so is each of its fields; by default id: the path in the folder without its ending;
    title: the heading that the file begins with, else the title that a web page states, else the file's name;
    section: the subfolder; audience: public.  progress: show a bar.
    A file is skipped, with a reason, when it cannot be read, is no text, has no text, more than 5 MB or a password,
    only leads on to another page, leads out of the folder, or shares its id with one before it.  A file whose
    audience cannot be read is skipped too, so that no article becomes public by mistake.  Of files with the same text
    the first becomes the article, and `read` leads from the others to it.
    Raises CourseError when the folder is missing, is a file, cannot be listed, or has no file that can be read.
    """
    folder = _existing(Path(os.path.expanduser(folder)))
    found, other = _sorted_out(walk(folder))
    articles: dict[str, tuple[Path, Article]] = {}
    copies: dict[Hashable, Read] = {}
    read, skipped = [], []
    for one in tqdm(found, desc="files", leave=False, disable=not progress):
        path, reason = one if isinstance(one, tuple) else (one, None)
        name = _shown(path.relative_to(folder).as_posix())
        try:
            if reason:
                raise reason
            article, encoding, stated = _article(path, folder)
            _require_new(article.id, path, articles)
        except CourseError as error:
            skipped.append(Skipped(name, _shown(str(error))))
            continue
        first = copies.setdefault(_content(article, stated), Read(name, article.id, encoding))
        if first.path != name:  # a search that finds the one would count as missing the other
            read.append(Read(name, first.article_id, encoding, article.id))
            skipped.append(Skipped(name, f"The file {path} has the same text as {first.path}: it is read once."))
            continue
        read.append(first)
        articles[article.id] = (path, article)
    if not articles:
        raise CourseError(_nothing(folder, skipped))
    return Folder([articles[identifier][1] for identifier in sorted(articles)], read, skipped, other)


def _content(article: Article, stated: str) -> Hashable:
    """What makes two articles the same for a reader.  stated: the title, unless it is only the file's name."""
    text = normalise.__wrapped__(article.text)  # whole documents would fill the cache, which is for answers
    return text, normalise(stated), article.audience, article.valid_from


def _existing(folder: Path) -> Path:
    try:
        exists, is_folder = folder.exists(), folder.is_dir()
    except OSError as error:
        raise CourseError(f"The folder {folder} cannot be listed ({error.strerror}): check who may read it.") from error
    if not exists:
        raise CourseError(f"The folder {folder} does not exist: check its path.")
    if not is_folder:
        raise CourseError(f"{folder} is a file, not a folder: name the folder that contains it.")
    return folder


Found = Path | tuple[Path, CourseError]


def _sorted_out(found: Iterable[Found]) -> tuple[list[Found], dict[str, int]]:
    """What is to be read or reported, and the number of other files by ending."""
    wanted: list[Found] = []
    other: Counter[str] = Counter()
    for one in found:
        if isinstance(one, tuple) or one.suffix.lower() in READERS:
            wanted.append(one)
        else:
            other[one.suffix.lower()] += 1
    return wanted, dict(other)


def _article(path: Path, folder: Path) -> tuple[Article, str, str]:
    """One file as an article, with its encoding and the title that it states.

    Raises CourseError when it cannot be an article.
    """
    within = path.relative_to(folder)
    if str(within) != _shown(str(within)):
        raise CourseError(f"The name of the file {path} is not in UTF-8: rename it, {OTHERWISE}.")
    page = _page(path, read_bytes(path, Path(os.path.realpath(folder))))
    page = replace(page, text=whole_characters(page.text), title=whole_characters(page.title))
    about = {name: whole_characters(value) for name, value in known_fields(page, path).items()}
    leads_to = page.leads_to or redirect_in(page.fields)
    if leads_to:
        raise CourseError(f"The file {path} only leads on to {leads_to!r}: it has no text of its own.")
    named = "title" in about or path.suffix.lower() == ".txt"
    heading, text = ("", page.text.strip()) if named else split_heading(page.text)
    if not text:
        raise CourseError(f"The file {path} has no text: write some, {OTHERWISE}.")
    stated = about.get("title", heading or page.title)
    article = Article(
        id=about.get("id", within.with_suffix("").as_posix()),
        title=stated or _spoken(path.stem),
        section=about.get("section", within.parent.as_posix().removeprefix(".")),
        audience=about.get("audience", "public"),
        valid_from=about.get("valid_from", ""),
        text=text,
    )
    return article, page.encoding, stated


def _page(path: Path, data: bytes) -> Page:
    try:
        return READERS[path.suffix.lower()](data)
    except Unreadable as error:
        raise CourseError(str(error).replace("{path}", str(path))) from error
    except Exception as error:  # a damaged file can raise anything in the library that reads it
        kind = path.suffix.lower().removeprefix(".")
        raise CourseError(
            f"The file {path} cannot be read as {kind} ({type(error).__name__}): save it again, {OTHERWISE}."
        ) from error


def _require_new(identifier: str, path: Path, articles: dict[str, tuple[Path, Article]]) -> None:
    if identifier in articles:
        raise CourseError(f"{articles[identifier][0]} and {path} share the id {identifier!r}: give each its own.")


def _spoken(stem: str) -> str:
    return re.sub(r"[-_\s]+", " ", stem).strip().capitalize()


def _shown(name: str) -> str:
    """A name that can be printed: Linux also has names that are no text."""
    return name.encode("utf-8", "replace").decode("utf-8")


def _nothing(folder: Path, skipped: list[Skipped]) -> str:
    if not skipped:
        return f"The folder {folder} has no file that can be read ({', '.join(ENDINGS)}): put at least one into it."
    return f"No file in the folder {folder} can be read; the first of {len(skipped)} was skipped: {skipped[0].reason}"
