"""Holds words against documents: a quote stands there to the letter, a reworded sentence is held by one.

A sentence that a language model wrote is held by a quote when each of its claims stands in it (claims.py)
and it is entailed enough: near in meaning, and a logistic regression over ENTAILMENT, fitted on
`evals/grounding.yaml` (`python -m evals grounding`), reaches its threshold.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.answers import Citation
from bot.claims import claims_held, is_number
from bot.coverage import credit
from bot.instructions import gives_orders
from bot.reader import Evidence, decisive
from index import french
from index.encoder import Encoder
from index.passages import RankedPassage, sentences, titled

MODEL = Path(__file__).parent / "grounding.json"
ENTAILMENT = (
    "covered",  # share of the sentence's topical words, by rarity, that quote and title hold
    "missing",  # rarity of the rarest word that quote and title lack, per 10
)
# « Selon les documents, … »: says nothing of the matter.
OPENING = re.compile(
    r"^(?:Oui|(?:Selon|D['’]après) (?:les?|ces?|la|l['’])\s?(?:documents?|passages?|textes?|sources?)),\s+"
)
VERB = (
    r"(?:ne |n['’]|se |s['’])?"
    r"(?:a|ont|est|sont|était|étaient|avait|avaient|dure|durent|compte|comptent|vise|visent)\b"
)
FIRST_VERB = re.compile(rf"\b{VERB}")
SECOND_VERB = re.compile(rf",? (?:et|mais) (?={VERB})")
# Words that only link a subject to what is said of it, or name its kind: a quote need not have the very one.
LINKING = frozenset(
    """tenu tenue tenus tenues tient tiennent deroule deroulee deroules deroulees lieu suivi suivie suivis
    suivent trouve trouvent trouvait trouvaient situe situee situes situees possede possedent
    dispose disposent regroupe regroupent comprend comprennent comprenait compte comptent comptait
    comporte comportent figure figurent figuraient signifie signifient veut dire designe designent
    repose reposent reposaient reposait concerne concernent concernait agit agissait constitue
    constituent appelle appellent existe existent vient viennent venait venaient provient
    proviennent issu issue issus issues appartient appartiennent vise visent visait visaient propose
    proposent travaille travaillent inclut incluent contient contiennent rassemble rassemblent
    reunit reunissent consiste consistent correspond correspondent articule articulent porte portent
    aborde abordent abordes traite traitent traitaient permet permettent permettait peut peuvent
    veut veulent vouloir fait font prend prennent donne donnent presente presentent indique
    indiquent precise precisent objectif but prix cout tarif nombre duree liste nom acronyme
    document documents texte passage information parmi notamment egalement total ensemble selon date
    joue jouent jouait inscrit inscrivent inscrivaient applique appliquent beneficie beneficient
    dure durent durait duraient""".split()
)
Row = tuple[float, ...]


def cite(evidence: tuple[Evidence, ...], texts: Mapping[str, str]) -> tuple[Citation, ...]:
    """Number the evidence whose quote stands in its document at its offsets; drop the rest.

    `texts` are the documents' texts by id. A sentence that gives a chatbot orders is dropped too.
    """
    proved = [
        e
        for e in evidence
        if texts.get(e.hit.passage.document_id, "")[e.start : e.end] == e.text
        and e.text
        and not gives_orders(e.text)
    ]
    return tuple(
        _citation(e.hit, e.start, e.end, e.highlights, number) for number, e in enumerate(proved, 1)
    )  # fmt: skip


def _citation(
    hit: RankedPassage, start: int, end: int, highlights: tuple[tuple[int, int], ...], number: int
) -> Citation:
    passage = hit.passage
    quote = passage.text[start - passage.start : end - passage.start]
    return Citation(number, passage.document_id, passage.title, passage.source, quote, start, end, highlights)


@dataclass(frozen=True, slots=True)
class Entailment:
    """The fitted numbers: one weight for each of ENTAILMENT, the intercept, the threshold in [0, 1], and the
    least cosine of a sentence with its quote.
    """

    weights: Row
    threshold: float
    least_meaning: float

    @staticmethod
    def load(path: Path = MODEL) -> "Entailment":
        """Read `grounding.json`."""
        raw = json.loads(path.read_text("utf-8"))
        weights = tuple(float(raw["weights"][name]) for name in (*ENTAILMENT, "intercept"))
        return Entailment(weights, float(raw["threshold"]), float(raw["least_meaning"]))

    def score(self, meaning: float, row: Row) -> float:
        """The probability in [0, 1] that a quote entails a sentence; 0 below the least cosine."""
        if meaning < self.least_meaning:
            return 0.0
        return float(1 / (1 + np.exp(-(np.dot(self.weights[:-1], row) + self.weights[-1]))))


class Grounding:
    """Finds, for a reworded sentence, the quotes that hold it. Safe to use from many threads."""

    def __init__(self, encoder: Encoder, entailment: Entailment | None = None) -> None:
        self.encoder, self.entailment = encoder, entailment or Entailment.load()

    def proofs(
        self, sentence: str, cited: tuple[RankedPassage, ...], texts: Mapping[str, str], question: str
    ) -> tuple[Citation, ...]:
        """The quotes of the cited passages that hold every part of the sentence, unnumbered (0); else ()."""
        found: list[Citation] = []
        for part in parts(OPENING.sub("", sentence)):
            best = max(self._holding(part, cited, texts), key=lambda held: held[0], default=None)
            if best is None:
                return ()
            _, hit, start, end = best
            quote = texts[hit.passage.document_id][start:end]
            highlights = decisive(question, quote, hit.passage.title)
            found.append(_citation(hit, start, end, highlights, 0))
        return tuple(dict.fromkeys(found))

    def _holding(
        self, part: str, cited: tuple[RankedPassage, ...], texts: Mapping[str, str]
    ) -> list[tuple[float, RankedPassage, int, int]]:
        """(score, passage, start, end) of each sentence that holds the part; offsets are the document's."""
        held = []
        for hit in cited:
            passage = hit.passage
            for a, b in sentences(passage.text):
                quote, start, end = passage.text[a:b], passage.start + a, passage.start + b
                if texts.get(passage.document_id, "")[start:end] != quote or gives_orders(quote):
                    continue
                if claims_held(part, quote, passage.title):
                    score = self.entailment.score(
                        meaning(part, quote, passage.title, self.encoder),
                        entailment(part, quote, passage.title),
                    )
                    if score >= self.entailment.threshold:
                        held.append((score, hit, start, end))
        return held


