"""Scores and failures for the terminal, as text or JSON. Measures nothing."""

import json
import textwrap
from collections.abc import Iterable, Sequence

from evals.bench import Row
from evals.metrics import METRICS
from evals.runs import Result, Score, Summary


def table(summary: Summary) -> str:
    """The scores with their 95 % intervals, one a line; the share of right cases by tag; the variants."""
    shown_scores = {name: score for name, score in summary.scores.items() if score.value is not None}
    width = max(len(name) for name in (*METRICS, *summary.tags))
    lines = [f"{name:<{width}}  {_line(name, score)}" for name, score in shown_scores.items()]
    by_tag = {tag: scores.get("right cases") for tag, scores in summary.tags.items()}
    if any(score and score.n for score in by_tag.values()):
        lines += ["", "right cases by tag"]
        lines += [
            f"{tag:<{width}}  {round(score.value * score.n):>3}/{score.n}"
            for tag, score in by_tag.items()
            if score and score.value is not None
        ]
    if len(summary.variants) > 1:
        lines += ["", _matrix(summary, width)]
    return "\n".join(lines)


def _line(name: str, score: Score) -> str:
    between = ""
    if score.low is not None and score.high is not None:
        between = f"{shown(name, score.low)} – {shown(name, score.high)}"
    return f"{shown(name, score.value):>8}  {between:<17}  {METRICS[name].better} is better, n = {score.n}"


def shown(name: str, value: float | None) -> str:
    """A value with its unit: three decimals for a share, « 31 » words, « 84 ms », « – » for none."""
    if value is None:
        return "–"
    if name not in METRICS or METRICS[name].range == "0–1":
        return f"{value:.3f}"
    return f"{value:.0f} ms" if METRICS[name].range == "ms" else f"{value:.0f}"


def _matrix(summary: Summary, width: int) -> str:
    """Each metric for each variant of the questions."""
    names = [variant or "as written" for variant in summary.variants]
    head = f"{'':<{width}}  {'  '.join(f'{name:>11}' for name in names)}"
    rows = [
        f"{name:<{width}}  {'  '.join(f'{shown(name, v[name]):>11}' for v in summary.variants.values())}"
        for name in METRICS
        if any(values[name] is not None for values in summary.variants.values())
    ]
    return "\n".join([head, *rows])


def failures(results: Iterable[Result]) -> str:
    """Each failed case with its question and the reason; empty when there is none."""
    lines: list[str] = []
    asked = 0
    for result in results:
        asked += 1
        if result.right:
            continue
        name = f"{result.id} ({result.variant})" if result.variant else result.id
        lines.append(f"  {name}: {result.question}\n    {textwrap.shorten(result.why, 300)}")
    return "\n".join([f"{len(lines)} failed of {asked}", *lines]) if lines else ""


def as_json(summary: Summary, results: Iterable[Result], short: Sequence[str]) -> str:
    """The whole run as one JSON object, for programs."""
    cases = [
        {
            "id": r.id,
            "variant": r.variant,
            "question": r.question,
            "tags": r.tags,
            "right": r.right,
            "problem": r.why,
            "well_cited": r.values.get("citation accuracy") == 1,
            "answer": None if r.error else r.answer,
            "refused": r.refused,
            "confidence": r.confidence,
            "documents": [hit.document for hit in r.passages],
            "seconds": r.seconds,
        }
        for r in results
    ]
    tags = {}
    for tag, scores in summary.tags.items():
        right = scores["right cases"]
        tags[tag] = {"right": round((right.value or 0) * right.n), "total": right.n}
    values = {name: score.value for name, score in summary.scores.items()}
    whole = {"scores": values, "tags": tags, "below": list(short), "cases": cases}
    return json.dumps(whole, ensure_ascii=False, indent=1)


def bench_table(rows: Sequence[Row]) -> str:
    """The chains side by side; a ratio above 1 is in favour of the first, Repère."""
    names = list(rows[0].values)
    head = [f"{'':<16}", *(f"{name:>8}" for name in names), *(f"{f'÷ {name}':>8}" for name in names[1:])]
    lines = ["  ".join(head) + "  (a ratio above 1: Repère is better)"]
    for row in rows:
        digits = 0 if row.name.endswith(("ms", "words")) else 3
        values = ["–" if value is None else f"{value:.{digits}f}" for value in row.values.values()]
        ratios = [row.ratio(name) for name in names[1:]]
        told = [*values, *("" if ratio is None else f"{ratio:.2f}" for ratio in ratios)]
        lines.append("  ".join([f"{row.name:<16}", *(f"{text:>8}" for text in told)]).rstrip())
    return "\n".join(lines)
