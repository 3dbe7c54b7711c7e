"""`python -m index`: build, verify and search an index. Prints; knows nothing of answers."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from index.build import build as build_index
from index.build import verify as verify_index
from index.encoder import Encoder, EncoderName
from index.errors import IndexProblem, KnowledgeError, RepereError
from index.inventory import models_in_use
from index.judges import judge_of
from index.retriever import HybridRetriever

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Turn a knowledge folder into an index.",
)
KnowledgeFolder = Annotated[
    Path, typer.Option(envvar="REPERE_KNOWLEDGE", help="Folder of .md and .txt files.")
]
IndexFolder = Annotated[Path, typer.Option(envvar="REPERE_INDEX", help="Where the index lives.")]
KNOWLEDGE, INDEX = Path("knowledge"), Path(".cache/index")


@app.command()
def build(
    knowledge: KnowledgeFolder = KNOWLEDGE,
    index: IndexFolder = INDEX,
    fresh: Annotated[bool, typer.Option(help="Build from nothing, re-using no vector.")] = False,
    skip_bad: Annotated[
        bool, typer.Option(help="Leave out files that cannot be read, and list them.")
    ] = False,
) -> None:
    """Build the index and swap it in; the old one serves until then, and stays if this fails."""
    done = build_index(knowledge, index, fresh=fresh, skip_bad=skip_bad, progress=sys.stderr.isatty())
    typer.echo(
        f"{done.documents} documents, {done.passages} passages ({done.reused} vectors re-used), "
        f"built {done.created} with {done.encoder}"
    )
    for file in done.skipped:
        typer.echo(f"left out: {file['path']}: {file['reason']}", err=True)


@app.command()
def verify(index: IndexFolder = INDEX) -> None:
    """Check every offset, count and hash of the index."""
    done = verify_index(index)
    typer.echo(f"sound: {done.documents} documents, {done.passages} passages")


@app.command()
def search(
    question: str,
    index: IndexFolder = INDEX,
    count: Annotated[int, typer.Option(min=1, max=100)] = 10,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Print the best passages for a question."""
    encoder, judge = Encoder(EncoderName.from_environment()), judge_of(os.environ.get("REPERE_READER", ""))
    retriever = HybridRetriever(index=index, encoder=encoder, judge=judge)
    for rank, hit in enumerate(retriever.rank(question[:1000], count), 1):
        passage = hit.passage
        if as_json:
            row = {"rank": rank, "score": round(hit.score, 4), **asdict(passage)}
            typer.echo(json.dumps(row, ensure_ascii=False))
        else:
            typer.echo(f"{rank:2} {hit.score:.3f} {passage.title}\n   {' '.join(passage.text.split())}")


@app.command()
def models() -> None:
    """Say which models are in use: their size, licence, and where they come from."""
    for model in models_in_use(os.environ.get("REPERE_ENCODER", ""), os.environ.get("REPERE_READER", "")):
        typer.echo(
            f"{model.role:8} {model.name} ({model.where}, {model.size / 1e6:.1f} MB)\n"
            f"         licence: {model.licence}; made from: {model.made_from}"
        )


def main() -> None:
    """Run the command; an error raised on purpose becomes one sentence and exit code 2."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        app()
    except KnowledgeError as error:
        for file in error.files:
            print(f"error: {file.path}: {file.reason}", file=sys.stderr)
        print("nothing was built; the old index stays (--skip-bad leaves such files out)", file=sys.stderr)
        sys.exit(2)
    except IndexProblem as error:
        print(f"error: {error}; run: {error.command}", file=sys.stderr)
        sys.exit(2)
    except RepereError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
