"""Tells in which language a question is asked: by its script, by French words, and where these do not
tell, by py3langid, which is loaded only then (0.5 s, once). Leans towards French.
"""

import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Any

from index import french

FEW_ARE_FRENCH = 0.67  # a question with this share of French words is French, whatever else it holds
SURE, SURE_OF_A_NEIGHBOUR = 0.6, 0.8  # probabilities from which another language is believed
NEIGHBOURS = frozenset(("es", "pt", "it", "ro", "ca"))  # near enough to French to be mistaken for it
LATIN = ("fr", "en", "es", "pt", "it", "de", "nl", "tr", "sw", "pl", "ro")
SCRIPTS = {
    "ARABIC": "ar", "TIFINAGH": "zgh", "CYRILLIC": "ru", "CJK": "zh", "HIRAGANA": "ja", "KATAKANA": "ja",
    "HANGUL": "ko", "DEVANAGARI": "hi", "GREEK": "el", "HEBREW": "he", "BENGALI": "bn", "ETHIOPIC": "am",
}  # fmt: skip
MARKS = (  # letters that tell languages of one script apart
    ("ur", "ARABIC", "ٹڈڑںےہھ"),
    ("fa", "ARABIC", "پچژگکی"),
    ("uk", "CYRILLIC", "іїєґІЇЄҐ"),
)
ENGLISH = frozenset(
    """the of and to is are was were what which who whom where when how why did does do has have had for by
    with from its this that these those been many much long there their they it in at
    you your yours my can will would could should may might tell give any some about them he she we us if
    not more please am you're don isn want need know""".split()
)
FRENCH = frozenset(
    """le la les l de des du d et est sont a au aux en un une que qu qui quoi quel quelle quels quelles ou
    quand comment combien pourquoi pour par dans sur avec ce cette ces il elle ils elles ont etait
    cb koi kan qd kel kelle pk pq ki keskon stp svp slt bjr""".split()
)
GREETINGS = frozenset("hello hi hey thanks thank bye goodbye help please".split())


def language_of(text: str, before: tuple[str, ...] = ()) -> str:
    """The ISO 639 code of a question, "" for a script that is not known here.

    `before` are earlier questions, oldest first: one name alone (« Casablanca? ») is asked in the language of
    the last question that tells.
    """
    for each in (text, *reversed(before)):
        found = _told(each)
        if found is not None:
            return found
    return "fr"


def is_english(text: str) -> bool:
    """Whether a question is asked in English."""
    return language_of(text) == "en"


@lru_cache(maxsize=10_000)
def _told(text: str) -> str | None:
    """The language that a text tells, or None when it may be any."""
    scripts = Counter(unicodedata.name(c, "?").split()[0] for c in text if c.isalpha())
    if not scripts:
        return None
    if scripts["HIRAGANA"] + scripts["KATAKANA"]:
        return "ja"
    script = scripts.most_common(1)[0][0]
    if script != "LATIN":
        marks = (code for code, of, letters in MARKS if of == script and set(letters) & set(text))
        return next(marks, SCRIPTS.get(script, ""))
    words = [w for w in french.words(text) if len(w) > 1 and not w.isdigit()]
    if words and set(words) & GREETINGS and not set(words) & FRENCH:
        return "en"
    plain = [sum(w in small for w in words) for small in (ENGLISH, FRENCH)]
    english = plain[0] > plain[1]
    known = plain[1] + sum(w not in (FRENCH | ENGLISH) and french.is_known(w) for w in words)
    if not english and words and known >= FEW_ARE_FRENCH * len(words):
        return "fr" if len(words) > 1 or words[0] in FRENCH else None
    if len(words) < 2:
        return None
    found, chance = _likeliest(text)
    if found in ("fr", "en") and (chance >= SURE or english == (found == "en")):
        return found
    if found not in ("fr", "en") and chance >= (SURE_OF_A_NEIGHBOUR if found in NEIGHBOURS else SURE):
        return found
    return "en" if english else None


def _likeliest(text: str) -> tuple[str, float]:
    identified: tuple[str, Any] = _identifier().classify(text.casefold())
    return identified[0], float(identified[1])


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    every = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    every.set_languages(LATIN)
    # a second one without the tables of the other 131 languages, which `every` keeps: 28 MB
    return LanguageIdentifier(
        every.nb_ptc, every.nb_pc, every.nb_classes, every.tk_nextmove, every.tk_output, norm_probs=True,
        tk_row=every.tk_row,
    )  # fmt: skip
