"""The Gradio page and its API. Words are in phrases.py, HTML in render.py; finds no answer itself.

Nothing here or in the browser asks another machine for anything: no fonts, no scripts, no telemetry.
"""

import contextlib
import errno
import json
import logging
import os
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported

import gradio as gr
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot import phrases, render
from bot.answers import Answer, Question, Turn, record
from bot.followups import MOST_TURNS
from bot.intake import LONGEST
from bot.render import Exchange

if TYPE_CHECKING:
    from bot.chain import Bot

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
EXCHANGES_SHOWN = 50  # a longer conversation loses its oldest exchanges
EXAMPLES = 6  # questions to try that the page begins with
VISITORS = 100  # answered at the same time, each in a thread of its own
FEEDBACK_LARGEST = 5_000_000  # bytes; beyond it no further verdict is written
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; object-src 'none'; form-action 'self'; "
    "base-uri 'self'"
)
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' "
    "height='32' rx='7' fill='%231d4e5f'/%3E%3Cpath d='M9 8h14v17l-7-5-7 5z' fill='%23fff'/%3E%3C/svg%3E"
)

# Gradio speaks the browser's language, and declares the page to be in it.
SPEAK_FRENCH = 'Object.defineProperty(navigator, "language", {value: "fr"})'
CONVERSATION = '<section role="log" aria-live="polite" aria-label="${name}">${value.join("")}</section>'

Exchanges = tuple[Exchange, ...]
Drawn = tuple[list[str], Exchanges]


def serve(bot: "Bot", host: str, port: int) -> None:
    """Serve the page until Ctrl-C. An address that cannot be opened ends the program with a sentence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=VISITORS)
    except OSError as error:
        print(_why_not(host, port, error), file=sys.stderr)
        sys.exit(2)
    address = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    config = uvicorn.Config(application(bot), log_level="critical", timeout_graceful_shutdown=1)
    print(phrases.SERVING.format(address=address), flush=True)  # already listening: nobody is turned away
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])
    print(f"\n{phrases.STOPPED}", flush=True)


def application(bot: "Bot") -> FastAPI:
    """The page as an ASGI application, for `serve` and for any other server."""
    app: FastAPI = gr.mount_gradio_app(
        FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
        page(bot),
        path="/",
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        enable_monitoring=False,
        show_error=False,
        max_file_size=1,  # byte: the page takes no files
        theme=gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
    )
    app.add_middleware(InFrench)
    return app


def page(bot: "Bot") -> gr.Blocks:
    """The conversation, its API endpoint `/ask`, and what a visitor may press."""
    verdicts = Feedback(bot.settings.index.parent / "feedback.jsonl")

    def introduction() -> str:
        covered = bot.coverage  # at each visit, for the index may have been rebuilt
        return render.introduction(covered.subjects, covered.until, covered.questions[:EXAMPLES])

    def draw(exchanges: Exchanges) -> Drawn:
        return [render.exchange(each) for each in exchanges], exchanges

    def converse(exchanges: Exchanges, event: gr.EventData) -> Iterator[Drawn]:
        kept = exchanges[-EXCHANGES_SHOWN + 1 :]
        before, _ = draw(kept)  # once, not at each word
        for exchange in answering(bot, _given(event, "question"), exchanges):
            yield [*before, render.exchange(exchange)], (*kept, exchange)

    def judge(exchanges: Exchanges, event: gr.EventData) -> Drawn:
        number, verdict = _given(event, "number"), _given(event, "verdict")
        return draw(tuple(_judged(each, number, verdict, verdicts) for each in exchanges))

    def ask(question: str, history: list[dict[str, str]] | None = None) -> dict[str, Any]:
        """Ask a question in French. `history`: earlier turns as {"role": "user"|"assistant", "content"}."""
        started = time.perf_counter()
        asked = _checked(question, history or [])
        try:
            return record(bot.invoke(asked), time.perf_counter() - started)
        except Exception:
            log.exception("a program's question could not be answered")
            raise gr.Error(phrases.FAILED_TEXT, print_exception=False) from None

    blocks: gr.Blocks
    with gr.Blocks(title=phrases.PAGE_TITLE, analytics_enabled=False) as blocks:
        blocks.max_threads = VISITORS
        blocks.queue(default_concurrency_limit=None)
        shown = gr.State(())
        # Texts reach the page as values, never inside a template: Gradio runs templates as code.
        gr.HTML(introduction, js_on_load=None, apply_default_css=False)
        conversation = gr.HTML(
            [],
            html_template=CONVERSATION,
            js_on_load=(HERE / "web.js").read_text("utf-8"),
            apply_default_css=False,
            name=phrases.CONVERSATION,
            longest=LONGEST,
            too_long=phrases.QUESTION_TOO_LONG.format(limit=LONGEST),
            missing=phrases.QUESTION_MISSING,
            copied=phrases.COPIED,
            lost=phrases.CONNECTION_LOST,
        )
        gr.HTML(render.composer(), js_on_load=None, apply_default_css=False, elem_classes="docked")
        hidden: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        drawn = [conversation, shown]
        answers = conversation.ask(converse, shown, drawn, **hidden)
        conversation.judge(judge, shown, drawn, **hidden)
        conversation.start_again(lambda: draw(()), None, drawn, cancels=[answers], **hidden)
        gr.events.api(ask, concurrency_limit=None)
    return blocks


def answering(bot: "Bot", text: Any, earlier: Exchanges) -> Iterator[Exchange]:
    """The exchange as it grows. An error becomes a last exchange that says so; the log has the details."""
    question = text if isinstance(text, str) else ""
    number = earlier[-1].number + 1 if earlier else 1
    latest = Answer(question, question, "")
    yield Exchange(number, latest, "writing")
    try:
        for latest in bot.stream(Question(question, _history(earlier))):
            latest = replace(latest, question=question)  # as it was typed
            yield Exchange(number, latest, "writing")
        yield Exchange(number, latest)
    except Exception:
        log.exception("a question could not be answered")
        yield Exchange(number, latest, "failed")


class Feedback:
    """Visitors' verdicts, one JSON object a line in a file on this machine; the last one of a pair counts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def add(self, answer: Answer, verdict: str) -> None:
        """Write one line, unless the file has grown to its limit or cannot be written."""
        line = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "question": answer.question[:LONGEST],
            "standalone_question": answer.standalone_question[:LONGEST],
            "answer": answer.text,
            "verdict": verdict,
        }
        try:
            with self._lock, self.path.open("a", encoding="utf-8") as file:
                if file.tell() < FEEDBACK_LARGEST:
                    file.write(json.dumps(line) + "\n")
        except OSError:
            log.exception("a verdict could not be written")


