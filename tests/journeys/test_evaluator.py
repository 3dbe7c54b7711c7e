"""An evaluator reads the report of a run in a browser: from the file alone, at a desk and on a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from evals.page import page
from evals.results import Hit, Manifest, Quote, Result, Run
from evals.scores import summarise
from evals.variants import VARIANTS

HOSTILE = "</script><script>document.title = 'pwned'</script>"
QUOTE = "La formation de Rabat a eu lieu du 15 au 17 février 2022."


def outcome(number: int, variant: str = "", **fields: object) -> Result:
    whole = {
        "question": f"Quand a eu lieu la formation n° {number} ?",
        "tags": ("date" if number % 2 else "lieu",),
        "right": True,
        "answer": f"{QUOTE} [1]",
        "facts": (("15-17/02/2022",),),
        "documents": ("dates",),
        "citations": (Quote(1, "dates", "Dates", "", QUOTE, 0, len(QUOTE)),),
        "passages": (Hit("dates#1", "dates", 0.9), Hit("autre#1", "autre", 0.4)),
        "confidence": 0.5 + number / 400,
        "seconds": 0.02 + number / 10_000,
        "values": {"right cases": 1.0, "answer accuracy": 1.0, "hit@1": 1.0},
        **fields,
    }
    return Result(f"cas-{number}", variant, **whole)  # type: ignore[arg-type]


WRONG = {
    "right": False,
    "answer": HOSTILE,
    "citations": (),
    "why": "does not say",
    "values": {"right cases": 0.0, "answer accuracy": 0.0, "hit@1": 1.0},
}
RESULTS = (
    *(outcome(n, variant) for n in range(1, 100) for variant in VARIANTS),
    outcome(100, **WRONG),
    outcome(101, refuse=True, refused=True, answer="Je ne sais pas.", citations=(), facts=(), documents=()),
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run with a right, a wrong and a refused case, and many others."""
    manifest = Manifest("2026-01-01T00:00:00+00:00", "repere", variants=tuple(VARIANTS), complete=True)
    path = tmp_path_factory.mktemp("report") / "rapport.html"
    path.write_text(page(Run(path.parent, manifest, RESULTS, summarise(RESULTS))), "utf-8")
    return path


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=["desk", "phone"])
def read(request: pytest.FixtureRequest, browser: Browser, report: Path) -> Iterator[Page]:
    """The report, opened; it may neither fail nor ask for anything but itself."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    opened, asked, failures = context.new_page(), [], []
    opened.on("request", lambda each: asked.append(each.url))
    opened.on("pageerror", lambda error: failures.append(str(error)))
    opened.on("console", lambda said: failures.append(said.text))
    opened.goto(report.as_uri())
    expect(opened.locator("details.row").first).to_be_attached()
    yield opened
    context.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert failures == []


def test_a_verdict_is_found_and_understood(read: Page) -> None:
    assert read.evaluate("document.documentElement.scrollWidth") <= read.viewport_size["width"]  # type: ignore[index]
    expect(read.locator(".chart")).to_have_count(3)  # risk–coverage, reliability, latency
    expect(read.locator(".heat tbody tr")).to_have_count(len(VARIANTS))
    expect(read.locator(".tags li")).to_have_count(2)
    read.locator("select[name=verdict]").select_option("failed")
    rows = read.locator("details.row")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("n° 100")
    expect(rows.locator(".reason")).to_contain_text("15-17/02/2022")
    expect(rows.locator(".answer")).to_have_text(HOSTILE)
    assert read.title() != "pwned"

    read.locator("button[type=reset]").click()
    read.locator("input[name=text]").fill("formation N° 7 ")
    read.locator("select[name=variant]").select_option("=")
    expect(rows.filter(has_text="n° 7 ?")).to_have_count(1)
    row = rows.filter(has_text="n° 7 ?").first
    row.locator("summary").focus()
    read.keyboard.press("Enter")
    expect(row.locator("blockquote")).to_have_text(QUOTE)
    expect(row.locator(".yes")).to_contain_text("15-17/02/2022")


def test_a_bar_and_a_variant_lead_to_their_questions(read: Page) -> None:
    read.locator("button[data-tag=lieu]").click()
    expect(read.locator("select[name=tag]")).to_have_value("lieu")
    read.locator("button[data-variant=sms]").click()
    expect(read.locator("select[name=variant]")).to_have_value("=sms")
    expect(read.locator(".count")).to_contain_text("99")
