"""What a sentence claims to the letter (numbers, dates, names, « pas », « depuis »…), and whether a source says so.

Grammar of French only. Says nothing about meaning: that is the encoder's part, in grounding.py.
"""

import itertools
import re
from collections import defaultdict
from dataclasses import replace

from bot.kinds import UPPER
from bot.values import Span, Token, agree, tokens
from index import french

CONTACT = re.compile(r"https?://\S*[\w/]|www\.\S*\w|[\w.+-]+@[\w-]+\.[\w.]*\w|\+?\d(?:[ .-]?\d){8,}")
CAPITAL = re.compile(rf"\b[{UPPER}][\w-]*")
CLAUSE = re.compile(r"[,;:]\s+|\s+(?:et|puis|ainsi que)\s+")
NEGATION = re.compile(
    r"\bn(?:e|')\s?(?:\w+\W+){0,4}?(?:pas|plus|jamais|aucun\w*|rien|personne|guere|nulle?)\b|\baucun\w*\b"
)
# Small words that turn what is said. One that the sentence has and the source lacks is a claim of its own.
TURNS = tuple(
    re.compile(rf"\b(?:{words})\b")
    for words in (
        r"plus d(?:e|')|de plus|en plus|davantage|au moins|au minimum|au-dela|superieure?s? a",
        r"moins d(?:e|')|de moins|au plus|au maximum|inferieure?s? a",
        r"depuis|des (?=\d)|des lors|a partir",
        r"jusqu\w*|fin(?:i|it|ira|is\w*)?|termin\w+|prend fin|arret\w+|cess\w+|ferm\w+",
        r"avant|prealabl\w+|precede\w*",
        r"apres|a la suite|ensuite|posterieur\w*",
        r"seuls?|seules?|uniquement|seulement|exclusivement|rien que",
        r"sans|hors|sauf|excepte\w*|hormis",
        r"premiere?s?",
        r"deuxiemes?|seconde?s?",
        r"derniere?s?",
        r"doi(?:t|vent)|devr\w+|pourr\w+|faut|faudra\w*|prochaine?s?|bientot|future?s?|sera|seront|"
        r"serai\w+|vont|aur(?:a|ont)|probablement|peut-etre",
        r"secret\w*|urgent\w*|annul\w+|report\w+|supprim\w+|suspend\w+|perdu\w*|voles?",
    )
)  # fmt: skip
# Words with an opposite: the one that is said has to stand in the very clause that is spoken of.
POLES = tuple(
    re.compile(rf"\b(?:{words})")
    for words in (
        r"autoris|permis|admis|possible|accept",
        r"interdi|defend|impossible|refus|exclu",
        r"gratui",
        r"payant|paye",
        r"obligatoir|exig|requi|necessair",
        r"facultati|optionn|dispens",
        r"ouver|ouvr|rouv",
        r"ferm(?:e|ent|ait|ure)",
        r"augment|hauss|accro|renforc|amelior",
        r"diminu|baiss|redui|affaibl|degrad",
        r"present|membre",
        r"absen|quitt|sorti",
        r"reussi|succes|positi",
        r"echec|echou|negati",
    )
)
SPOKEN_OF = 0.6  # share of a clause's words that a sentence repeats when it speaks of that clause
# Words that stand for a value: each has to be there itself.
UNITS = re.compile(
    r"\b(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|demain|hier|aujourd'hui|demi|moitie|tiers|quart|double|triple"
    r"|dizaine|douzaine|quinzaine|vingtaine|trentaine|cinquantaine|centaine|millier|million|milliard"
    r"|euro|dollar|dirham|franc|livre|heure|minute|seconde|jour|semaine|mois|annee|an)(?=e?s?\b)"
)
EVERY = re.compile(r"\b(?:tous|toutes|chaque|l'ensemble|l'integralite|la totalite|unanim\w+)\b")
SOME = re.compile(
    r"\b(?:certaine?s?|de nombreu\w+|plusieurs|quelques|la plupart|une partie|parfois|beaucoup|divers\w*)\b"
)
EXACT = re.compile(
    r"\b(?:plus d(?:e|')|moins d(?:e|')|au moins|au plus|environ|pres d(?:e|')|jusqu'a)\s*(?:les? )?(?=\d|[a-z])"
)
# A sentence may open with these although they are no name and the source lacks them.
OPENERS = frozenset(
    """selon lors pendant durant parmi plusieurs concernant ensuite enfin outre ici voici oui environ plus pres
    beaucoup certains certaines souvent aujourd toutefois comme apres avant puis chaque chacune chacun toutes tous ainsi egalement grace lorsque notamment entre actuellement""".split()
)


