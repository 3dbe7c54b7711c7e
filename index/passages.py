"""Passage: a document cut at headings and sentences, with offsets into its text."""

import hashlib
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from index.documents import COMMENT, Document
from index.pieces import Match


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document: `document.text[start:end] == text`, always.

    `title` is the document's title and the headings above the passage, joined by « › ».
    `questions` are examples, given in the document, of what the passage answers, and `gaps` of what people
    ask beside it that no document answers; they are never quoted.
    `id` is `document-id#hash` and stable while the title, the text and these examples are.
    """

    id: str
    document_id: str
    title: str
    source: str
    text: str
    start: int
    end: int
    questions: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What the index knows it by."""
        return key_of(self.id)

    @property
    def searched(self) -> str:
        """All words that it can be found by: those of its title, its text and its example questions."""
        return " ".join((self.title, self.text, *self.questions))


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """A passage a search returned; `score` is in [0, 1], higher is better, comparable in one search.

    `meanings` are the cosines of the question with each of the passage's `sentences`, in order; `asked` is
    its cosine with the nearest of the passage's example questions, 0 without any; `about` is the probability
    that it asks about this passage, by the examples of all documents, told apart, and `beyond` that nothing
    answers it, both 0 without examples; `taught`, in [0, 1], is how far these are to be believed;
    `margins` are the log-odds that each sentence answers, empty for a passage that was not read so, and
    `span` where in its text the likeliest answer stands, (0, 0) where that is not known; `match` says how the
    passage meets each piece of the question, where the encoder has late interaction.
    """

    passage: Passage
    score: float
    meanings: tuple[float, ...] = ()
    asked: float = 0.0
    about: float = 0.0
    beyond: float = 0.0
    taught: float = 0.0
    margins: tuple[float, ...] = ()
    span: tuple[int, int] = (0, 0)
    match: Match | None = field(default=None, compare=False, repr=False)

    @property
    def left_open(self) -> float:
        """The probability that the example questions leave to what reads the passage: 1 without examples."""
        return 1.0 - self.taught + self.beyond


def key_of(identity: str) -> str:
    """16 hexadecimal digits for an id, which may be a long path: the searches keep those of all passages in
    memory, twice.
    """
    return hashlib.blake2b(identity.encode(), digest_size=8).hexdigest()


LONGEST = 160  # words in a passage; see index/training/README.md for what was tried
ABBREVIATIONS = frozenset(
    "m mm mme mmes mlle mlles dr pr prof st ste me mgr art al av apr bd boul cf chap ch col coll dept dir "
    "ed env etc ex fig hab ibid inc jr ltd max min no nos nb num op p pp par ex r réf ref rev s sect ss sq "
    "t tél tel trad vol v vs janv févr fevr avr juil sept oct nov déc dec".split()
)
BREAK = re.compile(r"[.!?…]+[»”\"’')\]]*(?:\s*»)?(?=\s)|\n+")
OPENING = re.compile(r"\s*[«“\"'(\[–—-]*\s*([^\s«“\"'(\[–—-])")
HEADING_LINE = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$", re.M)
# Invisible where Markdown is rendered.
EXAMPLES = re.compile(r"<!--\s*(questions|sans\s+réponse)\s*:?\s*\n(.*?)-->", re.S | re.I)
BULLET = re.compile(r"[ \t]*(?:[-*+•]|\d{1,3}[.)])[ \t]+")


def titled(title: str, text: str) -> str:
    """What models read of a passage or a sentence: it, under its title."""
    return f"{title}. {text}"


def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """Cut a text into sentences: (start, end) spans without outer white space, in order.

    A full stop does not cut after an abbreviation or an initial, inside a number or a date, or before
    a lower-case letter; a blank line, a list item and a heading line always cut.
    """
    cuts = [0]
    for found in BREAK.finditer(text):
        if _cuts(text, found):
            cuts.append(found.end())
    cuts.append(len(text))
    return tuple(span for a, b in itertools.pairwise(cuts) if (span := _trim(text, a, b)) is not None)


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


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of a document between headings and comments, with its headings and the examples above it."""

    headings: tuple[str, ...]
    questions: tuple[str, ...]
    gaps: tuple[str, ...]
    start: int
    end: int


def sections(text: str) -> Iterator[Section]:
    """Cut a text at its Markdown headings and its comments, which belong to no section.

    A comment « <!-- questions » holds a question a line, for what follows it up to the next heading;
    a comment « <!-- sans réponse » questions that nothing answers.
    """
    path: list[tuple[int, str]] = []
    examples: dict[str, tuple[str, ...]] = {}
    start = 0

    def section(end: int) -> Section:
        headings = tuple(h for _, h in path)
        return Section(headings, examples.get("questions", ()), examples.get("sans réponse", ()), start, end)

    for found in sorted((*HEADING_LINE.finditer(text), *COMMENT.finditer(text)), key=lambda m: m.start()):
        if found.start() < start:  # a heading inside a comment
            continue
        yield section(found.start())
        start = found.end()
        if found.re is HEADING_LINE:
            level = len(found[1])
            path, examples = [(d, h) for d, h in path if d < level] + [(level, found[2])], {}
        elif listed := EXAMPLES.fullmatch(found[0]):
            lines = (line.strip(" -*\t\u00a0") for line in listed[2].splitlines())
            examples[" ".join(listed[1].lower().split())] = tuple(line for line in lines if line)
    yield section(len(text))


def passages(document: Document, longest: int = LONGEST) -> list[Passage]:
    """Cut a document at its headings, then into runs of whole sentences of at most `longest` words.

    The runs of a section are of like length. A single longer sentence stays whole.
    """
    found: list[Passage] = []
    seen: dict[str, int] = {}
    for section in sections(document.text):
        spans = [
            (section.start + a, section.start + b)
            for a, b in sentences(document.text[section.start : section.end])
        ]
        for start, end in _runs(document.text, spans, longest):
            text = document.text[start:end]
            title = " › ".join(dict.fromkeys((document.title, *section.headings)))
            digest = hashlib.sha256(
                "\n".join((title, text, *section.questions, *section.gaps)).encode()
            ).hexdigest()[:16]
            seen[digest] = seen.get(digest, 0) + 1
            mark = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
            identity = f"{document.id}#{mark}"
            found.append(
                Passage(
                    identity,
                    document.id,
                    title,
                    document.source,
                    text,
                    start,
                    end,
                    section.questions,
                    section.gaps,
                )
            )
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
