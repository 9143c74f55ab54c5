"""A chart says its fact in words and shows it: readable, finite, the same on every machine."""

import io
import math
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from skills.contract import Chart
from workers.pictures import HEIGHT, WIDTH, amount, draw, time_ticks, told, value_ticks

START = datetime(2026, 3, 4, 13, 30, tzinfo=UTC)
ONSET = START + timedelta(minutes=33)


def series(value, count=120, seconds=30):
    return tuple((START + timedelta(seconds=seconds * i), value(i)) for i in range(count))


def errors(**more):
    points = series(lambda i: 0.001 if i < 66 else 0.31)
    return Chart("share of requests to checkout that fail", "ratio", points, **{"onset": ONSET, **more})


def pixels(picture):
    return Image.open(io.BytesIO(picture.png)).convert("RGB")


def colours(image, box):
    cut = image.crop(box)
    return {colour for _, colour in cut.getcolors(cut.width * cut.height)}


def test_the_words_say_the_levels_before_and_since_and_the_threshold():
    assert told(errors(threshold=0.05)) == "0.1 % before 14:03, 31 % since; threshold 5 %"
    picture = draw(errors())
    assert picture.alt == "share of requests to checkout that fail: 0.1 % before 14:03, 31 % since"


def test_a_change_that_nobody_can_see_is_not_told_as_one():
    steady = Chart("share of throttled periods", "ratio", series(lambda i: 0.83), ONSET, 0.25)
    assert told(steady) == "steady at 83 %; threshold 25 %"


def test_a_picture_is_a_white_card_of_a_size_that_a_phone_can_show():
    picture = draw(errors())
    image = pixels(picture)
    assert image.size == (WIDTH, HEIGHT)
    assert image.getpixel((3, 3)) == (255, 255, 255)
    assert len(picture.png) < 100_000


def test_the_line_rises_where_the_series_does():
    image = pixels(draw(errors()))
    blue = [(x, y) for x in range(0, WIDTH, 3) for y in range(100, HEIGHT) if _is_blue(image.getpixel((x, y)))]
    left = [y for x, y in blue if x < 500]
    right = [y for x, y in blue if x > 900]
    assert min(left) > max(right) + 200


def test_onset_and_threshold_are_marked_where_they_are():
    plain, marked = pixels(draw(errors(onset=None))), pixels(draw(errors(threshold=0.05)))
    assert not any(_is_red(c) for c in colours(plain, (0, 0, WIDTH, HEIGHT)))
    assert any(_is_red(c) for c in colours(marked, (170, 450, WIDTH, 560)))


def test_where_samples_are_missing_no_line_is_drawn():
    points = tuple(p for i, p in enumerate(series(lambda i: 1.0)) if not 40 < i < 80)
    image = pixels(draw(Chart("requests", "requests/s", points)))
    middle = colours(image, (620, 175, 700, 560))
    assert not any(_is_blue(c) for c in middle)


@pytest.mark.parametrize(
    "points",
    [(), series(lambda i: 1.0, 1), series(lambda i: math.nan), series(lambda i: 1.0, 2, 0)],
)
def test_what_cannot_be_drawn_is_no_picture(points):
    assert draw(Chart("nothing", "bytes", points)) is None


@pytest.mark.parametrize("value", [0.0, 5.0, -5.0, 1e-9, 1e15, math.inf])
def test_a_series_that_stands_still_is_drawn_whatever_its_size(value):
    points = (
        (*series(lambda i: value), *series(lambda i: 0.0, 130)[120:]) if value == math.inf else series(lambda i: value)
    )
    assert draw(Chart("flat", "", points)) is not None


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (134217728, "bytes", "128 MiB"),
        (0.3124, "ratio", "31.2 %"),
        (0.25, "seconds", "250 ms"),
        (2.314, "seconds", "2.31 s"),
        (5400, "seconds", "90 min"),
        (7200, "seconds", "2 h"),
        (1900, "requests/s", "1.9k requests/s"),
        (0.25, "cores", "0.25 cores"),
        (0, "bytes", "0 B"),
        (0, "seconds", "0 s"),
        (12, "", "12"),
    ],
)
def test_amounts_are_written_as_engineers_write_them(value, unit, text):
    assert amount(value, unit) == text


def test_ticks_are_round_and_few_and_hold_both_ends():
    for low, high in ((0, 31), (300, 320), (-3, 4), (0.001, 0.0012), (5, 5)):
        ticks = value_ticks(low, high)
        assert ticks[0] <= low
        assert ticks[-1] >= high
        assert 2 <= len(ticks) <= 7
    assert value_ticks(0, 300 * 2**20, 2**20)[1] % 2**20 == 0


@pytest.mark.parametrize("minutes", [3, 36, 60, 600, 3000, 30_000])
def test_times_are_round_and_few(minutes):
    ticks = time_ticks(START, START + timedelta(minutes=minutes))
    assert 1 <= len(ticks) <= 6
    assert all(t.second == 0 for t in ticks)


def _is_blue(colour):
    return colour[2] > colour[0] + 60


def _is_red(colour):
    return colour[0] > colour[1] + 80 and colour[0] > colour[2] + 60
