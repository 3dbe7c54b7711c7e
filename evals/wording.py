"""Every French sentence that evals shows, and how French writes numbers. Knows nothing of HTML."""

import re
from collections.abc import Iterable
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
    "small letters": "en minuscules",
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


# What stands in page.html, by slot.
PAGE = {
    "title": "Repère – rapport d’évaluation",
    "skip": "Aller aux questions",
    "heading": "Rapport d’évaluation",
    "verdict_label": "Verdict",
    "see": "En images",
    "measures": "Toutes les mesures",
    "measures_note": "Sous chaque valeur : son intervalle à 95 % (bootstrap) et le nombre de cas.",
    "table": "Question par question",
    "no_script": "Ce tableau a besoin de JavaScript ; « results.jsonl » contient les mêmes résultats.",
    "search": "Chercher",
    "search_hint": "un mot de la question, de la réponse…",
    "tag": "Étiquette",
    "variant": "Variante",
    "sort": "Trier",
    "sort_file": "dans l’ordre du fichier",
    "sort_least_sure": "du moins sûr au plus sûr",
    "sort_surest": "du plus sûr au moins sûr",
    "sort_slowest": "du plus lent au plus rapide",
    "reset": "Tout montrer",
    "question": "Question",
    "answer": "Réponse",
    "why": "Pourquoi",
    "more": "Montrer la suite",
    "about": "Cette mesure",
}
# What page.js says, by key; {n}, {all} and {bad} are numbers.
SCRIPT = {
    "all": "tous",
    "all_tags": "toutes",
    "failures": "tous les échecs",
    "never": "jamais : ",
    "a_refusal": "un refus",
    "or": " ou ",
    "expected": "Attendu",
    "quotes": "Citations",
    "passages": "Passages trouvés",
    "talk": "Conversation",
    "visitor": "visiteur : ",
    "bot": "robot : ",
    "understood": "compris : ",
    "measures": "Mesures",
    "confidence": "confiance {n} %",
    "time": "temps {n} ms",
    "name": "identifiant ",
    "none": "Aucune ligne ne correspond : retirez un filtre.",
    "line": "{n} ligne sur {all}, dont {bad}",
    "lines": "{n} lignes sur {all}, dont {bad}",
    "failure": "{n} échec",
    "failed": "{n} échecs",
}
# The figures: title, what it says, and the labels of its axes.
TAGS = ("Par étiquette", "Part des cas réussis, avec l’intervalle à 95 %. Un clic montre les questions.")
RISK = (
    "Risque et couverture",
    "Si le robot ne répondait qu’aux questions dont il est le plus sûr, combien d’erreurs ferait-il ?",
)
RISK_AXES = ("Questions auxquelles il répond", "Réponses fausses")
RELIABILITY = (
    "Fiabilité de la confiance",
    "Sur la diagonale, une confiance de 80 % veut dire juste huit fois sur dix.",
)
RELIABILITY_AXES = ("Confiance annoncée", "Réponses justes")
LATENCY = ("Temps de réponse", "Nombre de questions par durée.")
LATENCY_AXIS = "Millisecondes"
ROBUSTNESS = (
    "Robustesse",
    "Les mêmes questions, écrites autrement. Plus une case est rouge, plus la mesure baisse.",
)
AND_MORE = " et plus"
FILTER_BY_VERDICT = "Filtrer par verdict"
OTHERS = "Autres"
LOWER_IS_BETTER = " (plus bas est mieux)"
APPLIES_TO_NONE = "ne s’applique à aucun cas"
INTERRUPTED = "mesure interrompue, résultats partiels"
WHEN = "%d/%m/%Y à %H:%M UTC"
# The last section: what the run was made of.
ABOUT = {
    "target": "Robot",
    "commit": "Version du code",
    "index": "Index",
    "cases": "Questions",
    "variants": "Variantes",
    "seed": "Graine",
    "settings": "Réglages",
    "versions": "Versions",
}
CHANGED_CODE = " (modifiée)"
# The page of `compare`.
CHANGES = {"fixed": "Corrigée", "broken": "Cassée", "changed": "Modifiée"}
COMPARISON = {
    "title": "Repère – comparaison",
    "heading": "Comparaison de deux mesures",
    "answers": "Réponses, avant et après",
}
COMPARISON_HEAD = ("mesure", "avant", "après", "écart", "intervalle à 95 %", "mieux/égal/pire", "p", "")
ANSWERS_HEAD = ("", "question", "avant", "après")


def crashed(error: str) -> str:
    """Why a case failed whose bot crashed."""
    return french(f"Le programme s’est arrêté sur une erreur : {error}")


def timid(confidence: float | None) -> str:
    """Why a case failed that was refused although the documents tell."""
    sure = "." if confidence is None else f" (confiance {percent(confidence, 0)})."
    return f"La réponse est dans les documents, mais elle a été refusée{sure}"


BOLD = "Les documents ne le disent pas, et pourtant une réponse a été donnée."
UNCITED = "La réponse ne cite aucun des documents attendus."
NOT_FOUND = "Aucun document attendu n’est parmi les 10 premiers passages."


def missing(facts: Iterable[str]) -> str:
    """Why an answer is wrong that lacks these facts."""
    return f"Il manque {', '.join(map(quoted, facts))}."


def forbidden(texts: Iterable[str]) -> str:
    """Why an answer is wrong that says these."""
    return f"La réponse dit {', '.join(map(quoted, texts))}, ce qui est interdit."


def between(low: str, high: str) -> str:
    """« 87 % à 96 % », the ends of an interval."""
    return f"{low} à {high}"


def interval(ends: str) -> str:
    """An interval with its name."""
    return french(f"intervalle à 95 % : {ends}")


def succeeded(good: int, total: int) -> str:
    """« 128 cas réussis sur 139 »."""
    return f"{number(good)} {'cas réussi' if good < 2 else 'cas réussis'} sur {number(total)}"


def questions(n: int) -> str:
    """« 139 questions »."""
    return count(n, "question", "questions")


def cases(n: int) -> str:
    """« 139 cas »."""
    return count(n, "cas", "cas")


def answers_changed(n: int, total: int) -> str:
    """« 3 réponses sur 200 ont changé. »"""
    return f"{count(n, 'réponse', 'réponses')} sur {number(total)} {'a' if n < 2 else 'ont'} changé."


def french(text: str) -> str:
    """No-break spaces before the marks that French sets apart."""
    return re.sub(r" (?=[!?;])", THIN, re.sub(r" (?=[:%»])|(?<=«) ", NBSP, text))


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
