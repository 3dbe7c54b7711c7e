"""Fills in what a question leaves out: « Et à Casablanca ? », « Dont combien de femmes ? », « Dans quel hôtel ? »."""

import re

from bot.followups.antecedents import PREPOSITION, SLOT, SLOT_AT_END, WH_PHRASE, topic
from bot.followups.noun_phrases import QUOTED, NounPhrase, article_for, joined, noun_phrases, singular
from index import french
from index.languages import is_english

COUNT_OF = re.compile(r"\b(?:combien|cb)\s(?:y avait-il\s|y a-t-il\s)?(?:de\s|d'|d\s)(?P<what>[\w-]+)", re.I)
HOW_MANY = re.compile(r"\bhow many\s(?P<what>[\w-]+)", re.I)
MONTH = re.compile(
    r"\b(?:janvier|f[ée]vrier|mars|avril|mai|juin|juillet|ao[uû]t|septembre|octobre|novembre|d[ée]cembre)\b",
    re.I,
)
PREPOSITION_FIRST = re.compile(
    rf"(?:{PREPOSITION}|avec|par|pendant|durant|depuis|vers|sans|with|from|since)\s", re.I
)
TIME = re.compile(
    r"\ble (?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|matin|midi|soir|week-?end)\b", re.I
)
EACH = re.compile(r"\s(?:chacune?|chaque)$", re.I)
OF = re.compile(r"(?:de\s(?=l'|la\s)|d'|du\s|des\s|de\s)", re.I)
WHEN = re.compile(
    r"\s*(?:(?:depuis )?quand|où|comment|pourquoi|combien de temps|(?:dans|en|à|sur|pour) quel\w*\s[\w-]+)\s(?!est-ce)",
    re.I,
)


def is_bare(rest: str) -> bool:
    """Whether words without a verb are one thing: « Casablanca », « à Rabat », « les hommes »."""
    words = french.terms(rest)
    return (
        len(words) <= 1
        or (len(words) <= 3 and all(w[0].isupper() for w in rest.split()))
        or bool(len(words) <= 2 and re.match(rf"{PREPOSITION}\s|d'|les?\s|la\s|l'|«", rest, re.I))
    )


def counted(rest: str, before: str) -> str | None:
    """« combien de femmes » after « Combien de personnes ont suivi … » → « Combien de femmes ont suivi … »."""
    new, old = HOW_MANY.search(rest), HOW_MANY.search(before)
    if new and old and not french.terms(rest[new.end() :]):
        return before[: old.start()] + new[0] + before[old.end() :]
    new, old = COUNT_OF.search(rest), COUNT_OF.search(before)
    if not (new and old) or french.terms(rest[new.end() :]):
        return None
    of = "d'" if french.fold(new["what"])[0] in "aeiouyh" else "de "
    return f"{before[: old.start()]}combien {of}{new['what']}{before[old.end() :]}"


def completed(rest: str, before: str, said: str, plain: str, opened: bool) -> str | None:
    """A question without its topic: « Dans quel hôtel », « Et combien de participants », « Quand »."""
    if opened and (found := counted(rest, before)):
        return found
    rest = EACH.sub("", rest)  # « Combien de temps chacune »
    wh = WH_PHRASE.match(f"{rest} ")
    if not wh:
        return None
    left = rest[wh.end() :]
    short = not french.terms(left)
    adverb = not french.terms(rest) or PREPOSITION_FIRST.match(rest)
    if short and adverb and (old := WHEN.match(before)) and french.terms(before[old.end() :]):
        return f"{rest} {before[old.end() :]}"  # « Où » after « Quand a eu lieu la formation »
    if (short and (opened or adverb or not left)) or (opened and len(french.terms(rest)) <= 1):
        found_topic = topic(before, said, plural=None, known=rest)
        link = "for" if is_english(before) else "pour"
        return f"{rest} {link} {found_topic.text}" if found_topic else None
    return None


