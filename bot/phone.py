"""French as people type it on a phone, written out: « c ki ki paye » is « c’est qui qui paye ».

What is no French word is written out anywhere; what may be one (« c », « g », « sa ») only beside something
that is none. `sound` tells which words would be read aloud alike (« kartié », « quartier »).
"""

import re
from functools import lru_cache

# Not French words: they show that a question was typed in a hurry.
SURE = dict(
    pair.split(":")
    for pair in """ki:qui qi:qui koi:quoi koa:quoi kwa:quoi kan:quand kand:quand qd:quand ke:que kom:comme
    kel:quel kels:quels kelle:quelle kelles:quelles esk:est-ce_que eske:est-ce_que
    kesk:qu’est-ce_que keske:qu’est-ce_que keski:qu’est-ce_qui
    cb:combien cmb:combien cbn:combien cbien:combien cmbien:combien konbien:combien kombien:combien
    cmt:comment cmnt:comment koman:comment komen:comment
    pk:pourquoi pq:pourquoi prk:pourquoi pkoi:pourquoi pourkoi:pourquoi pcq:parce_que pck:parce_que
    ac:avec avc:avec avk:avec bcp:beaucoup dc:donc ds:dans ns:nous vs:vous pr:pour ts:tous tt:tout tte:toute
    ttes:toutes qq:quelques qqn:quelqu’un qqch:quelque_chose kelkun:quelqu’un tjs:toujours tjrs:toujours
    jms:jamais mtn:maintenant auj:aujourd’hui tps:temps lgtps:longtemps
    bjr:bonjour bsr:bonsoir slt:salut stp:s’il_te_plaît svp:s’il_vous_plaît dsl:désolé jrs:jours
    pers:personnes nbr:nombre nbre:nombre gvt:gouvernement ya:il_y_a yen:il_y_en
    lé:les dé:des cé:c’est sé:c’est mé:mais jé:j’ai avé:avez""".split()
)
# These may be French, or mean something else.
MAYBE = dict(pair.split(":") for pair in "c:c’est g:j’ai é:est sa:ça o:au jr:jours nb:nombre q:que".split())
THEN = (  # where the words around decide: « cb 2 pays », « c ou »
    (re.compile(r"\b(combien|nombre|tant|plus|moins) 2(?= ?[^\W\d_])"), r"\1 de"),
    (re.compile(r"\b(c’est) ou\b", re.I), r"\1 où"),
    (re.compile(r"\b((?:est-ce|parce) qu)e (?=(?:ils?|elles?|on|une?|en|y)\b)", re.I), r"\1’"),
)
WORD = re.compile(r"[^\W\d_]+")
ALIKE = str.maketrans("Ez", "es")  # in haste nobody types accents, and « z » for « s »
# How letters sound, in the order in which they are read; « E » is é or è, « A », « I » and « O » are nasal.
SOUNDS = [
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"œu|œ", "eu"), (r"^e(?![nm])", "E"), (r"qu|q|ck|cc(?![eiyéèê])|ch(?=r)", "k"),
        (r"s?ch|sh", "S"), (r"ph", "f"),
        (r"sc(?=[eiyéèê])|c(?=[eiyéèê])|ç|ss|t(?=ion)", "s"), (r"c", "k"), (r"g(?=[eiyéèê])", "j"),
        (r"gu(?=[eiyéèê])", "g"), (r"(?<=[aeiouyéè])s(?=[aeiouyéè])", "z"), (r"h", ""), (r"eau|au|ô", "o"),
        (r"oi", "ua"), (r"ou|oû", "u"), (r"[ae][nm](?![aeiouyéèêmn])", "A"),
        (r"(?:[ae]?i|y)[nm](?![aeiouyéèêmn])", "I"), (r"o[nm](?![aeiouyéèêmn])", "O"),
        (r"(?:ai|ei|é|è|ê)(?:[sxt]|ent)?$|(?:er|ez|et)$", "E"), (r"ai|ei|é|è|ê|e(?=(.)\1)", "E"),
        (r"(?:ent|es|e)$", ""), (r"y", "i"), (r"(.)\1", r"\1"), (r"(?<=..)[sxtdpz]+$", ""),
    )
]  # fmt: skip


def written_out(question: str) -> str:
    """The question with what is SURE written out, and then what MAYBE stands for something longer too."""
    if not any(_hurried(found) and found[0].lower() in SURE for found in WORD.finditer(question)):
        return question

    def long(found: re.Match[str]) -> str:
        word = found[0].lower()
        around = question[max(0, found.start() - 1) : found.start()], question[found.end() : found.end() + 1]
        if not _hurried(found) or {"'", "’"} & {*around}:
            return found[0]  # « c’ » and « d’ » are French
        meant = (SURE.get(word) or MAYBE.get(word, found[0])).replace("_", " ")
        return meant.capitalize() if found[0][0].isupper() and meant != found[0] else meant

    written = WORD.sub(long, question)
    for pattern, meant in THEN:
        written = pattern.sub(meant, written)
    return written


def _hurried(found: re.Match[str]) -> bool:
    """Whether a word may be more than a name or an acronym."""
    return found[0].islower() or (found.start() == 0 and not found[0].isupper())


@lru_cache(maxsize=50_000)
def sound(word: str) -> str:
    """A key that words read aloud alike share; `word` is in lower case with its accents."""
    for pattern, read in SOUNDS:
        word = pattern.sub(read, word)
    return word.translate(ALIKE)
