"""A run as text for the terminal, as JSON, Markdown and JUnit XML. Measures nothing."""

import json
import os
import re
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.etree import ElementTree

from evals.bench import Row
from evals.metrics import METRICS
from evals.page import page
from evals.results import Result, Run, Score, Summary

HTML, MARKDOWN, JUNIT = "rapport.html", "resume.md", "junit.xml"
LISTED = 50  # failed cases that the Markdown summary names
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2


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
        lines.append(f"  {_name(result)}: {result.question}\n    {textwrap.shorten(result.why, 300)}")
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


def write_reports(run: Run, short: Sequence[str] = ()) -> tuple[Path, ...]:
    """Write every report into the run's folder, each whole or not at all; `short` as of `markdown`."""
    reports = {HTML: page(run), MARKDOWN: markdown(run, short), JUNIT: junit(run)}
    for name, text in reports.items():
        write_text(run.folder / name, text)
    return tuple(run.folder / name for name in reports)


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all; half a surrogate pair, which no file can hold, becomes « ? »."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.write_text(text, "utf-8", errors="replace")
    fresh.replace(path)


def markdown(run: Run, short: Sequence[str] = ()) -> str:
    """A summary for a pull request; `short` are the scores on the wrong side of a threshold."""
    failed = [r for r in run.results if not r.right]
    verdict = "below its thresholds" if short else "thresholds met"
    lines = [f"### Evaluation: {len(run.results) - len(failed)} of {len(run.results)} right, {verdict}", ""]
    lines += [f"- **{cell(line)}**" for line in short] + [""] * bool(short)
    if not run.manifest.complete:
        lines += ["The run was stopped: these are partial results.", ""]
    lines += ["| metric | value | 95 % interval | cases |", "|---|--:|:-:|--:|"]
    for name, s in run.summary.scores.items():
        if s.n:
            between = "" if s.low is None else f"{shown(name, s.low)} – {shown(name, s.high)}"
            lines.append(f"| {cell(name)} | {shown(name, s.value)} | {between} | {s.n} |")
    if failed:
        lines += ["", f"<details><summary>{len(failed)} failed</summary>", ""]
        lines += ["| case | question | why |", "|---|---|---|"]
        lines += [f"| {cell(_name(r))} | {cell(r.question)} | {cell(r.why)} |" for r in failed[:LISTED]]
        lines += [f"\n… and {len(failed) - LISTED} more"] * (len(failed) > LISTED)
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def cell(text: str, longest: int = 300) -> str:
    """A text inside a Markdown table: one line, nothing in it read as Markdown or HTML."""
    line = textwrap.shorten(text, longest).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|@#~])", r"\\\1", line)


def junit(run: Run) -> str:
    """JUnit XML: one testcase a result, a failure with its reason, an error for a crash."""
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(
        suites,
        "testsuite",
        name="evals",
        tests=str(len(run.results)),
        failures=str(sum(not r.right and r.error is None for r in run.results)),
        errors=str(sum(r.error is not None for r in run.results)),
        time=f"{sum(r.seconds for r in run.results):.3f}",
        timestamp=_xml(run.manifest.created),
    )
    for r in run.results:
        name = {"classname": _xml(f"evals.{r.variant or 'as written'}"), "name": _xml(r.id)}
        case = ElementTree.SubElement(suite, "testcase", {**name, "time": f"{r.seconds:.3f}"})
        if not r.right:
            kind = "failure" if r.error is None else "error"
            problem = ElementTree.SubElement(case, kind, message=_xml(textwrap.shorten(r.why, 200)))
            problem.text = _xml(f"{r.question}\n{r.why}")
    ElementTree.indent(suites)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ElementTree.tostring(suites, encoding="unicode")}\n'


def _xml(text: str) -> str:
    return NOT_XML.sub("\ufffd", text)


def _name(result: Result) -> str:
    return f"{result.id} ({result.variant})" if result.variant else result.id
