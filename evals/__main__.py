"""`python -m evals`: measure the bot. Prints; measures nothing itself."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from bot.reader import MODEL
from evals import commands, entail
from evals.bench import bench_rows, cold_bot, cold_start, cold_stock, warm
from evals.cases import FOLDER, CaseFileError, read_cases
from evals.gate import read_thresholds, short_of
from evals.launch import Options, Split, launch, options_of, repeat, resume
from evals.report import HTML, as_json, bench_table, failures, table, write_reports
from evals.results import read_manifest, read_results, read_run, read_summary
from evals.run import Answers
from evals.sets import read_sets
from index.documents import Document, read_knowledge
from index.errors import IndexProblem, RepereError
from index.training.data import squad

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Measure the bot with reviewed cases.",
)
app.add_typer(commands.app)
IndexFolder = Annotated[Path, typer.Option(envvar="REPERE_INDEX", help="Where the index lives.")]
KnowledgeFolder = Annotated[
    Path, typer.Option(envvar="REPERE_KNOWLEDGE", help="The documents that quotes are checked against.")
]
CasesFolder = Annotated[Path, typer.Option(help="Folder of case files (*.yaml) and thresholds.yaml.")]
KNOWLEDGE, INDEX = Path("knowledge"), Path(".cache/index")
STOPPED = 130  # as a shell has it for Ctrl-C


@app.command()
def run(
    index: IndexFolder = INDEX,
    knowledge: KnowledgeFolder = KNOWLEDGE,
    cases: CasesFolder = FOLDER,
    in_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder of the run; a new one by default.")] = None,
    again: Annotated[Path | None, typer.Option("--resume", help="Go on with the run in this folder.")] = None,
    like: Annotated[
        Path | None, typer.Option(help="Ask again all that the run in this folder asked.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; one a core from 1,000 questions on, else one.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the typos, of --limit and of the intervals.")] = 0,
    robustness: Annotated[bool, typer.Option(help="Ask with typos, in SMS spelling… as well.")] = False,
    target: Annotated[
        str, typer.Option(help="repere, http://host:port, module:object, openai:URL.")
    ] = "repere",
    model: Annotated[str, typer.Option(help="Model of an openai: target; its key: OPENAI_API_KEY.")] = "",
    refusal_phrase: Annotated[list[str] | None, typer.Option(help="What a foreign bot refuses with.")] = None,
    sets: Annotated[
        list[Path] | None, typer.Option("--set", help="SQuAD, AfriQA, FAQ file; BEIR folder.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="So many questions of the sets.")] = None,
    held_out: Annotated[bool, typer.Option(help="Only articles that the encoder never saw.")] = False,
    split: Annotated[
        Split, typer.Option(help="Of the cases: those that calibrate never sees are test.")
    ] = Split.ALL,
    retrieval_only: Annotated[bool, typer.Option(help="Judge the passages, ask for no answer.")] = False,
) -> None:
    """Ask every case, print the scores and each failed case; the run is kept in a folder.

    Exit code 0: every score within its threshold; 1: one is not; 2: a file, the index or the target cannot
    be used; 130: stopped by Ctrl-C, and --resume goes on.
    """
    if again or like:
        old = options_of(read_manifest(again or like or Path()))
        cases, sets = Path(old.cases), [Path(path) for path in old.sets]
    limits = read_thresholds(cases) if cases.is_dir() and not sets else {}
    try:
        if again:
            ended = resume(again, workers)
        elif like:
            ended = repeat(like, out, workers)
        else:
            options = Options(
                target=target,
                index=str(index),
                knowledge=str(knowledge),
                cases=str(cases),
                sets=tuple(str(path) for path in sets or ()),
                limit=limit,
                held_out=held_out,
                split=split,
                robustness=robustness,
                retrieval_only=retrieval_only,
                model=model,
                refusal_phrases=tuple(refusal_phrase or ()),
            )
            ended = launch(options, out, seed, workers)
    except KeyboardInterrupt:  # later it ends the run early, with a report
        typer.echo("stopped before the first answer", err=True)
        raise typer.Exit(STOPPED) from None
    summary = read_summary(ended.folder)
    short = short_of({name: score.value for name, score in summary.scores.items()}, limits)
    results = read_results(ended.folder)
    write_reports(read_run(ended.folder), short)
    if in_json:
        typer.echo(as_json(summary, results, short))
    else:
        typer.echo("\n\n".join(part for part in (table(summary), failures(results)) if part))
        typer.echo("".join(f"\nnot good enough: {line}" for line in short), err=True, nl=bool(short))
    typer.echo(f"the run is in {ended.folder}; to read it: {ended.folder / HTML}", err=True)
    if ended.done < ended.all:
        typer.echo(
            f"stopped after {ended.done} of {ended.all} questions; "
            f"go on with: python -m evals run --resume {ended.folder}",
            err=True,
        )
        raise typer.Exit(STOPPED)
    raise typer.Exit(1 if short else 0)


@app.command()
def bench(
    index: IndexFolder = INDEX,
    knowledge: KnowledgeFolder = KNOWLEDGE,
    cases: CasesFolder = FOLDER,
    runs: Annotated[int, typer.Option(min=1, help="Cold starts of each; their median counts.")] = 3,
) -> None:
    """Time the bot, cold and warm, beside the stock LangChain chain and BM25 alone; print the ratios."""
    from evals.baselines import BM25Chain, StockChain, StockMissingError, weights  # heavy, as below

    reviewed = read_cases(cases)
    documents = _documents(knowledge)
    question = next(c.question for c in reviewed if not c.refuse and not c.history)
    cold = cold_start(cold_bot(question, index), runs)
    ours = warm(_open_bot(index, knowledge), reviewed, documents, cold)
    chains = {"Repère": ours, "BM25": warm(BM25Chain(tuple(documents.values())), reviewed, documents, None)}
    try:
        weights()
        cold = cold_start(cold_stock(question, knowledge), runs)
        chains["stock"] = warm(StockChain(tuple(documents.values())), reviewed, documents, cold)
    except StockMissingError as error:
        typer.echo(str(error), err=True)
    typer.echo(bench_table(bench_rows(chains)))


@app.command()
def calibrate(
    questions: Annotated[Path, typer.Argument(help="French questions in SQuAD format, PIAF for instance.")],
    index: IndexFolder = INDEX,
    cases: CasesFolder = FOLDER,
    near: Annotated[float, typer.Option(min=0, max=1, help="Share of near questions to refuse.")] = 0.9,
    far: Annotated[float, typer.Option(min=0, max=1, help="Share of far questions to refuse.")] = 0.97,
    save: Annotated[bool, typer.Option("--write", help="Write the file of the reader.")] = False,
    out: Annotated[Path, typer.Option(help="Where --write writes.")] = MODEL,
) -> None:
    """Fit the reader and its threshold on the dev split; try them once on the test split."""
    from evals import calibrate as fitting
    from index.encoder import Encoder, EncoderName

    reviewed = tuple(c for c in read_cases(cases) if not {"dialogue", "held-out"} & {*c.tags})
    try:
        items = squad(questions)
    except ValueError as error:
        raise RepereError(str(error)) from None
    encoder = Encoder(EncoderName.from_environment())
    fitted = fitting.calibrate(reviewed, items, index, encoder, near, far, typer.echo)
    if save:
        fitting.write(fitted, encoder.identity, out)


@app.command()
def read(
    sets: Annotated[list[Path], typer.Argument(help="SQuAD or AfriQA files.")],
    limit: Annotated[int | None, typer.Option(min=1, help="So many of their questions.")] = None,
    held_out: Annotated[bool, typer.Option(help="Only articles that the bundled models never saw.")] = False,
    seed: Annotated[int, typer.Option(help="Of --limit.")] = 0,
) -> None:
    """Read each question beside the paragraph that answers it: right words, sentence, paragraph."""
    from evals import reading
    from index.encoder import Encoder, EncoderName
    from index.judges import judge_of

    documents, cases = read_sets(sets, limit=limit, held_out_only=held_out, seed=seed)
    cases = tuple(case for case in cases if case.facts)
    if not cases:
        raise RepereError("none of these questions has an answer to find")
    encoder, judge = Encoder(EncoderName.from_environment()), judge_of(os.environ.get("REPERE_READER", ""))
    found = list(tqdm(reading.read_all(cases, documents, encoder, judge), total=len(cases), disable=None))
    typer.echo(f"{len(found)} questions, 95% intervals")
    for name, (value, low, high) in reading.scores(found).items():
        typer.echo(f"{name:22} {value:.3f} ({low:.3f}–{high:.3f})")


@app.command()
def grounding(
    labelled: Annotated[
        Path, typer.Option(help="Sentences that their quote holds or does not.")
    ] = entail.LABELLED,
    save: Annotated[bool, typer.Option("--write", help="Write bot/grounding.json.")] = False,
) -> None:
    """Fit what a reworded sentence must reach to be shown; print the trade-off, fitted and kept out."""
    from index.encoder import Encoder, EncoderName

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
    # Read when torch is loaded. The last digits of its sums depend on it: one thread, so that a score is
    # the same with one worker and with many, and so that a busy machine does not slow a question tenfold.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
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
