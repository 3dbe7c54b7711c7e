"""What a reading model says of pairs of kept texts, and how right that is on held-out questions."""

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from index import french
from index.judges import LONGEST_SPAN
from index.packed import LONGEST
from index.passages import sentences, titled
from index.reading import Reading, Side
from index.training.pairs import Pair, side
from index.training.states import Corpus
from index.training.teacher import Teacher

ARTICLES = frozenset("l le la les un une des d du de".split())
Scores = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


class FromStates(torch.nn.Module):
    """A model that takes a passage's states, as training does; an index keeps what `told` makes."""

    def __init__(self, model: Reading) -> None:
        super().__init__()
        self.model = model

    def forward(self, asked: Side, told: Side, weights: torch.Tensor) -> Scores:
        """As `Reading`."""
        found: Scores = self.model(asked, replace(told, beside=self.model.told(told.beside)), weights)
        return found


def scores(model: Reading, kept: Corpus, pairs: list[Pair], longest: int = LONGEST) -> Scores:
    """What the model says of pairs, in bfloat16 over its weights in single precision."""
    device, teaches = model.unit.device, isinstance(model, Teacher)
    of_questions, of_passages = (s.lower if teaches else s.states for s in (kept.questions, kept.told))
    asked, weights = side(kept.questions, of_questions, [q for q, _ in pairs], longest, device)
    told, _ = side(kept.told, of_passages, [p for _, p in pairs], longest, device)
    whole = FromStates(model)
    half = {name: p.bfloat16() for name, p in whole.named_parameters()}
    with sdpa_kernel(SDPBackend.MATH):  # the fused one takes longer on its way back
        found: Scores = torch.func.functional_call(whole, half, (asked, told, weights))
    return found


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
