"""What a visitor sees when a language model words the answers, in a real browser, the model on loopback."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from bot.chain import Bot
from tests.fake_llm import FakeLlm, copying
from tests.journeys.conftest import serving
from tests.journeys.test_visitor import ask

QUESTION = "Qui a financé les formations ?"


@pytest.fixture(scope="module")
def model() -> Iterator[FakeLlm]:
    with FakeLlm(say=copying) as running:
        yield running


@pytest.fixture(scope="module")
def worded_site(model: FakeLlm, bot: Bot) -> Iterator[str]:
    settings = replace(bot.settings, llm="openai:fake", llm_url=f"{model.url}/v1", llm_deadline=60)
    with serving(Bot.open(settings, bot.retriever.encoder)) as address:
        yield address


@pytest.fixture
def page(worded_site: str, model: FakeLlm, open_page: Callable[..., Page]) -> Page:
    model.say, model.fault, model.held_from = copying, "", 0
    model.gate.set()
    return open_page(worded_site)


def test_words_come_one_by_one_and_count_once_they_are_proved(page: Page, model: FakeLlm) -> None:
    model.held_from = 9
    model.gate.clear()
    page.locator("#question").fill(QUESTION)
    page.locator("#question").press("Enter")
    exchange = page.locator("#q1")
    expect(exchange.locator(".pending")).to_be_visible()
    print(
        f"first words on the page {1000 * (time.perf_counter() - model.said_at):.0f} ms after the model's first"
    )
    expect(exchange.locator(".pending")).to_have_text(re.compile(r"\w+( \S+){3,}"))
    expect(exchange.locator(".proofs")).to_have_count(0)
    model.gate.set()
    expect(exchange).to_have_attribute("aria-busy", "false")
    expect(exchange.locator(".pending")).to_have_count(0)
    expect(exchange.locator(".text .reference").first).to_be_visible()
    expect(exchange.locator(".proofs li")).not_to_have_count(0)


def test_a_withdrawn_sentence_leaves_a_mark_and_the_quote(page: Page, model: FakeLlm) -> None:
    model.say = lambda prompt: f"{copying(prompt)} Le projet COMPASS est financé par la Norvège [1]."
    exchange = ask(page, QUESTION)
    expect(exchange.locator(".withdrawn")).to_be_visible()
    expect(exchange.locator(".note")).to_be_visible()
    expect(exchange).not_to_contain_text("Norvège")
    expect(exchange.locator(".text .reference").last).to_be_visible()


def test_a_model_that_fails_leaves_the_quotes_and_one_line(page: Page, model: FakeLlm) -> None:
    model.fault = "limited"
    exchange = ask(page, QUESTION)
    expect(exchange.locator(".note")).to_have_count(1)
    expect(exchange.locator(".answer .text .reference").first).to_be_visible()
    expect(exchange.locator(".proofs li")).not_to_have_count(0)


def test_the_source_of_an_answer_is_told_and_how_it_was_understood(page: Page) -> None:
    ask(page, QUESTION)
    exchange = ask(page, "Quelle est la source ?")
    expect(exchange.locator(".proofs li")).not_to_have_count(0)
    expect(exchange.locator(".note")).to_have_count(0)
