"""Make the bundled French encoder: `python -m index.training.encoder --data DIR --out DIR`.

A question must find its passage among those of its batch, which holds paragraphs of the same articles;
French and English take turns. Starts from `base.py`, or from a checkpoint with --resume. README.md beside
this file has the figures.
"""

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import BertModel

from index.packed import PackedBert, mean
from index.training import data
from index.training.base import base
from index.training.loop import train

SCALE = 30.0  # inverse temperature of the in-batch contrast
PAIRS = 40  # questions in a batch
QUERY, PASSAGE = "query: ", "passage: "


class Encoder(torch.nn.Module):
    """A BERT with mean pooling: texts → (n × 384) unit vectors."""

    def __init__(self, bert: BertModel, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.packed = PackedBert(bert, tokenizer)
        self.bert = bert

    def forward(self, texts: list[str], length: int) -> torch.Tensor:
        self.packed.tokenizer.enable_truncation(length)
        cut = {name: values.to(self.bert.device) for name, values in self.packed.preprocess(texts).items()}
        with torch.autocast(self.bert.device.type, dtype=torch.bfloat16):
            hidden = self.bert(cut["input_ids"], cut["attention_mask"]).last_hidden_state
        return mean(hidden, cut["attention_mask"])


def contrast(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """In-batch cross-entropy, both ways: row i of `a` belongs to row i of `b`; more rows of `b` to none."""
    scores = a @ b.T * SCALE
    labels = torch.arange(len(a), device=a.device)
    back = scores[:, : len(a)].T
    return (functional.cross_entropy(scores, labels) + functional.cross_entropy(back, labels)) / 2


def in_parts(model: Encoder, texts: list[str], length: int, parts: int = 4) -> torch.Tensor:
    """Encode texts in parts of like length, which saves padding; rows in the order of `texts`."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    size = -(-len(texts) // parts)
    chunks = [order[i : i + size] for i in range(0, len(texts), size)]
    rows = torch.cat([model([texts[i] for i in chunk], length) for chunk in chunks])
    back = torch.empty(len(texts), dtype=torch.long)
    back[torch.tensor(order)] = torch.arange(len(texts))
    return rows[back.to(rows.device)]


class Pairs:
    """Batches of questions with their passages; a batch holds several paragraphs of an article."""

    def __init__(self, items: list[data.Question], size: int, seed: int) -> None:
        self.rng, self.size = random.Random(seed), size
        self.articles: dict[str, dict[str, list[data.Question]]] = {}
        for item in items:
            self.articles.setdefault(item.title or item.text[:40], {}).setdefault(item.text, []).append(item)
        self.batches = self._forever()

    def _forever(self) -> Iterator[list[data.Question]]:
        while True:
            names = list(self.articles)
            self.rng.shuffle(names)
            batch: list[data.Question] = []
            for name in names:
                paragraphs = list(self.articles[name].values())
                self.rng.shuffle(paragraphs)
                for questions in paragraphs[:8]:
                    batch.append(self.rng.choice(questions))
                    if len(batch) == self.size:
                        yield batch
                        batch = []

    def _titled(self, title: str, text: str) -> str:
        return f"{title}. {text}" if title and self.rng.random() < 0.85 else text

    def loss(self, model: Encoder) -> torch.Tensor:
        """Contrast of one batch of questions with one to a few sentences around their answers.

        Two sentences in five come with another one of their paragraph, which is no answer.
        """
        batch, rng = next(self.batches), self.rng
        questions = [QUERY + data.asked(q.question, rng) for q in batch]
        texts, beside = [], []
        for q in batch:
            near = [s for s in data.sentences(q.text) if q.text[q.start : q.end] not in s]
            alone = bool(near) and rng.random() < 0.4
            cut = data.window(q, 1 if alone else rng.choice((1, 25, 45, 90)), rng)
            texts.append(PASSAGE + self._titled(q.title, cut))
            if alone:
                beside.append(PASSAGE + self._titled(q.title, rng.choice(near)))
        asked, told = in_parts(model, questions, 44, 2), in_parts(model, texts + beside, 150)
        return contrast(asked, told)


class Paraphrases:
    """Batches of questions with the same question in other words, or in English."""

    def __init__(self, folder: Path, size: int, seed: int) -> None:
        self.rng, self.size = random.Random(seed), size
        self.groups = data.same_questions(folder)

    def loss(self, model: Encoder) -> torch.Tensor:
        """Contrast of one batch."""
        rng = self.rng
        pairs = [rng.sample(group, 2) for group in rng.sample(self.groups, self.size)]
        left = [QUERY + data.asked(a, rng) for a, _ in pairs]
        return contrast(in_parts(model, left, 40, 2), in_parts(model, [QUERY + b for _, b in pairs], 40, 2))


@torch.no_grad()
def dev_hits(model: Encoder, folder: Path) -> dict[str, float]:
    """hit@1 and hit@10 of the held-out PIAF articles' questions among all paragraphs, by best sentence."""
    model.eval()
    items = data.piaf(folder)
    texts = list(dict.fromkeys((q.title, q.text) for q in items))
    sentences = [(i, f"{PASSAGE}{t}. {s}") for i, (t, text) in enumerate(texts) for s in data.sentences(text)]
    order = sorted(range(len(sentences)), key=lambda i: len(sentences[i][1]))
    vectors = torch.zeros(len(sentences), model.bert.config.hidden_size)
    for start in range(0, len(order), 64):
        ids = order[start : start + 64]
        vectors[ids] = model([sentences[i][1] for i in ids], 192).cpu()
    dev = [q for q in items if data.held_out(q.title)]
    asked = in_parts(model, [QUERY + q.question for q in dev], 64, 12).cpu()
    owner = torch.tensor([i for i, _ in sentences])
    best = torch.full((len(dev), len(texts)), -1.0)
    best.scatter_reduce_(1, owner.expand(len(dev), -1), asked @ vectors.T, "amax")
    top = best.topk(10).indices.tolist()
    gold = [texts.index((q.title, q.text)) for q in dev]
    model.train()
    return {
        "questions": len(dev),
        "hit@1": round(sum(t[0] == g for t, g in zip(top, gold, strict=True)) / len(dev), 4),
        "hit@10": round(sum(g in t for t, g in zip(top, gold, strict=True)) / len(dev), 4),
    }


def save(model: Encoder, out: Path) -> None:
    """Write the folder that `index.encoder` loads."""
    out.mkdir(parents=True, exist_ok=True)
    model.packed.save(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pieces", type=int, default=28_000, help="size of the vocabulary")
    parser.add_argument("--minutes", type=float, default=45)
    parser.add_argument("--rate", type=float, default=6e-5)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--resume", type=Path, help="start from this checkpoint")
    args = parser.parse_args()
    random.seed(args.seed)
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if args.resume:
        start = PackedBert.load(args.resume)
        model = Encoder(start.bert, start.tokenizer)
    else:
        model = Encoder(*base(args.data, args.pieces))
    model.to(device).train()
    french = data.afriqa(args.data) + data.guides(args.data)
    french += [q for q in data.piaf(args.data) if not data.held_out(q.title)]
    turns = {"fr": Pairs(french, PAIRS, args.seed), "en": Pairs(data.english(args.data), PAIRS, args.seed)}
    paraphrases = Paraphrases(args.data, 2 * PAIRS, args.seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.rate, weight_decay=0.01, foreach=True)

    def loss(step: int) -> torch.Tensor:
        pairs = turns["en" if step % 5 in (1, 3, 4) else "fr"].loss(model)
        return pairs + paraphrases.loss(model) if step % 2 else pairs

    def checkpoint() -> dict[str, float]:
        save(model, args.out)
        return dev_hits(model, args.data)

    train(optimizer, args.minutes, loss, checkpoint)


if __name__ == "__main__":
    main()
