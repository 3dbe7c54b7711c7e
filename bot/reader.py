"""Picks the sentences that answer, the decisive words in them, and how sure it is.

Each sentence of the best passages becomes a row of FEATURES; a logistic regression fitted on French
questions (`python -m evals calibrate`) turns a row into the probability that the sentence answers.
Knows nothing about wording an answer.
"""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.coverage import ALIKE, credit, topical, weights
from bot.kinds import Kind, class_words, focus, kind_of, values, wants_several
from bot.subjects import subjects_of, without_asker
from index import english, french
from index.languages import is_english
from index.passages import RankedPassage, sentences

PASSAGES_READ = 6
MOST_QUOTES = 3
CLOSE = 0.6  # a runner-up this near to the best, as a share of its probability, is quoted beside it
MOST_MORE = 2  # quotes of « plus de détails »
STILL_NEAR = 0.1  # a sentence of another document is « more » only when this likely to answer
MODEL = Path(__file__).parent / "reader.json"
SMOOTHING, USUAL_MEANING = 4, 0.3  # usual sentences beside those read, and their cosine
SEPARATORS = re.compile(r", | et | ou |\u00a0?; |»")
Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Scores = np.ndarray[tuple[int], np.dtype[np.float64]]

FEATURES = (
    "meaning",  # cosine of question and sentence (under its title)
    "meaning_lead",  # the same, less its mean over all sentences read
    "passage",  # fused score of the passage
    "near_best",  # exp(-d / NEAR), d being how far the passage's score is below the best one
    "covered",  # share of the question's topical words, by rarity, that the sentence holds
    "covered_near",  # the same for title and passage
    "missing",  # rarity of the rarest question word that title and passage lack, per 10
    "unknown",  # share of the question's topical words that no passage read holds
    "missing_number",  # the question holds a number that title and passage lack
    "missing_name",  # the question names somebody or something that title and passage lack
    "missing_time",  # it names a year or a month that title and passage lack
    "strange_name",  # it names somebody or something that no passage read holds, nor its example questions
    "strange_word",  # it holds a word that is none of French, and that no passage read holds
    "strange_time",  # it names a year or a month that no passage read holds
    "typed",  # the sentence holds a new value of the kind asked for
    "untyped",  # it holds none although the kind leaves a mark (a date, a number, an amount, an address)
    "untyped_name",  # it holds none of a kind that leaves a fainter mark (a place, a name, a reason)
    "unfocused",  # title and passage lack the noun that the question is after, or a value of its kind
    "uncounted",  # « combien de X » is asked, and the sentence gives no number of X
    "listed",  # the question wants several things and the sentence lists several
    "length",  # ln of words
    "asked",  # cosine with the nearest example question of the passage
    "about",  # probability that the question asks about the passage, by the examples of all documents
    "about_log",  # its logarithm, in [-1, 0] for e⁻⁸ to 1; what the examples do not teach counts as 1
    "about_log_lead",  # the same, less its greatest value over the passages read
    "beyond",  # probability that nothing answers the question, by the examples
    "beyond_log",  # its logarithm, likewise
    "taught",  # how far the examples are to be believed: 0 without any
    "met",  # late interaction of question and sentence (under its title)
    "met_lead",  # the same, less its mean over all sentences read
    "unmet",  # how far the question's telling piece that is met worst is from title and passage
    "read",  # log-odds that the sentence answers, by a model that reads it beside the question, per 10, times
    # the probability that the example questions leave open
    "read_lead",  # the same, less its mean over the sentences read
    "foreign",  # the question is in English: its words are compared through their translations
)
NEAR = 0.05  # of the fused score: passages this close are about as good
NOWHERE = 0.5  # rarity, less what is forgiven for likeness, from which a word stands nowhere
LISTED = frozenset({Kind.DATE, Kind.NAME, Kind.PLACE})  # all of a sentence are shown where several are wanted
COLON = re.compile(r"\s:\s")
STRICT = frozenset({Kind.DATE, Kind.DURATION, Kind.MONEY, Kind.NUMBER, Kind.CONTACT})


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence that may answer: its offsets in the document, and the probability that it does."""

    hit: RankedPassage
    text: str
    start: int
    end: int
    probability: float
    highlights: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader found: the sentences to quote, best first, and the confidence in [0, 1]."""

    evidence: tuple[Evidence, ...]
    confidence: float
    threshold: float

    @property
    def answers(self) -> bool:
        """Whether the confidence reaches the calibrated threshold."""
        return bool(self.evidence) and self.confidence >= self.threshold


