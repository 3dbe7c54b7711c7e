"""`python -m bot` : poser une question, en traiter un lot, discuter au terminal ou servir la page."""

import gc
import io
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from bot import phrases
from bot.answers import Answer, Question, Turn, record
from bot.settings import Settings
from bot.translations import said_in
from bot.writer import one_line
from index.errors import EncoderMissing, IndexDamaged, IndexMissing, IndexProblem, ReaderMissing

if TYPE_CHECKING:
    from bot.chain import Bot

ANSWERED, REFUSED, ERROR = 0, 1, 2
LONGEST_LINE = 1_000_000  # characters of one line of a batch

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Repère répond en français aux questions sur vos documents, preuves à l’appui.",
)
IndexFolder = Annotated[Path | None, typer.Option(help="Dossier de l’index (REPERE_INDEX).")]
AsJson = Annotated[bool, typer.Option("--json", help="Réponse en JSON.")]


@app.command()
def ask(question: str, index: IndexFolder = None, as_json: AsJson = False) -> None:
    """Répondre à une question. Code de sortie : 0 répondu, 1 refusé, 2 erreur."""
    bot = _open(index)
    started = time.perf_counter()
    answer = bot.invoke(question)
    if as_json:
        print(json.dumps(record(answer, time.perf_counter() - started), ensure_ascii=False))
    else:
        _show(answer)
    sys.exit(REFUSED if answer.refused else ANSWERED)


@app.command()
def batch(index: IndexFolder = None) -> None:
    """Répondre à un lot : un objet JSON par ligne en entrée, un par ligne en sortie, dans l’ordre."""
    from tqdm import tqdm

    bot = _open(index)
    failed = False
    for number, line in tqdm(enumerate(_lines(), 1), file=sys.stderr, disable=not sys.stderr.isatty()):
        started = time.perf_counter()
        try:
            identity, question = _parse(line)
            row = {"id": identity, **record(bot.invoke(question), time.perf_counter() - started)}
        except ValueError as error:
            row, failed = {"error": phrases.BAD_LINE.format(number=number, problem=error)}, True
        except Exception as error:  # noqa: BLE001  one broken question must not end the run
            row, failed = {"error": phrases.UNEXPECTED.format(kind=type(error).__name__)}, True
        print(json.dumps(row, ensure_ascii=False), flush=True)
    sys.exit(ERROR if failed else ANSWERED)


@app.command()
def chat(index: IndexFolder = None) -> None:
    """Discuter au terminal."""
    bot = _open(index)
    history: list[Turn] = []
    print(phrases.CHAT_WELCOME)
    while True:
        try:
            text = input(phrases.CHAT_PROMPT)
        except (EOFError, KeyboardInterrupt):
            print()
            return
        answer = bot.invoke(Question(text, tuple(history)))
        _show(answer)
        history += [Turn("user", text), Turn("assistant", answer.text)]


@app.command()
def serve(
    index: IndexFolder = None,
    host: Annotated[str | None, typer.Option(help="Adresse d’écoute (REPERE_HOST).")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port (REPERE_PORT).")] = None,
) -> None:
    """Ouvrir la page de discussion."""
    bot = _open(index, host=host, port=port)
    from bot.web import serve as serve_page

    serve_page(bot, bot.settings.host, bot.settings.port)


def _lines() -> Iterator[str]:
    """Non-empty lines of standard input; bytes that are not UTF-8 become replacement marks."""
    for raw in sys.stdin.buffer:
        line = raw.decode("utf-8", "replace").strip()
        if line:
            yield line


def _parse(line: str) -> tuple[Any, Question]:
    """One line of a batch. Raises ValueError with what is wrong, in French."""
    try:
        row = json.loads(line) if len(line) <= LONGEST_LINE else None
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise ValueError(phrases.NOT_JSON)
    if not isinstance(row.get("question"), str):
        raise ValueError(phrases.NO_QUESTION)
    turns = row.get("history") or []
    if not isinstance(turns, list) or not all(_is_turn(t) for t in turns):
        raise ValueError(phrases.BAD_TURNS)
    return row.get("id"), Question(row["question"], tuple(Turn(t["role"], t["content"]) for t in turns))


def _is_turn(turn: Any) -> bool:
    return (
        isinstance(turn, dict)
        and turn.get("role") in ("user", "assistant")
        and isinstance(turn.get("content"), str)
    )


def _show(answer: Answer) -> None:
    if answer.understood:
        print(said_in(answer.language, phrases.UNDERSTOOD).format(question=answer.understood))
    print(answer.text)
    for c in answer.citations:
        quote = one_line(c.quote)
        print(
            "  "
            + phrases.FROM.format(
                number=c.number, quote=quote, title=c.title, source=c.source or c.document_id
            )
        )
    if answer.note:
        print(f"  {said_in(answer.language, answer.note)}")
    for question in answer.suggestions:
        print("  " + said_in(answer.language, phrases.TRY).format(question=question))


def _open(index: Path | None, **overrides: Any) -> "Bot":
    """Open the bot, or say in one French sentence why not and exit with code 2."""
    try:
        settings = Settings.from_environment(index=index, **overrides)
    except ValueError as error:
        _fail(phrases.BAD_SETTING.format(setting=error))
    gc.disable()  # a tenth or more of the start would go into looking for garbage among imports
    from bot.chain import Bot
    from bot.llm import LlmMissing, LlmUnusable

    try:
        return Bot.open(settings)
    except LlmMissing as error:
        _fail(phrases.LLM_MISSING.format(model=settings.llm, command=error))
    except LlmUnusable as error:
        _fail(phrases.LLM_UNUSABLE.format(model=settings.llm, kind=error))
    except EncoderMissing:
        model = settings.encoder.model or "repere-encoder-fr"
        _fail(phrases.MODEL_MISSING.format(model=model, setting="REPERE_ENCODER"))
    except ReaderMissing:
        _fail(phrases.MODEL_MISSING.format(model=settings.reader, setting="REPERE_READER"))
    finally:
        gc.freeze()  # what was imported stays for good
        gc.enable()


def _fail(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr)
    sys.exit(ERROR)


def main() -> None:
    """Run the command without any call home."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # A question is too short to share: two threads wait for each other as soon as the machine is busy.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):  # any locale, and any text that a batch may hold
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        app()
    except IndexMissing as error:
        _fail(phrases.INDEX_MISSING.format(command=error.command))
    except IndexDamaged as error:
        _fail(phrases.INDEX_DAMAGED.format(command=error.command))
    except IndexProblem as error:
        _fail(phrases.INDEX_OUTDATED.format(command=error.command))


if __name__ == "__main__":
    main()
