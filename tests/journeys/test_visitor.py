"""What a visitor lives through, in a real browser in front of a real server."""

import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from bot import phrases, web
from bot.answers import Answer, Citation, Question, Reason
from bot.followups import MOST_TURNS
from bot.intake import LONGEST
from index.passages import Passage, RankedPassage
from tests.journeys.conftest import FakeBot, serving

Open = Callable[..., Page]
FAR = "Quelle est la recette du couscous aux sept légumes ?"
SCRIPT = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>${window.hacked = 1}`"


def ask(page: Page, question: str) -> Locator:
    """Type a question, send it with Enter, and wait for the whole answer."""
    exchange = page.locator(f"#q{page.locator('.exchange').count() + 1}")
    page.locator("#question").fill(question)
    page.locator("#question").press("Enter")
    expect(exchange).to_have_attribute("aria-busy", "false")
    expect(page.locator("#question")).to_have_value("")
    return exchange


def answer(question: Question) -> Answer:
    return Answer(question.text, question.text, "Le phare est gardé.", reason=Reason.SMALL_TALK)


# --- with the real bot ---


def test_the_first_page_is_french_and_says_what_the_documents_cover(visitor: Page, site: str) -> None:
    assert visitor.title() == phrases.PAGE_TITLE
    assert visitor.evaluate("document.documentElement.lang") == "fr"
    expect(visitor.locator("h1")).to_be_visible()
    expect(visitor.locator(".welcome .subjects li").first).to_be_visible()
    expect(visitor.locator(".welcome .until")).to_contain_text(re.compile(r"\d{4}"))
    expect(visitor.locator(".examples button").first).to_be_visible()
    expect(visitor.locator("footer")).to_have_count(0)
    hosts = re.findall(r"(?:src|href|content)=\W?https?://([^/\"']+)", httpx.get(site).text)
    assert {host for host in hosts if not host.startswith("127.0.0.1")} == set()


def test_an_answer_opens_on_its_proof(visitor: Page) -> None:
    example = visitor.locator(".examples button").first
    asked = example.inner_text()
    example.click()
    exchange = visitor.locator("#q1")
    expect(exchange).to_have_attribute("aria-busy", "false")
    expect(exchange.locator(".asked")).to_contain_text(asked)
    expect(exchange.locator(".answer .text strong").first).to_be_visible()
    expect(exchange.locator("mark").first).to_be_hidden()
    exchange.locator(".reference").first.click()
    expect(exchange.locator("mark").first).to_be_visible()
    quote = exchange.locator("mark").first.inner_text()
    assert quote in exchange.locator("blockquote").first.inner_text()
    assert quote.replace("\u00a0", " ") in exchange.locator(".text").inner_text().replace("\u00a0", " ")
    source = exchange.locator(".source a").first
    assert (source.get_attribute("href") or "").startswith("http")
    assert source.get_attribute("target") == "_blank"
    assert set((source.get_attribute("rel") or "").split()) == {"noopener", "noreferrer"}


def test_a_refusal_is_labelled_and_offers_questions_that_can_be_asked(visitor: Page) -> None:
    exchange = ask(visitor, FAR)
    expect(exchange.locator(".refusal .badge")).to_have_text(re.compile(phrases.REFUSED))
    expect(exchange.locator(".proofs")).to_have_count(0)
    suggestion = exchange.locator(".suggestions button").first
    asked = suggestion.inner_text()
    suggestion.click()
    following = visitor.locator("#q2")
    expect(following).to_have_attribute("aria-busy", "false")
    expect(following.locator(".asked")).to_contain_text(asked)
    expect(following.locator(".answer mark").first).to_be_attached()


def test_a_follow_up_is_understood_and_says_how(visitor: Page) -> None:
    ask(visitor, "Qui finance le projet COMPASS ?")
    expect(visitor.locator("#q1 .understood")).to_have_count(0)
    ask(visitor, "Et le « Programme Régional Africain pour les Migrations » ?")
    expect(visitor.locator("#q2 .understood")).to_be_visible()


def test_markup_in_a_question_is_shown_and_never_run(visitor: Page) -> None:
    exchange = ask(visitor, SCRIPT)
    expect(exchange.locator(".asked")).to_contain_text(SCRIPT)
    expect(exchange.locator(".asked img, .asked script")).to_have_count(0)
    assert visitor.evaluate("window.hacked") is None


@pytest.mark.parametrize(
    "question", ["🙂🙂🙂", "\x00\x1b[31m\x07", "'; DROP TABLE passages; --", "ما هي المنظمة؟"]
)
def test_odd_questions_get_a_sentence(visitor: Page, question: str) -> None:
    exchange = ask(visitor, question)
    expect(exchange.locator(".text")).not_to_be_empty()
    expect(exchange).not_to_contain_text("Traceback")
    expect(exchange).not_to_contain_text(phrases.FAILED)


def test_half_a_character_gets_a_sentence(visitor: Page) -> None:
    visitor.evaluate("document.getElementById('question').value = 'Où \\ud800 donc ?'")
    visitor.locator("#question").press("Enter")
    expect(visitor.locator("#q1")).to_have_attribute("aria-busy", "false")
    expect(visitor.locator("#q1 .text")).not_to_be_empty()
    expect(visitor.locator("#q1")).not_to_contain_text(phrases.FAILED)


def test_nothing_runs_off_the_side_of_a_phone(site: str, open_page: Open) -> None:
    phone = open_page(site, viewport={"width": 390, "height": 844}, has_touch=True)
    phone.locator(".examples button").first.tap()
    expect(phone.locator("#q1")).to_have_attribute("aria-busy", "false")
    phone.locator("#q1 summary").first.tap()
    expect(phone.locator("#q1 mark").first).to_be_visible()
    ask(phone, "m" * 300)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    expect(phone.locator(".send")).to_be_in_viewport()


def test_the_keyboard_is_enough(visitor: Page) -> None:
    keys = visitor.keyboard
    keys.press("Tab")
    expect(visitor.locator(".skip")).to_be_focused()
    keys.press("Enter")
    expect(visitor.locator("#question")).to_be_focused()
    keys.type("Qu’est-ce que l’OIM ?")
    keys.press("Enter")
    expect(visitor.locator("#q1")).to_have_attribute("aria-busy", "false")
    expect(visitor.locator("#question")).to_be_focused()
    for _ in range(30):  # backwards over what stands under the answer, up to its proof
        keys.press("Shift+Tab")
        outline = visitor.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", visitor.evaluate("document.activeElement.outerHTML")
        if visitor.evaluate("document.activeElement.matches('summary')"):
            break
    keys.press("Enter")
    expect(visitor.locator("#q1 mark").last).to_be_visible()


def test_everything_that_can_be_pressed_has_a_name(visitor: Page) -> None:
    ask(visitor, "Qui finance le projet COMPASS ?")
    for control in visitor.locator("button, a, summary").all():
        assert control.text_content() or control.get_attribute("aria-label")
    assert visitor.locator("label[for=question]").count() == 1
    expect(visitor.locator("[role=log][aria-live=polite]")).to_have_count(1)


def test_an_answer_can_be_copied_with_its_sources(site: str, open_page: Open) -> None:
    page = open_page(site, permissions=["clipboard-read", "clipboard-write"])
    exchange = ask(page, "Qui finance le projet COMPASS ?")
    exchange.locator("[data-copy]").click()
    expect(exchange.locator("[role=status]")).to_have_text(phrases.COPIED)
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "[1]" in copied
    assert "http" in copied
    assert "<" not in copied


def test_a_conversation_can_start_again(visitor: Page) -> None:
    expect(visitor.locator("[data-clear]")).to_be_hidden()
    ask(visitor, FAR)
    visitor.locator("[data-clear]").click()
    expect(visitor.locator(".exchange")).to_have_count(0)
    expect(visitor.locator("#question")).to_be_focused()


def test_a_question_that_is_too_long_or_missing_is_not_sent(visitor: Page) -> None:
    box, notice = visitor.locator("#question"), visitor.locator("#notice")
    box.press("Enter")
    expect(notice).to_have_text(phrases.QUESTION_MISSING)
    box.fill("é" * (LONGEST + 1))
    expect(notice).not_to_be_empty()
    expect(box).to_have_attribute("aria-invalid", "true")
    box.press("Enter")
    expect(visitor.locator(".exchange")).to_have_count(0)
    box.fill("é" * LONGEST)
    expect(notice).to_be_empty()


# --- with a bot that does as it is told ---


def test_forty_visitors_are_answered_at_once(tmp_path: Path, open_page: Open) -> None:
    """Every answer waits for the thirty-nine others: one by one, none would ever come."""
    pages, programs = 3, 37
    together = threading.Barrier(pages + programs, timeout=120)

    def reply(question: Question) -> Answer:
        together.wait()
        return answer(question)

    with serving(FakeBot(reply, tmp_path)) as address, httpx.Client(base_url=address, timeout=120) as client:
        visitors = [open_page(address) for _ in range(pages)]
        for page in visitors:
            page.locator("#question").fill("Qui garde le phare ?")
            page.locator("#question").press("Enter")
        calls = [
            client.post("gradio_api/call/ask", json={"data": ["Qui garde le phare ?", []]}).json()["event_id"]
            for _ in range(programs)
        ]
        for call in calls:
            assert "event: complete" in client.get(f"gradio_api/call/ask/{call}").text
        for page in visitors:
            expect(page.locator("#q1")).to_have_attribute("aria-busy", "false")
            expect(page.locator("#q1 .text")).to_have_text("Le phare est gardé.")


def test_markup_in_a_document_is_shown_and_never_run(tmp_path: Path, open_page: Open) -> None:
    quote = f"Avant {SCRIPT} après."
    citation = Citation(1, SCRIPT, SCRIPT, "javascript:window.hacked=1", quote, 3, 3 + len(quote), ((0, 9),))
    passage = Passage("p", SCRIPT, SCRIPT, "", f"{SCRIPT[:3]}{quote}{SCRIPT}", 0, 300)

    def reply(question: Question) -> Answer:
        text = f"{quote} [1]"
        return Answer(
            question.text, SCRIPT, text, (citation,), (RankedPassage(passage, 1.0),), suggestions=(SCRIPT,)
        )

    with serving(FakeBot(reply, tmp_path)) as address:
        page = open_page(address)
        exchange = ask(page, "Qui garde le phare ?")
        exchange.locator(".reference").click()
        expect(exchange.locator("mark")).to_have_text(quote)
        expect(exchange.locator("blockquote")).to_have_text(passage.text)
        expect(exchange.locator("img, script, .source a")).to_have_count(0)
        exchange.locator(".suggestions button").click()
        expect(page.locator("#q2 .asked")).to_contain_text(SCRIPT)
        assert page.evaluate("window.hacked") is None


def test_an_error_is_one_sentence_and_the_next_question_works(tmp_path: Path, open_page: Open) -> None:
    def reply(question: Question) -> Answer:
        if "panne" in question.text:
            raise RuntimeError("secret detail")
        return answer(question)

    with serving(FakeBot(reply, tmp_path)) as address:
        page = open_page(address)
        exchange = ask(page, "panne")
        expect(exchange.locator(".text")).to_have_text(phrases.FAILED_TEXT)
        expect(page.locator("body")).not_to_contain_text("secret detail")
        expect(ask(page, "Qui garde le phare ?").locator(".text")).to_have_text("Le phare est gardé.")


def test_a_verdict_is_kept_on_this_machine_and_shown(tmp_path: Path, open_page: Open) -> None:
    def reply(question: Question) -> Answer:
        citation = Citation(1, "phare", "Le phare", "", "Ana garde le phare.", 0, 19)
        return Answer(question.text, question.text, "Ana garde le phare. [1]", (citation,))

    with serving(FakeBot(reply, tmp_path)) as address:
        page = open_page(address)
        exchange = ask(page, "Qui garde le phare ?")
        exchange.locator("summary").click()
        exchange.locator("[data-verdict=helpful]").click()
        expect(exchange.locator("[data-verdict=helpful]")).to_have_attribute("aria-pressed", "true")
        expect(exchange.locator("[data-verdict=helpful]")).to_be_focused()
        expect(exchange.locator("mark")).to_be_visible()  # what was open stays open
    lines = [json.loads(line) for line in (tmp_path / "feedback.jsonl").read_text("utf-8").splitlines()]
    assert [(line["question"], line["verdict"]) for line in lines] == [("Qui garde le phare ?", "helpful")]


def test_the_bot_gets_the_last_turns_as_plain_text(tmp_path: Path, open_page: Open) -> None:
    bot = FakeBot(answer, tmp_path)
    with serving(bot) as address:
        page = open_page(address)
        for number in range(1, 4):
            ask(page, f"Question <b>{number}</b>")
    assert bot.asked[0].history == ()
    history = bot.asked[-1].history
    assert len(history) == 4
    assert [(t.role, t.content) for t in history[:2]] == [
        ("user", "Question <b>1</b>"),
        ("assistant", "Le phare est gardé."),
    ]


def test_only_the_last_turns_of_a_program_are_read(tmp_path: Path) -> None:
    bot = FakeBot(answer, tmp_path)
    turns = [{"role": "user", "content": f"Question {number}"} for number in range(MOST_TURNS + 5)]
    with serving(bot) as address, httpx.Client(base_url=address, timeout=60) as client:
        call = client.post("gradio_api/call/ask", json={"data": ["Où ?", turns]}).json()["event_id"]
        assert "event: complete" in client.get(f"gradio_api/call/ask/{call}").text
    assert [t.content for t in bot.asked[0].history] == [t["content"] for t in turns[5:]]


def test_a_lost_server_is_told_in_french(tmp_path: Path, open_page: Open) -> None:
    with serving(FakeBot(answer, tmp_path)) as address:
        page = open_page(address)
        ask(page, "Qui garde le phare ?")
    page.locator("#question").fill("Toujours là ?")
    page.locator("#question").press("Enter")
    expect(page.locator("#notice")).to_have_text(phrases.CONNECTION_LOST)
    expect(page.locator("#question")).to_have_value("Toujours là ?")


BAD_REQUESTS = [["Où ?", [{"role": "system", "content": ""}]], ["Où ?", "avant"], [3, []], ["Où ?", [{}]]]


@pytest.mark.parametrize("data", [*BAD_REQUESTS, ["panne", []]])
def test_a_program_gets_a_sentence_for_what_cannot_be_answered(tmp_path: Path, data: list[object]) -> None:
    def reply(question: Question) -> Answer:
        raise RuntimeError("secret detail")

    with serving(FakeBot(reply, tmp_path)) as address, httpx.Client(base_url=address) as client:
        call = client.post("gradio_api/call/ask", json={"data": data}).json()["event_id"]
        said = client.get(f"gradio_api/call/ask/{call}").text
    assert said.startswith("event: error")
    told = json.loads(said.partition("data: ")[2])["error"]
    assert told == (phrases.BAD_REQUEST if data in BAD_REQUESTS else phrases.FAILED_TEXT)


def test_a_program_gets_the_answer_as_json(site: str) -> None:
    with httpx.Client(base_url=site, timeout=60) as client:
        asked = {"question": "Qui finance le projet COMPASS ?"}
        call = client.post("gradio_api/call/v2/ask", json=asked).json()["event_id"]
        said = client.get(f"gradio_api/call/ask/{call}").text
    assert said.startswith("event: complete")
    (answered,) = json.loads(said.partition("data: ")[2])
    assert answered["question"] == asked["question"]
    assert {"answer", "refused", "reason", "confidence", "citations", "passages"} <= answered.keys()


# --- starting and stopping ---


def test_a_taken_port_is_one_sentence_with_a_way_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as stopped:
            web.serve(FakeBot(answer, tmp_path), "127.0.0.1", port)  # type: ignore[arg-type]
    assert stopped.value.code == 2
    said = capsys.readouterr()
    assert re.fullmatch(rf".*{port}.*--port \d+\n", said.err)
    assert said.out == ""


def test_the_server_says_where_it_is_and_stops_cleanly(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from bot import web; from tests.journeys import conftest, test_visitor; "
        "web.serve(conftest.FakeBot(test_visitor.answer, pathlib.Path(sys.argv[1])), '127.0.0.1', 0)"
    )
    started = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    address = re.search(r"http://127\.0\.0\.1:\d+", started.stdout.readline())
    assert address is not None
    assert httpx.get(address[0], timeout=60).status_code == 200
    started.send_signal(2)
    rest, errors = started.communicate(timeout=60)
    assert started.returncode == 0
    assert phrases.STOPPED in rest
    assert errors == ""