def filled(value: str, before: str, said: str) -> str:
    """Words without a verb take the place of their like in the question before."""
    value = re.sub(r"^pour\s(?=les?\s|la\s|l')", "", value.strip())
    old = COUNT_OF.search(before)
    people = re.fullmatch(r"(?:(?:de|des|les)\s|d'|l')?(?P<what>[a-zàâçéèêëîïôöûü-]+s)", value)
    if old and people:
        of = "d'" if french.fold(people["what"])[0] in "aeiouyh" else "de "
        return f"{before[: old.start()]}combien {of}{people['what']}{before[old.end() :]}"
    month, earlier = MONTH.search(value), MONTH.search(before)
    if (
        month
        and earlier
        and re.fullmatch(rf"(?:(?:en|au mois de|in)\s)?{MONTH.pattern}(?:\s\d{{4}})?", value, re.I)
    ):
        return before[: earlier.start()] + month[0] + before[earlier.end() :]
    if TIME.fullmatch(value):  # « Et le dimanche »
        return TIME.sub(value, before) if TIME.search(before) else f"{before} {value}"
    phrases = noun_phrases(value)
    whole = phrases[0] if phrases and phrases[0].start == 0 else None
    if (
        whole
        and whole.article
        and whole.end >= len(value) - 1
        and not re.match(r"(?:aux?|du)\s", value, re.I)
    ):
        return _with_phrase(value, whole, before, said)
    named = re.fullmatch(rf"(?:{PREPOSITION}\s)?(?P<name>{QUOTED})", value, re.I)
    if named and (quoted := re.search(QUOTED, before)):
        return before[: quoted.start()] + named["name"] + before[quoted.end() :]
    name = re.sub(rf"^{PREPOSITION}(?:\s|(?<='))", "", value, flags=re.I)
    prep = value[: len(value) - len(name)]
    if with_it := re.match(r"(?:par|avec|sur|chez|dans)\s", value, re.I):
        starts = [
            p for p in noun_phrases(before) if before[: p.start].casefold().endswith(with_it[0].casefold())
        ]
        if starts:
            return before[: starts[-1].start] + value[with_it.end() :] + before[starts[-1].end :]
    slot = next(iter(reversed(list(SLOT.finditer(before)))), None) or SLOT_AT_END.search(before)
    if slot and (prep or len(name.split()) == 1) and not (name.isupper() and not slot["name"].isupper()):
        if slot["name"][0].isupper() and " " not in name:
            name = name[0].upper() + name[1:]
        at = french.fold(slot["prep"].strip("'"))
        own = prep and not (at in ("de", "d", "of", "du") and len(name.split()) == 1)
        new = value if own else f"{'de' if at == 'd' else slot['prep']} {name}"
        return before[: slot.start()] + new + before[slot.end() :]
    if OF.match(value):  # « Et du CNDH » after « le rôle de l'Entraide Nationale »
        for phrase in reversed(noun_phrases(before)):
            if link := re.search(r"(?:\bde\s|\bd')$", before[: phrase.start]):
                return before[: link.start()] + value + before[phrase.end :]
            if OF.match(before[phrase.start :]):
                return before[: phrase.start] + value + before[phrase.end :]
    if not prep and (last := _last(before)):
        return before[: last[0]] + value + before[last[1] :]
    return f"{before} {value}"


def _with_phrase(value: str, whole: NounPhrase, before: str, said: str) -> str:
    """« le projet pour les enfants », « les thèmes »: in the place of their like, or asked for themselves."""
    value = re.sub(r"^des\s", "les ", value, flags=re.I)  # « Quid des partenaires »
    earlier = [p for p in noun_phrases(before) if p.rank > -2]
    if is_english(before) and earlier:  # « And the museum? »
        last = _outer(earlier)[-1]
        return before[: last.start] + value + before[last.end :]
    like = next((p for p in earlier if singular(p.head) == singular(whole.head) and p.article), None)
    asked_list = re.match(
        r"\s*(?:\w+\s)?(?:quels?|quelles?)\s(?:est|sont|[ée]tai)|\s*(?:dans (?:le cadre de )?)?quel",
        before,
        re.I,
    )
    if like and not asked_list:
        lead = before[: like.start]
        if whole.plural and not like.plural:
            lead = re.sub(
                r"\b(?:a|est)(?=\s(?!.*\b(?:a|est)\s))", lambda m: {"a": "ont", "est": "sont"}[m[0]], lead
            )
        return lead + value + before[like.end :]
    bare_name = [p for p in _outer(earlier) if p.named and p.rank >= 0]
    who = re.match(r"\s*(?:qui|c'est quoi|qu'est-ce que)\b", before, re.I) and len(french.terms(value)) > 1
    if bare_name and (who or whole.named):
        last = bare_name[-1]
        return before[: last.start] + value + before[last.end :]
    if (
        asked_list
        and like
        and re.search(r"\b(?:de|du|des)\s|\bd'", value)
        and not re.match(r"\s*quel\w*\s(?:est|sont|[ée]tai)", before, re.I)
    ):
        return before[: like.start] + value + before[like.end :]
    complete = (
        bool(re.search(r"\s(?:de|du|des|à|au|aux|pour|sur)\s|\sd'|«", value)) or len(french.terms(value)) > 2
    )
    about = None if complete else topic(before, said, plural=None, known=value)
    feminine = whole.feminine if whole.feminine is not None else article_for("x" + whole.head, None) == "la "
    asks = "Quel" + ("le" if feminine else "") + ("s sont" if whole.plural else " est")
    return f"{asks} {value}" + (f" {joined('de', about.text)}" if about else "")


def _outer(phrases: list[NounPhrase]) -> list[NounPhrase]:
    return [p for p in phrases if not any(q.start < p.start and p.end <= q.end for q in phrases)]


def _last(before: str) -> tuple[int, int] | None:
    """Where the last phrase of a question stands: what a bare name takes the place of."""
    phrases = _outer([p for p in noun_phrases(before) if p.rank > -1])
    if phrases:
        return phrases[-1].start, phrases[-1].end
    words = [w for w in french.spans(before) if not french.is_stop_word(w[0])]
    return (words[-1][1], words[-1][2]) if words else None
