"""The common form of every file that is read: Markdown, with the fields and the title that the file states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Page:
    """What a file says.

    text: Markdown.  fields: front matter and its like, with values as they are written.  top: the lines in which
    the fields were found, or would have been.  title: the title that the file states outside its text.
    leads_to: where a redirect points.  encoding: how its characters were stored; empty for Word and PDF.
    """

    text: str
    fields: Mapping[str, object] = field(default_factory=dict)
    top: str = ""
    title: str = ""
    leads_to: str = ""
    encoding: str = ""


class Unreadable(Exception):
    """A file that cannot become a page: one sentence with the fix, in which {path} takes the place of the file."""
