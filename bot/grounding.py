"""Holds every quote against its document: what is not there to the letter is not shown."""

from collections.abc import Mapping

from bot.answers import Citation
from bot.reader import Evidence


def cite(evidence: tuple[Evidence, ...], texts: Mapping[str, str]) -> tuple[Citation, ...]:
    """Number the evidence whose quote stands in its document at its offsets; drop the rest.

    `texts` are the documents' texts by id.
    """
    proved = [
        e for e in evidence if texts.get(e.hit.passage.document_id, "")[e.start : e.end] == e.text and e.text
    ]
    return tuple(
        Citation(
            number=number,
            document_id=e.hit.passage.document_id,
            title=e.hit.passage.title,
            source=e.hit.passage.source,
            quote=e.text,
            start=e.start,
            end=e.end,
            highlights=e.highlights,
        )
        for number, e in enumerate(proved, 1)
    )
