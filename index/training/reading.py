"""Make what reads a passage beside a question: `python -m index.training.reading --data DIR --encoder DIR`.

A question meets the passage that answers it and often a near one that does not; the model learns where the
answer stands, and which of the two holds it. README.md beside this file has the figures.
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
from index.judges import Judged
from index.packed import PackedBert
from index.passages import sentences
from index.pieces import Pieces
from index.reading import Reading, Side, Told
from index.training.loop import train
from index.training.states import Asked, Corpus, States, corpus

BATCH = 16  # questions
RATE, NEW = 2.5e-4, 1e-3  # of the encoder's layers, and of what is new
# Shares of the questions by source; « none » are those that their passage does not answer.
SHARES = {"fr": 0.28, "made": 0.08, "near": 0.12, "en": 0.38, "none": 0.14}
BESIDE = 0.6  # share of the answerable questions that also meet a passage without their answer
MINED, PARAGRAPH = 0.75, 0.9  # up to where a draw takes a near passage, one of the paragraph, of the article
CROPPED = 220  # pieces of a passage that are read in training
ARTICLES = frozenset("l le la les un une des d du de".split())
Pair = tuple[int, int]  # the row of a question's spelling, and a passage


def side(kept: States, rows: list[int], device: torch.device) -> tuple[Side, torch.Tensor]:
    """Texts by their rows, and the weights of their pieces, which sum to 1 in each text."""
    places = [slice(kept.starts[i], min(kept.starts[i + 1], kept.starts[i] + CROPPED)) for i in rows]

    def padded(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> torch.Tensor:
        parts = [torch.from_numpy(np.array(values[p])) for p in places]
        return torch.nn.utils.rnn.pad_sequence(parts, batch_first=True).to(device)

    rarity = padded(kept.rarity)
    weights = rarity / rarity.sum(1, keepdim=True).clamp(min=1e-9)
    return Side(padded(kept.states).bfloat16(), padded(kept.near).bfloat16(), rarity > 0), weights


def scores(
    model: Reading, kept: Corpus, pairs: list[Pair]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What the model says of pairs."""
    device = model.first.device
    asked, weights = side(kept.questions, [q for q, _ in pairs], device)
    told, _ = side(kept.told, [p for _, p in pairs], device)
    # bfloat16 throughout, over weights in single precision: twice as fast as what autocast does
    half = {name: p.bfloat16() for name, p in model.named_parameters()}
    found: tuple[torch.Tensor, torch.Tensor, torch.Tensor] = torch.func.functional_call(
        model, half, (asked, told, weights.bfloat16())
    )
    return found


class Draws:
    """Questions drawn for ever: pairs, of which the first is right where there is an answer."""

    def __init__(self, kept: Corpus, seed: int) -> None:
        self.kept, self.rng = kept, random.Random(seed)
        self.pools = {
            name: [i for i, a in enumerate(kept.asked) if a.source == name and a.passage >= 0]
            for name in SHARES
        }
        self.pools["none"] = [i for i, a in enumerate(kept.asked) if a.passage < 0]
        self.left: dict[str, list[int]] = {name: [] for name in self.pools}
        self.batches: list[list[tuple[list[Pair], Asked]]] = []
        self.article: dict[str, list[int]] = {}
        for i in (i for name in SHARES if name != "none" for i in self.pools[name]):
            passage = kept.asked[i].passage
            self.article.setdefault(kept.passages[passage][0], []).append(passage)

    def one(self) -> tuple[list[Pair], Asked]:
        """A question with one or two passages."""
        (name,) = self.rng.choices(list(SHARES), list(SHARES.values()))
        if not self.left[name]:
            self.left[name] = self.rng.sample(self.pools[name], len(self.pools[name]))
        number = self.left[name].pop()
        asked = self.kept.asked[number]
        row = self.rng.choice(asked.rows)
        if asked.passage < 0:
            return [(row, self.rng.choice(asked.beside))], asked
        if self.rng.random() > BESIDE:
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
                found = int(near[min(int(self.rng.expovariate(0.2)), len(near) - 1)])
            elif draw < PARAGRAPH and asked.beside:
                found = self.rng.choice(asked.beside)
            else:
                found = self.rng.choice(self.article[title]) if title else -1
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


def borders(kept: Corpus, asked: Asked) -> tuple[int, int] | None:
    """The first and the last piece of the answer in its passage, None when it was cropped."""
    head = len(kept.passages[asked.passage][0]) + 2
    first = kept.told.starts[asked.passage]
    ends = np.asarray(kept.told.ends[first : kept.told.starts[asked.passage + 1]])[:CROPPED]
    start, end = np.searchsorted(ends, [head + asked.start + 1, head + asked.end])
    return (int(start), int(end)) if end < len(ends) else None


