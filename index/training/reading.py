"""Make what reads a passage beside a question: `python -m index.training.reading --data DIR --encoder DIR`.

A question meets the passage that answers it and a near one that does not; the model learns where the answer
stands, and which of the two holds it. README.md beside this file has the figures.
"""

import argparse
import itertools
import random
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from index import french
from index.packed import LONGEST, PackedBert
from index.passages import sentences, titled
from index.reading import LONGEST_SPAN, Reading, Side
from index.training.loop import train
from index.training.states import Asked, Corpus, States, corpus

BATCH = 16  # questions
RATE = 1e-3
FRENCH, UNANSWERABLE = 0.27, 0.1  # shares of the questions; the rest is English
MINED, PARAGRAPH = 0.75, 0.9  # up to where a draw takes a near passage, one of the paragraph, of the article
CROPPED = 200  # pieces of a passage that are read in training
LARGEST = 0.9999  # share of the coordinates of `told` that the index keeps without cutting them
ARTICLES = frozenset("l le la les un une des d du de".split())
Pair = tuple[int, int]  # the row of a question's spelling, and a passage


def side(kept: States, rows: list[int], linear: torch.nn.Linear, longest: int) -> tuple[Side, torch.Tensor]:
    """Texts by their rows, and the weights of their pieces, which sum to 1 in each text."""
    places = [slice(kept.starts[i], min(kept.starts[i + 1], kept.starts[i] + longest)) for i in rows]

    def padded(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> torch.Tensor:
        parts = [torch.from_numpy(np.array(values[p], dtype=np.float32)) for p in places]
        return torch.nn.utils.rnn.pad_sequence(parts, batch_first=True).to(linear.weight.device)

    rarity = padded(kept.rarity)
    weights = rarity / rarity.sum(1, keepdim=True).clamp(min=1e-9)
    return Side(linear(padded(kept.states)), padded(kept.near), rarity > 0), weights


def scores(
    model: Reading, kept: Corpus, pairs: list[Pair], longest: int = LONGEST
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What the model says of pairs."""
    asked, weights = side(kept.questions, [q for q, _ in pairs], model.asked, longest)
    told, _ = side(kept.told, [p for _, p in pairs], model.told, longest)
    found: tuple[torch.Tensor, torch.Tensor, torch.Tensor] = model(asked, told, weights)
    return found


class Draws:
    """Questions drawn for ever: pairs, of which the first is right where there is an answer."""

    def __init__(self, kept: Corpus, seed: int) -> None:
        self.kept, self.rng = kept, random.Random(seed)
        self.pools = {
            "fr": [i for i, a in enumerate(kept.asked) if a.source == "fr" and a.passage >= 0],
            "en": [i for i, a in enumerate(kept.asked) if a.source == "en" and a.passage >= 0],
            "none": [i for i, a in enumerate(kept.asked) if a.passage < 0],
        }
        self.left: dict[str, list[int]] = {name: [] for name in self.pools}
        self.batches: list[list[tuple[list[Pair], Asked]]] = []
        self.article: dict[str, list[int]] = {}
        for i in self.pools["fr"] + self.pools["en"]:
            passage = kept.asked[i].passage
            self.article.setdefault(kept.passages[passage][0], []).append(passage)

    def one(self) -> tuple[list[Pair], Asked]:
        """A question with one or two passages."""
        draw = self.rng.random()
        name = "none" if draw < UNANSWERABLE else "fr" if draw < UNANSWERABLE + FRENCH else "en"
        if not self.left[name]:
            self.left[name] = self.rng.sample(self.pools[name], len(self.pools[name]))
        number = self.left[name].pop()
        asked = self.kept.asked[number]
        row = self.rng.choice(asked.rows)
        if asked.passage < 0:
            return [(row, self.rng.choice(asked.beside))], asked
        return [(row, asked.passage), (row, self._wrong(number, asked))], asked

    def _wrong(self, number: int, asked: Asked) -> int:
        """A passage without the answer's words."""
        title, text = self.kept.passages[asked.passage]
        answer = french.fold(text[asked.start : asked.end])
        while True:
            draw = self.rng.random()
            if draw < MINED:
                near = self.kept.nearest[number]
                found = int(near[min(int(self.rng.expovariate(0.2)), len(near) - 1)])
            elif draw < PARAGRAPH and asked.beside:
                found = self.rng.choice(asked.beside)
            else:
                found = self.rng.choice(self.article[title])
            if found >= 0 and answer not in french.fold(self.kept.passages[found][1]):
                return found
            number = self.rng.choice(self.pools["en"])  # rare: all near ones hold those words

    def batch(self) -> list[tuple[list[Pair], Asked]]:
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


def loss_of(model: Reading, kept: Corpus, batch: list[tuple[list[Pair], Asked]]) -> torch.Tensor:
    """Cross-entropy of borders, of each passage's answering or not, and of the right passage of each two."""
    starts, ends, answers = scores(model, kept, [p for pairs, _ in batch for p in pairs], CROPPED)
    firsts = [0, *itertools.accumulate(len(pairs) for pairs, _ in batch)]
    right = torch.zeros(len(answers), device=answers.device)
    places, lists = [], []
    for first, (pairs, asked) in zip(firsts, batch, strict=False):
        if asked.passage >= 0:
            right[first] = 1
            lists.append(answers[first : first + len(pairs)].log_softmax(0)[0])
            if place := borders(kept, asked, CROPPED):
                places.append((first, *place))
    rows, start, end = torch.tensor(places, device=answers.device).T
    spans = functional.cross_entropy(starts[rows], start) + functional.cross_entropy(ends[rows], end)
    passage = functional.binary_cross_entropy_with_logits(answers, right)
    return spans / 2 + passage - torch.stack(lists).mean() / 2


def f1(a: str, b: str) -> float:
    """Token F1 of two texts, folded, articles left out."""
    left, right = (Counter(w for w in french.words(t) if w not in ARTICLES) for t in (a, b))
    same = (left & right).total()
    return 2 * same / (left.total() + right.total()) if same else float(left == right)


@torch.no_grad()
def dev(model: Reading, kept: Corpus) -> dict[str, float]:
    """On held-out PIAF: token F1 and right sentence with the gold paragraph, and the area under the curve of
    right paragraphs against others of the article.
    """
    model.eval()
    items = [a for a in kept.asked if a.source == "dev"]
    of: dict[str, list[int]] = {}
    for a in items:
        of.setdefault(kept.passages[a.passage][0], []).append(a.passage)
    found, right, good, bad = [], [], [], []
    for a in items:
        title, text = kept.passages[a.passage]
        others = [p for p in of[title] if p != a.passage][:1]
        start, end, answers = scores(model, kept, [(a.rows[0], p) for p in (a.passage, *others)])
        good.append(float(answers[0]))
        bad += answers[1:].tolist()
        ends = np.asarray(kept.told.ends[kept.told.starts[a.passage] : kept.told.starts[a.passage + 1]])
        before = len(titled(title, ""))
        head = int(np.searchsorted(ends, before, side="right"))
        starting, ending = (x[0, head : len(ends)].softmax(0).cpu() for x in (start, end))
        i, j = divmod(int((starting[:, None] * ending).triu().tril(LONGEST_SPAN).argmax()), len(ends) - head)
        low = int(ends[head + i - 1]) if head + i else 0
        said = titled(title, text)[max(low, before) : int(ends[head + j])]
        found.append(f1(said, text[a.start : a.end]))
        spans = sentences(text)
        cuts = np.searchsorted(ends[head:], [before + s for s, _ in spans], side="right")
        bounds = itertools.pairwise([*cuts, len(starting)])
        best = int(np.argmax([float(starting[b:c].sum()) for b, c in bounds]))
        right.append(spans[best][0] <= a.start < spans[best][1])
    model.train()
    apart = (torch.tensor(good)[:, None] > torch.tensor(bad)).float().mean()
    told = {"F1": np.mean(found), "sentence": np.mean(right), "apart": float(apart)}
    return {"questions": len(items)} | {name: round(float(value), 3) for name, value in told.items()}


@torch.no_grad()
def save(model: Reading, kept: Corpus, out: Path) -> None:
    """Write the weights beside the encoder's, with the step in which the index keeps `told`."""
    sample = torch.from_numpy(np.asarray(kept.told.states[::17], dtype=np.float32)).to(model.unit.device)
    size = np.quantile(model.told(sample).abs().cpu().numpy(), LARGEST)
    model.unit.fill_(float(size) / 127)
    PackedBert.save_reading(model, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, required=True, help="its folder; the weights go there too")
    parser.add_argument("--kept", type=Path, required=True, help="folder for encoded texts, 4 GB")
    parser.add_argument("--minutes", type=float, default=50)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--resume", action="store_true", help="start from the weights beside the encoder's")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    encoder = PackedBert.load(str(args.encoder)).to(device)
    kept = corpus(args.data, encoder, args.kept, args.seed)
    model = Reading(encoder.get_embedding_dimension())
    if args.resume and encoder.reading:
        model.load_state_dict(encoder.reading.state_dict())
    model.to(device)
    draws = Draws(kept, args.seed)
    shrunk = [p for p in model.parameters() if p.ndim > 1]
    groups = [
        {"params": shrunk, "weight_decay": 0.02},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.98), foreach=True)

    def checkpoint() -> dict[str, float]:
        save(model, kept, args.encoder)
        return dev(model, kept)

    train(optimizer, args.minutes, lambda _: loss_of(model, kept, draws.batch()), checkpoint)


if __name__ == "__main__":
    main()
