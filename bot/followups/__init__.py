"""Reads a question with the conversation before it. Deterministic French grammar; knows no organisation.

understanding  what a turn wants (an answer, more, a source) and the question that it comes down to
rewriting      the order in which the rules are tried on a question
references     « celle de Rabat », « le deuxième », « les deux autres », « ce projet », « là-bas »
pronouns       « elle », « l’a », « y », « en », « ses », « ça »
ellipsis       « Et à Casablanca ? », « Dont combien de femmes ? », « Dans quel hôtel ? »
antecedents    what was spoken of, for all of these
noun_phrases   the noun phrases of a question, and their articles
"""

from bot.followups.understanding import MOST_TURNS, Understood, Wants, standalone, understand

__all__ = ["MOST_TURNS", "Understood", "Wants", "standalone", "understand"]
