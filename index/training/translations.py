"""Make `index/models/english-french.json`: which French words stand where an English word stands.

`python -m index.training.translations --data DIR`. For each English stem of the translated sentences,
the French words whose stems keep the same company: phi² = n(e,f)² / (n(e) n(f)) over sentence pairs
(Gale and Church, Identifying Word Correspondences in Parallel Texts, 1991). English words too rare there,
names of countries for one, are looked up in the French Wiktionary's translations of 2014.
"""

import argparse
import json
import random
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from index import english, french
from index.training import data

PAIRS = 120_000  # of a file
LONGEST = 160  # characters of an English sentence: in a long one everything stands beside everything
SEEN = 8  # times; rarer words teach chance
BEST, LEAST, NEAR = 3, 0.02, 0.35  # translations kept; the least phi²; as a share of the best one's phi²


def count(texts: list[list[str]]) -> tuple[list[str], csr_matrix]:
    """The stems seen often enough, and a (sentences × stems) matrix of zeros and ones."""
    seen = Counter(stem for stems in texts for stem in set(stems))
    names = sorted(stem for stem, times in seen.items() if times >= SEEN)
    column = {stem: i for i, stem in enumerate(names)}
    places = [(i, column[s]) for i, stems in enumerate(texts) for s in set(stems) if s in column]
    rows, columns = zip(*places, strict=True)
    ones = np.ones(len(places), dtype=np.float32)
    return names, csr_matrix((ones, (rows, columns)), shape=(len(texts), len(names)))


def dictionary(folder: Path) -> dict[str, list[str]]:
    """English stem → French words: names, and words of which the French side is a common one."""
    found: dict[str, list[str]] = {}
    for line in data.lines(folder / "dict" / "frwiktionary2014.tsv.zst"):
        source, _, target = line.rstrip("\n").partition("\t")
        words = [w for w in french.words(target) if not french.is_stop_word(w)]
        wanted = source[:1].isupper() or (len(words) == 1 and french.is_known(words[0]))
        if source.isalpha() and len(source) > 2 and 0 < len(words) < 3 and wanted:
            known = found.setdefault(english.stem(french.fold(source)), [])
            known += [w for w in words if w not in known][: BEST - len(known)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    args = parser.parse_args()
    pairs = [
        pair
        for name in data.PARALLEL
        for pair in data.parallel(args.data, name, PAIRS, 7)
        if len(pair[0]) <= LONGEST
    ]
    random.Random(7).shuffle(pairs)
    forms: dict[str, Counter[str]] = {}
    for _, text in pairs:
        for word in french.words(text):
            if not french.is_stop_word(word):
                forms.setdefault(french.stem(word), Counter())[word] += 1
    sources, here = count([english.terms(p[0]) for p in pairs])
    targets, there = count([french.terms(p[1]) for p in pairs])
    together = (here.T @ there).tocsr()
    n_here, n_there = (np.asarray(m.sum(axis=0)).ravel() for m in (here, there))
    table: dict[str, list[str]] = {}
    for i, source in enumerate(sources):
        row = together.getrow(i)
        scores = row.data**2 / (n_here[i] * n_there[row.indices])
        order = np.argsort(-scores)[:BEST]
        kept = [j for j in order if scores[j] >= max(LEAST, NEAR * scores[order[0]])]
        words = [forms[targets[row.indices[j]]].most_common(1)[0][0] for j in kept]
        if words and words != [source]:
            table[source] = words
    for source, words in dictionary(args.data).items():
        table.setdefault(source, words)
    out = Path(__file__).parents[1] / "models" / "english-french.json"
    lines = [f" {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in sorted(table.items())]
    out.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
    print(len(pairs), "pairs,", len(table), "English stems,", out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
