"""What the server answers, to whom, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
import http.client
import json
import os
import random
import socket
import string
import struct
import subprocess
import sys
import threading
import time
from urllib.request import urlopen

import cv2
from espnet_ros.exceptions import ConfigError
from espnet_ros.monitoring.health import Level, Status
from espnet_ros.web.access import Access
from espnet_ros.web.limits import MOST_CONNECTIONS, Pacer, RequestMeter
from espnet_ros.web.records import Ground, Obstacle, Sample
from espnet_ros.web.server import WebServer
import numpy as np
import psutil
import pytest
from time_limits import message_limit_s as limit_s

from ..conftest import ROOT
from .conftest import make_frame, Served, wait_until


def get(
    served: Served, path: str, method: str = 'GET', **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of an answer."""
    connection = http.client.HTTPConnection('127.0.0.1', served.server.port, timeout=limit_s())
    try:
        connection.request(
            method, path, headers={k.replace('_', '-'): v for k, v in headers.items()}
        )
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def unpack(body: bytes) -> tuple[dict[str, object], dict[str, bytes]]:
    """Return the facts and the files of a picture."""
    (length,) = struct.unpack_from('<I', body)
    facts = json.loads(body[4 : 4 + length])
    parts, start = {}, 4 + length
    for name, size in facts['parts']:
        parts[name] = body[start : start + size]
        start += size
    assert start == len(body)
    return facts, parts


