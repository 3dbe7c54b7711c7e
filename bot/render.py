"""Answer → HTML, and plain text for the clipboard. Pure; knows neither Gradio nor where texts come from.

Every text passes `safe` on its way in, so nothing a visitor or a document says can become markup.
"""

import re
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Literal
from urllib.parse import urlsplit

from bot import phrases
from bot.answers import Answer, Citation, Reason
from bot.intake import LONGEST
from bot.translations import said_in

REFERENCE = re.compile(r"\[(\d{1,3})\]")
# Control characters, halves of surrogate pairs (no JSON can carry them) and marks that reorder text.
UNSHOWABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")

# Drawn, because not every machine has a font with thumbs; web.css turns it over for « Pas utile ».
THUMB = (
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M2 10h4v11H2zM9 10l4-8c2 0 3 1.5 2.6 3.5L15 9h5'
    'c1.4 0 2.3 1.2 2 2.5l-1.7 7.6A2.4 2.4 0 0 1 18 21H9z"/></svg>'
)

Span = tuple[int, int, str, str]  # start, end, opening tag, closing tag


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer as far as it is written; `number` makes its ids on the page unique."""

    number: int
    answer: Answer
    stage: Literal["writing", "done", "failed"] = "done"
    verdict: Literal["", "helpful", "unhelpful"] = ""


def safe(text: str) -> str:
    """Text as HTML: no markup, and no character that a page or its JSON cannot hold."""
    return escape(UNSHOWABLE.sub("\ufffd", text))


def long_date(iso: str) -> str:
    """« 31 mars 2022 » for 2022-03-31; anything else stays as it is."""
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return iso
    first = "1ᵉʳ" if day.day == 1 else str(day.day)
    return f"{first} {phrases.MONTHS[day.month - 1]} {day.year}"


def introduction(subjects: tuple[str, ...], until: str, questions: tuple[str, ...]) -> str:
    """The head of the page: what the bot does, what the documents cover, and questions to try."""
    more = len(subjects) - phrases.SUBJECTS_NAMED
    named = (
        *subjects[: phrases.SUBJECTS_NAMED],
        *([phrases.MORE_COVERED.format(count=more)] if more > 0 else []),
    )
    covered = _paragraph(phrases.COVERED_UNTIL.format(date=long_date(until)), "until") if until else ""
    return (
        f'<a class="skip" href="#question">{safe(phrases.PAGE_SKIP)}</a>'
        f'<header class="masthead"><h1>{safe(phrases.PAGE_TITLE)}</h1>'
        f"{_paragraph(phrases.PAGE_SUBTITLE, 'subtitle')}</header>"
        f'<section class="welcome"><h2>{safe(phrases.WELCOME)}</h2>{_paragraph(phrases.WELCOME_HOW)}'
        f"<h3>{safe(phrases.COVERED)}</h3>{_items(named, 'subjects')}{covered}"
        f"{_questions(phrases.EXAMPLES, questions, 'examples')}</section>"
    )


def composer() -> str:
    """The form a question is written in; its behaviour is in web.js."""
    return (
        '<form class="composer" novalidate>'
        f'<label for="question">{safe(phrases.QUESTION_LABEL)}</label><div class="line">'
        f'<textarea id="question" rows="1" placeholder="{safe(phrases.QUESTION_PLACEHOLDER)}" '
        'aria-describedby="notice hint" autocomplete="off" dir="auto"></textarea>'
        f'<button type="submit" class="send">{safe(phrases.SEND)}</button></div>'
        '<p id="notice" role="alert"></p>'
        f'<div class="below"><p id="hint">{safe(phrases.QUESTION_HINT)}</p>'
        f'<button type="button" class="again" data-clear>{safe(phrases.START_AGAIN)}</button></div></form>'
    )


def exchange(shown: Exchange) -> str:
    """A question with its answer, its proofs and what can be done with them."""
    answer, anchor = shown.answer, f"q{shown.number}"
    question = _shortened(answer.question)
    label = _label(shown)
    kind = "refusal" if label else "answer"
    return (
        f'<article class="exchange" id="{anchor}" aria-busy="{str(shown.stage == "writing").lower()}">'
        f'<h2 class="asked" dir="auto">{_unseen(_say(answer, phrases.YOUR_QUESTION))}'
        f'{safe(_unbroken(question))}</h2>{_understood(answer)}<div class="{kind}">'
        f"{_badge(label)}{_text(shown, anchor)}{_note(answer)}{_proofs(answer, anchor)}"
        f"{_questions(_say(answer, phrases.SUGGESTIONS), answer.suggestions, 'suggestions')}{_tools(shown)}"
        "</div></article>"
    )


def plain(answer: Answer) -> str:
    """The answer and its sources as text, for the clipboard."""
    sources = [
        f"[{c.number}] {phrases.QUOTE.format(text=c.quote)} {c.title}{f', {c.source}' if c.source else ''}"
        for c in answer.citations
    ]
    return "\n\n".join([answer.text, *(["\n".join(sources)] if sources else [])])


def _woven(text: str, spans: list[Span]) -> str:
    """The text with tags around its spans; where two overlap, the first stays."""
    parts, at = [], 0
    for start, end, opening, closing in sorted(spans):
        if at <= start < end <= len(text):
            parts += [safe(text[at:start]), opening, safe(text[start:end]), closing]
            at = end
    return "".join([*parts, safe(text[at:])])


def _strong(citation: Citation) -> list[Span]:
    return [(start, end, "<strong>", "</strong>") for start, end in citation.highlights]


def _words(text: str) -> re.Pattern[str]:
    """These words with any white space between them: an answer may break its lines elsewhere."""
    return re.compile(r"\s+".join(map(re.escape, text.split())))


def _text(shown: Exchange, anchor: str) -> str:
    """The words of the answer: decisive ones in bold, each [n] a link to its quote."""
    answer = shown.answer
    if shown.stage == "failed":
        return _paragraph(_say(answer, phrases.FAILED_TEXT), "text")
    if not answer.text and not answer.pending:
        return _paragraph(_say(answer, answer.note or phrases.SEARCHING), "text searching")
    spans: list[Span] = []
    quoted: list[tuple[int, int]] = []
    for citation in answer.citations:
        quote = _words(citation.quote).search(answer.text)
        if quote is None:  # a model may have reworded it
            continue
        quoted.append(quote.span())
        at = quote.start()
        for start, end, *tags in sorted(_strong(citation)):
            if words := _words(citation.quote[start:end]).search(answer.text, at, quote.end()):
                at = words.end()
                spans.append((words.start(), at, tags[0], tags[1]))
    numbers = {citation.number for citation in answer.citations}
    for found in REFERENCE.finditer(answer.text):
        number = int(found[1])
        if number in numbers and not any(a <= found.start() < b for a, b in quoted):
            name = safe(_say(answer, phrases.QUOTE_NUMBER).format(number=number))
            link = f'<a class="reference" href="#{anchor}-{number}" aria-label="{name}">'
            spans.append((found.start(), found.end(), link, "</a>"))
    for found in re.finditer(re.escape(phrases.WITHHELD), answer.text):
        spans.append((*found.span(), '<span class="withdrawn">', "</span>"))
    text = answer.text.replace(" [", "\u00a0[")  # a number never starts a line; the length stays
    pending = f' <span class="pending">{safe(answer.pending)}</span>' if answer.pending else ""
    return f'<p class="text" dir="auto">{_woven(text, spans)}{pending}</p>'


def _note(answer: Answer) -> str:
    """How the answer came about, in one discreet line below it."""
    return _paragraph(_say(answer, answer.note), "note") if answer.note and answer.text else ""


def _proofs(answer: Answer, anchor: str) -> str:
    if not answer.citations:
        return ""
    items = "".join(f"<li>{_proof(answer, c, f'{anchor}-{c.number}')}</li>" for c in answer.citations)
    return f'<h3>{safe(_say(answer, phrases.PROOFS))}</h3><ol class="proofs">{items}</ol>'


def _proof(answer: Answer, citation: Citation, anchor: str) -> str:
    """A quote that opens on the passage it stands in."""
    passage, start = _passage_around(answer, citation)
    marked = f"<mark>{_woven(citation.quote, _strong(citation))}</mark>"
    around = safe(passage[:start]), safe(passage[start + len(citation.quote) :])
    return (
        f'<details id="{anchor}"><summary><span class="number" aria-hidden="true">{citation.number}</span>'
        f"{_unseen(_say(answer, phrases.QUOTE_NUMBER).format(number=citation.number))}"
        f'<span class="titles"><span class="quote">{safe(phrases.QUOTE.format(text=citation.quote))}</span>'
        f'<span class="title">{safe(citation.title)}</span></span></summary>'
        f'<blockquote dir="auto">{around[0]}{marked}{around[1]}</blockquote>'
        f"{_source(citation, answer)}</details>"
    )


def _passage_around(answer: Answer, citation: Citation) -> tuple[str, int]:
    """The retrieved passage that holds the quote and where in it, or else the quote alone."""
    for ranked in answer.passages:
        passage = ranked.passage
        start = citation.start - passage.start
        here = passage.document_id == citation.document_id and start >= 0
        if here and passage.text.startswith(citation.quote, start):
            return passage.text, start
    return citation.quote, 0


def _source(citation: Citation, answer: Answer) -> str:
    """A link for a web address; any other source (a path, a `javascript:` trick) is only text."""
    if not citation.source:
        return ""
    try:
        parts = urlsplit(citation.source)
    except ValueError:
        parts = urlsplit("")
    shown = safe(citation.source)
    if parts.scheme in ("http", "https") and parts.netloc:
        shown = (
            f'<a href="{shown}" target="_blank" rel="noopener noreferrer">{safe(parts.netloc + parts.path)}'
            f'<span class="unseen"> {safe(_say(answer, phrases.OPENS_OUTSIDE))}</span></a>'
        )
    return f'<p class="source">{safe(_say(answer, phrases.SOURCE))} {shown}</p>'


def _say(answer: Answer, phrase: str) -> str:
    """A phrase in the language that the question was asked in."""
    return said_in(answer.language, phrase)


def _understood(answer: Answer) -> str:
    """How a follow-up was read, when that is not what was typed."""
    if not (meant := answer.understood):
        return ""
    return _paragraph(_say(answer, phrases.UNDERSTOOD).format(question=_shortened(meant)), "understood")


def _unbroken(text: str) -> str:
    """The text with its « ? » on the line of the word before it."""
    return re.sub(r" (?=[?!:;»])", "\u00a0", text)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _label(shown: Exchange) -> str:
    if shown.stage != "failed" and not shown.answer.refused:
        return ""
    named = {Reason.NO_EVIDENCE: phrases.REFUSED, Reason.NEEDS_PERSON: phrases.TO_A_PERSON}
    label = named.get(shown.answer.reason, phrases.UNCLEAR)
    return _say(shown.answer, phrases.FAILED if shown.stage == "failed" else label)


def _badge(label: str) -> str:
    """The label of a refusal; the sign beside it says it again without colour."""
    return f'<p class="badge"><span aria-hidden="true">?</span>{safe(label)}</p>' if label else ""


def _tools(shown: Exchange) -> str:
    answer = shown.answer
    if shown.stage != "done" or answer.reason not in (Reason.ANSWERED, Reason.NO_EVIDENCE):
        return ""
    verdicts = (
        ("helpful", _say(answer, phrases.HELPFUL)),
        ("unhelpful", _say(answer, phrases.UNHELPFUL)),
    )
    buttons = "".join(
        f'<button type="button" data-verdict="{verdict}" data-number="{shown.number}" '
        f'aria-pressed="{str(shown.verdict == verdict).lower()}">'
        f"{THUMB} {safe(name)}</button>"
        for verdict, name in verdicts
    )
    return (
        f'<div class="tools"><button type="button" data-copy="{safe(plain(answer))}">'
        f'{safe(_say(answer, phrases.COPY))}</button><span role="status"></span>'
        f'<div role="group" aria-label="{safe(_say(answer, phrases.JUDGE))}">{buttons}</div></div>'
    )


def _questions(title: str, questions: tuple[str, ...], kind: str) -> str:
    if not questions:
        return ""
    items = "".join(
        f'<li><button type="button" data-question="{safe(q)}">{safe(q)}</button></li>' for q in questions
    )
    return f'<div class="{kind}"><h3>{safe(title)}</h3><ul>{items}</ul></div>'


def _items(texts: tuple[str, ...], kind: str) -> str:
    return f'<ul class="{kind}">{"".join(f"<li>{safe(t)}</li>" for t in texts)}</ul>' if texts else ""


def _paragraph(text: str, kind: str = "") -> str:
    return f'<p class="{kind}">{safe(text)}</p>'


def _unseen(text: str) -> str:
    """Words for those who listen to the page."""
    return f'<span class="unseen">{safe(text)} </span>'
