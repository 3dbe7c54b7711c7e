"""How right what a reading model says of held-out questions is."""

import itertools
from collections import Counter
from collections.abc import Callable

import numpy as np
import torch

from index import french
from index.encoder import PROMPTS
from index.judges import LONGEST_SPAN
from index.packed import ENDS, LONGEST, PackedBert
from index.passages import sentences, titled
from index.training.teacher import Scores
from index.training.texts import Corpus, Padded

ARTICLES = frozenset("l le la les un une des d du de".split())


def f1(a: str, b: str) -> float:
    """Token F1 of two texts, folded, articles left out."""
    left, right = (Counter(w for w in french.words(t) if w not in ARTICLES) for t in (a, b))
    same = (left & right).total()
    return 2 * same / (left.total() + right.total()) if same else float(left == right)


@torch.no_grad()
def dev(say: Callable[[Padded, Padded], Scores], kept: Corpus, encoder: PackedBert) -> dict[str, float]:
    """On held-out PIAF: token F1 and right sentence with the gold paragraph, and the area under the curve of
    right paragraphs against others of the article.
    """
    items = [a for a in kept.asked if a.source == "dev"]
    of: dict[str, list[int]] = {}
    for a in items:
        of.setdefault(kept.passages[a.passage][0], []).append(a.passage)
    found, right, good, bad = [], [], [], []
    device = encoder.bert.device
    for a in items:
        title, text = kept.passages[a.passage]
        beside = [a.passage, *[p for p in of[title] if p != a.passage][:1]]
        asked = kept.questions.padded([a.rows[0]] * len(beside), LONGEST, device)
        start, end, answers = say(asked, kept.told.padded(beside, LONGEST, device))
        good.append(float(answers[0]))
        bad += answers[1:].tolist()
        before = len(PROMPTS["document"]) + len(titled(title, ""))
        ends = encoder.preprocess([titled(title, text)], prompt=PROMPTS["document"])[ENDS][0].numpy() - before
        head, last = int(kept.told.head[a.passage]), len(ends) - 1
        starting, ending = (x[0, head:last].softmax(0).cpu() for x in (start, end))
        i, j = divmod(int((starting[:, None] * ending).triu().tril(LONGEST_SPAN).argmax()), last - head)
        said = text[max(0, int(ends[head + i - 1])) : int(ends[head + j])]
        found.append(f1(said, text[slice(*a.place)]))
        spans = sentences(text)
        cuts = np.searchsorted(ends[head:last], [s for s, _ in spans], side="right")
        bounds = itertools.pairwise([*cuts, len(starting)])
        best = int(np.argmax([float(starting[b:c].sum()) for b, c in bounds]))
        right.append(spans[best][0] <= a.place[0] < spans[best][1])
    apart = (torch.tensor(good)[:, None] > torch.tensor(bad)).float().mean()
    told = {"F1": np.mean(found), "sentence": np.mean(right), "apart": float(apart)}
    return {"questions": len(items)} | {name: round(float(value), 3) for name, value in told.items()}
