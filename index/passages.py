"""Passage: a document cut at headings and sentences, with offsets into its text."""

import hashlib
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from index.documents import Document


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document: `document.text[start:end] == text`, always.

    `title` is the document's title and the headings above the passage, joined by « › ».
    `id` is `document-id#hash` and stable while the title and the text are.
    """

    id: str
    document_id: str
    title: str
    source: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """A passage a search returned; `score` is in [0, 1], higher is better, comparable in one search.

    `meanings` are the cosines of the question with each of the passage's `sentences`, in order.
    """

    passage: Passage
    score: float
    meanings: tuple[float, ...] = ()


LONGEST = 160  # words in a passage; see index/training/README.md for what was tried
ABBREVIATIONS = frozenset(
    "m mm mme mmes mlle mlles dr pr prof st ste me mgr art al av apr bd boul cf chap ch col coll dept dir "
    "ed env etc ex fig hab ibid inc jr ltd max min no nos nb num op p pp par ex r réf ref rev s sect ss sq "
    "t tél tel trad vol v vs janv févr fevr avr juil sept oct nov déc dec".split()
)
BREAK = re.compile(r"[.!?…]+[»”\"’')\]]*(?:\s*»)?(?=\s)|\n+")
OPENING = re.compile(r"\s*[«“\"'(\[–—-]*\s*([^\s«“\"'(\[–—-])")
HEADING_LINE = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$", re.M)
BULLET = re.compile(r"[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+")


def sentences(text: str) -> list[tuple[int, int]]:
    """Cut a text into sentences: (start, end) spans without outer white space, in order.

    A full stop does not cut after an abbreviation or an initial, inside a number or a date, or before
    a lower-case letter; a blank line, a list item and a heading line always cut.
    """
    cuts = [0]
    for found in BREAK.finditer(text):
        if _cuts(text, found):
            cuts.append(found.end())
    cuts.append(len(text))
    return [span for a, b in itertools.pairwise(cuts) if (span := _trim(text, a, b)) is not None]


def _cuts(text: str, found: re.Match[str]) -> bool:
    mark, after = found[0], text[found.end() : found.end() + 40]
    if "\n" in mark:
        return (
            mark.count("\n") > 1 or bool(BULLET.match(after)) or after.startswith("#") or _short(text, found)
        )
    opening = OPENING.match(after)
    if opening and opening[1].islower():
        return False
    if mark.startswith(".") and not mark.startswith(".."):
        before = re.search(r"([^\W\d_]+)$", text[max(0, found.start() - 12) : found.start()])
        word = before[1] if before else ""
        if word.lower() in ABBREVIATIONS and not (word.lower() == "etc" and opening and opening[1].isupper()):
            return False
        if len(word) == 1 and word.isupper():  # an initial: « J. Dupont », « O.N.U. »
            return False
        line = text[text.rfind("\n", 0, found.start()) + 1 : found.end()]
        if BULLET.fullmatch(line + " "):  # « 1. » opens a list item, it ends no sentence
            return False
    return True


def _short(text: str, found: re.Match[str]) -> bool:
    """A line break cuts when the line before it ends a sentence or is a heading; else it is a wrap."""
    line = text[text.rfind("\n", 0, found.start()) + 1 : found.start()].rstrip()
    return line.startswith("#") or line.endswith((".", "!", "?", "…", ":", ";", "»"))


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start].isspace():
        start += 1
    bullet = BULLET.match(text, start, end)
    if bullet and bullet.end() < end:
        start = bullet.end()
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if end > start else None


def sections(text: str) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """Yield (headings above, start, end) for each stretch of text between Markdown headings."""
    path: list[tuple[int, str]] = []
    start = 0
    for found in HEADING_LINE.finditer(text):
        yield tuple(h for _, h in path), start, found.start()
        level = len(found[1])
        path = [(d, h) for d, h in path if d < level] + [(level, found[2])]
        start = found.end()
    yield tuple(h for _, h in path), start, len(text)


def passages(document: Document, longest: int = LONGEST) -> list[Passage]:
    """Cut a document at its headings, then into runs of whole sentences of at most `longest` words.

    The runs of a section are of like length. A single longer sentence stays whole.
    """
    found: list[Passage] = []
    seen: dict[str, int] = {}
    for headings, low, high in sections(document.text):
        spans = [(low + a, low + b) for a, b in sentences(document.text[low:high])]
        for start, end in _runs(document.text, spans, longest):
            text = document.text[start:end]
            title = " › ".join(dict.fromkeys((document.title, *headings)))
            digest = hashlib.sha256(f"{title}\n{text}".encode()).hexdigest()[:16]
            seen[digest] = seen.get(digest, 0) + 1
            mark = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
            identity = f"{document.id}#{mark}"
            found.append(Passage(identity, document.id, title, document.source, text, start, end))
    return found


def _runs(text: str, spans: list[tuple[int, int]], longest: int) -> Iterator[tuple[int, int]]:
    """Join neighbouring sentences into (start, end) runs of like length, at most `longest` words."""
    counts = [len(text[a:b].split()) for a, b in spans]
    wanted = -(-sum(counts) // max(1, -(-sum(counts) // longest)))  # like length, not full and a rest
    first, words = 0, 0
    for i, count in enumerate(counts):
        if i > first and (words + count > longest or words >= wanted):
            yield spans[first][0], spans[i - 1][1]
            first, words = i, 0
        words += count
    if spans:
        yield spans[first][0], spans[-1][1]
