"""A language model's server on loopback, written by hand: OpenAI's chat completions and Ollama's /api/chat.

Both stream. What it says is a function of the prompt it was sent; how it fails is a switch; a test can hold
a reply back.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Fault = Literal["", "stalled", "dripping", "limited", "broken", "cut", "severed", "garbled"]
PASSAGE = re.compile(r'<passage numero="(\d+)">\n(.*)\n(.*)\n</passage>')
KEY = "sk-tres-secret-0123456789"  # a 401 of OpenAI repeats the key it was given


@dataclass
class FakeLlm:
    """What the server says and how it fails; `prompts` are the user messages it was sent.

    Pieces of a reply from number `held_from` on wait for `gate`; `said_at` is when the first one was sent.
    """

    say: Callable[[str], str] = lambda prompt: ""
    fault: Fault = ""
    prompts: list[str] = field(default_factory=list)
    systems: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)
    held_from: int = 0
    said_at: float = 0.0
    url: str = ""

    def __enter__(self) -> "FakeLlm":
        self.gate.set()
        handler = type("Handler", (_Handler,), {"llm": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closed.set()
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    llm: FakeLlm

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        llm = self.llm
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        texts = {m["role"]: m["content"] for m in body["messages"]}
        llm.prompts.append(texts["user"])
        llm.systems.append(texts["system"])
        ollama = self.path == "/api/chat"
        if llm.fault == "limited":
            return self._error(429, "Rate limit reached")
        if llm.fault == "broken":
            return self._error(401, f"Incorrect API key provided: {KEY}")
        if llm.fault == "stalled":
            llm.closed.wait(60)
            return None
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson" if ollama else "text/event-stream")
        self.end_headers()  # HTTP/1.0: the end of the connection is the end of the reply
        try:
            for line in self._lines(llm.say(texts["user"]), ollama):
                self.wfile.write(line.encode())
                self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError):
            return None
        return None

    def _error(self, status: int, message: str) -> None:
        body = json.dumps({"error": {"message": message, "type": "x"}}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _lines(self, reply: str, ollama: bool) -> Iterator[str]:
        pieces = re.findall(r"\s*\S+", reply)
        if self.llm.fault in ("cut", "severed"):
            pieces = pieces[: max(1, len(pieces) // 2)]
        for number, piece in enumerate(pieces):
            if number >= self.llm.held_from:
                self.llm.gate.wait(60)
            self.llm.said_at = self.llm.said_at if number else time.perf_counter()
            yield _ollama(piece) if ollama else _openai(piece)
            if self.llm.fault == "dripping" and self.llm.closed.wait(0.3):
                return
        if self.llm.fault == "cut":  # the server ran out of tokens, and says so
            yield _ollama("", "length") if ollama else _openai("", "length")
        elif self.llm.fault == "garbled":
            yield "{" if ollama else "data: {\n\n"
        elif self.llm.fault != "severed":
            yield _ollama("", "stop") if ollama else _openai("", "stop") + "data: [DONE]\n\n"


def _openai(text: str, reason: str | None = None) -> str:
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": reason}
    event = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "fake", "choices": [choice]}
    return f"data: {json.dumps(event)}\n\n"


def _ollama(text: str, reason: str | None = None) -> str:
    done = {"done": True, "done_reason": reason} if reason else {"done": False}
    event = {
        "model": "fake",
        "created_at": "2024-01-01T00:00:00Z",
        "message": {"role": "assistant", "content": text},
    }
    return json.dumps({**event, **done}) + "\n"


def passages(prompt: str) -> dict[int, str]:
    """The numbered passages of a prompt, without their titles."""
    return {int(number): text for number, _, text in PASSAGE.findall(prompt)}


def copying(prompt: str) -> str:
    """Behaves: the first sentence of each of the first two passages, each with its number."""
    sentences = [(n, re.split(r"(?<=[.!?]) (?=[A-ZÀÉ])", text)[0]) for n, text in passages(prompt).items()]
    return " ".join(f"{text.rstrip('.')} [{n}]." for n, text in sentences[:2])


def lying(prompt: str) -> str:
    """Changes a number or a name in everything that it copies."""

    def other(match: re.Match[str]) -> str:
        word = match[0]
        return str(int(word) + 3) if word.isdigit() else "Bolivie"

    return re.sub(r"(?<![\[\d])\b\d{1,6}\b(?!\])|(?<=[a-zé] )[A-Z][\wé-]{3,}", other, copying(prompt))