def parts(sentence: str) -> list[str]:
    """The sentence, or when a second verb follows « et », each verb with the subject of the first."""
    first, *others = SECOND_VERB.split(sentence)
    verb = FIRST_VERB.search(first)
    if not others or not verb:
        return [sentence]
    subject = first[: verb.start()].strip()
    return [first, *(f"{subject} {other}" for other in others)]


def meaning(sentence: str, quote: str, title: str, encoder: Encoder) -> float:
    """The cosine of a sentence with a quote, alone or under its title, whichever is nearer."""
    vectors = encoder.remembered([sentence, quote, titled(title, quote)])
    return float((vectors[1:] @ vectors[0]).max())


def entailment(sentence: str, quote: str, title: str) -> Row:
    """How a quote under its title relates to a sentence: one number for each of ENTAILMENT."""
    words = [w for w in dict.fromkeys(french.words(sentence)) if not french.is_stop_word(w)]
    near = frozenset(w for w in french.words(f"{title} {quote}") if not french.is_stop_word(w))
    counted = [w for w in words if w not in LINKING and not is_number(w)]
    credits = {w: credit(w, near) for w in counted}
    total = sum(map(french.rarity, credits)) or 1.0
    return (
        sum(french.rarity(w) * c for w, c in credits.items()) / total if credits else 1.0,
        max(((1 - c) * french.rarity(w) / 10 for w, c in credits.items()), default=0.0),
    )
