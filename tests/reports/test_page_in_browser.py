"""The lineage report as a browser shows it: Debian's packages chromium and chromium-driver."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from evo_ntm.reports.html import write_page
from tests.reports.made_up import bred, searched
from tests.reports.test_html import SECTIONS, WORST

webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium")

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--force-prefers-reduced-motion",
)  # fmt: skip
OURS = ("file:", "data:", "blob:", "about:", "chrome:")
PATIENCE = 60.0  # seconds

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM.exists() and DRIVER.exists()), reason=f"needs {CHROMIUM} and {DRIVER}"
    ),
]


class Browser:
    """A page in a browser, as these tests ask for it."""

    def __init__(self, driver):
        self.driver = driver

    def script(self, code, *arguments):
        return self.driver.execute_script(code, *arguments)

    def wait(self, code, *arguments):
        """Wait until a script gives something that is true, and give it."""
        until = time.monotonic() + PATIENCE
        while not (value := self.script(f"return {code}", *arguments)):
            assert time.monotonic() < until, f"never true: {code}"
            time.sleep(0.02)
        return value

    def open(self, path, *, width=1280, dark=False, scripts=True, fragment=""):
        ask = self.driver.execute_cdp_cmd
        self.resize(width)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        ask("Emulation.setEmulatedMedia", {"features": [scheme]})
        ask("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        ask("Emulation.setFocusEmulationEnabled", {"enabled": True})  # whoever else has a browser
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)
        self.driver.get("about:blank")
        self.driver.get(f"{path.as_uri()}{fragment}")
        if scripts:
            self.wait("document.documentElement.dataset.drawn")
        else:  # of which a process that the browser began for the page may have heard too late
            self.driver.refresh()

    def resize(self, width):
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)

    def complaints(self):
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self):
        """List the addresses that the page asked for, or opened a socket to."""
        found = []
        for entry in self.driver.get_log("performance"):
            told = json.loads(entry["message"])["message"]
            if told["method"] == "Network.requestWillBeSent":
                found.append(told["params"]["request"]["url"])
            elif told["method"] == "Network.webSocketCreated":
                found.append(told["params"]["url"])
        return found

    def press(self, key):
        keys = {"Enter": 13, "Tab": 9, "ArrowRight": 39, "End": 35, "Escape": 27}
        for kind in ("rawKeyDown", "char", "keyUp"):
            if kind == "char" and key != "Enter":
                continue
            text = {"text": "\r"} if key == "Enter" else {}
            event = {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": keys[key]}
            self.driver.execute_cdp_cmd("Input.dispatchKeyEvent", {**event, **text})

    def click(self, x, y):
        event = {"x": x, "y": y, "button": "left", "clickCount": 1}
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {**event, "type": kind})

    def middle(self, code):
        """Scroll an element into sight, and tell where it is."""
        return self.script(
            f"const part = {code}; part.scrollIntoView({{block: 'center', inline: 'center'}});"
            "const box = part.getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]"
        )

    def chosen(self):
        """List the births whose rows are chosen and in sight."""
        return self.script(
            "return [...document.querySelectorAll('tr.is-chosen')].filter(row => {"
            "const box = row.getBoundingClientRect();"
            "return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight;"
            "}).map(row => row.dataset.birth)"
        )


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(str(DRIVER))
    with webdriver.Chrome(options=options, service=service) as driver:
        yield Browser(driver)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, lineage in (("searched", searched()), ("bred", bred())):
        write_page(lineage, folder / f"{name}.html")
    return folder


@pytest.mark.parametrize("name", ["searched", "bred"])
def test_a_page_shows_every_section_without_complaint_and_asks_nobody(browser, pages, name):
    browser.open(pages / f"{name}.html")
    shown = browser.script(
        "return [...document.querySelectorAll('main > section')]"
        ".filter(part => part.getClientRects().length && part.offsetHeight > 60)"
        ".map(part => part.id)"
    )
    assert shown == SECTIONS
    undrawn = browser.script(
        "return [...document.querySelectorAll('.plot')].filter(plot =>"
        " !plot.querySelector('.main-svg') || plot.offsetHeight < 100).map(plot => plot.id)"
    )
    assert undrawn == []
    assert browser.complaints() == []
    assert [url for url in browser.requests() if not url.startswith(OURS)] == []


def test_a_click_on_a_mark_of_the_line_chooses_the_birth_and_shows_its_row(browser, pages):
    browser.open(pages / "searched.html")
    birth = next(str(s.number) for s in searched().trunk.steps if not s.matters and s.measured)
    mark = f"document.querySelector('#plot-trunk path.point[data-birth=\"{birth}\"]')"
    browser.click(*browser.middle(mark))
    browser.wait("document.querySelectorAll('tr.is-chosen').length")
    assert birth in browser.chosen()  # though it was folded away
    ring = browser.script(
        "return document.getElementById('plot-trunk').data.find(t => t.name === 'chosen').x.length"
    )
    assert ring == 1
    told = browser.script("return document.getElementById('chosen').innerText")
    assert told.startswith(f"birth {birth}, generation")
    assert browser.complaints() == []


def test_a_click_on_an_ancestor_chooses_the_birth_and_shows_its_row(browser, pages):
    browser.open(pages / "bred.html")
    for beside in (True, False):
        node = next(n for n in bred().ancestry.nodes if n.on_trunk is not beside and n.layer > 3)
        browser.click(*browser.middle(f"document.querySelector('#node-{node.number} .mark')"))
        browser.wait(f"document.querySelector('#node-{node.number}.is-chosen')")
        assert str(node.number) in browser.chosen()


def test_a_row_leads_back_to_the_figures(browser, pages):
    browser.open(pages / "searched.html")
    step = next(s for s in searched().trunk.steps if s.matters and s.verdict == "beneficial")
    row = f"document.querySelector('#birth-{step.number}')"
    browser.click(*browser.middle(f"{row}.querySelectorAll('td')[3]"))
    browser.wait(f"document.querySelector('#node-{step.number}.is-chosen')")
    assert str(step.number) in browser.chosen()  # the reader stays where they were
    browser.click(*browser.middle(f"{row}.querySelector('a')"))
    box = browser.wait(
        "(() => { const box = document.getElementById('plot-trunk').getBoundingClientRect();"
        " return box.top < innerHeight && box.bottom > 0 })()"
    )
    assert box
    browser.press("Escape")
    assert browser.script("return document.getElementById('chosen').hidden") is True
    assert browser.script("return document.querySelectorAll('.is-chosen').length") == 0


def test_the_keyboard_reaches_marks_and_ancestors(browser, pages):
    browser.open(pages / "searched.html")
    births = [str(step.number) for step in searched().trunk.steps]
    assert browser.script(
        "return document.querySelectorAll('#plot-trunk path.point[tabindex=\"0\"]').length"
    ) == 1  # fmt: skip
    browser.script("document.querySelector('#plot-trunk path.point[tabindex=\"0\"]').focus()")
    browser.press("ArrowRight")
    focused = "document.activeElement.dataset.birth"
    assert browser.script(f"return {focused}") == births[1]
    browser.press("Enter")
    browser.wait("document.querySelectorAll('tr.is-chosen').length")
    assert births[1] in browser.chosen()

    browser.script("document.querySelector('.ancestry .node[tabindex=\"0\"]').focus()")
    browser.press("End")
    assert browser.script(f"return {focused}") == births[-1]
    browser.press("Enter")
    browser.wait(f"document.querySelector('#node-{births[-1]}.is-chosen')")
    assert births[-1] in browser.chosen()


def test_tab_comes_first_to_the_skip_link_and_then_to_the_contents(browser, pages):
    browser.open(pages / "searched.html")
    browser.press("Tab")
    assert browser.script("return document.activeElement.className") == "skip"
    browser.press("Enter")
    assert browser.wait("document.activeElement.id === 'report'")


@pytest.mark.parametrize("name", ["searched", "bred"])
def test_a_narrow_page_never_scrolls_sideways(browser, pages, name):
    browser.open(pages / f"{name}.html", width=390)
    browser.script("document.querySelectorAll('details').forEach(part => part.open = true)")
    for width in (390, 320, 820):
        browser.resize(width)
        browser.wait(
            "[...document.querySelectorAll('.plot')].every(plot =>"
            " plot.querySelector('.main-svg').clientWidth <= plot.clientWidth)"
        )
        assert browser.script("return document.documentElement.scrollWidth") <= width
    assert browser.complaints() == []


def test_dark_paper_follows_the_reader_and_the_button(browser, pages):
    def paper():
        return browser.script("return getComputedStyle(document.body).backgroundColor")

    def title():
        selector = "document.querySelector('#plot-trunk .annotation-text')"
        return browser.script(f"return getComputedStyle({selector}).fill")

    browser.open(pages / "searched.html", dark=True)
    dark = paper(), title()
    browser.open(pages / "searched.html")
    light = paper(), title()
    assert dark == ("rgb(22, 24, 28)", "rgb(232, 228, 218)")
    assert light == ("rgb(253, 252, 248)", "rgb(29, 28, 26)")
    browser.click(*browser.middle("document.getElementById('theme')"))
    browser.wait("document.documentElement.dataset.theme === 'dark'")
    assert (paper(), title()) == dark


def test_an_address_with_a_birth_shows_its_row(browser, pages):
    step = searched().trunk.steps[-2]
    browser.open(pages / "searched.html", fragment=f"#birth-{step.number}")
    browser.wait("document.querySelectorAll('tr.is-chosen').length")
    assert str(step.number) in browser.chosen()


def test_without_scripts_tables_and_drawings_are_there(browser, pages):
    browser.open(pages / "searched.html", scripts=False)
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    kinds = ".data table, svg.machine, svg.ancestry, svg.memory"
    heights = browser.script(
        f"return [...document.querySelectorAll('{kinds}')].filter(part =>"
        " !part.closest('.stretch')).map(part => part.getBoundingClientRect().height)"
    )
    assert len(heights) > 15 and sum(height > 0 for height in heights) == len(heights)
    assert browser.script("return document.querySelectorAll('.main-svg').length") == 0
    assert browser.script("return document.querySelector('.plot').clientHeight") == 0


def test_the_worst_of_names_does_nothing(browser, tmp_path):
    lineage = searched()
    header = replace(lineage.header, name=WORST, task=WORST, warnings=(WORST,))
    steps = tuple(replace(step, operators=(WORST,)) for step in lineage.trunk.steps)
    worst = replace(lineage, header=header, trunk=replace(lineage.trunk, steps=steps))
    write_page(worst, tmp_path / "worst.html")
    browser.open(tmp_path / "worst.html")
    assert browser.script("return document.querySelector('h1').textContent") == WORST
    mark = "document.querySelector('#plot-trunk path.point[tabindex=\"0\"]')"
    browser.script(f"{mark}.focus()")
    browser.wait("document.querySelector('#plot-trunk .hoverlayer text')")
    browser.press("Enter")
    browser.wait("!document.getElementById('chosen').hidden")
    assert WORST in browser.script("return document.getElementById('chosen-told').textContent")
    assert browser.complaints() == []
    assert [url for url in browser.requests() if not url.startswith(OURS)] == []