@dataclass(frozen=True, slots=True)
class Weighed:
    """A sentence that was read: the probability that it answers, and its value of each of FEATURES."""

    hit: RankedPassage
    text: str
    probability: float
    features: dict[str, float]


@dataclass(frozen=True, slots=True)
class Model:
    """The fitted numbers: one weight a feature, for ranking and for confidence, and the threshold."""

    rank: tuple[float, ...]
    sure: tuple[float, ...]
    threshold: float

    @staticmethod
    def load(path: Path = MODEL) -> "Model":
        """Read `reader.json`."""
        raw = json.loads(path.read_text("utf-8"))
        rank = tuple(float(raw["rank"][name]) for name in (*FEATURES, "intercept"))
        sure = tuple(float(raw["sure"][name]) for name in (*FEATURES, "top", "lead", "intercept"))
        return Model(rank, sure, float(raw["threshold"]))


def _known(question: str, title: str) -> str:
    """What is no news: the words of the question, and the years that stand in the title already."""
    return " ".join([question, *(w for w in french.words(title) if w.isdigit())])


def features(
    question: str, hits: tuple[RankedPassage, ...]
) -> tuple[list[tuple[RankedPassage, int, int]], Matrix]:
    """Every sentence as (hit, start, end in the passage), and a (sentences × features) matrix.

    What the question says of who asks does not count.
    """
    question = without_asker(question)
    places = [(hit, a, b) for hit in hits for a, b in sentences(hit.passage.text)]
    if not places:
        return [], np.zeros((0, len(FEATURES)))
    texts = [h.passage.text[a:b] for h, a, b in places]
    cosines = np.array([c for h in hits for c in h.meanings])
    lead = cosines - _smoothed_mean(cosines, USUAL_MEANING)
    unread = min((m for h in hits for m in h.margins), default=0.0)
    taught = hits[0].taught
    read = np.array([m for h in hits for m in (h.margins or [unread] * len(h.meanings))])
    read = read.clip(-10, 10) / 10 * hits[0].left_open
    met = np.array([c for h in hits for c in (h.match.sentences if h.match else h.meanings)])
    met_mean, read_mean = met.mean(), read.mean()
    unmet = {h.passage.id: h.match.unmet if h.match else 0.0 for h in hits}
    known = {h.passage.id: _known(question, h.passage.title) for h in hits}
    logs = {h.passage.id: _logarithm(h.about + 1 - taught) for h in hits}
    most = max(logs.values())
    around = {h.passage.id: topical(h.passage.searched) for h in hits}
    # an example question may hold a wrong number or another name (« est-ce 70 ou 80 ? »)
    told = {h.passage.id: topical(f"{h.passage.title} {h.passage.text}") for h in hits}
    asked, kind, several = (
        weights(question, list(around.values())),
        kind_of(question),
        wants_several(question),
    )
    foreign = is_english(question)
    total = sum(asked.values()) or 1.0
    noun, classes = focus(question), class_words(question)
    if foreign:
        noun = "|".join(english.translations(noun)) if noun else ""
    numbers = {w for w in asked if w[0].isdigit()}
    subjects = subjects_of(question)
    strange = subjects.beyond(hits)
    near = {key: {w: credit(w, words) for w in asked} for key, words in around.items()}
    nowhere = [
        w
        for w in asked
        if (1 - max(held[w] for held in near.values())) * min(map(french.rarity, w.split("|"))) > NOWHERE
    ]
    best = max(hit.score for hit in hits)
    matrix = np.zeros((len(places), len(FEATURES)))
    for i, ((hit, _, _), text) in enumerate(zip(places, texts, strict=True)):
        held, here = near[hit.passage.id], topical(text)
        spans = values(kind, text, known[hit.passage.id])
        found = len(spans)
        typed = found > 0
        named = classes if typed else frozenset()  # a city covers « villes » as well as the word does
        many = found if kind in (Kind.DATE, Kind.PLACE, Kind.NUMBER) else len(SEPARATORS.findall(text))
        matrix[i] = (
            cosines[i],
            lead[i],
            hit.score,
            math.exp((hit.score - best) / NEAR),
            sum(r * (1.0 if w in named else credit(w, here)) for w, r in asked.items()) / total,
            sum(r * (1.0 if w in named else held[w]) for w, r in asked.items()) / total,
            max(((1 - held[w]) * r / 10 for w, r in asked.items() if w not in named), default=0.0),
            len(nowhere) / max(1, len(asked)),
            any(credit(w, told[hit.passage.id]) < 1 for w in numbers),
            any(credit(w, told[hit.passage.id]) < ALIKE for w in subjects.names),
            any(told[hit.passage.id].isdisjoint(w.split("|")) for w in subjects.times),
            bool(strange.names),
            bool(strange.words),
            bool(strange.times),
            typed,
            kind in STRICT and not typed,
            kind is not Kind.OTHER and kind not in STRICT and not typed,
            1 - max(credit(noun, around[hit.passage.id]), noun in named) if noun else 0.0,
            kind is Kind.NUMBER
            and bool(noun)
            and not any(credit(noun, topical(text[a:b])) for a, b in spans),
            several * min(1.0, many / 3),
            math.log(1 + len(text.split())),
            hit.asked,
            hit.about,
            logs[hit.passage.id],
            logs[hit.passage.id] - most,
            hit.beyond,
            _logarithm(hit.beyond + 1 - taught),
            taught,
            met[i],
            met[i] - met_mean,
            unmet[hit.passage.id],
            read[i],
            read[i] - read_mean,
            foreign,
        )
    return places, matrix


