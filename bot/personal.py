"""Recognises a call for urgent help and a request for legal advice: a person has to answer these.

Grammar of French and the words of danger and law, none of any organisation. Whoever asks about danger in
general (« Qui aide les victimes ? ») asks the documents; whoever speaks of themselves does not.
"""

import re

from bot.reader import Evidence
from index import french
from index.passages import RankedPassage, sentences

POLITE = re.compile(
    r"\b(?:je (?:voudrais|souhaite\w*|veux|cherche a|me demande)|j'aimerais|(?:pouvez|pourriez|peux|pourrais)-?\s?(?:vous|tu) m(?:e |')|"
    r"(?:dites|donnez|expliquez|parlez|montrez|citez|indiquez|dis|donne|explique|parle|rappelle|rappelez)[- ]moi)\b ?"
)
SELF = re.compile(r"\b(?:je|j'|me|m'|mon|ma|mes|moi|nous|notre|nos|suis|ai-je|puis-je|dois-je)\b|\bm'")
DANGER = re.compile(
    r"\b(?:danger|menac\w+|frapp\w+|battue?s?|agress\w+|violee?s?|sequestr\w+|enferm\w+|confisqu\w+|tuer|mourir|suicid\w+|"
    r"du mal|exploit\w+|esclav\w+|blesse\w*|kidnapp\w+|enlev\w+|de force|poursuivi\w*|traquee?s?|a la rue|sans abri|"
    r"disparue?s?|harcel\w+|viole\w*|peur|urgence|urgente?s?)\b"
)
LAW = re.compile(
    r"\b(?:avocate?s?|plainte|droits?|recours|tribuna\w+|juges?|proces|contester|en justice|juridiques?|legal\w*|illegal\w*|loi|"
    r"expuls\w+|sejour|visas?|regularis\w+|sans[- ]papiers|papiers|passeport|asile|nationalite|naturalis\w+|licenci\w+|divorc\w+|"
    r"amende|garde a vue|condamn\w+|herit\w+|employeur|proprietaire|bail|contrat)\b"
)
CALL = re.compile(
    r"\bje (?:veux|vais|voudrais|pense a) (?:mourir|me tuer|me suicider|en finir)\b|\benvie d'en finir\b|"
    r"\bau secours\b|\ba l'aide\b(?! d)|\bsos\b|\baidez?[- ]moi (?:vite|tout de suite|maintenant|d'urgence)|^aidez?[- ]moi\W*$|\bc'est urgent\b|"
    r"\bbesoin (?:d'une aide|d'aide|de secours|d'un avocat)\b|\baide (?:urgente|immediate)\b|\b(?:appelez|appeler|envoyez) (?:la police|les secours|une ambulance|de l'aide|quelqu'un)\b|"
    r"\bhelp me\b|\bi(?:'m| am) in danger\b|\bi need (?:urgent help|help urgently|a lawyer|legal advice)\b|"
    r"\bnumero d'urgence\b|\ben danger de mort\b|\best-(?:ce|il) (?:il)?legal\b|\bconseils? juridiques? (?:pour|sur|concernant) (?:mon|ma|mes)\b"
)

REACH = re.compile(
    r"[\w.+-]+@[\w-]+\.\w+|(?:\+\d{1,3}|\b0)[ .]?\d(?:[ .-]?\d){6,}"
)  # an e-mail address, a telephone


def needs_person(text: str) -> bool:
    """Whether a visitor asks for urgent help or legal advice for themselves or someone near."""
    folded = french.fold(text)
    plain = POLITE.sub(" ", folded)
    return bool(CALL.search(folded) or (SELF.search(plain) and (DANGER.search(plain) or LAW.search(plain))))


def contact_lines(passages: tuple[RankedPassage, ...]) -> tuple[Evidence, ...]:
    """The sentences that give an e-mail address or a telephone number, best passage first."""
    return tuple(
        Evidence(
            hit, hit.passage.text[a:b], hit.passage.start + a, hit.passage.start + b, 1.0, (found.span(),)
        )
        for hit in passages
        for a, b in sentences(hit.passage.text)
        if (found := REACH.search(hit.passage.text[a:b]))
    )
