"""List how French words are spelt: `python -m index.training.spellings --data DIR`.

Writes `index/models/french-spellings.txt`: the commonest words of modern French without case or accents,
commonest first, and after each how it is written where that is with accents. A word that is often right
without them (« finance », « sur ») stays without.
"""

import argparse
from collections import Counter, defaultdict
from pathlib import Path

from index import french
from index.training import data

SHARES = {
    "tatoeba": 160_000, "hansard36": 680_000, "justice-canada-acts": 100_000, "debianweb": 90_000,
    "openquizzdb": 5_000, "mon_entreprise": 10_000, "canada_designsystem": 12_000, "canada_cds": 10_000,
    "pythondocs": 42_000, "mozillawww": 10_000, "gnomehelp": 10_000, "opencontracting": 10_000,
}  # fmt: skip
PROSE = ("vikidia", "gouv_fr")
SEEN = 2  # times
BARE = 0.1  # share of a word's uses without accents from which they are right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    args = parser.parse_args()
    texts = [french_ for name, n in SHARES.items() for _, french_ in data.parallel(args.data, name, n, 7)]
    for name in PROSE:
        texts += data.lines(args.data / "text" / f"{name}.txt.zst")
    texts += dict.fromkeys(q.text for q in data.piaf(args.data) if not data.held_out(q.title))
    written: dict[str, Counter[str]] = defaultdict(Counter)
    for text in texts:
        for folded, start, end in french.spans(text):
            if end - start > 1 and not folded[0].isdigit():
                written[folded][text[start:end].lower()] += 1
    found = sorted(written.items(), key=lambda item: -item[1].total())
    out = Path(__file__).parents[1] / "models" / "french-spellings.txt"
    lines = [
        folded if spelt[folded] >= BARE * spelt.total() else f"{folded} {spelt.most_common(1)[0][0]}"
        for folded, spelt in found
        if spelt.total() >= SEEN
    ]
    out.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"{len(texts)} texts, {len(lines)} words")


if __name__ == "__main__":
    main()
