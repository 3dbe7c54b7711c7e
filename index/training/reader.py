"""Make the bundled cross-encoder: `python -m index.training.reader --data DIR --out DIR`.

Starts from the bundled encoder; its word embeddings stay as they are, so that English questions teach how
to read French ones. A batch mixes French, English and made-up French questions; two in five are asked of
a passage that does not answer. README.md beside this file has the figures.
"""

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import BertConfig

from index import french
from index.cross_encoder import Batch, Example, Scorer, example, tokenizer_of
from index.encoder import BUNDLED
from index.packed import WEIGHTS, PackedBert, packed, unpacked
from index.passages import sentences
from index.training import data
from index.training.clozes import clozes
from index.training.encoder import Clock

BATCH = 16
ENGLISH = (
    "en-squad11_dev", "en-squad11_train_subset", "en-squad20_dev_half", "en-squadshifts_new_wiki",
    "en-squadshifts_reddit", "en-squadshifts_amazon_reviews", "en-nq_qed", "en-nq_open_oracle",
    "en-qamr_10k", "en-fairytaleqa_explicit", "en-covidqa_window",
)  # fmt: skip
UNANSWERABLE = ("en-squad20_dev_half", "en-squad20_test_half_unanswerable_inferred")


def english(folder: Path) -> tuple[list[data.Question], list[data.Question]]:
    """English questions with an answer, and those without one (start = end = 0)."""
    answerable: dict[tuple[str, str], data.Question] = {}
    without: dict[tuple[str, str], data.Question] = {}
    for name in dict.fromkeys((*ENGLISH, *UNANSWERABLE)):
        for line in data.lines(folder / "qa" / f"{name}.jsonl.zst"):
            row = json.loads(line)
            title = str(row.get("title") or "").replace("_", " ")
            key = (row["question"], row["context"][:80])
            if row.get("answers"):
                answer = row["answers"][0]
                start = answer["answer_start"]
                item = data.Question(
                    row["question"], title, row["context"], start, start + len(answer["text"])
                )
                answerable[key] = item
            elif name in UNANSWERABLE:
                without[key] = data.Question(row["question"], title, row["context"], 0, 0)
    return list(answerable.values()), list(without.values())


class Source:
    """Questions of one kind, drawn for ever, each beside a passage that answers or one that does not."""

    def __init__(self, items: list[data.Question], without: list[data.Question], rng: random.Random) -> None:
        self.items, self.without, self.rng = items, without, rng
        self.by_title: dict[str, list[str]] = {}
        for text, title in {i.text: i.title for i in items}.items():
            if title:
                self.by_title.setdefault(title, []).append(text)
        self.order: list[data.Question] = []

    def draw(self) -> tuple[str, str, str, int, int]:
        """(question, title, passage, answer's start, end); start = end when it does not answer."""
        rng = self.rng
        if not self.order:
            self.order = rng.sample(self.items, len(self.items))
        item = self.order.pop()
        kind = rng.random()
        if kind < 0.16 and self.without:
            item = rng.choice(self.without)
            return item.question, item.title, item.text[:700], 0, 0
        words = rng.choice((12, 30, 60, 100))
        text = data.window(item, words, rng)
        low = item.text.find(text)
        start, end = item.start - low, item.end - low
        if kind < 0.6 or not 0 <= start < end <= len(text):
            return item.question, item.title, text, start, min(end, len(text))
        answer = french.fold(item.text[item.start : item.end])
        if kind < 0.75:  # the same passage without the sentences that answer
            rest = " ".join(text[a:b] for a, b in sentences(text) if not (start < b and a < end))
            if len(rest) > 40 and answer not in french.fold(rest):
                return item.question, item.title, rest, 0, 0
        others = self.by_title.get(item.title, [])
        for _ in range(6):
            near = kind < 0.93 and len(others) > 1
            other = rng.choice(others) if near else rng.choice(self.items).text
            if answer not in french.fold(other):
                at = rng.randrange(len(other))
                crop = data.window(data.Question("", "", other, at, at + 1), words, rng)
                title = item.title if near or rng.random() < 0.5 else ""
                return item.question, title, crop, 0, 0
        return item.question, item.title, text, start, end


