"""The commands that read runs and cases: report, compare, gate, explain, diff, import, export. Prints."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evals import compare as comparing
from evals.cases import FOLDER, Case, as_yaml, read_cases
from evals.diff import diff
from evals.explain import explain, pick
from evals.explain import terminal as explained
from evals.gate import TOLERANCE, failing, read_thresholds, short_of
from evals.report import failures, table, write_reports, write_text
from evals.results import Run, latest, read_run
from evals.tables import TableError, read_table, write_table, write_whole
from evals.wording import changed
from index.errors import RepereError

if TYPE_CHECKING:
    from bot.chain import Bot

app = typer.Typer()
IndexFolder = Annotated[Path, typer.Option(envvar="REPERE_INDEX", help="Where the index lives.")]
KnowledgeFolder = Annotated[Path, typer.Option(envvar="REPERE_KNOWLEDGE", help="The documents.")]
RunFolder = Annotated[Path, typer.Argument(help="Folder of a run: .cache/evals/…", show_default=False)]
Thresholds = Annotated[
    Path | None,
    typer.Option(help="« score: limit » lines, in YAML; those beside the run's cases by default."),
]


Force = Annotated[bool, typer.Option(help="Replace a file that is there already.")]


class UsageProblem(RepereError):
    """Options that contradict each other."""


@app.command()
def report(run: RunFolder, thresholds: Thresholds = None) -> None:
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
    run: Annotated[Path | None, typer.Argument(help="Folder of a run; the latest one by default.")] = None,
    baseline: Annotated[Path | None, typer.Option(help="A run that this one must not fall behind.")] = None,
    thresholds: Thresholds = None,
    tolerance: Annotated[float, typer.Option(min=0, help="How far a mean may fall behind.")] = TOLERANCE,
) -> None:
    """Exit 1 with the failing lines when a run misses a threshold or falls behind its baseline."""
    judged = read_run(run or latest())
    lines = failing(judged, _limits(judged, thresholds), read_run(baseline) if baseline else None, tolerance)
    typer.echo("".join(f"not good enough: {line}\n" for line in lines) or "good enough\n", nl=False)
    raise typer.Exit(1 if lines else 0)


@app.command("explain")
def explain_case(
    case: Annotated[str, typer.Argument(help="The id of a case.")] = "",
    question: Annotated[str, typer.Option(help="A question of your own, in place of a case.")] = "",
    cases: Annotated[Path, typer.Option(help="Folder of case files (*.yaml).")] = FOLDER,
    index: IndexFolder = Path(".cache/index"),
) -> None:
    """Say why a case got its answer: ranks in each search, sentences weighed, what would have to change."""
    if bool(case) == bool(question):
        raise UsageProblem("give the id of a case, or a question by --question")
    chosen = pick(read_cases(cases), case) if case else Case("", question)
    typer.echo(explained(explain(open_bot(index), chosen)))


@app.command("diff")
def diff_knowledge(
    before: Annotated[str, typer.Option(help="A git revision: main, HEAD~1, a commit.", show_default=False)],
    after: Annotated[str, typer.Option(help="Another revision; the folder as it is now by default.")] = "",
    cases: Annotated[Path, typer.Option(help="Folder of case files (*.yaml).")] = FOLDER,
    knowledge: KnowledgeFolder = Path("knowledge"),
    index: IndexFolder = Path(".cache/index"),
    markdown: Annotated[Path | None, typer.Option(help="Write Markdown to this file.")] = None,
) -> None:
    """Show every answer that a change of the documents changes."""
    found = diff(before, after, knowledge, index, read_cases(cases))
    title = changed(len(found.changed), len(found.pairs))
    typer.echo(title + comparing.changes(found))
    if markdown:
        write_text(markdown, comparing.markdown(found, title))


@app.command("import")
def import_(
    table: Annotated[Path, typer.Argument(help="An .xlsx or .csv file, one row a case.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The YAML file to write; beside the table by default.")
    ] = None,
    force: Force = False,
) -> None:
    """Make a file of cases from a spreadsheet. Every mistake is reported with its row; exit code 2 then."""
    cases = read_table(table)
    out = out or table.with_suffix(".yaml")
    _free(out, force)
    write_whole(out, as_yaml(cases).encode())
    typer.echo(f"{len(cases)} cases written to {out}")


@app.command()
def export(
    out: Annotated[Path, typer.Argument(help="The .xlsx or .csv file to write.")],
    cases: Annotated[Path, typer.Option(help="Folder of case files (*.yaml).")] = FOLDER,
    force: Force = False,
) -> None:
    """Make a spreadsheet of the cases, with French headings, which `import` reads again."""
    read = read_cases(cases)
    _free(out, force)
    write_table(read, out)
    typer.echo(f"{len(read)} cases written to {out}")


def _free(path: Path, force: bool) -> None:
    if path.exists() and not force:
        raise TableError(f"« {path} » is there already; --force replaces it")


def open_bot(index: Path) -> "Bot":
    """The bot over an index; a setting that cannot be used is one sentence."""
    from bot.chain import Bot  # heavy: only when it is asked
    from bot.settings import Settings

    try:
        return Bot.open(Settings.from_environment(index=index))
    except ValueError as error:
        raise RepereError(f"a setting cannot be used: {error}") from None


def _short(run: Run, thresholds: Path | None) -> Sequence[str]:
    return short_of(
        {name: score.value for name, score in run.summary.scores.items()}, _limits(run, thresholds)
    )


def _limits(run: Run, thresholds: Path | None) -> dict[str, float]:
    """The limits of a file, else those beside the run's own cases; a standard set has none."""
    settings = run.manifest.settings
    if thresholds is None and settings.get("sets"):
        return {}
    return read_thresholds(thresholds or Path(str(settings.get("cases", FOLDER))))
