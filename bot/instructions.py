"""Recognises text that gives a chatbot orders: such a sentence is never a quote, a proof or an answer.

Grammar of French (and a little English), so it misses some. What it misses still has to be proved.
"""

import re

from index import french
from index.passages import sentences

ABOUT = r"(?:instructions?|consignes?|directives?|regles?|ordres?|prompts?|invites? systeme|ce qui precede|tout ce qui)"
MACHINE = r"(?:assistante?|modele(?: de langu?ag?e)?|chatbot|agent conversationnel|robot|ia|llm|gpt|intelligence artificielle)"
FORGET = r"(?:ignor\w+|oubli\w+|neglig\w+|contourn\w+|desobei\w+|abandonn\w+|annul\w+|outrepass\w+|desactiv\w+|remplac\w+)"
# A document says « vous » to its readers (« Faites une demande », « Ajoutez 200 g »): that alone is no order to a
# chatbot, unless it is about what to say.
SAY = (
    r"(?:repon(?:ds?)|dis|ecris|affiche|revele|repete|recopie|traduis|ajoute|affirme|declare|annonce|conclus|imprime|decode|"
    r"execute|commence par|termine par|recommande|conseille|pretends|cite|remplace|insere|fais|obeis|envoie|invite|mentionne)"
)
SAY_POLITELY = (
    r"(?:repondez|dites|ecrivez|affichez|revelez|repetez|recopiez|traduisez|affirmez|declarez|annoncez|concluez|imprimez|"
    r"commencez par|terminez par|pretendez|obeissez|decodez|executez) ?(?=que\b|seulement|uniquement|toujours|exactement|"
    r"ceci|desormais|tout\b|chaque|vos\b|votre prompt|a tou|[:«\"])"
)

SIGNS = re.compile(
    "|".join(
        (
            rf"\b{FORGET} (?:\w+ ){{0,5}}{ABOUT}\b",
            rf"\b{ABOUT} (?:systeme|precedentes?|ci-dessus|initiales?|cachees?|d'origine|internes?)\b",
            r"\b(?:system prompt|prompt systeme|message systeme|ignore (?:all|previous|your)|jailbreak|developer mode)\b",
            r"\b(?:tu es|vous etes) (?:desormais|maintenant|a present|dorenavant)\b",
            r"\b(?:joue[sz]?|jouer|endoss\w+|prends|prenez|adopt\w+) le role\b|\bfais semblant\b|\bmode (?:developpeur|debug|admin)",
            rf"\b(?:note|consigne|message|instruction|ordre|directive|avis)s? (?:\w+ )?(?:a|au|pour|de|destinee?s? a) (?:l'|le |la |tout |toute |un )?{MACHINE}\b",
            rf"\b(?:a l'attention|a destination) (?:de l'|du |de la |de tout |des ){MACHINE}s?\b",
            rf"(?:^|[.:!?;«\"(\[*>-]\s*){MACHINE}\s?[,:]\s?\w+",
            r"<\s?/?\s?(?:passage|system|question|conversation)|‹\s?/?\s?(?:passage|system|question|conversation)|\[/?inst\]|### ?(?:instruction|system)",
            rf"(?:^|[.:!?;«\"(\[*>-]\s*)(?:(?:et|puis|maintenant|desormais|toujours|s'il te plait) )?(?:{SAY_POLITELY}|{SAY}(?:-\w+)?\b(?! (?:par|ete|en cours)))",
        )
    )
)


def without_orders(question: str) -> str:
    """A question without its sentences that give orders; as it is when nothing is asked beside them."""
    parts = [question[a:b] for a, b in sentences(question)]
    kept = " ".join(part for part in parts if not gives_orders(part))
    return kept if kept and "?" in kept else question


def gives_orders(text: str) -> bool:
    """Whether a sentence speaks to a chatbot to make it do something."""
    return bool(SIGNS.search(french.fold(text)))
