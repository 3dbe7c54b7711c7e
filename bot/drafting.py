"""Turns what a language model says into an answer: sentence by sentence, each shown only once it is proved.

The extractive answer is there before the model is asked, and is what remains when the model is of no use.
Nothing unproved leaves this file.
"""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from bot import intake, phrases
from bot.answers import Answer, Citation, Turn
from bot.claims import claims_held
from bot.grounding import LINKING, Grounding
from bot.instructions import gives_orders
from bot.llm import NO_ANSWER, Llm, LlmFailed
from bot.reader import PASSAGES_READ
from bot.writer import one_line
from index import french
from index.languages import is_english
from index.passages import RankedPassage, sentences

REFERENCE = re.compile(r"\s*\[\s*(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\s*\]")
AFTER_STOP = re.compile(r"([.!?…]+[»\"”)]*)((?:\s*\[[\d\s,;]{1,20}\])+)")  # « … . [1] » → « … [1]. »
MARKDOWN = re.compile(r"\*\*|__|`|^\s{0,3}(?:#{1,6}|>)\s+|<think>.*?(?:</think>|\Z)", re.M | re.S)
NARROW = re.compile(r" (?=[;:!?»%€])|(?<=«) ")  # where French wants a no-break space
END = "\n\n¶"  # stands for « something follows »: the last sentence of a whole reply is complete


class _Useless(Exception):
    """The reply as a whole is not to be used; the text is the line that says why."""


@dataclass(slots=True)
class _Draft:
    """What is proved so far: the text, its quotes by number, and whether a sentence was withheld."""

    shown: list[str] = field(default_factory=list)
    quotes: list[Citation] = field(default_factory=list)
    proved: int = 0
    withheld: int = 0

    def number(self, citation: Citation) -> int:
        """The number of a quote, the next one when it is new."""
        for known in self.quotes:
            if (known.document_id, known.start, known.end) == (
                citation.document_id,
                citation.start,
                citation.end,
            ):
                return known.number
        self.quotes.append(replace(citation, number=len(self.quotes) + 1))
        return len(self.quotes)


class Drafting:
    """Asks the model to word an answer that the extractive chain has proved already."""

    def __init__(self, llm: Llm, grounding: Grounding) -> None:
        self.llm, self.grounding = llm, grounding

    def stream(self, answer: Answer, history: tuple[Turn, ...], texts: Mapping[str, str]) -> Iterator[Answer]:
        """Yield the answer as it grows; the last one is whole.

        The first one comes with the model's first token and has only a note that says so. Words are `pending`
        until their sentence is whole and proved, or withdrawn. `answer` is the extractive answer, which is
        also the last one when the reply is late, cut, useless or unproved.
        """
        passages = answer.passages[:PASSAGES_READ]
        started, first = time.perf_counter(), 0.0
        draft, reply, done = _Draft(), "", 0
        says = _Sources(passages)
        growing = replace(answer, text="", citations=(), suggestions=(), note=phrases.WRITING)
        try:
            for piece in self.llm.stream(answer.standalone_question, passages, history):
                if not first:
                    first = time.perf_counter() - started
                    yield growing
                reply += piece
                complete, unfinished = cut(reply)
                for sentence in complete[done:]:
                    self._add(draft, sentence, answer, passages, texts)
                latest = replace(
                    growing,
                    text=" ".join(draft.shown),
                    citations=tuple(draft.quotes),
                    pending=says.pending(unfinished, growing.pending if len(complete) == done else ""),
                )
                done = len(complete)
                if latest != growing:
                    growing = latest
                    yield growing
            for sentence in cut(reply + END)[0][done:]:
                self._add(draft, sentence, answer, passages, texts)
            if not draft.proved:
                raise _Useless(phrases.LLM_UNPROVED if draft.withheld else phrases.LLM_UNAVAILABLE)
            written = replace(
                answer,
                text=" ".join(draft.shown),
                citations=tuple(draft.quotes),
                note=phrases.LLM_WITHHELD if draft.withheld else "",
            )
        except LlmFailed as failure:
            written = replace(
                answer, note=phrases.LLM_LATE if str(failure) == "deadline" else phrases.LLM_UNAVAILABLE
            )
        except _Useless as useless:
            written = replace(answer, note=str(useless))
        timings = {**answer.timings, "first_token": first, "write": time.perf_counter() - started}
        yield replace(written, timings=timings)

    def _add(
        self,
        draft: _Draft,
        sentence: str,
        answer: Answer,
        passages: tuple[RankedPassage, ...],
        texts: Mapping[str, str],
    ) -> None:
        """Add a complete sentence if it is proved, else a mark and the quote. Raises _Useless."""
        numbers = [int(n) for m in REFERENCE.finditer(sentence) for n in re.findall(r"\d+", m[1])]
        bare = intake.clean(REFERENCE.sub("", sentence))
        if french.words(bare) == french.words(NO_ANSWER):
            raise _Useless(phrases.LLM_NO_ANSWER)
        if is_english(bare) or gives_orders(bare):
            raise _Useless(phrases.LLM_UNPROVED)
        if not french.words(bare):
            return
        cited = tuple(dict.fromkeys(passages[n - 1] for n in numbers if 0 < n <= len(passages)))
        proofs = self.grounding.proofs(bare, cited, texts, answer.standalone_question)
        if proofs:
            draft.proved += 1
            draft.shown.append(numbered(bare, [draft.number(p) for p in proofs]))
            return
        draft.withheld += 1
        known = len(draft.quotes)
        quote = _quote_for(cited, answer.citations)
        number = draft.number(quote)
        if number > known:
            draft.shown.append(
                f"{phrases.WITHHELD} {phrases.INSTEAD} {numbered(one_line(quote.quote), [number])}"
            )
        elif (mark := f"{phrases.WITHHELD} [{number}]") not in draft.shown:  # its quote is there already
            draft.shown.append(mark)


