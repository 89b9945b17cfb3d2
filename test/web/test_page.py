"""The page in a real Chromium: what a person sees, and what the browser does behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import json
import time
from typing import Any

from chromium import Chromium, Page
from espnet_ros.monitoring.health import Level, Status
from espnet_ros.web.live_view import LiveView
from espnet_ros.web.records import Ground, Obstacle, Sample
from espnet_ros.web.server import WebServer
import pytest

from ..conftest import ROOT
from .conftest import camera_of, make_frame, Served, wait_until

pytestmark = [pytest.mark.slow]

HAS_PICTURE = 'document.getElementById("empty").hidden'
PIXEL = """(() => {{ const canvas = document.getElementById('picture');
  const place = [{} * canvas.width, {} * canvas.height];
  return [...canvas.getContext('2d').getImageData(...place, 1, 1).data.slice(0, 3)];
}})()"""
INK = """[...document.querySelectorAll({!r})].map((canvas) => {{
  const size = [canvas.width, canvas.height];
  const data = canvas.getContext('2d').getImageData(0, 0, ...size).data;
  return new Uint32Array(data.buffer).filter((value) => value).length; }})"""


def text_of(page: Page, selector: str) -> str:
    return page.evaluate(f'document.querySelector({json.dumps(selector)}).innerText')


def set_blend(page: Page, percent: int) -> None:
    page.evaluate(
        f'(() => {{ const slide = document.getElementById("blend"); slide.value = {percent};'
        ' slide.dispatchEvent(new Event("input")); })()'
    )


def fill(served: Served) -> None:
    """Give numbers of two minutes, statuses and a ground."""
    now_s = time.time()
    for second in range(120):
        sample = Sample(
            masks_hz=20 + second % 3,
            latency_p50_ms=31.0,
            latency_p99_ms=48.0,
            dropped=second // 10,
            power_w=12.0,
            temperature_c=61.0,
            throttling='',
        )
        served.view.put_sample('', sample, now_s - 120 + second)
    served.view.put_statuses(
        [
            Status('output', Level.OK, 'masks are published', {'mask_rate_hz': '20.00'}),
            Status('input', Level.ERROR, 'no image for 2.1 s', {'topic': '/image_raw'}),
            Status('latency', Level.WARN, 'slow', {}),
        ]
    )
    served.view.put_model({'model': 'small', 'trained_on': 'streets ' * 40})
    served.view.put_ground(
        Ground(((0, -1), (8, -2), (8, 2), (0, 1)), ((8.0, 0.5),), (Obstacle(4.0, 3.0, 1),), 20.0)
    )


@pytest.fixture(scope='module')
def shown() -> Iterator[Served]:
    """Return a live view whose camera moves, for all tests of this module."""
    view = LiveView('test', ('',))
    with WebServer(view) as server, camera_of(view):
        yield Served(view, server)


@pytest.fixture
def tab(browser: Chromium) -> Iterator[Page]:
    """Return an empty tab with cookies and storage of its own."""
    with browser.page() as tab:
        tab.resize(1280, 900)
        yield tab


@pytest.fixture(scope='module')
def page(browser: Chromium, shown: Served) -> Iterator[Page]:
    """Return the page, open, with a picture; for all tests of this module, which leave it so."""
    fill(shown)
    with browser.page() as page:
        page.resize(1280, 900)
        page.open(shown.server.address)
        page.wait_for(HAS_PICTURE)
        yield page


def test_pictures_move_and_nothing_is_wrong_behind_them(page: Page, shown: Served) -> None:
    set_blend(page, 100)
    before = page.picture_of('#picture')
    number = text_of(page, '#facts')
    page.wait_for(f'document.getElementById("facts").innerText !== {json.dumps(number)}')
    assert page.picture_of('#picture') != before
    page.wait_for('document.querySelectorAll(".uplot canvas").length >= 4')
    ours = f'http://127.0.0.1:{shown.server.port}/'
    strange = [a for a in page.requests if not a.startswith((ours, 'data:', 'blob:'))]
    assert len(page.requests) > 10
    assert strange == [], 'nothing is asked of another host'
    assert page.console == []


def test_the_slider_leads_from_the_camera_to_the_mask(page: Page) -> None:
    page.press(' ')
    set_blend(page, 0)
    red, green, blue = page.evaluate(PIXEL.format(0.9, 0.1))
    assert max(red, green, blue) - min(red, green, blue) < 8, 'the camera is gray'
    set_blend(page, 100)
    tree = page.evaluate(PIXEL.format(0.9, 0.02))
    assert tree == [128, 128, 0], 'the colour of the class'
    page.evaluate('document.querySelectorAll("#legend input")[2].click()')
    off = page.evaluate(PIXEL.format(0.9, 0.02))
    assert max(off) - min(off) < 8, 'a class that is switched off shows the camera'
    page.evaluate('document.getElementById("split").click()')
    set_blend(page, 95)
    half = page.evaluate(PIXEL.format(0.9, 0.9))
    assert max(half) - min(half) < 8, 'left of the seam is the camera'
    page.evaluate('document.getElementById("split").click()')
    page.evaluate('document.querySelectorAll("#legend input")[2].click()')
    page.press(' ')


def test_the_legend_tells_names_and_shares(page: Page) -> None:
    rows = page.evaluate(
        '[...document.querySelectorAll("#legend li")].map((row) => row.innerText.split("\\n"))'
    )
    assert [row[0] for row in rows] == ['road', 'car', 'tree']
    assert rows[2][1] == '25.0 %'
    switches = '[...document.querySelectorAll("#legend [role=switch]")]'
    assert page.evaluate(f'{switches}.every((each) => each.checked && each.ariaLabel)')


def test_pointing_tells_class_and_confidence(page: Page) -> None:
    page.point('#picture', 0.9, 0.1)
    page.wait_for('/^tree \\d+ %$/.test(document.getElementById("tip").innerText)')
    assert abs(int(text_of(page, '#tip').split()[1]) - 80) <= 1
    page.evaluate('document.getElementById("picture").focus()')
    page.press('ArrowDown')
    page.wait_for('document.getElementById("tip-words").innerText.includes("percent sure")')


def test_curves_have_data_and_what_is_not_known_says_so(page: Page) -> None:
    cards = page.evaluate('[...document.querySelectorAll(".curve")].map((c) => c.innerText)')
    by_title = {card.split('\n')[0].upper(): card for card in cards}
    assert '22.0' in by_title['MASKS PER SECOND'] or '20.0' in by_title['MASKS PER SECOND']
    assert 'p99 48' in by_title['LATENCY']
    assert 'not throttled' in by_title['TEMPERATURE']
    assert 'cannot be read' in by_title['ENERGY PER FRAME']
    drawn = page.evaluate(INK.format('.uplot canvas'))
    assert len(drawn) == 5 and all(count > 300 for count in drawn)


def test_diagnostics_are_lines_with_words_the_worst_first(page: Page) -> None:
    lines = page.evaluate(
        '[...document.querySelectorAll("#statuses summary")].map((line) => line.innerText)'
    )
    assert [line.split()[0] for line in lines] == ['ERROR', 'WARN', 'OK']
    assert 'no image for 2.1 s' in lines[0]
    assert text_of(page, '#health') == 'ERROR: input and 1 more'


def test_the_ground_is_drawn_in_metres(page: Page, shown: Served) -> None:
    fill(shown)
    page.wait_for('!document.getElementById("ground").hidden')
    page.wait_for('document.getElementById("ground-words").innerText === "nearest: car, 5.0 m"')
    (count,) = page.evaluate(INK.format('#ground-picture'))
    assert count > 1000


def test_a_camera_that_falls_silent_is_told_in_the_picture(
    tab: Page, serve: Callable[..., Served]
) -> None:
    served = serve()
    tab.open(served.server.address)
    wait_until(lambda: served.view.is_watched(''))
    served.view.offer('', make_frame(3))
    tab.wait_for(HAS_PICTURE)
    tab.wait_for('!document.getElementById("stale").hidden')
    assert 'no new picture for' in text_of(tab, '#stale')


def test_cameras_are_tabs(tab: Page, serve: Callable[..., Served]) -> None:
    served = serve(('front', 'rear'))
    tab.open(served.server.address)
    tab.wait_for('document.querySelectorAll("[role=tab]").length === 2')
    tab.press('c')
    tab.wait_for('document.querySelector("[aria-selected=true]").innerText === "rear"')
    tab.wait_for('document.getElementById("empty").hidden === false')
    wait_until(lambda: served.view.is_watched('rear'))


@pytest.mark.parametrize(
    ('width', 'height', 'is_phone'), [(360, 740, True), (1280, 900, False), (1920, 1080, False)]
)
def test_it_fits_every_screen_without_scrolling_sideways(
    page: Page, width: int, height: int, is_phone: bool
) -> None:
    page.resize(width, height, is_phone=is_phone)
    page.wait_for(f'innerWidth === {width}')
    wide = page.evaluate(
        f"""[...document.querySelectorAll('main *')].filter((each) =>
          each.getBoundingClientRect().right > {width} + 1 && !each.closest('.hidden, dialog'))
          .map((each) => each.className)"""
    )
    assert page.evaluate('document.documentElement.scrollWidth') <= width
    assert wide == []
    assert page.evaluate('document.getElementById("picture").getBoundingClientRect().width') > 250
    page.resize(1280, 900)


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_it_can_be_used_by_everybody(page: Page, scheme: str) -> None:
    """Of what axe-core finds, nothing is serious."""
    page.prefer(scheme)
    page.press('?')
    axe = (ROOT / 'test' / 'assets' / 'axe.min.js').read_text(encoding='utf-8')
    page.evaluate(f'{axe}\n;0')
    found: list[dict[str, Any]] = page.evaluate(
        'axe.run(document, {resultTypes: ["violations"]}).then((all) => all.violations.map('
        '({id, impact, nodes}) => ({id, impact, where: nodes.map((n) => n.html).slice(0, 3)})))'
    )
    assert [each for each in found if each['impact'] in ('serious', 'critical')] == []


def test_a_hidden_tab_costs_nothing(tab: Page, serve: Callable[..., Served]) -> None:
    shown = serve()
    tab.open(shown.server.address)
    wait_until(lambda: shown.view.is_watched('') and shown.view.has_readers)
    tab.evaluate(
        "(() => { Object.defineProperty(document, 'hidden', {value: true, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); })()"
    )
    wait_until(lambda: not (shown.view.has_readers or shown.view.is_watched('')), 20.0)


def test_the_token_lets_in_and_leaves_the_address(tab: Page, serve: Callable[..., Served]) -> None:
    served = serve(host='0.0.0.0')
    token = served.server.address.partition('token=')[2]
    tab.open(f'http://127.0.0.1:{served.server.port}/?token={token}')
    tab.wait_for('document.getElementById("title").innerText === "test"')
    assert tab.evaluate('location.search') == ''
    assert tab.console == []
