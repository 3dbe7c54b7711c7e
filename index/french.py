"""French words for searching: folding, elision, stop words, stems, character n-grams.

One analysis serves the index and the question, so that both speak of the same terms.
"""

import itertools
import json
import re
import string
import unicodedata
from functools import lru_cache
from pathlib import Path

import snowballstemmer

INSIDE = re.compile(r"[\w,;)»’'-] *$")  # what stands before a word inside a sentence
WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")
APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'", "`": "'", "´": "'"})
LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss"})
ELIDED = frozenset("l d j m t s n c qu jusqu lorsqu puisqu quoiqu".split())
STOP_WORDS = frozenset(
    """a ai aie ait as au aucun aucune aura auraient aurait aux avaient avait avec avez avoir avons ayant
    c ca car ce ceci cela celle celles celui ces cet cette ceux chaque chez ci comme comment d dans de des
    depuis dont du elle elles en entre es est et etaient etait etant ete etes etre eu eut eux fait faire
    font furent fut il ils j je jusqu l la le les leur leurs lequel laquelle lesquels lesquelles lors lui
    m ma mais me meme memes mes moi mon n ne ni nos notre nous on ont ou par parmi pas peu peut peuvent plus
    pour pourquoi qu quand que quel quelle quelles quels qui quoi s sa sans se sera seront ses si soit son
    sont sous sur t ta te tes toi ton tous tout toute toutes tres tu un une vers vos votre vous y
    combien combiens quelqu aussi ainsi afin donc alors cependant etc exactement precisement vraiment juste
    kel kels kelle kelles koi ki kan qd cb pk pq pr ds ac ke kom keske keski
    svp stp please slt bjr bonjour merci voudrais aimerais dites dis
    the of and to in is are was were what which who where when how did does do has have had an for by on
    at with from it its this that these those be been many much""".split()
)
_stemmer = snowballstemmer.stemmer("french")


def fold(text: str) -> str:
    """Lower-case without accents or ligatures: « Élève » and « eleve » become one."""
    text = text.translate(APOSTROPHES)
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKD", text).casefold().translate(LIGATURES)
    decomposed = unicodedata.normalize("NFKD", text)  # again: casefold may compose, NFKD may give capitals
    return "".join(itertools.filterfalse(unicodedata.combining, decomposed))


def words(text: str) -> list[str]:
    """The folded words and numbers of a text, elided articles kept as words (« l », « d », « qu »)."""
    return WORD.findall(fold(text))


def spans(text: str) -> list[tuple[str, int, int]]:
    """Folded words with their (start, end) in `text`; folding happens word by word, offsets hold."""
    return [(fold(m[0]), m.start(), m.end()) for m in WORD.finditer(text)]


def stands_inside(text: str, start: int) -> bool:
    """Whether a word that starts there stands inside a sentence, where a capital makes it a name."""
    return bool(INSIDE.search(text[max(0, start - 3) : start]))


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """The Snowball French stem of a folded word; numbers stay as they are."""
    return word if word[0].isdigit() else fold(_stemmer.stemWord(word))


def is_stop_word(word: str) -> bool:
    """Whether a folded word carries no topic."""
    return word in STOP_WORDS or (len(word) == 1 and not word.isdigit())


def terms(text: str) -> list[str]:
    """Stems of the topical words, in order, repeats kept."""
    return [stem(w) for w in words(text) if not is_stop_word(w)]


def pairs(text: str) -> list[str]:
    """Neighbouring topical stems: « trait_human » for « la traite des humains »."""
    found = terms(text)
    return [f"{a}_{b}" for a, b in itertools.pairwise(found)]


@lru_cache(maxsize=20_000)  # a kilobyte each
def word_ngrams(word: str) -> tuple[str, ...]:
    """Character 3- to 5-grams of a folded word with its borders marked: « #fin », « nance# »."""
    marked = f"#{word}#"
    return tuple(marked[i : i + n] for n in (3, 4, 5) for i in range(len(marked) - n + 1))


def ngrams(text: str) -> list[str]:
    """The 4-grams of the topical words of at least three letters, with their borders: « #fina », « nce# ».

    Three and five letters as well find no more and take three times the room.
    """
    marked = (f"#{w}#" for w in words(text) if len(w) > 2 and not is_stop_word(w))
    return [word[i : i + 4] for word in marked for i in range(len(word) - 3)]


@lru_cache(maxsize=1)
def _rarities() -> tuple[dict[str, float], float]:
    table: dict[str, float] = json.loads(
        (Path(__file__).parent / "models" / "stem-rarity.json").read_text("utf-8")
    )
    return table, max(table.values()) + 1.0


def rarity(word: str) -> float:
    """How rare a folded word's stem is in French: ln(sentences / sentences that hold it), at most 10.5."""
    table, unseen = _rarities()
    return table.get(stem(word), unseen)


def is_known(word: str) -> bool:
    """Whether a folded word is one of the 8,000 commonest of French, in any of its forms."""
    return stem(word) in _rarities()[0]


@lru_cache(maxsize=1)
def spellings() -> dict[str, str]:
    """The 76,000 commonest French words as they are usually written, by their folded form, commonest first.

    What is often right without accents (« finance ») stays without.
    """
    lines = (Path(__file__).parent / "models" / "french-spellings.txt").read_text("utf-8").splitlines()
    return {folded: spelt or folded for folded, _, spelt in (line.partition(" ") for line in lines)}


def slips(word: str) -> set[str]:
    """All that is one slip away from a folded word: a letter too many, missing or wrong, or two swapped.

    After Norvig, How to Write a Spelling Corrector, 2007.
    """
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    found = {a + b[1:] for a, b in cuts if b} | {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    for letter in string.ascii_lowercase:
        found |= {a + letter + b for a, b in cuts} | {a + letter + b[1:] for a, b in cuts if b}
    return found


@lru_cache(maxsize=1)
def _names() -> dict[str, bool]:
    lines = (Path(__file__).parent / "models" / "french-names.txt").read_text("utf-8").split()
    return {line.lower(): line.isupper() for line in lines}


def is_name(word: str) -> bool:
    """Whether a folded word is one of 6,900 that French texts write with a capital wherever they stand."""
    return word in _names()


def is_acronym(word: str) -> bool:
    """Whether a folded word is one of these that they write in capitals alone."""
    return _names().get(word, False)


@lru_cache(maxsize=100_000)
def likeness(a: str, b: str) -> float:
    """How alike two folded words are, in [0, 1]: 1 for one stem, less for a typo or a word family.

    The larger of the Dice coefficient of their character n-grams and the share of a common beginning of
    at least five letters (« financeur », « financement »). Numbers are alike only when equal.
    """
    if a == b or (a[:2] == b[:2] and stem(a) == stem(b)):  # no stem begins otherwise than its word
        return 1.0
    if a[0].isdigit() or b[0].isdigit() or min(len(a), len(b)) < 4 or (a[0] != b[0] and a[1:3] != b[1:3]):
        return 0.0
    grams_a, grams_b = set(word_ngrams(a)), set(word_ngrams(b))
    dice = 2 * len(grams_a & grams_b) / (len(grams_a) + len(grams_b))
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    family = start / max(len(a), len(b)) if start >= 5 else 0.0
    alike = max(dice, family)
    return alike if alike >= 0.4 else 0.0
