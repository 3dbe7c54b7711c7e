"""Questions that their documents no longer answer: a year, a month or a name in them becomes another one.

« Quand a eu lieu la formation de Rabat ? » is answered, « … la formation de Nador ? » is not, and looks the
same to a search. Asks nothing.
"""

import random
import re
from collections.abc import Set

from index import french

ALIKE = (  # names of a kind, each one word, any of which may stand for another
    """Maroc, Morocco, Danemark, Denmark, France, Belgique, Allemagne, Espagne, Italie, Canada, Japon,
    Chine, Inde, Brésil, Mexique, Argentine, Colombie, Turquie, Égypte, Tunisie, Algérie, Libye,
    Mauritanie, Sénégal, Mali, Niger, Tchad, Cameroun, Gabon, Kenya, Soudan, Éthiopie, Madagascar,
    Liban, Jordanie, Syrie, Irak, Russie, Pologne, Portugal, Norvège, Suède, Finlande, Autriche, Grèce,
    Suisse""",
    """Rabat, Casablanca, Marrakech, Fès, Tanger, Agadir, Oujda, Meknès, Nador, Tétouan, Essaouira,
    Laâyoune, Paris, Lyon, Lille, Marseille, Toulouse, Bordeaux, Nantes, Strasbourg, Bruxelles, Genève,
    Berlin, Madrid, Rome, Lisbonne, Londres, Vienne, Athènes, Dakar, Tunis, Alger, Tripoli, Beyrouth,
    Amman, Bamako, Niamey, Nairobi, Kinshasa, Abidjan, Montréal, Québec, Toronto, Boston, Chicago,
    Moscou, Pékin, Tokyo""",
    """OIM, IOM, ONU, UNICEF, UNESCO, OTAN, NATO, OMS, FAO, PNUD, HCR, OCDE, Amnesty, Oxfam, Caritas,
    Interpol, Europol, FIFA, Greenpeace, Frontex, AFD, USAID, GIZ, CICR, OIT, OMC, UNHCR, Enabel""",
)
MONTHS = (
    "janvier, février, mars, avril, mai, juin, juillet, août, septembre, octobre, novembre, décembre",
    "January, February, March, April, June, July, August, September, October, November, December",
)
KINDS = tuple(tuple(re.split(r",\s+", names)) for names in (*ALIKE, *MONTHS))
YEAR = re.compile(r"\b(?:19|20)\d\d\b")
YEARS = range(1985, 2026)


def swapped(question: str, held: Set[str], rng: random.Random) -> str | None:
    """The question with one year, month or name, however written, turned into one of its kind.

    What comes in has no word among `held`, the documents' folded words. None when nothing can be turned.
    """
    places: list[tuple[int, int, list[str]]] = [
        (*found.span(), [str(y) for y in YEARS]) for found in YEAR.finditer(question)
    ]
    words = french.spans(question)
    for kind in KINDS:
        known = {french.fold(name) for name in kind}
        places += [(start, end, list(kind)) for word, start, end in words if word in known]
    rng.shuffle(places)
    for start, end, names in places:
        typed = question[start:end]
        new = [n for n in names if french.fold(n) not in held | {french.fold(typed)}]
        if new:
            name = rng.choice(new)
            return question[:start] + (name.lower() if typed.islower() else name) + question[end:]
    return None
