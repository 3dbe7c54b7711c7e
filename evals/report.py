"""Scores and failures as text or JSON. Measures nothing."""

import json
import textwrap
from collections.abc import Sequence

from evals.bench import Row
from evals.run import AT_MOST, Outcome, Scores


def table(scores: Scores) -> str:
    """The scores, one a line, then the share of right cases by tag."""
    width = max(len(name) for name in (*scores.values, *scores.by_tag))
    lines = [f"{name:<{width}}  {shown(name, value)}" for name, value in scores.values.items()]
    lines += ["", "right cases by tag"]
    lines += [f"{tag:<{width}}  {right:>3}/{total}" for tag, (right, total) in scores.by_tag.items()]
    return "\n".join(lines)


def shown(name: str, value: float) -> str:
    """A value with its unit: three decimals for a share, « 31 » words, « 84 ms »."""
    if name not in AT_MOST:
        return f"{value:.3f}"
    return f"{value:.0f} ms" if name.startswith("latency") else f"{value:.0f}"


def failures(outcomes: Sequence[Outcome]) -> str:
    """Each failed case with its question and the reason; empty when there is none."""
    failed = [o for o in outcomes if o.problem]
    if not failed:
        return ""
    lines = [f"{len(failed)} failed of {len(outcomes)}"]
    lines += [f"  {o.case.id}: {o.case.question}\n    {textwrap.shorten(o.problem, 300)}" for o in failed]
    return "\n".join(lines)


def as_json(scores: Scores, outcomes: Sequence[Outcome], short: Sequence[str]) -> str:
    """The whole run as one JSON object, for programs."""
    cases = [
        {
            "id": o.case.id,
            "question": o.case.question,
            "tags": o.case.tags,
            "right": not o.problem,
            "problem": o.problem,
            "well_cited": o.cited,
            "answer": o.answer.text if o.answer else None,
            "refused": o.refused,
            "confidence": o.answer.confidence if o.answer else None,
            "documents": o.ranked,
            "seconds": round(o.seconds, 4),
        }
        for o in outcomes
    ]
    tags = {tag: {"right": right, "total": total} for tag, (right, total) in scores.by_tag.items()}
    whole = {"scores": dict(scores.values), "tags": tags, "below": list(short), "cases": cases}
    return json.dumps(whole, ensure_ascii=False, indent=1)


def bench_table(rows: Sequence[Row]) -> str:
    """Both chains side by side; a ratio above 1 is in favour of Repère."""
    lines = [f"{'':<16}  {'Repère':>8}  {'stock':>8}  ratio (above 1: Repère is better)"]
    for row in rows:
        digits = 0 if row.name.endswith(("ms", "words")) else 3
        stock = "–" if row.stock is None else f"{row.stock:.{digits}f}"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        lines.append(f"{row.name:<16}  {row.ours:>8.{digits}f}  {stock:>8}  {ratio}".rstrip())
    return "\n".join(lines)
