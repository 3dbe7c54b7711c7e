"""Finds the quotes of an earlier answer again, by its text: what « quelle est la source ? » asks for."""

import re
from collections.abc import Iterable

from bot import phrases
from bot.answers import Citation
from bot.translations import said_in
from bot.writer import write
from index.documents import Document

MARK = re.compile(r"\s*\[\d{1,3}\]\s*")


def quoted(said: str, documents: Iterable[Document]) -> tuple[Citation, ...]:
    """The quotes of an answer « … [1] … [2] » that stand in a document, numbered anew."""
    parts = {
        part: re.compile(r"\s+".join(map(re.escape, part.split())))
        for part in MARK.split(said)[:-1]
        if part.strip()
    }
    found: dict[str, tuple[Document, re.Match[str]]] = {}
    for document in documents:
        if len(found) == len(parts):
            break
        visible = document.visible
        for part in parts.keys() - found.keys():
            match = parts[part].search(visible)
            if match and document.text[slice(*match.span())] == match[0]:  # no comment inside
                found[part] = document, match
    quotes = {match[0]: (document, match) for document, match in (found[p] for p in parts if p in found)}
    return tuple(
        Citation(number, d.id, d.title, d.source, match[0], match.start(), match.end())
        for number, (d, match) in enumerate(quotes.values(), 1)
    )


def told(citations: tuple[Citation, ...], language: str = "fr") -> str:
    """Where each quote stands: its title and source, then the quote with its number."""
    says = said_in(language, phrases.SAID_BY)
    places = dict.fromkeys((c.title, c.source) for c in citations)
    return " ".join(
        says.format(
            title=title,
            source=f" ({source})" if source else "",
            quotes=write(tuple(c for c in citations if (c.title, c.source) == (title, source))),
        )
        for title, source in places
    )