def claims_held(sentence: str, source: str, title: str = "") -> bool:
    """Whether each number, date, contact, proper name and turning word of a sentence stands in one source.

    `source` is one sentence of a document, `title` the headings above it. Values are compared as values:
    « 15 au 17 février » agrees with « 15-17 février 2022 », « soixante-dix » with « 70 ».
    """
    whole = f"{title} : {source}" if title else source
    return (
        all(_squeezed(m[0]) in _squeezed(whole) for m in CONTACT.finditer(sentence))
        and _numbers_held(tokens(sentence), tokens(source), tokens(title))
        and _names_held(sentence, whole)
        and _turned_alike(french.fold(sentence), french.fold(source), french.fold(title))
        and not _crossed(sentence, source)
        and not _turned_round(sentence, source)
    )


def _squeezed(text: str) -> str:
    return re.sub(r"[\s.-]+", "", text.casefold())


def _is_value(token: Token) -> bool:
    return isinstance(token, Span) or token[0].isdigit()


def _numbers_held(said: tuple[Token, ...], source: tuple[Token, ...], title: tuple[Token, ...]) -> bool:
    """Every value stands in source or title; a noun that the source counts has the source's number."""
    known = _dated((*source, *title))
    if not all(_stands(t, known) for t in said if _is_value(t)) or ("%" in said and "%" not in known):
        return False
    counted = defaultdict(set)
    for number, noun in _counts(source):
        counted[noun].add(number)
    return all(number in counted.get(noun, {number}) for number, noun in _counts(said))


def _dated(found: tuple[Token, ...]) -> tuple[Token, ...]:
    """Days without a year get the one year that is named: « le 3 juillet et le 8 juillet 2024 »."""
    years = {d.year for t in found if isinstance(t, Span) for d in (t.first, t.last) if d.year}
    if len(years) != 1:
        return found
    year = years.pop()
    return tuple(
        Span(*(replace(d, year=d.year or year) for d in (t.first, t.last))) if isinstance(t, Span) else t
        for t in found
    )


def is_number(word: str) -> bool:
    """Whether a word is a number, in digits or letters: claims are checked by value."""
    found = tokens(word)
    return bool(found) and all(map(_is_value, found))


def _stands(value: Token, known: tuple[Token, ...]) -> bool:
    if any(agree(value, k) for k in known):
        return True
    if isinstance(value, Span) and value.first != value.last and not (value.first.day or value.last.day):
        ends = (Span(d, d) for d in (value.first, value.last))  # « en février et mars » tells of two months
        return all(any(agree(end, k) for k in known) for end in ends)
    return False


def _counts(found: tuple[Token, ...]) -> list[tuple[str, str]]:
    """(number, stem of the word after it) for each counted thing; years and dates count nothing."""
    pairs = itertools.pairwise(found)
    return [
        (a, french.stem(b))
        for a, b in pairs
        if isinstance(a, str) and a[0].isdigit() and isinstance(b, str) and b[0].isalpha() and not french.is_stop_word(b)
    ]  # fmt: skip


def _names(text: str) -> set[str]:
    """The folded words of the proper names and acronyms of a text."""
    found: set[str] = set()
    opening = re.match(r"[^\w]*", text)
    first = opening.end() if opening else 0
    for match in CAPITAL.finditer(text):
        words = set() if is_number(match[0]) else set(french.words(match[0]))
        if match.start() == first and not match[0][1:2].isupper():
            words = {w for w in words if not (french.is_stop_word(w) or w in OPENERS or w.endswith("ment"))}
        found |= {w for w in words if len(w) > 1 or match[0][1:2].isupper()}
    return found


def _names_held(sentence: str, source: str) -> bool:
    known = set(french.words(source))
    stems = {french.stem(w) for w in known}
    return all(
        w in known or (w[0].isalpha() and french.stem(w) in stems)
        for w in _names(sentence)
        if not w[0].isdigit()
    )