def _logarithm(probability: float) -> float:
    return math.log(max(probability, math.exp(-8))) / 8


def probabilities(matrix: Matrix, fitted: tuple[float, ...]) -> Scores:
    """Logistic regression: one probability a row; the last of `fitted` is the intercept."""
    result: Scores = 1 / (1 + np.exp(-(matrix @ np.array(fitted[:-1]) + fitted[-1])))
    return result


def margins(scores: Scores, best: int) -> tuple[float, float]:
    """How the best sentence stands out: its own score, and its lead over the mean of the others."""
    others = np.delete(scores, best)
    return float(scores[best]), float(scores[best] - _smoothed_mean(others, 0.0))


def _smoothed_mean(values: Scores, usual: float) -> float:
    """The mean of some values and of SMOOTHING usual ones, so that a lone sentence can stand out too."""
    return float((values.sum() + SMOOTHING * usual) / (len(values) + SMOOTHING))


class Reader:
    """Reads the best passages for a question."""

    def __init__(self, model: Model | None = None) -> None:
        self.model = model or Model.load()

    def read(self, question: str, hits: tuple[RankedPassage, ...]) -> Reading:
        """The one to three sentences that answer, or a low confidence."""
        places, matrix = features(question, hits[:PASSAGES_READ])
        if not places:
            return Reading((), 0.0, self.model.threshold)
        ranked = probabilities(matrix, self.model.rank)
        order = sorted(range(len(places)), key=lambda i: -ranked[i])
        best = order[0]
        extra = np.array([[*matrix[best], *margins(ranked, best)]])
        confidence = float(probabilities(extra, self.model.sure)[0])
        kept = [best]
        if wants_several(question):
            kept += [
                i
                for i in order[1:]
                if ranked[i] >= CLOSE * ranked[best] and self._adds(question, places, kept, i)
            ]
        if len(kept) == 1 and len(order) > 1 and ranked[order[1]] >= CLOSE * ranked[best]:
            kept.append(order[1])
        kept = kept[:MOST_QUOTES]
        return Reading(
            tuple(self._evidence(question, places[i], float(ranked[i])) for i in kept),
            confidence,
            self.model.threshold,
        )

    def weighed(self, question: str, hits: tuple[RankedPassage, ...]) -> tuple[Weighed, ...]:
        """Every sentence that `read` chooses from, the likeliest first, with what made it so."""
        places, matrix = features(question, hits[:PASSAGES_READ])
        ranked = probabilities(matrix, self.model.rank)
        return tuple(
            Weighed(hit, hit.passage.text[a:b], float(ranked[i]), dict(zip(FEATURES, matrix[i], strict=True)))
            for i, (hit, a, b) in sorted(enumerate(places), key=lambda each: -ranked[each[0]])
        )

    def more(self, question: str, hits: tuple[RankedPassage, ...], given: str) -> tuple[Evidence, ...]:
        """The next best sentences that `given` lacks, those of documents it quotes first; maybe none."""
        places, matrix = features(question, hits)
        if not places:
            return ()
        ranked = probabilities(matrix, self.model.rank)
        texts = [" ".join(hit.passage.text[a:b].split()) for hit, a, b in places]
        given = " ".join(given.split())
        quoted = {
            hit.passage.document_id for (hit, _, _), text in zip(places, texts, strict=True) if text in given
        }
        left = [i for i, text in enumerate(texts) if text not in given]
        left = [i for i in left if places[i][0].passage.document_id in quoted or ranked[i] >= STILL_NEAR]
        left.sort(key=lambda i: (places[i][0].passage.document_id not in quoted, -ranked[i]))
        return tuple(self._evidence(question, places[i], float(ranked[i])) for i in left[:MOST_MORE])

    def _adds(
        self, question: str, places: list[tuple[RankedPassage, int, int]], kept: list[int], i: int
    ) -> bool:
        """Whether a sentence of a passage already quoted brings a value that is not yet given."""
        kind = kind_of(question)
        hit, a, b = places[i]
        if hit.passage.id != places[kept[0]][0].passage.id or kind is Kind.OTHER:
            return False
        given = " ".join(places[k][0].passage.text[places[k][1] : places[k][2]] for k in kept)
        return bool(values(kind, hit.passage.text[a:b], f"{question} {given}"))

    def _evidence(self, question: str, place: tuple[RankedPassage, int, int], probability: float) -> Evidence:
        hit, a, b = place
        text = hit.passage.text[a:b]
        start = hit.passage.start + a
        low, high = hit.span  # as the reading model says; by rules in another sentence than its own
        if a <= low < high <= b:
            highlights = _with_its_list(question, text, (low - a, high - a), hit.passage.title)
        else:
            highlights = decisive(question, text, hit.passage.title)
        return Evidence(hit, text, start, start + len(text), probability, highlights)


