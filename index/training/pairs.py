"""Questions and passages drawn for training what reads them.

A question meets the passage that answers it and, beside it, near ones that do not.
"""

import random
from dataclasses import dataclass

import numpy as np
import torch

from index.packed import LONGEST, PackedBert, mean
from index.passages import sentences, titled
from index.training.texts import UNKNOWN, Asked, Corpus, Numbers, Texts

BATCH, WRONG = 64, 3  # questions, and passages that do not answer each
# Shares of the questions by their source and whether they have an answer.
SHARES = {
    ("fr", True): 0.14,
    ("written", True): 0.60,
    ("other", True): 0.16,
    ("written", False): 0.07,
    ("other", False): 0.03,
}
NEAREST = 12  # passages by vectors, and as many by words, that a question may be held against
MINED, PARAGRAPH = 0.75, 0.9  # up to where a draw takes a near passage, one of the paragraph, of the article
STEEP = 0.15  # how much likelier a nearer one is
TRIES = 40  # after which any passage is taken
K1, B = 1.2, 0.75  # of BM25 (Robertson et al., 1994)
AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Drawn:
    """BATCH questions, each with 1 + WRONG passages, one after the other, of which the first is right where
    there is an answer.
    """

    rows: list[int]
    passages: list[int]
    sentences: list[str]  # two of each question's first passage, under its title; the first answers
    places: torch.Tensor  # (questions × 2) the answer's first and last piece, UNKNOWN where there is none
    answered: torch.Tensor  # (questions)


class Draws:
    """Questions drawn for ever."""

    def __init__(self, kept: Corpus, encoder: PackedBert, seed: int, longest: int) -> None:
        self.kept, self.rng, self.longest = kept, random.Random(seed), longest
        self.device = encoder.bert.device
        self.near = nearest(kept, encoder)
        self.pools: dict[tuple[str, bool], list[int]] = {}
        self.article: dict[str, list[int]] = {}
        for i, asked in enumerate(kept.asked):
            kind = (asked.source, asked.passage >= 0)
            if kind in SHARES:
                self.pools.setdefault(kind, []).append(i)
                if asked.passage >= 0:
                    self.article.setdefault(kept.passages[asked.passage][0], []).append(asked.passage)
        self.left: dict[tuple[str, bool], list[int]] = {kind: [] for kind in self.pools}

    def batch(self) -> Drawn:
        """The next."""
        rows, passages, told, places, answered = [], [], [], [], []
        for _ in range(BATCH):
            (kind,) = self.rng.choices(list(self.pools), [SHARES[kind] for kind in self.pools])
            if not self.left[kind]:
                self.left[kind] = self.rng.sample(self.pools[kind], len(self.pools[kind]))
            number = self.left[kind].pop()
            asked = self.kept.asked[number]
            rows.append(self.rng.choice(asked.rows))
            beside = self._passages(number, asked)
            passages += beside
            told += self._sentences(asked, beside[0])
            places.append(asked.pieces if asked.pieces[1] < self.longest - 1 else (UNKNOWN, UNKNOWN))
            answered.append(kind[1])
        return Drawn(
            rows,
            passages,
            told,
            torch.tensor(places, device=self.device),
            torch.tensor(answered, device=self.device),
        )

    def _passages(self, number: int, asked: Asked) -> list[int]:
        """The right one, or for a question without an answer one of its paragraph, and WRONG others, without
        the answer's pieces if need be.
        """
        found = [asked.passage if asked.passage >= 0 else self.rng.choice(asked.beside)]
        first, last = asked.pieces
        answer = self.kept.told.one(found[0])[first : last + 1].tobytes() if first >= 0 else b""
        tries = 0
        while len(found) <= WRONG:
            tries, draw = tries + 1, self.rng.random()
            if tries > TRIES:
                passage = self.kept.asked[self.rng.choice(self.pools["written", True])].passage
            elif draw < MINED:
                near = self.near[number]
                passage = int(near[min(int(self.rng.expovariate(STEEP)), len(near) - 1)])
            elif draw < PARAGRAPH and asked.beside:
                passage = self.rng.choice(asked.beside)
            else:
                passage = self.rng.choice(self.article.get(self.kept.passages[found[0]][0], [UNKNOWN]))
            if passage < 0 or passage in found:
                continue
            if answer and tries <= TRIES and answer in self.kept.told.one(passage).tobytes():
                continue
            found.append(passage)
        return found

    def _sentences(self, asked: Asked, passage: int) -> list[str]:
        """The one that answers, or the first, and another if there is one, under the title of the passage."""
        title, text = self.kept.passages[passage]
        spans = sentences(text)
        right = next((i for i, (a, b) in enumerate(spans) if a <= asked.place[0] < b), 0)
        other = self.rng.choice([i for i in range(len(spans)) if i != right] or [right])
        return [titled(title, text[slice(*spans[i])]) for i in (right, other)]


