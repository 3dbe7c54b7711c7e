"""Every French sentence of the HTML report, and how French writes numbers. Knows nothing of HTML."""

from dataclasses import dataclass

NBSP, THIN = "\u00a0", "\u202f"


@dataclass(frozen=True, slots=True)
class Name:
    """What a metric is called in French, and what it says in one line."""

    label: str
    says: str


GROUPS: tuple[tuple[str, dict[str, Name]], ...] = (
    (
        "Réponses",
        {
            "right cases": Name("Cas réussis", "bonne réponse, ou refus là où il faut refuser"),
            "answer accuracy": Name("Réponses justes", "tous les faits attendus, rien d’interdit"),
            "fact recall": Name("Faits retrouvés", "part des faits attendus que la réponse contient"),
            "token F1": Name("F1 des mots", "mots communs avec la réponse de référence (SQuAD)"),
            "exact match": Name("Réponse identique", "mot pour mot la réponse de référence (SQuAD)"),
            "median words": Name("Longueur médiane", "mots d’une réponse"),
        },
    ),
    (
        "Citations",
        {
            "quote exactness": Name("Citations exactes", "présentes dans leur document, au caractère près"),
            "citation accuracy": Name(
                "Réponses bien citées", "citations exactes, dont une d’un bon document"
            ),
            "citation precision": Name("Précision des citations", "part des citations d’un bon document"),
            "citation recall": Name("Rappel des citations", "part des faits que les citations prouvent"),
        },
    ),
    (
        "Recherche",
        {
            "hit@1": Name("Bon document en tête", "le premier passage vient d’un bon document"),
            "hit@5": Name("Parmi les 5 premiers", "un bon document dans les 5 premiers passages"),
            "hit@10": Name("Parmi les 10 premiers", "un bon document dans les 10 premiers passages"),
            "recall@10": Name("Rappel à 10", "part des bons documents dans les 10 premiers passages"),
            "MRR@10": Name("MRR à 10", "inverse du rang du premier bon passage"),
            "nDCG@10": Name("nDCG à 10", "qualité de l’ordre, les premiers rangs comptent plus"),
        },
    ),
    (
        "Refus et confiance",
        {
            "refusal recall": Name("Rappel des refus", "refusé, parmi ce qu’il fallait refuser"),
            "refusal precision": Name("Précision des refus", "à raison, parmi ce qui a été refusé"),
            "refusal F1": Name("F1 des refus", "moyenne harmonique des deux"),
            "risk–coverage area": Name(
                "Aire risque–couverture", "0 : les erreurs sont toutes parmi les moins sûres"
            ),
            "calibration error": Name("Erreur de calibration", "écart entre confiance annoncée et réussite"),
        },
    ),
    (
        "Vitesse",
        {
            "latency p50": Name("Temps médian", "la moitié des réponses vient plus vite"),
            "latency p95": Name("Temps au 95ᵉ centile", "19 réponses sur 20 viennent plus vite"),
        },
    ),
)
METRICS = {name: each for _, group in GROUPS for name, each in group.items()}
VARIANTS = {
    "": "telle quelle",
    "no accents": "sans accents",
    "one typo": "une faute de frappe",
    "two typos": "deux fautes de frappe",
    "capitals": "en capitales",
    "telegraphic": "télégraphique",
    "sms": "style SMS",
}
# What became of a case: key → label, whether it is good.
VERDICTS: dict[str, tuple[str, bool]] = {
    "answered": ("Réponse juste", True),
    "refused": ("Refus justifié", True),
    "wrong": ("Réponse fausse", False),
    "timid": ("Refus à tort", False),
    "bold": ("Aurait dû refuser", False),
    "crash": ("Panne", False),
}


def changed(n: int, total: int) -> str:
    """« Cette modification change 3 réponses sur 200. »"""
    if not n:
        return f"Cette modification ne change aucune réponse sur {number(total)}."
    return f"Cette modification change {count(n, 'réponse', 'réponses')} sur {number(total)}."


def number(value: float, digits: int = 0) -> str:
    """« 1 234,5 »: a decimal comma, thousands set apart by a narrow no-break space."""
    return f"{value:,.{digits}f}".replace(",", THIN).replace(".", ",")


def percent(share: float, digits: int = 1) -> str:
    """« 84,2 % » for .842."""
    return f"{number(100 * share, digits)}{NBSP}%"


def amount(name: str, value: float | None) -> str:
    """A metric's value in its unit; a dash where there is none."""
    if value is None:
        return "–"
    if name.startswith("latency"):
        return f"{number(value)}{NBSP}ms"
    if name == "median words":
        return f"{number(value)}{NBSP}mots"
    return number(value, 3) if name in BARE else percent(value)


BARE = frozenset({"MRR@10", "nDCG@10", "risk–coverage area", "calibration error", "token F1"})


def quoted(text: str) -> str:
    """« text », with its no-break spaces."""
    return f"«{NBSP}{text}{NBSP}»"


def count(n: int, one: str, many: str) -> str:
    """« 1 cas », « 12 questions »: French counts 0 and 1 as one."""
    return f"{number(n)}{NBSP}{one if n < 2 else many}"