class InFrench:
    """Wraps Gradio's English first page: the language, the title, no foreign address, a policy that
    makes the browser itself refuse any other machine. Every other path passes through untouched.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/":
            await self.app(scope, receive, send)
            return
        started: Message = {}
        body = b""

        async def rewrite(message: Message) -> None:
            nonlocal started, body
            if message["type"] == "http.response.start":
                started = message
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                body = _in_french(body.decode("utf-8")).encode("utf-8")
                kept = [(k, v) for k, v in started["headers"] if k != b"content-length"]
                policy = (b"content-security-policy", POLICY.encode()), (b"referrer-policy", b"no-referrer")
                length = (b"content-length", str(len(body)).encode())
                await send({**started, "headers": [*kept, *policy, length]})
                await send({**message, "body": body})

        await self.app(scope, receive, rewrite)


def _in_french(html: str) -> str:
    html = re.sub(r'\s*<meta\s+(property="og:|name="twitter:)[^>]*>', "", html)
    html = re.sub(r'\s*<link rel="manifest"[^>]*>', "", html)
    head = (
        f"<title>{render.safe(phrases.PAGE_TITLE)}</title>"
        f'<meta name="description" content="{render.safe(phrases.PAGE_DESCRIPTION)}">'
        f"<script>{SPEAK_FRENCH}</script>"
        f'<link rel="icon" href="{ICON}"><style>{(HERE / "web.css").read_text("utf-8")}</style>'
    )
    html = html.replace('lang="en"', 'lang="fr"', 1).replace("</head>", f"{head}</head>", 1)
    return html.replace(
        "<gradio-app", f"<noscript>{render.safe(phrases.PAGE_NEEDS_SCRIPT)}</noscript><gradio-app", 1
    )


def _history(exchanges: Exchanges) -> tuple[Turn, ...]:
    """The last turns as plain text: what was asked and what was said."""
    turns: list[Turn] = []
    for exchange in exchanges:
        turns += [Turn("user", exchange.answer.question), Turn("assistant", exchange.answer.text)]
    return tuple(turns[-MOST_TURNS:])


def _checked(question: Any, history: Any) -> Question:
    """What a program asks, which may be anything. Raises an error that Gradio passes on as a sentence."""
    try:
        turns = [(each["role"], each["content"]) for each in history[-MOST_TURNS:]]
    except (IndexError, KeyError, TypeError):
        turns = [("", "")]
    texts = (question, *(content for _, content in turns))
    if all(isinstance(t, str) for t in texts) and all(role in ("user", "assistant") for role, _ in turns):
        return Question(question, tuple(Turn(role, content) for role, content in turns))
    raise gr.Error(phrases.BAD_REQUEST, print_exception=False)


def _judged(exchange: Exchange, number: Any, verdict: Any, verdicts: Feedback) -> Exchange:
    if exchange.number != number or verdict not in ("helpful", "unhelpful") or exchange.verdict == verdict:
        return exchange
    verdicts.add(exchange.answer, verdict)
    return replace(exchange, verdict=verdict)


def _given(event: gr.EventData, name: str) -> Any:
    """What the browser sent with an event, which anyone may forge: None when it is not there."""
    return event._data.get(name) if isinstance(event._data, dict) else None


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return phrases.PORT_TAKEN.format(host=host, port=port, other=port + 1)
    return phrases.ADDRESS_REFUSED.format(host=host, port=port, reason=error.strerror)