def _turned_alike(sentence: str, source: str, title: str) -> bool:
    """The same negation, no turning word of its own, no « tous » for « certains », no « 100 » for « plus de 100 »."""
    said = set(french.terms(sentence))
    clauses = re.split(r"\s*;\s+|, (?:mais|et|qui|dont)\b", source)
    shares = [_share(set(french.terms(c)), said) for c in clauses]
    about = " ; ".join(c for c, s in zip(clauses, shares, strict=True) if s >= min(SPOKEN_OF, max(shares)))
    if bool(NEGATION.search(sentence)) != bool(NEGATION.search(about)):
        return False
    if any(p.search(sentence) and not p.search(about) for p in POLES):
        return False
    if any(t.search(sentence) and not (t.search(source) or t.search(title)) for t in TURNS):
        return False
    if not set(UNITS.findall(sentence)) <= {*UNITS.findall(source), *UNITS.findall(title)}:
        return False
    if EVERY.search(sentence) and SOME.search(source) and not EVERY.search(source):
        return False
    bounded = {_first_value(source[m.end() :]) for m in EXACT.finditer(source)} - {None}
    repeated = {_first_value(sentence[m.end() :]) for m in EXACT.finditer(sentence)} - {None}
    return all(v in repeated for v in bounded if v in tokens(sentence))


def _share(part: set[str], whole: set[str]) -> float:
    return len(part & whole) / max(1, len(part))


def _first_value(text: str) -> Token | None:
    found = tokens(text[:40])
    return found[0] if found and _is_value(found[0]) else None


def _crossed(sentence: str, source: str) -> bool:
    """Whether the sentence joins what a list in the source keeps apart: « le 22 mars à Rabat » for
    « le 15 février à Rabat, le 22 mars à Casablanca », « A par la Suède » for « A par la Norvège, B par la Suède ».
    """
    listed = CLAUSE.split(source)
    clauses = CLAUSE.split(sentence)
    for kind in (Span, str):
        alone = [(c, [v for v in _values(c) if isinstance(v, kind)]) for c in listed]
        paired = {v[0]: n for c, v in alone if len(v) == 1 and (n := _nearest(c, v[0]))}
        partners = set(paired.values())
        if len(partners) < 2:
            continue
        for clause in clauses:
            near = _names(clause) & partners or _names(sentence) & partners
            for value in _values(clause) if near else ():
                wanted = {n for v, n in paired.items() if agree(value, v) or agree(v, value)}
                if wanted and not wanted & near:
                    return True
    counts = [sum(bool(_names(m)) for m in CAPITAL.findall(c)) for c in listed]
    parallel = len(listed) > 1 and len(set(counts)) == 1  # else the first clause is the head of the others
    names = [
        _names(c) if n > 1 and (i or parallel) else set()
        for i, (c, n) in enumerate(zip(listed, counts, strict=True))
    ]
    own = [group.difference(*names[:i], *names[i + 1 :]) for i, group in enumerate(names)]
    return any(sum(bool(group & _names(clause)) for group in own) > 1 for clause in clauses)


PASSIVE = re.compile(
    r"\b(\w+(?:é|ée|és|ées|ie|ies|is|it|its|ite|ites|u|ue|us|ues|te|tes|ts?))(?= (?:\w+ ){0,4}?par\b)"
)


def _turned_round(sentence: str, source: str) -> bool:
    """Whether who does it and to whom changed places: « A finance B » for « A est financé par B »."""
    passives = {french.stem(french.fold(m[1])) for text in (sentence, source) for m in PASSIVE.finditer(text)}
    for verb in passives:
        said, told = (_doers(text, verb) for text in (sentence, source))
        if said and told and not said & told:
            return True
    return False


def _doers(text: str, verb: str) -> set[str]:
    """The names that do what a verb (a stem) says: after « … par », or before the verb in the active."""
    for word, start, end in french.spans(text):
        if french.stem(word) == verb:
            after = re.match(r" (?:\w+ ){0,4}?par\b([^;]*)", text[end:])
            if after:
                return _names(f"- {PASSIVE.split(after[1])[0]}")  # up to what is done by somebody else
            if not re.search(r"\b(?:le|la|du|un|des|ce|cette|au|de|l['’])\s?$", text[:start], re.I):
                return _names(text[:start])
    return set()


def _values(clause: str) -> list[Token]:
    return [t for t in tokens(clause) if _is_value(t)]


def _nearest(clause: str, value: Token) -> str:
    """The name nearest to a value of the clause, "" when it has none."""
    found = tokens(clause)
    at, names = found.index(value), _names(clause)
    near = [(abs(i - at), t) for i, t in enumerate(found) if isinstance(t, str) and t in names]
    return min(near)[1] if near else ""
