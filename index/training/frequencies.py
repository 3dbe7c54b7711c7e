"""Count how common French stems are: `python -m index.training.frequencies --data DIR`.

Writes `index/models/stem-rarity.json`: the inverse document frequency, ln(sentences / sentences with
the stem), of the 8,000 commonest stems in modern French sentences (Tatoeba, Hansard, OpenQuizzDB,
Debian, PIAF training articles). Any other stem counts as rarer than all of these.
"""

import argparse
import json
import math
from collections import Counter
from pathlib import Path

from index import french
from index.training import data

SHARES = {"tatoeba": 60_000, "hansard36": 60_000, "openquizzdb": 5_000, "debianweb": 15_000}
COMMONEST = 8_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    args = parser.parse_args()
    texts = [p[1] for name, count in SHARES.items() for p in data.parallel(args.data, name, count, 7)]
    contexts = dict.fromkeys(q.text for q in data.piaf(args.data) if not data.held_out(q.title))
    texts += [part for text in contexts for part in text.split(". ")]
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update({french.stem(w) for w in french.words(text)})
    rarity = {s: round(math.log(len(texts) / n), 2) for s, n in counts.most_common(COMMONEST)}
    out = Path(__file__).parents[1] / "models" / "stem-rarity.json"
    out.write_text(json.dumps(rarity, ensure_ascii=False, sort_keys=True, separators=(",", ":")), "utf-8")
    print(f"{len(texts)} sentences, {len(counts)} stems")


if __name__ == "__main__":
    main()
