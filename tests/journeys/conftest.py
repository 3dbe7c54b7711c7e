"""A visitor's browser and the servers it visits: the real bot, and fakes for what a real one seldom does."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bot import web
from bot.answers import Answer, Question
from bot.chain import Bot, Coverage

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LOCAL = re.compile(r"(http://127\.0\.0\.1:\d+/|data:|blob:)")
PATIENCE = 30_000  # milliseconds a condition may take on a machine that does other things

expect.set_options(timeout=PATIENCE)


@dataclass
class FakeBot:
    """Answers whatever `reply` says, through the interface that the page uses of a Bot."""

    reply: Callable[[Question], Answer]
    folder: Path
    asked: list[Question] = field(default_factory=list)

    @property
    def coverage(self) -> Coverage:
        return Coverage(("Les phares",), "2022-03-01", ("Qui garde le phare ?",))

    @property
    def settings(self) -> Any:
        return SimpleNamespace(index=self.folder / "index")

    def invoke(self, question: Question) -> Answer:
        self.asked.append(question)
        return self.reply(question)

    def stream(self, question: Question) -> Iterator[Answer]:
        yield self.invoke(question)


@contextmanager
def serving(bot: Any) -> Iterator[str]:
    """The address of a server for `bot`, on a free port of this machine."""
    config = uvicorn.Config(web.application(bot), log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join(30)


@pytest.fixture(scope="module")
def site(bot: Bot) -> Iterator[str]:
    """The real bot over the documents of this repository."""
    with serving(bot) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing: install it with « apt-get install chromium »")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages as a visitor would; at the end, no page may have failed or called another machine."""
    contexts, requests, failures = [], [], []

    def open_(address: str, **options: Any) -> Page:
        context = browser.new_context(locale="en-US", **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on(
            "console", lambda said: failures.append(said.text) if "Content Security" in said.text else None
        )
        page.goto(address)
        expect(page.locator("#question")).to_be_visible()
        return page

    yield open_
    for context in contexts:
        context.close()
    assert requests
    assert [url for url in requests if not LOCAL.match(url)] == []
    assert failures == []


@pytest.fixture
def visitor(site: str, open_page: Callable[..., Page]) -> Page:
    return open_page(site)
