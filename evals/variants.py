"""A question as hurried people type it: no accents, typos, small letters, capitals, telegraphic, SMS.

Asks nothing. The same seed, case and question give the same text on every machine.
"""

import hashlib
import random
import re
import unicodedata
from collections.abc import Callable

KEYBOARD = ("azertyuiop", "qsdfghjklm", "wxcvbn")  # AZERTY
FUNCTION_WORDS = frozenset(
    """
    le la les un une des du de d l au aux ce cet cette ces mon ma mes ton ta tes son sa ses notre nos votre
    vos leur leurs je tu il elle on nous vous ils elles se s me m te t y en et ou ni que qu dont est sont a
    ont etait ete etre avoir fait ce c est-ce est-il est-elle sont-ils sont-elles a-t-il a-t-elle a-t-on
    dans sur par pour avec chez vers
    """.split()
)
SMS = (
    (r"qu[' ]?est[ -]ce que c[' ]?est(?: que)?|c[' ]?est quoi", "c koi"),
    (r"qu[' ]?est[ -]ce qu(?:e\b|')", "kesk "),
    (r"est[ -]ce qu(?:e\b|')", "esk "),
    (r"quel(?:le)?s?", "kel"),
    (r"pourquoi", "pk"),
    (r"combien", "cb"),
    (r"comment", "cmt"),
    (r"quand", "kan"),
    (r"quelqu'un", "kelk1"),
    (r"quoi", "koi"),
    (r"qui", "ki"),
    (r"que", "ke"),
    (r"qu'", "k "),
    (r"c'est", "c"),
    (r"s'il vous plait", "svp"),
    (r"beaucoup", "bcp"),
    (r"toujours", "tjs"),
    (r"maintenant", "mtn"),
    (r"aujourd'hui", "ajd"),
    (r"rendez-vous", "rdv"),
    (r"avec", "avc"),
    (r"dans", "ds"),
    (r"pour", "pr"),
    (r"vous", "vs"),
    (r"nous", "ns"),
    (r"tous", "ts"),
    (r"tout", "tt"),
    (r"plus", "+"),
    (r"les", "lé"),
    (r"des", "dé"),
    (r"est|et", "é"),
)


def _no_accents(text: str, _: random.Random) -> str:
    ligatures = text.replace("œ", "oe").replace("Œ", "Oe").replace("æ", "ae").replace("Æ", "Ae")
    return "".join(c for c in unicodedata.normalize("NFD", ligatures) if not unicodedata.combining(c))


def _one_typo(text: str, chance: random.Random) -> str:
    return _mistyped(text, 1, chance)


def _two_typos(text: str, chance: random.Random) -> str:
    return _mistyped(text, 2, chance)


def _small_letters(text: str, _: random.Random) -> str:
    return re.sub(r"[\s?.!]+$", "", text.lower()) or text


def _capitals(text: str, _: random.Random) -> str:
    return text.upper()


def _telegraphic(text: str, chance: random.Random) -> str:
    words = re.findall(r"[\w%]+(?:-\w+)*", text)
    kept = [w for w in words if _no_accents(w, chance).lower() not in FUNCTION_WORDS]
    return " ".join(kept) or text


def _sms(text: str, chance: random.Random) -> str:
    plain = _no_accents(text.lower().replace("’", "'"), chance)
    for pattern, short in SMS:
        plain = re.sub(rf"(?<![\w'-])(?:{pattern})(?:(?<=[' ])|(?![\w'-]))", short, plain)
    return re.sub(r"\s+", " ", re.sub(r"['?!.]", " ", plain)).strip() or text


# The order in which they are asked and shown. "" is the question as it is written.
VARIANTS: dict[str, Callable[[str, random.Random], str]] = {
    "": lambda text, _: text,
    "no accents": _no_accents,
    "one typo": _one_typo,
    "two typos": _two_typos,
    "small letters": _small_letters,
    "capitals": _capitals,
    "telegraphic": _telegraphic,
    "sms": _sms,
}


def vary(question: str, variant: str, case: str, seed: int = 0) -> str:
    """`question` in one of VARIANTS; `case` is the id that, with `seed`, decides where a typo falls."""
    digest = hashlib.sha256(f"{seed}\n{variant}\n{case}".encode()).digest()
    return VARIANTS[variant](question, random.Random(int.from_bytes(digest[:8], "big")))


def _mistyped(text: str, count: int, chance: random.Random) -> str:
    """`count` slips, each in a word of its own while there are words of four letters or more."""
    words = [m.span() for m in re.finditer(r"[^\W\d_]{4,}", text)] or [
        m.span() for m in re.finditer(r"[^\W\d_]{2,}", text)
    ]
    chosen = sorted(chance.sample(words, min(count, len(words))), reverse=True)  # from the end: spans stay
    for start, end in chosen:
        text = text[:start] + _slip(text[start:end], chance) + text[end:]
    return text


def _slip(word: str, chance: random.Random) -> str:
    """One neighbouring key, one letter left out, one doubled, or two swapped; never the word itself."""
    at = chance.randrange(len(word) - 1)
    slips = [word[:at] + word[at + 1 :], word[: at + 1] + word[at:]]
    if word[at] != word[at + 1]:
        slips.append(word[:at] + word[at + 1] + word[at] + word[at + 2 :])
    if near := _neighbours(_no_accents(word[at], chance).lower()):
        slips.append(word[:at] + chance.choice(near) + word[at + 1 :])
    return chance.choice(slips)


def _neighbours(key: str) -> str:
    """The keys that touch `key` on the left, on the right, above and below; none for other characters."""
    for row, keys in enumerate(KEYBOARD):
        if key and key in keys:
            at = keys.index(key)
            beside = keys[max(0, at - 1) : at] + keys[at + 1 : at + 2]
            others = (KEYBOARD[r] for r in (row - 1, row + 1) if 0 <= r < len(KEYBOARD))
            return beside + "".join(k[at : at + 1] for k in others)
    return ""