def loss_of(model: Reading, kept: Corpus, batch: list[tuple[list[Pair], Asked]]) -> torch.Tensor:
    """Cross-entropy of borders, of each passage's answering or not, and of the right passage of each two."""
    starts, ends, answers = scores(model, kept, [p for pairs, _ in batch for p in pairs])
    firsts = [0, *itertools.accumulate(len(pairs) for pairs, _ in batch)]
    right = torch.zeros(len(answers), device=answers.device)
    places, lists = [], []
    for first, (pairs, asked) in zip(firsts, batch, strict=False):
        if asked.passage >= 0:
            right[first] = 1
            lists.append(answers[first : first + len(pairs)].log_softmax(0)[0])
            if place := borders(kept, asked):
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


def dev(model: Reading, kept: Corpus) -> dict[str, float]:
    """On held-out PIAF, read as the product does: token F1 and right sentence with the gold paragraph, and
    the area under the curve of right passages against others of the article. (`python -m evals read` gives
    figures with intervals of the weights as they are shipped, over whole paragraphs.)
    """
    device = model.first.device
    model.eval().cpu()
    items = [a for a in kept.asked if a.source == "dev"]
    of: dict[str, list[int]] = {}
    for a in items:
        of.setdefault(kept.passages[a.passage][0], []).append(a.passage)
    found, exact, right, good, bad = [], [], [], [], []
    for a in items:
        text = kept.passages[a.passage][1]
        question = pieces_of(kept.questions, a.rows[0])
        judged, said = judged_and_said(model, kept, question, a.passage)
        good.append(max(judged.margins))
        bad += [
            max(judged_and_said(model, kept, question, p)[0].margins)
            for p in [p for p in of[kept.passages[a.passage][0]] if p != a.passage][:1]
        ]
        found.append(f1(said, text[a.start : a.end]))
        exact.append(found[-1] == 1)
        low, high = sentences(text)[int(np.argmax(judged.margins))]
        right.append(low <= a.start < high)
    model.train().to(device)
    wins = torch.tensor(good)[:, None] > torch.tensor(bad)
    told = {"F1": found, "exact": exact, "sentence": right, "apart": wins.numpy()}
    return {"questions": len(items)} | {name: round(float(np.mean(v)), 3) for name, v in told.items()}


def pieces_of(kept: States, row: int) -> Pieces:
    """A text that was kept, as the encoder gives it."""
    place = slice(kept.starts[row], kept.starts[row + 1])
    near, states = (np.asarray(values[place], dtype=np.float32) for values in (kept.near, kept.states))
    rarity = np.asarray(kept.rarity[place])
    return Pieces(near, np.asarray(kept.ends[place]), rarity / max(1e-9, float(rarity.sum())), states)


def judged_and_said(model: Reading, kept: Corpus, question: Pieces, passage: int) -> tuple[Judged, str]:
    """What is said of a passage, and the words of its likeliest answer."""
    title, text = kept.passages[passage]
    told = pieces_of(kept.told, passage)
    head = len(title) + 2
    cuts = told.cuts([head + a for a, _ in sentences(text)])
    judged = model.judge(question, Told(told.as_bytes(), cuts, torch.from_numpy(told.states)))
    low, high = (max(head, int(told.ends[i - 1])) if i else head for i in judged.span)
    return judged, f"{title}. {text}"[low:high]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, required=True, help="its folder; the weights go there too")
    parser.add_argument("--kept", type=Path, required=True, help="folder for encoded texts, 7 GB")
    parser.add_argument("--minutes", type=float, default=50)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--resume", action="store_true", help="start from the weights beside the encoder's")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    encoder = PackedBert.load(str(args.encoder)).to(device)
    kept = corpus(args.data, encoder, args.kept, args.seed)
    model = encoder.reading if args.resume and encoder.reading else Reading.beside(encoder.bert)
    model.to(device).train()
    draws = Draws(kept, args.seed)
    taken = list(model.layers.parameters())
    new = [p for name, p in model.named_parameters() if not name.startswith("layers.")]
    groups = [
        {"params": [p for p in taken if p.ndim > 1], "lr": RATE, "weight_decay": 0.02},
        {"params": [p for p in taken if p.ndim < 2], "lr": RATE, "weight_decay": 0.0},
        {"params": new, "lr": NEW, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), foreach=True)

    def checkpoint() -> dict[str, float]:
        PackedBert.save_reading(model, args.encoder)
        return dev(model, kept)

    train(optimizer, args.minutes, lambda _: loss_of(model, kept, draws.batch()), checkpoint)


if __name__ == "__main__":
    main()