class Mixture:
    """Batches of like length from the three sources."""

    def __init__(self, folder: Path, tokenizer: Tokenizer, seed: int) -> None:
        self.rng, self.tokenizer = random.Random(seed), tokenizer
        fr = [q for q in data.piaf(folder) if not data.held_out(q.title)] + data.afriqa(folder)
        en, without = english(folder)
        made = clozes(folder, 25_000, seed)
        print(
            json.dumps({"french": len(fr), "english": len(en), "without": len(without), "made": len(made)}),
            flush=True,
        )
        self.sources = [Source(fr, [], self.rng), Source(en, without, self.rng), Source(made, [], self.rng)]

    def one(self, done: float) -> tuple[Example, int, int, int]:
        """An example, its right sentence (0 for none, else 1 + its number), its start and end piece."""
        rng = self.rng
        while True:
            french_share = 0.2 + 0.3 * done
            source = rng.choices(self.sources, (french_share, 0.85 - french_share, 0.15))[0]
            question, title, text, start, end = source.draw()
            question = data.asked(question, rng)
            if rng.random() < 0.1:
                title = ""
            made = example(self.tokenizer, question, title, text, marked=rng.random() > 0.08)
            if not made.spans:
                continue
            if start >= end:
                return made, 0, 0, 0
            held = [i + 1 for i, (a, b) in enumerate(made.spans) if a <= start < b]
            pieces = [i for i, (a, b) in enumerate(made.offsets) if b > a and a < end and start < b]
            if held and pieces:
                return made, held[0], pieces[0], pieces[-1]

    def batches(self, clock: Clock) -> Iterator[list[tuple[Example, int, int, int]]]:
        while True:
            done = min((time.time() - clock.start) / clock.seconds, 1.0)
            pool = sorted((self.one(done) for _ in range(BATCH * 16)), key=lambda e: len(e[0].ids))
            parts = [pool[i : i + BATCH] for i in range(0, len(pool), BATCH)]
            self.rng.shuffle(parts)
            yield from parts


def loss_of(model: Scorer, rows: list[tuple[Example, int, int, int]]) -> torch.Tensor:
    """Cross-entropy of the right sentence (or none) and of the borders of the answer."""
    device = model.nothing.weight.device
    batch = Batch.of([r[0] for r in rows])
    batch = Batch(*(getattr(batch, k).to(device) for k in ("ids", "types", "mask", "inside", "means")))
    with torch.autocast(device.type, dtype=torch.bfloat16):
        scores, start, end = model(batch)
    right, first, last = (torch.tensor([r[i] for r in rows], device=device) for i in (1, 2, 3))
    borders = functional.cross_entropy(start.float(), first) + functional.cross_entropy(end.float(), last)
    return functional.cross_entropy(scores.float(), right) + 0.5 * borders


def f1(a: str, b: str) -> float:
    """Token F1 of two texts, folded, articles left out."""
    left, right = (
        Counter(
            w
            for w in french.words(t)
            if w not in ("l", "le", "la", "les", "un", "une", "des", "d", "du", "de")
        )
        for t in (a, b)
    )
    same = sum((left & right).values())
    return 2 * same / (left.total() + right.total()) if same else float(left == right)


