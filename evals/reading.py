"""The commands that read results: report, compare, gate, explain, diff. Prints; measures nothing itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from evals import compare as comparing
from evals.cases import FOLDER, THRESHOLDS
from evals.gate import failing
from evals.report import failures, table
from evals.run import read_thresholds, short_of
from evals.runs import Run, read_run
from evals.written import write_reports, write_text

app = typer.Typer()
RunFolder = Annotated[Path, typer.Argument(help="Folder of a run: .cache/evals/…", show_default=False)]
Thresholds = Annotated[Path, typer.Option(help="« score: limit » lines, in YAML.")]
LIMITS = FOLDER / THRESHOLDS


@app.command()
def report(run: RunFolder, thresholds: Thresholds = LIMITS) -> None:
    """Write rapport.html, resume.md and junit.xml into a run's folder; print scores and failed cases."""
    read = read_run(run)
    short = _short(read, thresholds)
    typer.echo("\n\n".join(part for part in (table(read.summary), failures(read.results)) if part))
    typer.echo("\n" + "\n".join(map(str, write_reports(read, short))))


@app.command()
def compare(
    first: RunFolder,
    second: RunFolder,
    markdown: Annotated[Path | None, typer.Option(help="Write Markdown to this file.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a French HTML page to this file.")] = None,
) -> None:
    """Compare two runs by paired tests; show every changed answer, before and after."""
    found = comparing.compare(read_run(first), read_run(second))
    typer.echo(comparing.terminal(found))
    for path, wording in ((markdown, comparing.markdown), (html, comparing.html)):
        if path:
            write_text(path, wording(found))


@app.command()
def gate(
    run: RunFolder,
    baseline: Annotated[Path | None, typer.Option(help="A run that this one must not fall behind.")] = None,
    thresholds: Thresholds = LIMITS,
) -> None:
    """Exit 1 with the failing lines when a run misses a threshold or falls behind its baseline."""
    lines = failing(read_run(run), read_thresholds(thresholds), read_run(baseline) if baseline else None)
    typer.echo("".join(f"not good enough: {line}\n" for line in lines) or "good enough\n", nl=False)
    raise typer.Exit(1 if lines else 0)


def _short(run: Run, thresholds: Path) -> Sequence[str]:
    values = {name: score.value for name, score in run.summary.scores.items()}
    return short_of(values, read_thresholds(thresholds))
