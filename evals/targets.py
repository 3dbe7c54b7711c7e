"""Targets: any bot as a function from a Question to a Reply. Knows nothing of cases or scores.

repere                our own bot, in this process
http://host:port      our page over HTTP, by its API endpoint /ask
module:object         a LangChain Runnable or any callable that can be imported from here
openai:URL            an OpenAI-compatible endpoint; URL ends before /chat/completions
"""

import importlib
import inspect
import json
import os
import socket
import sys
import typing
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.answers import Answer, Question
from evals.replies import Reply, reply_from, reply_of
from index.errors import RepereError

OURS = "repere"
TIMEOUT = 120  # seconds for one answer over HTTP
OPENING = 200  # characters at the start of an answer in which a refusal says that it is one
REFUSALS = (
    *(
        "je ne sais pas",
        "je n'ai pas trouvé",
        "je ne trouve pas",
        "je ne dispose pas",
        "je ne peux pas répondre",
    ),
    *("je n'ai pas d'information", "aucune information", "ne permettent pas de répondre", "ne contient pas"),
    *("i don't know", "i do not know", "i cannot answer", "i can't answer"),
)


class TargetError(RepereError):
    """A bot that cannot be reached, imported or asked at all."""


@dataclass(frozen=True, slots=True)
class Target:
    """A bot. `retrieves`: it tells its passages, so that a crash loses its ranking as well."""

    name: str
    ask: Callable[[Question], Reply]
    retrieves: bool = False


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """How a bot is reached. `phrases`: what a free text says when it refuses, beside REFUSALS."""

    spec: str = OURS
    index: Path = Path(".cache/index")
    knowledge: Path = Path("knowledge")
    model: str = ""
    key: str = ""  # of an API; from the environment, and never written down
    phrases: tuple[str, ...] = ()
    retrieval_only: bool = False


def open_target(options: TargetOptions) -> Target:
    """Make a bot ready. Raises TargetError with one sentence, or IndexProblem for our own."""
    if options.spec == OURS:
        return _retriever(options) if options.retrieval_only else _repere(options)
    if options.retrieval_only:
        raise TargetError("only our own bot (--target repere) can be asked for its passages alone")
    if options.spec.startswith(("http://", "https://")):
        return _page(options.spec)
    if options.spec.startswith("openai:"):
        return _endpoint(options)
    if ":" in options.spec:
        return _module(options)
    raise TargetError(
        f"« {options.spec} » is no target: give repere, http://host:port, module:object or openai:URL"
    )


def refuses(text: str, phrases: Sequence[str] = ()) -> bool:
    """Whether a free text is a refusal: empty, or one of the phrases stands in its first 200 characters.

    Case, accents and kinds of apostrophe do not count.
    """
    opening = _plain(text)[:OPENING]
    return not opening or any(_plain(phrase) in opening for phrase in (*REFUSALS, *phrases))


def as_reply(given: object, phrases: Sequence[str] = ()) -> Reply:
    """What a foreign bot gave back: our Answer, a str, a LangChain message, or a mapping with « answer ».

    Whether a text refuses is told by `refuses`, unless the mapping says « refused » itself. Raises
    ValueError for anything else.
    """
    if isinstance(given, Answer):
        return reply_of(given)
    content = getattr(given, "content", given)
    if isinstance(content, str):
        return Reply(content, refuses(content, phrases))
    if isinstance(given, Mapping):
        reply = reply_from(given)
        if "refused" in given:
            return reply
        return reply_from({**given, "refused": refuses(reply.text, phrases)})
    raise ValueError(f"the bot gave back {type(given).__name__}, not a text, a mapping or an Answer")


def _repere(options: TargetOptions) -> Target:
    from bot.chain import Bot  # heavy, so only when it is asked

    bot = Bot.open(_settings(options))
    return Target("repere", lambda question: reply_of(bot.invoke(question)), retrieves=True)