@torch.no_grad()
def dev(model: Scorer, tokenizer: Tokenizer, folder: Path) -> dict[str, float]:
    """On the held-out PIAF articles with their gold paragraph, and with another one of the article."""
    model.eval()
    items = [q for q in data.piaf(folder) if data.held_out(q.title)][::3]
    others: dict[str, list[str]] = {}
    for q in items:
        if q.text not in others.setdefault(q.title, []):
            others[q.title].append(q.text)
    f1s, right, margins, wrong = [], [], [], []
    for low in range(0, len(items), 16):
        part = items[low : low + 16]
        made = [example(tokenizer, q.question, q.title, q.text) for q in part]
        scores, start, end = (t.float() for t in model(Batch.of(made)))
        for q, e, s, a, b in zip(part, made, scores, start, end, strict=True):
            best = int(s[1:].argmax())
            right.append(e.spans[best][0] <= q.start < e.spans[best][1])
            margins.append(float(s[1:].max() - s[0]))
            span = a[1:, None] + b[None, 1:]
            span = span.triu().tril(30) + torch.ones_like(span).triu().tril(30).log()
            i, j = divmod(int(span.argmax()), len(b) - 1)
            f1s.append(
                f1(
                    q.text[
                        e.offsets[min(i + 1, len(e.offsets) - 1)][0] : e.offsets[
                            min(j + 1, len(e.offsets) - 1)
                        ][1]
                    ],
                    q.text[q.start : q.end],
                )
            )
        near = [next((t for t in others[q.title] if t != q.text), "") for q in part]
        made = [example(tokenizer, q.question, q.title, t) for q, t in zip(part, near, strict=True) if t]
        if made:
            scores = model(Batch.of(made))[0].float()
            wrong += (scores[:, 1:].max(-1).values - scores[:, 0]).tolist()
    model.train()
    good, bad = torch.tensor(margins), torch.tensor(wrong)
    auc = float((good[:, None] > bad[None, :]).float().mean())
    return {
        "F1": round(sum(f1s) / len(f1s), 3),
        "sentence": round(sum(right) / len(right), 3),
        "auc": round(auc, 3),
    }


def save(model: Scorer, out: Path) -> None:
    """All trained tensors, packed; the word embeddings are the encoder's."""
    out.mkdir(parents=True, exist_ok=True)
    kept = {k: v.cpu() for k, v in model.state_dict().items() if "word_embeddings" not in k}
    save_file(packed(kept), out / f"{WEIGHTS}.part")
    (out / f"{WEIGHTS}.part").replace(out / WEIGHTS)
    (out / "config.json").write_text(model.bert.config.to_json_string(), "utf-8")


def begin(encoder: Path, layers: int) -> Scorer:
    """The untrained scorer: the encoder's first layers, and token types for words of both sides."""
    start = PackedBert.load(str(encoder)).bert
    config = BertConfig(**{**start.config.to_dict(), "type_vocab_size": 4, "dtype": "float32",
                           "num_hidden_layers": layers, "hidden_dropout_prob": 0.1})  # fmt: skip
    model = Scorer(config)
    state = {
        k: v for k, v in start.state_dict().items()
        if not k.startswith("encoder.layer.") or int(k.split(".")[2]) < layers
    }  # fmt: skip
    types = state["embeddings.token_type_embeddings.weight"]
    state["embeddings.token_type_embeddings.weight"] = types[:1].repeat(4, 1) + 0.01 * torch.randn(
        4, types.shape[1]
    )
    model.bert.load_state_dict(state)
    model.bert.embeddings.word_embeddings.weight.requires_grad_(False)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--encoder", type=Path, default=BUNDLED)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--resume", type=Path, help="go on from this folder's weights")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    random.seed(args.seed)
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = tokenizer_of(args.encoder)
    mixture = Mixture(args.data, tokenizer, args.seed)
    model = begin(args.encoder, args.layers)
    if args.resume:
        model.load_state_dict(unpacked(load_file(args.resume / WEIGHTS)), strict=False)
    model.to(device).train()
    heads = [p for n, p in model.named_parameters() if not n.startswith("bert.")]
    body = [p for n, p in model.named_parameters() if n.startswith("bert.") and p.requires_grad]
    groups = [{"params": body, "lr": args.rate}, {"params": heads, "lr": 1e-3}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01, foreach=True)
    clock, step, mean, told = Clock(optimizer, args.minutes), 0, 0.0, time.time()
    for rows in mixture.batches(clock):
        if clock.tick() >= 1:
            break
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(model, rows)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        mean += 0.02 * (loss.item() - mean) if step > 1 else loss.item()
        if step % 100 == 0:
            print(step, round(mean, 3), round((time.time() - clock.start) / 60, 1), flush=True)
        if time.time() - told > 900:
            save(model, args.out)
            print(step, json.dumps(dev(model.cpu(), tokenizer, args.data)), flush=True)
            model.to(device)
            told = time.time()
    save(model, args.out)
    print("done", step, json.dumps(dev(model.cpu(), tokenizer, args.data)), flush=True)


if __name__ == "__main__":
    main()
