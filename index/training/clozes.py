"""Questions made from French sentences by rules: a date, a number, a place, a name or a reason is taken out.

« En 1998, la France gagne la Coupe » becomes « La France gagne la Coupe quand ? » or « Quand est-ce que la
France gagne la Coupe ? » (after Lewis et al., 2019, https://arxiv.org/abs/1906.04980). And questions that
their passage no longer answers, because a name or a year in them was swapped.
"""

import random
import re
from collections.abc import Iterator
from pathlib import Path

from index.passages import sentences
from index.training import data

MONTH = "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre"
NAME = r"[A-ZÉÈÀÎÔ][\w’'-]+(?: (?:(?:de|du|des|la|le|von|van) )?[A-ZÉÈÀÎÔ][\w’'-]+){0,4}"
# What is taken out (the answer is the group), and what then asks for it, in its place and in front.
RULES = (
    (rf"\ble (?P<a>\d{{1,2}}(?:er)? (?:{MONTH})(?: \d{{3,4}})?)\b", "quand", "Quand est-ce que"),
    (rf"\ben (?P<a>(?:(?:{MONTH}) )?[12]\d{{3}})\b", "en quelle année", "En quelle année est-ce que"),
    (r"\b(?P<a>\d[\d  ,.]*\d|\d+)(?= (?!janv|févr|mars|avril|mai|juin|juil|août|sept|oct|nov|déc)[a-zéè]{4,})", "combien de", ""),
    (rf"\b(?:à|au|aux|en|dans (?:le|la|les)) (?P<a>{NAME})", "où", "Où est-ce que"),
    (rf"\bpar (?P<a>(?:l[ea’'] ?)?{NAME})", "par qui", "Par qui est-ce que"),
    (rf"^(?P<a>(?!(?:Les?|La|Il|Elle|On|Ce|Cela|Qui|Tout)\b|C['’]|D['’]|L['’]){NAME})(?= (?:est|a|fut|était|devient|fonde|crée|invente)\b)", "qui", ""),
    (r"\b(?P<a>(?:parce qu|car |afin d|grâce (?:à|au)|en raison d|à cause d)[^.;:!?()]{12,120})", "pourquoi", "Pourquoi est-ce que"),
)  # fmt: skip
SHORTEST, LONGEST = 5, 24  # words of a question
DROPPED = 0.12  # share of the other words that go, so that likeness alone does not find the sentence
WORDS = 110  # of a passage made of lines
NUMBERS = re.compile(r"\b[12]\d{3}\b")
NAMES = re.compile(rf"(?<=[a-zé’'] )(?![IVXLC]+e?\b){NAME}")


def clozes(folder: Path, rng: random.Random) -> Iterator[data.Question]:
    """Made from Vikidia and from the paragraphs of PIAF that are not held out."""
    texts = [(i.title, i.text) for i in data.piaf(folder) if not data.held_out(i.title)]
    for title, text in [*dict.fromkeys(texts), *_joined(data.lines(folder / "text" / "vikidia.txt.zst"))]:
        for low, high in sentences(text):
            if made := _taken_out(text[low:high], rng):
                question, start, end = made
                yield data.Question(question, title, text, low + start, low + end)


def _joined(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Lines up to an empty one, or enough of them, as one passage without a title."""
    kept: list[str] = []
    for line in lines:
        if line := line.strip():
            kept.append(line)
        if kept and (not line or sum(len(k.split()) for k in kept) >= WORDS):
            text, kept = " ".join(kept), []
            if len(text.split()) >= WORDS / 3:
                yield "", text


def _taken_out(sentence: str, rng: random.Random) -> tuple[str, int, int] | None:
    """A question and its answer's place in the sentence, by one of the rules that fit; None without any."""
    found = [(m, here, front) for rule, here, front in RULES for m in re.finditer(rule, sentence)]
    if not found:
        return None
    match, here, front = rng.choice(found)
    low = max(0, *(sentence.rfind(mark, 0, match.start()) + 1 for mark in ";:()"))
    ends = [i for mark in ";:()" if (i := sentence.find(mark, match.end())) >= 0]
    before, after = sentence[low : match.start()], sentence[match.end() : min(ends, default=len(sentence))]
    before, after = _thinned(before.strip(" ,"), rng), _thinned(after.strip(" ,.!?"), rng)
    if not SHORTEST <= len(f"{before} {after}".split()) <= LONGEST:
        return None
    if front and rng.random() < 0.5:
        rest = f"{before} {after}".strip()
        question = f"{front} {rest[:1].lower()}{rest[1:]}"
    else:
        question = f"{before} {here} {after}".strip()
        question = question[:1].upper() + question[1:]
    return f"{question} ?", *match.span("a")


def _thinned(text: str, rng: random.Random) -> str:
    return " ".join(word for word in text.split() if rng.random() >= DROPPED)


def swapped(question: str, passage: str, others: list[str], rng: random.Random) -> str | None:
    """The question with a year, or a name that its passage holds, turned into one that it does not hold.

    `others` are questions to take a name from. None when the question holds neither.
    """
    years = [m for m in NUMBERS.finditer(question) if m[0] in passage]
    names = [m for m in NAMES.finditer(question) if m[0] in passage]
    if years:
        match, new = rng.choice(years), str(rng.randint(1200, 2020))
    elif names:
        match = rng.choice(names)
        pool = [n for text in rng.sample(others, min(20, len(others))) for n in NAMES.findall(text)]
        pool = [n for n in pool if n not in passage]
        if not pool:
            return None
        new = rng.choice(pool)
    else:
        return None
    return None if new in passage else question[: match.start()] + new + question[match.end() :]
