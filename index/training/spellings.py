"""List how French words are spelt, and which are names: `python -m index.training.spellings --data DIR`.

Writes `index/models/french-spellings.txt`: the commonest words of modern French without case or accents,
commonest first, and after each how it is written where that is with accents. A word that is often right
without them (« finance », « sur ») stays without. And `index/models/french-names.txt`: the words that hardly
ever stand inside a sentence without a capital, commonest first; acronyms in capitals.
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
CAPITAL = 0.9  # share of a name's uses inside sentences with one, in each source with ENOUGH uses
ENOUGH = 4
SHORTEST = 4  # letters of a name
SHORT, LONG = 3, 6  # letters of an acronym
PLAIN = ("tatoeba", "hansard36", "justice-canada-acts", "openquizzdb", "mon_entreprise", *PROSE, "piaf")
BOTH = 2  # of PLAIN in which an acronym is seen: others are of one trade
Uses = dict[str, Counter[str]]  # of folded words inside sentences: SMALL, CAPITALISED or ALL_CAPITALS
SMALL, CAPITALISED, ALL_CAPITALS = "word", "Word", "WORD"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    args = parser.parse_args()
    sources = {
        name: [french_ for _, french_ in data.parallel(args.data, name, count, 7)]
        for name, count in SHARES.items()
    }
    sources |= {name: list(data.lines(args.data / "text" / f"{name}.txt.zst")) for name in PROSE}
    sources["piaf"] = list(dict.fromkeys(q.text for q in data.piaf(args.data) if not data.held_out(q.title)))
    written: dict[str, Counter[str]] = defaultdict(Counter)
    uses: dict[str, Uses] = {name: defaultdict(Counter) for name in sources}
    for name, texts in sources.items():
        for text in texts:
            for folded, start, end in french.spans(text):
                if end - start > 1 and not folded[0].isdigit():
                    written[folded][text[start:end].lower()] += 1
                    if french.stands_inside(text, start):
                        uses[name][folded][_shape(text[start:end])] += 1
    found = sorted(written.items(), key=lambda item: -item[1].total())
    lines = [
        folded if spelt[folded] >= BARE * spelt.total() else f"{folded} {spelt.most_common(1)[0][0]}"
        for folded, spelt in found
        if spelt.total() >= SEEN
    ]
    names = [name for folded, _ in found if (name := _name(folded, uses))]
    models = Path(__file__).parents[1] / "models"
    (models / "french-spellings.txt").write_text("\n".join(lines) + "\n", "utf-8")
    (models / "french-names.txt").write_text("\n".join(names) + "\n", "utf-8")
    print(f"{sum(map(len, sources.values()))} texts, {len(lines)} words, {len(names)} names")


def _shape(word: str) -> str:
    return ALL_CAPITALS if word.isupper() else CAPITALISED if word[0].isupper() else SMALL


def _name(word: str, uses: dict[str, Uses]) -> str:
    """A name, in capitals if it is an acronym; "" for a word that is not in capitals or capitalised all over:
    what one source calls by its title (« le Président ») is no name.
    """
    told = {source: used[word] for source, used in uses.items() if word in used}
    every = sum(told.values(), Counter[str]())
    often = [t for t in (*told.values(), every) if t.total() >= ENOUGH]
    if french.is_stop_word(word) or not often:
        return ""
    if any(t[SMALL] > (1 - CAPITAL) * t.total() for t in (*often, every)):
        return ""
    seen = sum(source in PLAIN and t[ALL_CAPITALS] > 0 for source, t in told.items())
    if every[ALL_CAPITALS] >= CAPITAL * every.total() and seen >= BOTH and SHORT <= len(word) <= LONG:
        return word.upper()
    return word if len(word) >= SHORTEST else ""


if __name__ == "__main__":
    main()
