"""The static site, page by page, in Chromium: it loads nothing from elsewhere, no link is broken, all can be read.

Skipped in the ordinary run, and where the site's tools are not installed: `make site` does that.
"""

import functools
import http.server
import os
import threading
from urllib.parse import unquote, urldefrag

import pytest

from utils.authoring.site.build import build_site, python_with_sphinx

pytestmark = [
    pytest.mark.skipif("TEST_BROWSER" not in os.environ, reason="needs a real browser: make test-browser"),
    pytest.mark.skipif(python_with_sphinx() is None, reason="needs Sphinx: make site"),
]

SERIOUS = {"serious", "critical"}
THEMES = ("light", "dark")
LINKS = "links => links.map(link => link.href)"
IDS = "nodes => nodes.map(node => node.id)"
VIOLATIONS = """rules => axe.run(document, {resultTypes: ['violations'], ...(rules ? {runOnly: rules} : {})})
    .then(result => result.violations.map(one => ({
        impact: one.impact, id: one.id, nodes: one.nodes.slice(0, 3).map(node => node.html.slice(0, 160))})))"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder with the site, and its address on this computer."""
    html = build_site(tmp_path_factory.mktemp("site"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=html))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield html, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def addresses(site):
    """The address of every page."""
    html, address = site
    return [address + path.relative_to(html).as_posix() for path in sorted(html.rglob("*.html"))]


class Visit:
    """One page in the browser, and what went wrong while it loaded."""

    def __init__(self, page, own):
        self.page, self.own, self.problems = page, own, []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("request", self._on_request)
        page.on("requestfailed", lambda request: self.problems.append(f"failed: {request.url}"))
        page.on("response", self._on_response)

    def _on_console(self, message):
        if message.type in ("error", "warning"):
            self.problems.append(f"console: {message.text}")

    def _on_request(self, request):
        if not request.url.startswith((self.own, "data:", "blob:")):
            self.problems.append(f"external: {request.url}")

    def _on_response(self, response):
        if response.status >= 400:
            self.problems.append(f"{response.status}: {response.url}")


def seen(visit, address):
    """Open a page; its ids, its links, and what went wrong."""
    visit.problems.clear()
    visit.page.goto(address, wait_until="networkidle")
    ids = set(visit.page.eval_on_selector_all("[id]", IDS))
    links = visit.page.eval_on_selector_all("a[href]", LINKS)
    return ids, links, [f"{address.removeprefix(visit.own)}: {problem}" for problem in visit.problems]


def broken(links, ids, own):
    """The links of pages to pages or anchors of the site that are not there."""
    for page, targets in links.items():
        for target in set(targets):
            address, anchor = urldefrag(target)
            if target.startswith(own) and address.endswith(".html"):
                missing = address not in ids or (anchor and unquote(anchor) not in ids[address])
                if missing:
                    yield f"{page.removeprefix(own)} → {target.removeprefix(own)}"


def violations(page, axe_source, rules=None):
    """What axe-core finds serious or critical, a line each."""
    page.evaluate(axe_source)
    return [f"{one['id']}: {one['nodes']}" for one in page.evaluate(VIOLATIONS, rules) if one["impact"] in SERIOUS]


def test_every_page_loads_by_itself_and_every_link_leads_somewhere(site, addresses, page):
    _, own = site
    visit = Visit(page, own)
    ids, links, problems = {}, {}, []
    for address in addresses:
        ids[address], links[address], wrong = seen(visit, address)
        problems += wrong
    assert problems == []
    assert sum(map(len, links.values())) > 10 * len(addresses)
    assert list(broken(links, ids, own)) == []
    other_files = {target for targets in links.values() for target in targets if target.startswith(own)}
    assert [one for one in other_files if not urldefrag(one)[0].endswith(".html")] == []


@pytest.mark.parametrize("theme", THEMES)
def test_every_page_can_be_read_in_both_themes(theme, site, addresses, browser, axe_source, screenshots):
    """All rules in the light theme; in the dark one only the colours differ."""
    _, own = site
    page = browser.new_context(color_scheme=theme, viewport={"width": 1280, "height": 900}).new_page()
    found = []
    for address in addresses:
        page.goto(address)
        page.eval_on_selector_all("details", "folds => folds.forEach(fold => fold.open = true)")
        rules = ["color-contrast", "link-in-text-block"] if theme == "dark" else None
        found += [f"{address.removeprefix(own)}: {line}" for line in violations(page, axe_source, rules)]
        name = address.removeprefix(own).removesuffix(".html").replace("/", "-")
        page.screenshot(path=screenshots / f"site-{name}-{theme}.png")
    page.context.close()
    assert found == []


def test_a_fold_opens_with_the_keyboard_and_a_narrow_page_does_not_scroll_sideways(site, page):
    _, own = site
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto(f"{own}solutions/02_rag_pipeline.html")
    fold = page.locator(".course-question details").first
    assert not fold.locator("ul").is_visible()
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    assert fold.locator("ul").is_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


def test_the_search_finds_a_page_without_a_server_of_its_own(site, page):
    _, own = site
    page.goto(f"{own}search.html?q=groundedness")
    page.locator("#search-results a", has_text="02 · A RAG pipeline").first.wait_for(timeout=20_000)