@torch.no_grad()
def nearest(kept: Corpus, encoder: PackedBert) -> Numbers:
    """For each question passages in its language, those near by whole vectors and by BM25 over pieces in
    turns; UNKNOWN where there are none.
    """
    assert encoder.late
    device, rarity = encoder.bert.device, encoder.late.rarity
    found = np.full((len(kept.asked), 2 * NEAREST), UNKNOWN, np.int32)
    for sources in (("fr", "written"), ("other",)):
        mine = [i for i, a in enumerate(kept.asked) if a.source in sources]
        pool = sorted({p for i in mine for p in (kept.asked[i].passage, *kept.asked[i].beside) if p >= 0})
        if len(pool) <= NEAREST:
            continue
        whole, counts = _whole(encoder, kept.told, pool), _counts(kept.told, pool, rarity)
        lengths = torch.from_numpy(kept.told.lengths(pool)).to(device, torch.float32)
        counts *= (1 + K1) / (counts + K1 * (1 - B + B * lengths / lengths.mean())[:, None])
        weighted = (counts * rarity).to(torch.bfloat16)
        numbers = torch.tensor(pool, device=device)
        for first in range(0, len(mine), AT_ONCE):
            part = mine[first : first + AT_ONCE]
            rows = [kept.asked[i].rows[0] for i in part]
            words = (_counts(kept.questions, rows, rarity) > 0).to(torch.bfloat16)
            right = torch.tensor([kept.asked[i].passage for i in part], device=device)[:, None] == numbers
            for turn, scores in enumerate(
                (_whole(encoder, kept.questions, rows) @ whole.T, (words @ weighted.T).float())
            ):
                best = scores.masked_fill(right, UNKNOWN).topk(NEAREST).indices
                found[part, turn::2] = numbers[best].cpu().numpy()
    return found


def _whole(encoder: PackedBert, texts: Texts, rows: list[int]) -> torch.Tensor:
    """(texts × hidden) unit vectors."""
    device = encoder.bert.device
    found = torch.zeros(len(rows), encoder.get_embedding_dimension(), device=device)
    order = np.argsort(-texts.lengths(rows)).tolist()
    for first in range(0, len(order), AT_ONCE // 8):
        part = order[first : first + AT_ONCE // 8]
        batch = texts.padded([rows[i] for i in part], LONGEST, device)
        states = encoder.bert(input_ids=batch.ids, attention_mask=batch.mask.long()).last_hidden_state
        found[part] = mean(states, batch.mask)
    return found


def _counts(texts: Texts, rows: list[int], rarity: torch.Tensor) -> torch.Tensor:
    """(texts × vocabulary) how often each piece stands in a text."""
    found = torch.zeros(len(rows), len(rarity), device=rarity.device)
    for first in range(0, len(rows), AT_ONCE):
        batch = texts.padded(rows[first : first + AT_ONCE], LONGEST, rarity.device)
        found[first : first + AT_ONCE].scatter_add_(1, batch.ids, batch.own.float())
    return found
