"""Made-up French questions: a sentence whose date, number, place, name or reason is asked for by rule."""

import random
import re
from pathlib import Path

from index import french
from index.passages import sentences
from index.training import data

MONTH = "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre"
UPPER = "A-ZÀÂÇÉÈÊËÎÏÔÖÛÜŒ"
NAME = rf"[{UPPER}][\w’'-]+(?:\s(?:de la |de |du |des |d’)?[{UPPER}][\w’'-]+)*"
RULES = (  # what is asked for, and the words that ask for it
    (
        re.compile(rf"\b(?:le |du |au )?\d{{1,2}}(?:er)? (?:{MONTH})(?: \d{{4}})?", re.I),
        ("quand", "à quelle date", "quel jour"),
    ),
    (
        re.compile(r"\b[Ee]n (?:1\d{3}|20\d{2})\b"),
        ("en quelle année", "quand", "depuis quand", "quelle année"),
    ),
    (
        re.compile(r"\b\d+(?:[ ,.]\d+)* (?:minutes|heures|jours|semaines|mois|ans|années)\b"),
        ("combien de temps", "quelle durée"),
    ),
    (
        re.compile(r"\b\d+(?:[ ,.]\d+)*(?: (?:millions|milliards))?(?= \w{4,})"),
        ("combien de", "combien", "quel nombre de"),
    ),
    (
        re.compile(rf"\b(?:à|en|au|aux) {NAME}"),
        ("où", "dans quelle ville", "dans quel pays", "à quel endroit"),
    ),
    (re.compile(rf"(?<=[a-zé,] ){NAME}"), ("qui", "quel", "quelle organisation", "comment s’appelle")),
    (
        re.compile(r"\b(?:afin d|pour |parce qu|car |grâce à|en raison d)[^.,;]{15,120}"),
        ("pourquoi", "dans quel but", "pour quelle raison"),
    ),
)


def clozes(folder: Path, count: int, seed: int) -> list[data.Question]:
    """At most `count` questions: a value of a sentence is asked for in its other words, some left out."""
    rng = random.Random(seed)
    texts = [p[1] for p in data.parallel(folder, "passages-hansard36", 30_000, seed)]
    lines = [line.strip() for line in data.lines(folder / "text" / "vikidia.txt.zst")]
    texts += [" ".join(lines[i : i + 6]) for i in range(0, len(lines) - 6, 6)]
    rng.shuffle(texts)
    made: list[data.Question] = []
    for text in texts:
        spans = [(a, b) for a, b in sentences(text) if 6 <= len(text[a:b].split()) <= 45]
        rng.shuffle(spans)
        for a, b in spans[:2]:
            pattern, words = rng.choice(RULES)
            found = [*pattern.finditer(text[a:b])]
            if not found:
                continue
            value = rng.choice(found)
            before, after = text[a : a + value.start()], text[a + value.end() : b]
            kept = [w for w in f"{before} {after}".split() if rng.random() > 0.25]
            if sum(not french.is_stop_word(w) for w in french.words(" ".join(kept))) < 3:
                continue
            kept = kept[: rng.randint(5, 14)] if len(kept) > 14 else kept
            question = f"{rng.choice(words)} {' '.join(kept).rstrip(' .,;:')}"
            question = question if rng.random() < 0.3 else f"{question} ?"
            made.append(data.Question(question, "", text, a + value.start(), a + value.end()))
            if len(made) == count:
                return made
    return made
