// Wide code and wide tables scroll sideways. Without a mouse that needs the focus, so whatever scrolls can have it.
function letScrollersHaveFocus() {
  for (const element of document.querySelectorAll("pre, .cell_output table, .table-wrapper")) {
    if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
    else element.removeAttribute("tabindex");
  }
}
addEventListener("DOMContentLoaded", letScrollersHaveFocus);
addEventListener("resize", letScrollersHaveFocus);