def _with_its_list(
    question: str, sentence: str, read: tuple[int, int], title: str
) -> tuple[tuple[int, int], ...]:
    """The words that were read as the answer; where several things are asked for, also the rest of the list
    after a colon, and other values of the kind.
    """
    if not wants_several(question):
        return (read,)
    spans = [read]
    for colon in COLON.finditer(sentence, 0, read[0]):
        if SEPARATORS.search(sentence, colon.end()):
            spans.append((colon.end(), len(sentence.rstrip(" ."))))
    kind = kind_of(question)
    if kind in LISTED:
        spans += values(kind, sentence, _known(question, title)) or values(kind, sentence, question)
    whole: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(end, whole[-1][1]))
        else:
            whole.append((start, end))
    return tuple(whole)


def decisive(question: str, sentence: str, title: str = "") -> tuple[tuple[int, int], ...]:
    """The decisive words: values of the kind asked for, else the longest stretch the question lacks."""
    known = _known(question, title)
    spans = values(kind_of(question), sentence, known) or values(kind_of(question), sentence, question)
    noun = focus(question)
    counted = [
        s for s in spans if noun and any(french.likeness(noun, w) for w in topical(sentence[slice(*s)]))
    ]
    if counted:  # « combien de participants ? » wants the 70 of « 70 participants », not each number
        return tuple(counted)
    if spans:
        return tuple(spans)
    asked = topical(question)
    best, run = (0, 0, 0), (0, 0, 0)  # new words, start, end
    for word, start, end in french.spans(sentence):
        if french.is_stop_word(word):
            continue
        if any(french.likeness(word, other) >= 0.6 for other in asked):
            run = (0, 0, 0)
        else:
            run = (run[0] + 1, run[1] if run[0] else start, end)
            best = max(best, run, key=lambda r: r[0])
    return ((best[1], best[2]),) if best[0] else ()
