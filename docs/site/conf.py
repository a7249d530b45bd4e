"""Sphinx's configuration for the static site: stored outputs, no execution, nothing loaded from elsewhere."""

from docutils import nodes
from docutils.utils.math import latex2mathml
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

project = "Fine-tune, retrieve, or both?"
author = copyright = "the authors of the course"
html_title = project
language = "en"

extensions = ["myst_nb"]
exclude_patterns = [".doctrees"]
nb_execution_mode = "off"
nb_merge_streams = True
# No widget survives in the pages, so the scripts that would draw them are not needed.
nb_ipywidgets_js = {}
myst_enable_extensions = ["colon_fence", "dollarmath"]
# `$12 and $19` are prices.
myst_dmath_allow_digits = False
myst_dmath_allow_space = False
myst_heading_anchors = 4

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["course.css"]
html_js_files = ["scrollers.js"]
html_favicon = "static/icon.svg"
html_math_renderer = "mathml"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
html_use_index = False
html_domain_indices = False
html_theme_options = {"footer_icons": []}
# Styles whose colours are readable on both backgrounds.
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"


def _write_math(translator: HTML5Translator, node: nodes.math | nodes.math_block) -> None:
    """Formulas as MathML, which browsers draw themselves."""
    block = isinstance(node, nodes.math_block)
    tag = "div" if block else "span"
    formula = latex2mathml.tex2mathml(node.astext(), as_block=block)
    translator.body.append(f'<{tag} class="course-math">{formula}</{tag}>')
    raise nodes.SkipNode


def _give_captions_a_level(app: Sphinx, pagename: str, templatename: str, context: dict, doctree: object) -> None:
    """Sphinx marks the captions of the navigation as headings but names no level, which screen readers need."""
    tree = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = tree.replace('role="heading"', 'role="heading" aria-level="2"')


def setup(app: Sphinx) -> dict[str, bool]:
    """Register what Sphinx and the theme lack."""
    app.add_html_math_renderer("mathml", inline_renderers=(_write_math, None), block_renderers=(_write_math, None))
    app.connect("html-page-context", _give_captions_a_level, priority=900)  # after the theme
    return {"parallel_read_safe": True}
