"""What cards, dashboard and cost explorer are built from: a box with a text form, buttons, what is read aloud."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

# The fallbacks after the commas are for VS Code and Colab, which have no JupyterLab theme variables.
STYLE = """<style>
.course-card {
  border-left: 4px solid var(--jp-border-color1, #8a8a8a); padding: 4px 12px; margin: 8px 0; max-width: 52em; }
.course-card .widget-html-content, .course-card .jupyter-widget-html-content {
  white-space: normal; line-height: 1.5; overflow-wrap: anywhere; color: var(--jp-content-font-color1, inherit); }
.course-card .widget-checkbox, .course-card .widget-checkbox label {
  height: auto; width: auto; white-space: normal; line-height: 1.4; color: var(--jp-content-font-color1, inherit); }
.course-card .course-option.jupyter-button {
  height: auto; min-height: 2.2em; padding: 6px 12px; margin: 3px 0; text-align: left; white-space: normal;
  overflow: visible; line-height: 1.4; color: var(--jp-content-font-color1, inherit);
  background: var(--jp-layout-color2, transparent); border: 1px solid var(--jp-border-color1, #8a8a8a); }
.course-card .course-option.jupyter-button:focus-visible, .course-card input:focus-visible {
  outline: 3px solid var(--jp-brand-color1, #1976d2); outline-offset: 1px; }
.course-card .course-option.course-chosen {
  border: 2px solid var(--jp-brand-color1, #1976d2); font-weight: 600; }
</style>"""


class FixedReprBox(widgets.VBox):
    """A VBox whose text form is the same at every run, with a Markdown version where widgets don't render."""

    def __init__(self, name: str, markdown: str, children: list[widgets.Widget]) -> None:
        self._name = name
        self.markdown = markdown
        super().__init__(children)

    def __repr__(self) -> str:
        return self._name

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        return bundle and {**bundle, "text/plain": self._name, "text/markdown": self.markdown}


def action_button(text: str, action: Callable[[], None]) -> widgets.Button:
    """A button in the cards' style that runs `action` when it is pressed."""
    button = widgets.Button(description=text, layout=widgets.Layout(height="auto", width="auto"))
    button.add_class("course-option")
    button.on_click(lambda _: action())
    return button


def button_row(buttons: Sequence[widgets.Button]) -> widgets.HBox:
    """Buttons beside each other, in several lines where there is no room."""
    return widgets.HBox(list(buttons), layout=widgets.Layout(flex_flow="row wrap"))


def alert_html(content: str) -> str:
    """Content in HTML that a screen reader announces as soon as it appears."""
    # A status region is announced only if it was there before its text, and this one is new each time.
    return f'<div role="alert">{content}</div>'
