"""Numbers → inline SVG, coloured by the page's own style sheet. Knows no files and no metrics.

A chart with axes has a view box; bars are in per cent of their cell, so that they fit any width.
"""

import math
from collections.abc import Callable, Sequence
from html import escape

from evals.wording import AND_MORE, NBSP, cases, number, percent

WIDTH, HEIGHT = 360, 240
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 14, 40
Point = tuple[float, float]


def bar(value: float, low: float | None, high: float | None) -> str:
    """A bar from 0 to `value` in [0, 1] with the whisker of its interval."""
    whisker = ""
    if low is not None and high is not None:
        whisker = (
            f'<line class="whisker" x1="{100 * low:.2f}%" x2="{100 * high:.2f}%" y1="50%" y2="50%"/>'
            f'<line class="whisker" x1="{100 * low:.2f}%" x2="{100 * low:.2f}%" y1="30%" y2="70%"/>'
            f'<line class="whisker" x1="{100 * high:.2f}%" x2="{100 * high:.2f}%" y1="30%" y2="70%"/>'
        )
    return (
        '<svg class="bar" aria-hidden="true"><rect class="track" width="100%" height="100%" rx="3"/>'
        f'<rect class="fill" width="{100 * value:.2f}%" height="100%" rx="3"/>{whisker}</svg>'
    )


def stack(parts: Sequence[tuple[str, str, int]]) -> str:
    """One bar of several parts, each (class, label, count); a part of 0 is left out."""
    total = sum(n for _, _, n in parts) or 1
    drawn, x = [], 0.0
    for kind, label, n in parts:
        if n:
            width = 100 * n / total
            drawn.append(
                f'<rect class="part {kind}" x="{x:.3f}%" width="{width:.3f}%" height="100%">'
                f"<title>{escape(label)}{NBSP}: {n}</title></rect>"
            )
            x += width
    return f'<svg class="stack" aria-hidden="true">{"".join(drawn)}</svg>'


def curve(points: Sequence[Point], x_label: str, y_label: str, title: str) -> str:
    """A line through (x, y), at least one and both in [0, 1], in a frame whose height fits the highest y."""
    top = min(1.0, _ceiling(max(y for _, y in points)))
    line = " ".join(f"{_x(x):.1f},{_y(y / top):.1f}" for x, y in points)
    first, last = points[0][0], points[-1][0]
    area = f"{_x(first):.1f},{_y(0):.1f} {line} {_x(last):.1f},{_y(0):.1f}"
    dots = "".join(
        f'<circle class="dot" cx="{_x(x):.1f}" cy="{_y(y / top):.1f}" r="4"><title>'
        f"{escape(x_label)} {percent(x, 0)}, {escape(y_label).lower()} {percent(y)}</title></circle>"
        for x, y in _spread(points, 40)
    )
    inside = f'<polygon class="area" points="{area}"/><polyline class="line" points="{line}"/>'
    return _framed(f'{inside}<g class="faint">{dots}</g>', top, x_label, y_label, title)


def reliability(bins: Sequence[tuple[float, float, int]], x_label: str, y_label: str, title: str) -> str:
    """Dots at (confidence, accuracy), as large as their bin, beside the diagonal of perfect calibration."""
    most = max((n for _, _, n in bins), default=1)
    dots = "".join(
        f'<line class="gap" x1="{_x(x):.1f}" x2="{_x(x):.1f}" y1="{_y(x):.1f}" y2="{_y(y):.1f}"/>'
        f'<circle class="dot" cx="{_x(x):.1f}" cy="{_y(y):.1f}" r="{3 + 8 * math.sqrt(n / most):.1f}">'
        f"<title>{escape(x_label)} {percent(x, 0)}, {escape(y_label).lower()} {percent(y, 0)}, "
        f"{cases(n)}</title></circle>"
        for x, y, n in bins
    )
    diagonal = f'<line class="ideal" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>'
    return _framed(diagonal + dots, 1.0, x_label, y_label, title)


def histogram(values: Sequence[float], marks: Sequence[Point], x_label: str, title: str) -> str:
    """How often which value of ≥ 0 occurs; what lies beyond the 99th percentile is in the last bar.

    `marks` are upright lines: (value, percentile).
    """
    ordered = sorted(values)
    end = _ceiling(ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))])
    bars = 24
    counts = [0] * bars
    for value in ordered:
        counts[min(bars - 1, int(bars * value / end))] += 1
    most = _ceiling(max(counts))
    width = (WIDTH - LEFT - RIGHT) / bars
    drawn = "".join(
        f'<rect class="fill" x="{LEFT + i * width + 0.5:.1f}" y="{_y(n / most):.1f}" width="{width - 1:.1f}" '
        f'height="{_y(0) - _y(n / most):.1f}"><title>{number(i * end / bars)}–{number((i + 1) * end / bars)}'
        f"{'' if i < bars - 1 else AND_MORE}{NBSP}ms{NBSP}: {number(n)}</title></rect>"
        for i, n in enumerate(counts)
        if n
    )
    for k, (value, p) in enumerate(marks):
        x = _x(min(1.0, value / end))
        anchor, shift = ("end", -4) if x > WIDTH * 0.6 else ("start", 4)
        drawn += (
            f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{_y(0)}"/>'
            f'<text class="marked" x="{x + shift:.1f}" y="{TOP + 10 + 15 * k}" text-anchor="{anchor}">'
            f"p{p:.0f}{NBSP}: {number(value)}{NBSP}ms</text>"
        )
    ticks = "".join(
        f'<text x="{_x(i / 4):.1f}" y="{HEIGHT - 22}" text-anchor="middle">{number(end * i / 4)}</text>'
        for i in range(5)
    )
    return _svg(f"{_grid(most, number)}{drawn}{ticks}{_below(x_label)}", title)


def _framed(inside: str, top: float, x_label: str, y_label: str, title: str) -> str:
    ticks = "".join(
        f'<text x="{_x(i / 4):.1f}" y="{HEIGHT - 22}" text-anchor="middle">{25 * i}{NBSP}%</text>'
        for i in range(5)
    )
    aside = f'<text class="axis" x="{LEFT}" y="9">{escape(y_label)}</text>'
    digits = 0 if top >= 0.04 else 1
    grid = _grid(top, lambda share: percent(share, digits))
    return _svg(f"{grid}{inside}{ticks}{aside}{_below(x_label)}", title)


def _grid(top: float, shown: Callable[[float], str]) -> str:
    return "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{_y(i / 4):.1f}" y2="{_y(i / 4):.1f}"/>'
        f'<text x="{LEFT - 6}" y="{_y(i / 4) + 4:.1f}" text-anchor="end">{shown(top * i / 4)}</text>'
        for i in range(5)
    )


def _below(label: str) -> str:
    place = f'x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 5}" text-anchor="middle"'
    return f'<text class="axis" {place}>{escape(label)}</text>'


def _svg(inside: str, title: str) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"{inside}</svg>"
    )


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _ceiling(value: float) -> float:
    """The next of 4, 8, 12, 20, 40 … tenths, units, tens: a quarter of it is a round number."""
    if value <= 0:
        return 1.0
    scale: float = 10.0 ** math.floor(math.log10(value))
    return next(step * scale for step in (1.2, 2, 4, 8, 12) if step * scale >= value)


def _spread(points: Sequence[Point], most: int) -> list[Point]:
    step = max(1, len(points) // most)
    return [*points[:-1:step], points[-1]]
