"""reStructuredText: what docutils makes of it, as Markdown.  Sphinx's directives and roles keep their text."""

from __future__ import annotations

import re
from collections.abc import Callable

from docutils import nodes
from docutils.core import publish_doctree, publish_from_doctree
from docutils.parsers.rst import Directive, directives, roles
from docutils.parsers.rst.languages import en

from utils.documents.fields import REDIRECTS, resembles_audience
from utils.documents.page import Page
from utils.documents.web import markdown_of, parse_html

_SETTINGS = {
    "_disable_config": True,  # no configuration file of the user
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "report_level": 5,
    "halt_level": 5,
    "docinfo_xform": False,
    "doctitle_xform": False,
    "initial_header_level": 1,
    "syntax_highlight": "none",
    "line_length_limit": 10**6,
    "embed_stylesheet": False,
    "stylesheet_path": "",
    "output_encoding": "unicode",
}
# They say how Sphinx builds the pages, or where it takes text from that is elsewhere.
_DROPPED = {
    "toctree", "index", "highlight", "meta", "module", "currentmodule", "py:module", "py:currentmodule", "tags",
    "literalinclude", "automodule", "autoclass", "autofunction", "autosummary", "include", "raw", "contents",
    "sectnum", "title", "role", "default-role", "csv-table-file",
}  # fmt: skip
_CODE = {"code", "code-block", "sourcecode", "parsed-literal", "doctest", "testcode", "prompt"}
_DIRECTIVE = re.compile(r"^[ \t]*\.\. (?:\|[^|\n]+\| )?([\w:.+-]+?)::", re.MULTILINE)
_ROLE = re.compile(r":([a-zA-Z][\w:.+-]*):`")
# Fields about a document, by which a list of them is told from text.
_ABOUT = {"id", "title", "section", "valid_from", *REDIRECTS, "author", "date", "orphan", "tocdepth", "nosearch"}
_ROLE_TARGET = re.compile(r"^(.*?)\s*<[^<>]+>$", re.DOTALL)


def page_of_rst(text: str) -> Page:
    """A document in reStructuredText.  A field list at its beginning counts as its fields.

    Nothing is included from other files and nothing is run.
    """
    _know_names_in(text)
    tree = publish_doctree(text, settings_overrides=_SETTINGS)
    fields = _take_fields(tree)
    for message in list(tree.findall(nodes.system_message)):
        message.replace_self(list(message.findall(nodes.literal_block)))  # the lines that were not understood
    html = publish_from_doctree(tree, writer="html5", settings_overrides=_SETTINGS)
    return Page(text=markdown_of(parse_html(html)), fields=fields)


class _AnyOptions(dict):
    def __missing__(self, name: str) -> Callable[[str | None], str | None]:
        return directives.unchanged

    def __bool__(self) -> bool:  # docutils takes an empty one for "no options"
        return True


class _Kept(Directive):
    """An unknown directive: its argument as a paragraph, then its content."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec = _AnyOptions()

    def run(self) -> list[nodes.Node]:
        box = nodes.container()
        for argument in self.arguments:
            inline, messages = self.state.inline_text(argument, self.lineno)
            box += [nodes.paragraph(argument, "", *inline), *messages]
        self.state.nested_parse(self.content, self.content_offset, box)
        return [box]


class _Code(_Kept):
    """A block of code with any options."""

    def run(self) -> list[nodes.Node]:
        code = "\n".join(self.content)
        language = [f"highlight-{name}" for name in self.arguments[:1] if re.fullmatch(r"[\w+#.-]+", name)]
        return [nodes.literal_block(code, code, classes=language)]


class _Dropped(_Kept):
    """A directive without text of its own."""

    def run(self) -> list[nodes.Node]:
        return []


def _know_names_in(text: str) -> None:
    """Registers the directives and roles of a text that docutils does not know, so that their words are not lost."""
    for name in {found.lower() for found in _DIRECTIVE.findall(text)} | _CODE | _DROPPED:
        if name in _CODE or name in _DROPPED or name not in en.directives:
            directives.register_directive(name, _Code if name in _CODE else _Dropped if name in _DROPPED else _Kept)
    for name in {found.lower() for found in _ROLE.findall(text)} - set(en.roles):
        roles.register_local_role(name, _role)


def _role(name, rawtext, text, lineno, inliner, options=None, content=()):  # noqa: ANN001, ANN202 - docutils' interface
    """Sphinx's :role:`words <target>` reads as its words."""
    words = nodes.unescape(text)
    found = _ROLE_TARGET.match(words)
    return [nodes.inline(rawtext, found[1] if found and found[1] else words.lstrip("~!"))], []


def _take_fields(tree: nodes.document) -> dict[str, object]:
    """The fields at the beginning of a document, before or after its title; they are removed from it."""
    first = next((node for node in tree.children if not isinstance(node, nodes.comment | nodes.target)), None)
    if isinstance(first, nodes.section):
        first = next((node for node in first.children if not isinstance(node, nodes.title)), None)
    if not isinstance(first, nodes.field_list):
        return {}
    fields = {field[0].astext(): field[1].astext() for field in first.children}
    if not any(name in _ABOUT or resembles_audience(name) for name in fields):
        return {}  # such as the parameters of a function: text
    first.parent.remove(first)
    return fields
