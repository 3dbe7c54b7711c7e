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
    texts = [(document, document.visible) for document in documents]
    found: dict[str, Citation] = {}
    for part in MARK.split(said)[:-1]:
        words = re.compile(r"\s+".join(map(re.escape, part.split())))
        for document, visible in texts if part.strip() else ():
            match = words.search(visible)
            if match and document.text[slice(*match.span())] == match[0]:  # no comment inside
                found.setdefault(
                    match[0],
                    Citation(
                        number=len(found) + 1,
                        document_id=document.id,
                        title=document.title,
                        source=document.source,
                        quote=match[0],
                        start=match.start(),
                        end=match.end(),
                    ),
                )
                break
    return tuple(found.values())


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
