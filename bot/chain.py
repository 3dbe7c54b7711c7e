"""Bot: the whole path of a question as one LangChain Runnable; no step reaches back."""

import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langchain_core.runnables.config import run_in_executor

from bot import intake, phrases, sources
from bot.answers import Answer, Citation, Question, Reason, Turn
from bot.capitals import in_small_letters, with_capitals
from bot.drafting import Drafting
from bot.followups import MOST_TURNS, Understood, Wants, understand
from bot.grounding import Grounding, cite
from bot.instructions import without_orders
from bot.llm import Llm
from bot.personal import contact_lines, needs_person
from bot.phone import written_out
from bot.reader import PASSAGES_READ, Reader, Reading
from bot.settings import Settings
from bot.small_talk import without_greeting
from bot.spelling import search
from bot.subjects import subjects_of, without_asker
from bot.translations import said_in
from bot.writer import write
from index.documents import Document
from index.encoder import Encoder
from index.judges import judge_of
from index.passages import RankedPassage
from index.retriever import HybridRetriever
from index.store import Generation

SUGGESTED = 3
MOST_SUGGESTIONS = 500  # example questions compared with a refused one


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the documents cover: their titles, the latest ISO date, example questions, their usual source."""

    subjects: tuple[str, ...]
    until: str
    questions: tuple[str, ...]
    source: str = ""


class Bot(Runnable[Question | str, Answer]):
    """A question in, a proved answer or a plain refusal out. Safe to use from many threads."""

    def __init__(self, settings: Settings, encoder: Encoder | None = None) -> None:
        self.settings = settings
        llm = Llm(settings.llm, settings.llm_url, settings.llm_deadline) if settings.llm else None
        encoder = encoder or Encoder(settings.encoder)
        judge = judge_of(settings.reader)
        self.retriever = HybridRetriever(index=settings.index, encoder=encoder, judge=judge)
        self.reader = Reader()
        self.drafting = Drafting(llm, Grounding(encoder)) if llm else None
        self._coverage: tuple[Generation, Coverage] | None = None
        self._chain: Runnable[Answer, Answer] = (
            RunnableLambda(self._retrieve) | RunnableLambda(self._read) | RunnableLambda(self._finish)
        )

    @classmethod
    def open(cls, settings: Settings | None = None, encoder: Encoder | None = None) -> "Bot":
        """Load the encoder, if it is not given, and open the index; make the client of the language model, if
        one is set.

        Raises IndexProblem, EncoderMissing, LlmMissing or LlmUnusable.
        """
        bot = cls(settings or Settings.from_environment(), encoder)
        bot.retriever.generation()
        return bot

    @property
    def coverage(self) -> Coverage:
        """What the documents of the serving generation cover; looked up once for each generation."""
        generation = self.retriever.generation()
        if self._coverage is None or self._coverage[0] is not generation:
            self._coverage = (generation, _covered(generation.documents))
        return self._coverage[1]

    def invoke(self, input: Question | str, config: RunnableConfig | None = None, **_: Any) -> Answer:
        """Answer one question."""
        return [*self._answers(input, config)][-1]

    def _answers(self, input: Question | str, config: RunnableConfig | None) -> Iterator[Answer]:
        """The answer as it is written; without a language model there is only the last one."""
        started = time.perf_counter()
        question = Question(input) if isinstance(input, str) else input
        extracted, to_be_worded = self._extract(question, config)
        written: Iterator[Answer] = iter([extracted])
        if self.drafting and to_be_worded and extracted.reason is Reason.ANSWERED:
            texts = self._texts(extracted.passages)
            written = self.drafting.stream(extracted, _cleaned(question.history), texts)
        for answer in written:
            yield replace(answer, timings={**answer.timings, "total": time.perf_counter() - started})

    def _extract(self, question: Question, config: RunnableConfig | None) -> tuple[Answer, bool]:
        """The extractive answer, or the refusal; and whether a language model may word it."""
        answer = intake.receive(question)
        if answer.reason is Reason.ANSWERED and needs_person(answer.question):
            return self._to_a_person(answer), False
        if answer.reason is Reason.ANSWERED:
            history = _cleaned(question.history)
            asked = _as_written(without_orders(without_greeting(answer.question)), history)
            understood = understand(Question(asked, history))
            answer = replace(answer, standalone_question=understood.text)
            if again := self._again(answer, understood):
                return again, False
            return self._chain.invoke(answer, config), True
        if answer.reason is Reason.SMALL_TALK or answer.refused:
            answer = replace(answer, suggestions=self.coverage.questions[:SUGGESTED])
        return answer, False

    def stream(
        self,
        input: Question | str,
        config: RunnableConfig | None = None,
        **kwargs: Any | None,
    ) -> Iterator[Answer]:
        """Yield the answer as its text grows word by word; the last one is whole.

        When a language model words it, the words of an unfinished sentence are in `pending`.
        """
        answers = self._answers(input, config)
        yield from answers if self.drafting else _growing(next(answers))

    async def astream(
        self,
        input: Question | str,
        config: RunnableConfig | None = None,
        **kwargs: Any | None,
    ) -> AsyncIterator[Answer]:
        """`stream` for asynchronous programs."""
        snapshots = self.stream(input, config)
        while (snapshot := await run_in_executor(config, next, snapshots, None)) is not None:
            yield snapshot

    def _retrieve(self, answer: Answer) -> Answer:
        started = time.perf_counter()
        question, passages = search(
            self.retriever, answer.standalone_question, typed=in_small_letters(answer.question)
        )
        timings = {"retrieve": time.perf_counter() - started}
        return replace(answer, standalone_question=question, passages=passages, timings=timings)

    def _read(self, answer: Answer) -> dict[str, Any]:
        started = time.perf_counter()
        reading = self.reader.read(answer.standalone_question, answer.passages)
        timings = {**answer.timings, "read": time.perf_counter() - started}
        return {"answer": replace(answer, confidence=reading.confidence, timings=timings), "reading": reading}

    def _finish(self, state: dict[str, Any]) -> Answer:
        answer: Answer = state["answer"]
        reading: Reading = state["reading"]
        evidence = reading.evidence if reading.answers else ()
        citations = cite(evidence, self._texts(e.hit for e in evidence))
        if not citations:
            return replace(self._refusal(answer), note=self._strange(answer))
        return replace(answer, text=write(citations), citations=citations)

    def _strange(self, answer: Answer) -> str:
        """Which names and times of the question no passage read holds, as a line under a refusal."""
        asked = without_asker(answer.standalone_question)
        strange = subjects_of(asked).beyond(answer.passages[:PASSAGES_READ]).typed(asked)
        named = ", ".join(f"«\u00a0{word}\u00a0»" for word in dict.fromkeys(strange))
        return said_in(answer.language, phrases.STRANGE).format(names=named) if named else ""

    def _again(self, answer: Answer, understood: Understood) -> Answer | None:
        """More about the last question or the source of its answer; None when a new answer is wanted."""
        citations: tuple[Citation, ...] = ()
        if understood.wants is Wants.SOURCE:
            citations = sources.quoted(understood.given[-1], self.retriever.generation().documents)
            text = sources.told(citations, answer.language)
            return replace(answer, text=text, citations=citations, confidence=1.0) if citations else None
        if understood.wants is Wants.MORE:
            passages = self.retriever.rank(understood.text)
            evidence = self.reader.more(understood.text, passages, " ".join(understood.given))
            citations = cite(evidence, self._texts(e.hit for e in evidence))
            answer = replace(answer, passages=passages)
            if not citations:
                return replace(self._refusal(answer), text=said_in(answer.language, phrases.NOTHING_MORE))
            sure = max(e.probability for e in evidence)
            return replace(answer, text=write(citations), citations=citations, confidence=sure)
        return None

    def _refusal(self, answer: Answer) -> Answer:
        """Say that the documents do not tell, what they do cover, and what they do answer."""
        covered = self.coverage
        questions = list(covered.questions)
        if questions:
            encoder = self.retriever.encoder
            asked, _ = encoder.read_question(answer.standalone_question)  # remembered from the search
            alike = encoder.queries(questions) @ asked[0]
            questions = [questions[i] for i in sorted(range(len(questions)), key=lambda i: -alike[i])]
        return replace(
            answer,
            text=phrases.refusal(covered.subjects, partial(said_in, answer.language)),
            refused=True,
            reason=Reason.NO_EVIDENCE,
            suggestions=tuple(questions[:SUGGESTED]),
        )

    def _to_a_person(self, answer: Answer) -> Answer:
        """Point at the organisation: the line of the documents that says how to reach it, or their source."""
        passages = self.retriever.rank(phrases.HOW_TO_REACH)
        lines = contact_lines(passages)
        contacts = cite(lines, self._texts(e.hit for e in lines))[:1]
        contact = write(contacts) or self.coverage.source
        return replace(
            answer,
            text=said_in(answer.language, phrases.NEEDS_PERSON)
            + (said_in(answer.language, phrases.CONTACT).format(contact=contact) if contact else ""),
            citations=contacts,
            passages=passages,
            refused=not contacts,
            reason=Reason.NEEDS_PERSON,
        )

    def _texts(self, passages: Iterable[RankedPassage]) -> dict[str, str]:
        """The texts of the documents that passages are from."""
        documents = self.retriever.generation().documents
        wanted = dict.fromkeys(r.passage.document_id for r in passages)
        return {name: document.text for name in wanted if (document := documents.get(name))}


def _cleaned(history: tuple[Turn, ...]) -> tuple[Turn, ...]:
    turns = [replace(t, content=intake.clean(t.content[: intake.LONGEST])) for t in history[-MOST_TURNS:]]
    return tuple(replace(t, content=_as_written(t.content, turns)) if t.role == "user" else t for t in turns)


def _as_written(typed: str, history: Iterable[Turn]) -> str:
    """What was typed in haste, with whole words and with the capitals that names have in the conversation."""
    return with_capitals(written_out(in_small_letters(typed)), (t.content for t in history))


def _covered(documents: Iterable[Document]) -> Coverage:
    titles, dates, questions = [], [""], []
    pages: Counter[str] = Counter()
    for document in documents:
        titles.append(document.title)
        dates.append(document.date)
        questions.append(document.questions)
        pages[document.source] += bool(document.source)
    # the first of each document before the second of any
    turns = (q for row in itertools.zip_longest(*filter(None, questions)) for q in row if q)
    page = max(pages, key=lambda source: pages[source], default="")
    return Coverage(tuple(titles), max(dates), tuple(itertools.islice(turns, MOST_SUGGESTIONS)), page)


def _growing(answer: Answer) -> Iterator[Answer]:
    words = answer.text.split(" ")
    for count in range(1, len(words)):
        yield replace(answer, text=" ".join(words[:count]), citations=(), suggestions=())
    yield answer