class _Sources:
    """The sentences of the passages, against which the words of an unfinished sentence are held."""

    def __init__(self, passages: tuple[RankedPassage, ...]) -> None:
        self._sentences = [
            (quote, hit.passage.title, frozenset(french.terms(f"{hit.passage.title} {quote}")))
            for hit in passages
            for quote in (hit.passage.text[a:b] for a, b in sentences(hit.passage.text))
            if not gives_orders(quote)
        ]

    def pending(self, unfinished: str, before: str) -> str:
        """The whole words so far, as long as one sentence holds them all; else those shown `before`."""
        words = intake.clean(REFERENCE.sub("", unfinished)).rpartition(" ")[0]
        terms = {french.stem(w) for w in french.words(words) if not (w in LINKING or french.is_stop_word(w))}
        if len(words) <= len(before) or not words.startswith(before) or gives_orders(words):
            return before
        held = any(
            terms <= near and claims_held(words, quote, title) for quote, title, near in self._sentences
        )
        return words if held else before


def cut(reply: str) -> tuple[list[str], str]:
    """The complete sentences of a reply so far, each with its [n] before its stop, and the unfinished rest.

    A sentence is complete when the next one has begun, for its number may come after its full stop.
    """
    plain = AFTER_STOP.sub(r"\2\1", MARKDOWN.sub("", reply))
    found = [plain[a:b] for a, b in sentences(plain)]
    if found and found[-1].lstrip().startswith("["):  # the beginning of a number that belongs to the last one
        found = [*found[:-2], "".join(found[-2:])]
    return found[:-1], "".join(found[-1:])


def numbered(sentence: str, numbers: list[int]) -> str:
    """« Une phrase [1][2]. »: the numbers stand before the stop, which is added when missing."""
    body = NARROW.sub("\u00a0", sentence.rstrip(" ."))
    stop = "" if body.endswith(("!", "?", "…")) else "."
    return f"{body} {''.join(f'[{n}]' for n in dict.fromkeys(numbers))}{stop}"


def _quote_for(cited: tuple[RankedPassage, ...], quotes: tuple[Citation, ...]) -> Citation:
    """The extractive quote that stands in a passage the sentence cited, else the best one."""
    for quote in quotes:
        if any(
            p.passage.document_id == quote.document_id and p.passage.start <= quote.start < p.passage.end
            for p in cited
        ):
            return quote
    return quotes[0]