def _retriever(options: TargetOptions) -> Target:
    from bot.followups import standalone
    from index.encoder import Encoder
    from index.judges import judge_of
    from index.retriever import HybridRetriever

    settings = _settings(options)
    judge = judge_of(settings.reader)
    retriever = HybridRetriever(index=settings.index, encoder=Encoder(settings.encoder), judge=judge)
    retriever.generation()

    def ask(question: Question) -> Reply:
        understood = standalone(question)
        return reply_of(Answer(question.text, understood, "", passages=retriever.rank(understood)))

    return Target("repere", ask, retrieves=True)


def _settings(options: TargetOptions) -> Any:
    from bot.settings import Settings

    try:
        return Settings.from_environment(index=options.index, knowledge=options.knowledge)
    except ValueError as error:
        raise TargetError(f"a setting cannot be used: {error}") from None


def _page(url: str) -> Target:
    import httpx

    _reach(url)
    client = httpx.Client(base_url=url.rstrip("/"), timeout=TIMEOUT)

    def ask(question: Question) -> Reply:
        data = [question.text, [asdict(turn) for turn in question.history]]
        event = client.post("/gradio_api/call/ask", json={"data": data}).raise_for_status().json()["event_id"]
        lines = client.get(f"/gradio_api/call/ask/{event}").raise_for_status().text.splitlines()
        told = dict(line.split(": ", 1) for line in lines if ": " in line)
        given = json.loads(told["data"])
        if told["event"] != "complete":
            raise TargetError(f"the page answered with an error: {given and given.get('error')}")
        return reply_from(given[0])

    return Target(url, ask, retrieves=True)


def _endpoint(options: TargetOptions) -> Target:
    import httpx

    url = options.spec.removeprefix("openai:").rstrip("/")
    if not options.model:
        raise TargetError("an OpenAI-compatible endpoint needs the name of its model: --model NAME")
    _reach(url)
    headers = {"Authorization": f"Bearer {options.key}"} if options.key else {}
    client = httpx.Client(headers=headers, timeout=TIMEOUT)

    def ask(question: Question) -> Reply:
        messages = [*(asdict(turn) for turn in question.history), {"role": "user", "content": question.text}]
        body = {"model": options.model, "messages": messages, "temperature": 0}
        given = client.post(f"{url}/chat/completions", json=body).raise_for_status().json()
        text = given["choices"][0]["message"]["content"] or ""
        return Reply(text, refuses(text, options.phrases))

    return Target(f"{options.spec} {options.model}", ask)


def _module(options: TargetOptions) -> Target:
    name, _, path = options.spec.partition(":")
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 — as `python -m` has it
    try:
        found: Any = importlib.import_module(name)
        for part in path.split("."):
            found = getattr(found, part)
    except Exception as error:  # noqa: BLE001 — whatever a foreign module raises when it is imported
        raise TargetError(f"« {options.spec} » cannot be imported: {type(error).__name__}: {error}") from None
    finally:
        sys.path.pop(0)
    call: Any = getattr(found, "invoke", found)
    if not callable(call):
        raise TargetError(f"« {options.spec} » has no « invoke » and cannot be called")
    whole = _takes_questions(call)

    def ask(question: Question) -> Reply:
        return as_reply(call(question if whole else _as_text(question)), options.phrases)

    return Target(options.spec, ask)


def _takes_questions(call: Any) -> bool:
    """Whether the first parameter is annotated with our Question; others are given a text."""
    try:
        hints = typing.get_type_hints(call if inspect.isroutine(call) else call.__call__)
        first = next(iter(inspect.signature(call).parameters))
    except (AttributeError, NameError, StopIteration, TypeError, ValueError):
        return False
    hint = hints.get(first)
    return hint is Question or Question in typing.get_args(hint)


def _as_text(question: Question) -> str:
    """The question; after a dialogue, with the turns before it, one a line, « Q : … » and « R : … »."""
    turns = [f"{'Q' if turn.role == 'user' else 'R'} : {turn.content}" for turn in question.history]
    return "\n".join([*turns, f"Q : {question.text}"]) if turns else question.text


def _reach(url: str) -> None:
    """Raise TargetError unless somebody listens at the address."""
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), timeout=10).close()
    except (OSError, ValueError) as error:
        raise TargetError(f"nothing answers at {url}: {error}") from None


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFD", text.casefold().replace("’", "'"))
    return " ".join("".join(c for c in folded if not unicodedata.combining(c)).split())
