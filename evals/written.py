"""The reports written into a run's folder: HTML, Markdown for a pull request, JUnit XML for CI."""

import os
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from evals.page import page
from evals.report import shown
from evals.runs import Result, Run

HTML, MARKDOWN, JUNIT = "rapport.html", "resume.md", "junit.xml"
LISTED = 50  # failed cases that the Markdown summary names
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2


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
