"""Questions and passages drawn in pairs, for training what reads them.

A question meets the passage that answers it and, mostly, a near one that does not.
"""

import random

import numpy as np
import torch

from index import french
from index.passages import titled
from index.reading import Side
from index.training.states import Asked, Corpus, Numbers, States

BATCH = 20  # questions
# Shares of the questions by their source and whether they have an answer.
SHARES = {
    ("fr", True): 0.22,
    ("written", True): 0.46,
    ("other", True): 0.18,
    ("written", False): 0.09,
    ("other", False): 0.05,
}
ALONE = 0.25  # of the questions meet no passage but the right one
MINED, PARAGRAPH = 0.75, 0.9  # up to where a draw takes a near passage, one of the paragraph, of the article
Pair = tuple[int, int]  # the row of a question's spelling, and a passage
Drawn = list[tuple[list[Pair], Asked]]  # of each question's pairs the first is right where there is an answer


def side(
    kept: States, states: Numbers, rows: list[int], longest: int, device: torch.device
) -> tuple[Side, torch.Tensor]:
    """Texts by their rows, and the weights of their pieces, which sum to 1 in each text."""
    places = [slice(kept.starts[i], min(kept.starts[i + 1], kept.starts[i] + longest)) for i in rows]

    def padded(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> torch.Tensor:
        parts = [torch.from_numpy(np.array(values[p])) for p in places]
        return torch.nn.utils.rnn.pad_sequence(parts, batch_first=True).to(device)

    rarity = padded(kept.rarity)
    weights = rarity / rarity.sum(1, keepdim=True).clamp(min=1e-9)
    return Side(padded(states).bfloat16(), padded(kept.near).bfloat16(), rarity > 0), weights.bfloat16()


class Draws:
    """Questions drawn for ever: pairs, of which the first is right where there is an answer."""

    def __init__(self, kept: Corpus, seed: int) -> None:
        self.kept, self.rng = kept, random.Random(seed)
        self.pools: dict[tuple[str, bool], list[int]] = {}
        self.article: dict[str, list[int]] = {}
        for i, asked in enumerate(kept.asked):
            kind = (asked.source, asked.passage >= 0)
            if kind in SHARES:
                self.pools.setdefault(kind, []).append(i)
                if asked.passage >= 0:
                    self.article.setdefault(kept.passages[asked.passage][0], []).append(asked.passage)
        self.left: dict[tuple[str, bool], list[int]] = {kind: [] for kind in self.pools}
        self.batches: list[Drawn] = []

    def one(self) -> tuple[list[Pair], Asked]:
        """A question with one or two passages."""
        (kind,) = self.rng.choices(list(self.pools), [SHARES[kind] for kind in self.pools])
        if not self.left[kind]:
            self.left[kind] = self.rng.sample(self.pools[kind], len(self.pools[kind]))
        number = self.left[kind].pop()
        asked = self.kept.asked[number]
        row = self.rng.choice(asked.rows)
        if asked.passage < 0:
            return [(row, self.rng.choice(asked.beside))], asked
        if self.rng.random() < ALONE:
            return [(row, asked.passage)], asked
        return [(row, asked.passage), (row, self._wrong(number, asked))], asked

    def _wrong(self, number: int, asked: Asked) -> int:
        """A passage without the answer's words."""
        title, text = self.kept.passages[asked.passage]
        answer = french.fold(text[asked.start : asked.end])
        while True:
            draw = self.rng.random()
            if draw < MINED:
                near = self.kept.nearest[number]
                found = int(near[min(int(self.rng.expovariate(0.25)), len(near) - 1)])
            elif draw < PARAGRAPH and asked.beside:
                found = self.rng.choice(asked.beside)
            else:
                found = self.rng.choice(self.article[title])
            if found >= 0 and answer not in french.fold(self.kept.passages[found][1]):
                return found
            number = self.rng.choice(self.pools["other", True])  # rare: all near ones hold those words

    def batch(self) -> Drawn:
        """BATCH questions whose passages are of like length."""
        if not self.batches:
            starts = self.kept.told.starts
            pool = sorted(
                (self.one() for _ in range(16 * BATCH)),
                key=lambda each: max(int(starts[p + 1] - starts[p]) for _, p in each[0]),
            )
            self.batches = [pool[i : i + BATCH] for i in range(0, len(pool), BATCH)]
            self.rng.shuffle(self.batches)
        return self.batches.pop()


def borders(kept: Corpus, asked: Asked, longest: int) -> tuple[int, int] | None:
    """The first and the last piece of the answer in its passage, None when it was cropped."""
    head = len(titled(kept.passages[asked.passage][0], ""))
    first = kept.told.starts[asked.passage]
    ends = np.asarray(kept.told.ends[first : kept.told.starts[asked.passage + 1]])[:longest]
    start, end = np.searchsorted(ends, [head + asked.start + 1, head + asked.end])
    return (int(start), int(end)) if end < len(ends) else None