def decode(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def next_events(served: Served, names: set[str]) -> dict[str, object]:
    """Return the newest content of each event, once all of them have come."""
    found: dict[str, object] = {}
    with urlopen(f'http://127.0.0.1:{served.server.port}/events', timeout=limit_s()) as stream:
        name = ''
        while not names <= found.keys():
            line = stream.readline().decode().rstrip()
            assert line or name, 'the stream ended'
            if line.startswith('event: '):
                name = line[7:]
            elif line.startswith('data: '):
                found[name] = json.loads(line[6:])
    return found


def test_a_picture_holds_camera_and_mask_of_the_same_frame(moving: Served) -> None:
    status, headers, body = get(moving, '/frame?width=64&confidence=1')
    assert status == 200, body
    assert headers['Cache-Control'] == 'no-store'
    facts, parts = unpack(body)
    image, mask = decode(parts['camera']), decode(parts['mask'])
    gray = round(float(image.mean()))
    assert (mask[-1] == 1).sum() == pytest.approx(gray % 64, abs=1), 'of another frame'
    assert facts['label_set']['classes'][1]['name'] == 'car'
    assert dict(zip(facts['ids'], facts['shares'], strict=True))[2] == pytest.approx(0.25)
    assert decode(parts['confidence']).mean() == pytest.approx(204, abs=2)


def test_each_picture_is_newer_and_the_label_set_is_sent_once(moving: Served) -> None:
    facts, _ = unpack(get(moving, '/frame')[2])
    again, _ = unpack(get(moving, f'/frame?after={facts["number"]}&labels={facts["labels"]}')[2])
    assert again['number'] > facts['number']
    assert 'label_set' not in again


def test_masks_keep_their_ids_when_they_are_reduced(served: Served) -> None:
    threading.Timer(
        0.3, lambda: served.view.offer('', make_frame(40, height=96, width=128))
    ).start()
    _, parts = unpack(get(served, '/frame?width=64')[2])
    assert decode(parts['mask']).shape == (48, 64)
    assert set(np.unique(decode(parts['mask']))) == {0, 1, 2}


def test_nothing_is_kept_while_nobody_looks(served: Served) -> None:
    served.view.offer('', make_frame(1))
    assert served.view.newest('') == (0, None)


def test_the_overlay_comes_as_one_picture_and_as_a_film(moving: Served) -> None:
    status, headers, body = get(moving, '/overlay.jpg?alpha=0')
    assert (status, headers['Content-Type']) == (200, 'image/jpeg')
    assert decode(body).shape == (48, 64, 3)
    with urlopen(
        f'http://127.0.0.1:{moving.server.port}/overlay.mjpg?rate=30', timeout=limit_s()
    ) as film:
        assert film.headers['Content-Type'].startswith('multipart/x-mixed-replace')
        seen = set()
        while len(seen) < 3:
            while not (line := film.readline()).startswith(b'Content-Length'):
                pass
            film.readline()
            seen.add(film.read(int(line.split(b':')[1])))
    assert all(decode(picture).shape == (48, 64, 3) for picture in seen)


def test_numbers_statuses_and_ground_come_as_events(served: Served) -> None:
    view = served.view
    now_s = time.time()
    for second in range(400):
        view.put_sample('', Sample(masks_hz=second, dropped=2 * second), now_s - 400 + second)
    view.put_statuses([Status('input', Level.ERROR, 'no image for 2.1 s', {'a': 'b'})])
    wants = {'hello', 'history', 'sample', 'statuses', 'ground'}
    ground = Ground(((0, 0), (1, 1), (2, 0)), ((5.0, float('nan')), (1, 2)), (Obstacle(3, 4, 1),))
    feeding = threading.Timer(0.5, lambda: view.put_ground(ground))
    feeding.start()
    found = next_events(served, wants)
    assert found['hello']['cameras'] == ['']
    history = found['history']
    assert len(history['rows']) == 300, 'five minutes'
    columns = history['columns']
    assert [row[columns.index('masks_hz')] for row in history['rows'][-2:]] == [398, 399]
    assert history['rows'][-1][columns.index('dropped_hz')] == pytest.approx(2)
    assert history['rows'][-1][columns.index('power_w')] is None, 'what is not known is no 0'
    assert found['statuses'] == [
        {'name': 'input', 'level': 'ERROR', 'message': 'no image for 2.1 s', 'values': {'a': 'b'}}
    ]
    assert found['ground']['hits'] == [[1, 2]], 'a point that is none is left out'
    assert found['ground']['obstacles'] == [[3, 4, 1]]
    wait_until(lambda: not view.has_readers)


@pytest.mark.parametrize('host', ['evil.example', '127.0.0.1.evil.example', 'localhost@evil', ''])
def test_a_host_that_is_not_this_machine_is_refused(served: Served, host: str) -> None:
    status, _, body = get(served, '/', Host=host)
    assert status in (400, 403)
    assert b'<html' not in body


@pytest.mark.parametrize('host', ['127.0.0.1', 'localhost:9000', '[::1]:1234', 'LOCALHOST'])
def test_this_machine_has_several_names(served: Served, host: str) -> None:
    assert get(served, '/', Host=host)[0] == 200


def test_a_page_of_another_site_gets_nothing_from_within(served: Served) -> None:
    foreign = {'Sec_Fetch_Site': 'cross-site', 'Sec_Fetch_Mode': 'no-cors'}
    assert get(served, '/frame', **foreign)[0] == 403
    assert get(served, '/', **(foreign | {'Sec_Fetch_Mode': 'navigate'}))[0] == 200


def test_without_the_token_nobody_looks_from_outside(serve: Callable[..., Served]) -> None:
    served = serve(host='0.0.0.0')
    token = served.server.address.partition('token=')[2]
    assert len(token) >= 20
    for path in ('/', '/app.js', '/events', '/frame', f'/?token={token[:-1]}', '/?token='):
        status, _, body = get(served, path, Cookie='espnet_ros_0=x')
        assert (status, b'expected the token' in body) == (403, True), path
    status, headers, _ = get(served, f'/?token={token}')
    assert (status, headers['Location']) == (303, '/'), 'the token leaves the address'
    cookie = headers['Set-Cookie']
    assert 'HttpOnly' in cookie and 'SameSite' in cookie
    assert get(served, '/app.js', Cookie=cookie.partition(';')[0])[0] == 200
    assert get(served, '/app.js', Authorization=f'Bearer {token}')[0] == 200
    assert get(served, '/', Cookie=cookie.partition(';')[0], Host='evil.example')[0] == 403


def test_an_address_of_the_network_may_be_a_number_or_the_name_of_the_machine() -> None:
    access = Access('0.0.0.0')
    assert access.knows_host('192.168.1.7:8421') and access.knows_host(socket.gethostname())
    assert not access.knows_host('robot.evil.example')
    assert not Access('127.0.0.1').knows_host('192.168.1.7:8421')


@pytest.mark.parametrize('method', ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE'])
def test_nothing_can_be_changed(served: Served, method: str) -> None:
    assert get(served, '/', method)[0] in (400, 405)


@pytest.mark.parametrize(
    'path',
    ['/../../etc/passwd', '/vendor/../server.py', '/%2e%2e/%2e%2e/etc/passwd', '/vendor/LICENSE',
     '/index.html/..', '//etc/passwd', '/page/style.css', '/.git/config'],
)  # fmt: skip
def test_nothing_of_the_file_system_can_be_requested(served: Served, path: str) -> None:
    status, _, body = get(served, path)
    assert status in (400, 404)
    assert len(body) < 200


def test_every_answer_has_the_headers_that_keep_other_sites_out(served: Served) -> None:
    for path in ('/', '/app.js', '/nothing', '/frame?width=x'):
        headers = get(served, path)[1]
        policy = headers['Content-Security-Policy']
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert 'unsafe' not in policy
        assert headers['X-Content-Type-Options'] == 'nosniff'
        assert 'aiohttp' not in headers['Server']


@pytest.mark.parametrize(
    'query',
    ['width=x', 'width=9999', 'width=-5', 'rate=0', 'rate=1e3', 'camera=rear', 'after=9' * 9,
     'alpha=101', 'width=٣٠٠'],
)  # fmt: skip
def test_a_bad_request_is_told_what_was_expected(served: Served, query: str) -> None:
    from urllib.parse import quote

    status, _, body = get(served, f'/frame?{quote(query, safe="=")}')
    assert status == 400
    assert body.count(b'\n') == 1 and b'expected' in body


def test_a_stalled_browser_costs_one_picture_and_keeps_nobody_waiting(moving: Served) -> None:
    with socket.create_connection(('127.0.0.1', moving.server.port)) as stalled:
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        stalled.sendall(b'GET /overlay.mjpg?rate=30 HTTP/1.1\r\nHost: localhost\r\n\r\n')
        began_s = time.monotonic()
        for _ in range(10):
            assert get(moving, '/frame')[0] == 200
        assert time.monotonic() - began_s < 5


def test_connections_beyond_the_limit_are_told_so(served: Served) -> None:
    sockets = [socket.create_connection(('127.0.0.1', served.server.port)) for _ in range(200)]
    try:
        refused = 0
        for each in sockets:
            each.settimeout(10)
        for each in sockets[MOST_CONNECTIONS:]:
            refused += each.recv(100).startswith(b'HTTP/1.1 503')
        assert refused == 200 - MOST_CONNECTIONS
        sockets[0].sendall(b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
        assert sockets[0].recv(100).startswith(b'HTTP/1.1 200')
    finally:
        for each in sockets:
            each.close()

    def is_free() -> bool:
        try:
            return get(served, '/')[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    wait_until(is_free)


def test_connections_that_were_closed_make_room_for_others(served: Served) -> None:
    assert all(get(served, '/')[0] == 200 for _ in range(2 * MOST_CONNECTIONS))


def test_all_browsers_together_get_no_more_pictures_than_one_can_afford() -> None:
    now_s = [100.0]
    pacer = Pacer(10.0, lambda: now_s[0])
    assert [round(pacer.wait_s(), 2) for _ in range(4)] == [0.0, 0.1, 0.2, 0.3]
    now_s[0] += 10
    assert pacer.wait_s() == 0, 'what was not used is not made up for'


def test_an_address_that_asks_too_often_has_to_slow_down() -> None:
    now_s = [0.0]
    meter = RequestMeter(10.0, lambda: now_s[0])
    assert sum(meter.allows('a') for _ in range(100)) == 20
    assert meter.allows('b')
    now_s[0] += 1
    assert sum(meter.allows('a') for _ in range(100)) == 10


def fuzz(served: Served, count: int, seed: int) -> None:
    """Send damaged requests, some of them broken off."""
    chance = random.Random(seed)
    methods = ['GET', 'HEAD', 'POST', 'G\0T', 'get', '', 'CONNECT', 'PRI']
    paths = ['/', '/frame', '/events', '/overlay.mjpg', '/overlay.jpg', '/app.js', '/x', '*', '']
    names = ['Host', 'Content-Length', 'Transfer-Encoding', 'Cookie', 'Connection', 'Upgrade',
             'Range', 'Sec-Fetch-Site', 'Authorization', 'X' * 300]  # fmt: skip
    values = ['localhost', 'evil', '-1', '9' * 30, 'chunked', 'websocket', 'a=b;' * 50, '\x7f\xff']
    noise = string.printable
    for _ in range(count):
        query = ''.join(chance.choices(noise, k=chance.randrange(30)))
        lines = [
            f'{chance.choice(methods)} {chance.choice(paths)}?{query} HTTP/1.{chance.randrange(3)}'
        ]
        lines += [
            f'{chance.choice(names)}: {chance.choice(values)}' for _ in range(chance.randrange(6))
        ]
        data = bytearray('\r\n'.join([*lines, '', '']).encode('latin-1'))
        for _ in range(chance.choice((0, 0, 1, 5))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            with socket.create_connection(('127.0.0.1', served.server.port), 5) as connection:
                connection.settimeout(0.02)
                connection.sendall(data[: chance.choice((len(data), len(data) // 2))])
                connection.recv(64)
        except OSError:
            continue


def test_damaged_requests_do_no_harm(serve, capfd: pytest.CaptureFixture[str]) -> None:
    count = 10_000 if os.environ.get('ESPNET_ROS_LONG') else 200
    served = serve()
    fuzz(served, min(count, 300), 1)
    before = psutil.Process().memory_info().rss
    fuzz(served, count, 2)

    def answers() -> bool:
        try:
            return get(served, '/')[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    wait_until(answers)
    grown_mb = (psutil.Process().memory_info().rss - before) / 1e6
    assert grown_mb < 40
    assert 'Traceback' not in ''.join(capfd.readouterr())


def test_a_port_that_is_taken_is_told_in_one_line(served: Served) -> None:
    with pytest.raises(ConfigError, match=r'web\.port: cannot listen on 127\.0\.0\.1 port \d+ '):
        WebServer(served.view, port=served.server.port)
    with pytest.raises(ConfigError, match=r'web\.host: '):
        WebServer(served.view, host='no.such.host.invalid')


def test_without_aiohttp_one_line_says_what_to_install() -> None:
    code = (
        'import sys; sys.modules["aiohttp"] = None\n'
        'from espnet_ros.web.live_view import LiveView\n'
        'from espnet_ros.web.server import WebServer\n'
        'WebServer(LiveView("x", ("",)))\n'
    )
    ended = subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert 'RuntimeUnavailableError: the live view needs aiohttp' in ended.stderr.splitlines()[-1]


def test_it_ends_while_browsers_look(serve: Callable[..., Served]) -> None:
    served = serve()
    stream = urlopen(f'http://127.0.0.1:{served.server.port}/events', timeout=limit_s())
    wait_until(lambda: served.view.has_readers)
    served.server.close()
    assert stream.read().endswith(b'\n\n'), 'the stream ends in order'
    served.server.close()
