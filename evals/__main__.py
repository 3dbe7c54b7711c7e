"""`python -m evals`: measure the bot. Prints; measures nothing itself."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from evals import calibrate as fitting
from evals import entail
from evals.bench import bench_rows, cold_bot, cold_start, cold_stock, warm
from evals.cases import FOLDER, CaseFileError, read_cases
from evals.report import as_json, bench_table, failures, table
from evals.run import Answers, read_thresholds, run_cases, score, short_of
from evals.stock import StockChain, StockMissingError, weights
from index.documents import Document, read_knowledge
from index.encoder import Encoder, EncoderName
from index.errors import IndexProblem, RepereError
from index.training.data import held_out, squad

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Measure the bot with reviewed cases.",
)
IndexFolder = Annotated[Path, typer.Option(envvar="REPERE_INDEX", help="Where the index lives.")]
KnowledgeFolder = Annotated[
    Path, typer.Option(envvar="REPERE_KNOWLEDGE", help="The documents that quotes are checked against.")
]
CasesFolder = Annotated[Path, typer.Option(help="Folder of case files (*.yaml) and thresholds.yaml.")]
KNOWLEDGE, INDEX = Path("knowledge"), Path(".cache/index")


@app.command()
def run(
    index: IndexFolder = INDEX,
    knowledge: KnowledgeFolder = KNOWLEDGE,
    cases: CasesFolder = FOLDER,
    in_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Ask every case, print the scores and each failed case.

    Exit code 0: every score within its threshold; 1: one is not; 2: a file or the index cannot be used.
    """
    reviewed = read_cases(cases)
    limits = read_thresholds(cases)
    documents = _documents(knowledge)
    outcomes = run_cases(_open_bot(index, knowledge), reviewed, documents)
    scores = score(outcomes, documents)
    short = short_of(scores.values, limits)
    if in_json:
        typer.echo(as_json(scores, outcomes, short))
    else:
        typer.echo("\n\n".join(part for part in (table(scores), failures(outcomes)) if part))
        typer.echo("".join(f"\nnot good enough: {line}" for line in short), err=True, nl=bool(short))
    raise typer.Exit(1 if short else 0)


@app.command()
def bench(
    index: IndexFolder = INDEX,
    knowledge: KnowledgeFolder = KNOWLEDGE,
    cases: CasesFolder = FOLDER,
    runs: Annotated[int, typer.Option(min=1, help="Cold starts of each; their median counts.")] = 3,
) -> None:
    """Time the bot, cold and warm, beside the stock LangChain chain; print both and the ratios."""
    reviewed = read_cases(cases)
    documents = _documents(knowledge)
    question = next(c.question for c in reviewed if not c.refuse and not c.history)
    cold = cold_start(cold_bot(question, index), runs)
    ours = warm(_open_bot(index, knowledge), reviewed, documents, cold)
    stock = None
    try:
        weights()
        cold = cold_start(cold_stock(question, knowledge), runs)
        stock = warm(StockChain(tuple(documents.values())), reviewed, documents, cold)
    except StockMissingError as error:
        typer.echo(str(error), err=True)
    typer.echo(bench_table(bench_rows(ours, stock)))


@app.command()
def calibrate(
    questions: Annotated[Path, typer.Argument(help="French questions in SQuAD format, PIAF for instance.")],
    index: IndexFolder = INDEX,
    cases: CasesFolder = FOLDER,
    near: Annotated[float, typer.Option(min=0, max=1, help="Share of near questions to refuse.")] = 0.75,
    far: Annotated[float, typer.Option(min=0, max=1, help="Share of far questions to refuse.")] = 0.95,
    save: Annotated[bool, typer.Option("--write", help="Write bot/reader.json.")] = False,
) -> None:
    """Fit the reader and its threshold; print what each threshold would give, cross-validated."""
    reviewed = tuple(c for c in read_cases(cases) if not {"dialogue", "held-out"} & {*c.tags})
    try:
        items = squad(questions)
    except ValueError as error:
        raise RepereError(str(error)) from None
    name = EncoderName.from_environment()
    encoder = Encoder(name)
    strangers = [i.question for i in items if not held_out(i.title)][
        :: max(1, len(items) // fitting.FAR_ASKED)
    ]
    asked = fitting.observe_cases(reviewed, strangers, index, encoder)
    asked += fitting.observe_file(items, encoder, name)
    sure, right = fitting.cross_validated(asked)
    for source in ("file", "cases"):
        typer.echo(f"\n{source}")
        for row in fitting.trade_off(asked, sure, right, source):
            typer.echo("  ".join(f"{key} {value:.3f}" for key, value in row.items()))
    rows = fitting.trade_off(asked, sure, right, "cases")
    threshold = fitting.best_threshold(rows, near, far)
    typer.echo(f"\nthreshold {threshold}")
    if save:
        fitting.write(asked, threshold, rows, encoder)


@app.command()
def grounding(
    labelled: Annotated[
        Path, typer.Option(help="Sentences that their quote holds or does not.")
    ] = entail.LABELLED,
    save: Annotated[bool, typer.Option("--write", help="Write bot/grounding.json.")] = False,
) -> None:
    """Fit what a reworded sentence must reach to be shown; print the trade-off, fitted and kept out."""
    encoder = Encoder(EncoderName.from_environment())
    sentences = entail.observe(labelled, encoder)
    sides = {"fitted": [x for x in sentences if x.fitted], "kept out": [x for x in sentences if not x.fitted]}
    fitted = entail.fit(sides["fitted"])
    rows = {side: entail.trade_off(inside, fitted) for side, inside in sides.items() if inside}
    for side, lines in rows.items():
        typer.echo(f"\n{side}")
        for row in lines:
            typer.echo("  ".join(f"{key} {value:.3f}" for key, value in row.items()))
    threshold = entail.best_threshold(rows["fitted"])
    figures = {side: next(r for r in lines if r["threshold"] == threshold) for side, lines in rows.items()}
    counts = {"held": sum(x.held for x in sentences), "not_held": sum(not x.held for x in sentences)}
    typer.echo(f"\nthreshold {threshold}; sentences {counts}")
    if save:
        entail.write(fitted, threshold, {"sentences": counts, **figures}, encoder)


def _documents(folder: Path) -> dict[str, Document]:
    return {document.id: document for document in read_knowledge(folder, skip_bad=True).documents}


def _open_bot(index: Path, knowledge: Path) -> Answers:
    from bot.chain import Bot  # heavy, so only after the files are known to be good
    from bot.settings import Settings

    try:
        settings = Settings.from_environment(index=index, knowledge=knowledge)
    except ValueError as error:
        raise RepereError(f"a setting cannot be used: {error}") from None
    return Bot.open(settings)


def main() -> None:
    """Run the command; an error raised on purpose becomes one line for each mistake and exit code 2."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        app()
    except CaseFileError as error:
        for problem in error.problems:
            print(f"error: {problem}", file=sys.stderr)
    except IndexProblem as error:
        print(f"error: {error}; run: {error.command}", file=sys.stderr)
    except RepereError as error:
        print(f"error: {error}", file=sys.stderr)
    sys.exit(2)  # a command that went through has raised SystemExit already


if __name__ == "__main__":
    main()
