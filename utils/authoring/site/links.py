"""Links of a document, rewritten for its page: to other pages, to the repository where its address is known, or none.

A page loads nothing from elsewhere, so a picture from another site becomes the words in its place.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from utils.errors import CourseError
from utils.paths import ROOT

PICTURES = (".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp")
# What may stand in a document, in this order: code, in which nothing is a link; then links, pictures and HTML tags.
PART = re.compile(
    r"(?P<fence>^[ ]*(?P<marks>`{3,}|~{3,}).*?^[ ]*(?P=marks)[^\n]*$)"
    r"|(?P<code>(?P<ticks>`+)(?P<inside>[^`\n]+)(?P=ticks))"
    r"|(?P<picture>!)?\[(?P<label>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<target>[^()\s]+)(?P<title>\s+\"[^\"]*\")?\)"
    r"|(?P<tag><(?:img|a|source)\b[^>]*>)",
    re.DOTALL | re.MULTILINE,
)
ATTRIBUTE = re.compile(r"\b(src|href|srcset)=\"([^\"]*)\"")
ALT = re.compile(r"\balt=\"([^\"]*)\"")
NOTEBOOK_NAME = re.compile(r"(?:notebooks|solutions)/\w+\.ipynb")
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


@dataclass(frozen=True)
class Places:
    """Where the files of the repository are on the site.

    pages: the page of each file that has one, such as "docs/site/index.md" → "index.md".
    address: of the repository on the web, or empty.  root: the repository's folder.
    """

    pages: Mapping[str, str]
    address: str = ""
    root: Path = ROOT
    copied: set[str] = field(default_factory=set)

    def exists(self, path: str) -> bool:
        """Is there such a file or folder in the repository?  What lies outside is not there."""
        return not path.startswith("../") and (self.root / path).exists()


def local_targets(text: str, source: str) -> Iterator[str]:
    """The files to which a document links, as paths from the root of the repository, `source` among them: its own."""
    for found in PART.finditer(text):
        targets = [target for _, target in ATTRIBUTE.findall(found["tag"])] if found["tag"] else [found["target"]]
        for target in filter(None, targets):
            if not ELSEWHERE.match(target) and not target.startswith("#"):
                yield _file(target, source)


def rewrite(text: str, source: str, places: Places) -> str:
    """A document's Markdown with links that work on the site.

    source: its path in the repository.  A link to a page leads to that page, and one to a learner copy to the executed
    notebook; one to another file leads into the repository on the web, or becomes plain text where that has no
    address.  `places.copied` collects the pictures that the page shows.
    Raises CourseError, naming the document and the target, for a link to something that is not there.
    """
    return PART.sub(partial(_part, source=source, places=places), text)


def _part(found: re.Match[str], source: str, places: Places) -> str:
    if found["fence"]:
        return found[0]
    if found["code"]:
        return _code(found, source, places)
    if found["tag"]:
        return _tag(found["tag"], source, places)
    label, target, title = found["label"], found["target"], found["title"] or ""
    if found["picture"]:
        address = _picture(target, source, places)
        return f"![{label}]({address}{title})" if address else label
    address = _address(target, source, places)
    label = label if NOTEBOOK_NAME.fullmatch(label.strip("`")) else rewrite(label, source, places)
    return f"[{label}]({address}{title})" if address else label


def _code(found: re.Match[str], source: str, places: Places) -> str:
    """Code stays as it is, but the name of a notebook becomes a link to its page."""
    if not NOTEBOOK_NAME.fullmatch(found["inside"]):
        return found[0]
    page = places.pages.get(found["inside"].replace("notebooks/", "solutions/"))
    return f"[{found[0]}]({_between(places.pages[source], page)})" if page else found[0]


def _tag(tag: str, source: str, places: Places) -> str:
    is_link = tag.startswith("<a")
    change: Callable[..., str] = _page_in_html if is_link else _picture
    changed = {target: change(target, source, places) for _, target in ATTRIBUTE.findall(tag)}
    if not is_link and not all(changed.values()):
        alt = ALT.search(tag)
        return alt[1] if alt else ""
    return ATTRIBUTE.sub(lambda one: f'{one[1]}="{changed[one[2]]}"' if changed[one[2]] else "", tag)


def _page_in_html(target: str, source: str, places: Places) -> str:
    """Sphinx leaves links in HTML alone, so they name the finished page."""
    return re.sub(r"\.(md|ipynb)(?=#|$)", ".html", _address(target, source, places))


def _picture(target: str, source: str, places: Places) -> str:
    if ELSEWHERE.match(target):
        return ""
    path = _checked(target, source, places)
    places.copied.add(path)
    return _between(places.pages[source], path)


def _address(target: str, source: str, places: Places) -> str:
    """Where a link leads from the page of `source`; empty where the file is not on the web."""
    if ELSEWHERE.match(target) or target.startswith("#"):
        return target
    path, anchor = _checked(target, source, places), "".join(target.partition("#")[1:])
    page = places.pages.get(re.sub(r"^notebooks/(?=\w+\.ipynb$)", "solutions/", path))
    if page:
        return _between(places.pages[source], page) + anchor
    if path.endswith(PICTURES):
        return _picture(target, source, places)
    return f"{places.address}/blob/main/{path}{anchor}" if places.address else ""


def _checked(target: str, source: str, places: Places) -> str:
    path = _file(target, source)
    if not places.exists(path):
        raise CourseError(f"{source} links to {target}, which is not there: fix the link.")
    return path


def _file(target: str, source: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), target.partition("#")[0]))


def _between(page: str, target: str) -> str:
    return posixpath.relpath(target, posixpath.dirname(page) or ".")
