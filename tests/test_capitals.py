"""A question typed without capitals, or in nothing else, is given those of its names; no letter changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answers import Question, Turn
from bot.capitals import capitalised, in_small_letters, with_capitals
from bot.chain import Bot
from bot.coverage import topical

TEXTS = (
    "Le projet COMPASS est mené au Maroc par l’OIM, avec les Pays-Bas.",
    "La formation de Rabat a réuni des cadres du Conseil national des droits de l’Homme (CNDH).",
)
KNOWN = frozenset().union(*map(topical, TEXTS))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("qui mène compass au maroc", "qui mène COMPASS au Maroc"),
        ("Oim ou cndh ?", "OIM ou CNDH ?"),
        ("et les pays-bas, les états-unis", "et les Pays-Bas, les États-Unis"),
        ("la formation de tétouan", "la formation de Tétouan"),
        ("que fait l’onu", "que fait l’ONU"),
        ("when was the training in oujda", "when was the training in Oujda"),
        ("what is nato", "what is NATO"),
        ("un cours magistral soporifique", "un cours magistral soporifique"),
        ("quelle formation des cadres", "quelle formation des cadres"),
        ("Quand a-t-elle eu lieu à Rabat ?", "Quand a-t-elle eu lieu à Rabat ?"),
        ("", ""),
    ],
)
def test_names_get_their_capitals(typed: str, meant: str) -> None:
    assert with_capitals(typed, TEXTS, KNOWN) == meant


@pytest.mark.parametrize("typed", ["la formatoin des magistras", "les pays maocains", "the traniings"])
def test_a_word_that_is_misspelt_is_no_name(typed: str) -> None:
    assert with_capitals(typed, TEXTS, KNOWN) == typed


def test_strange_words_are_names_only_beside_known_ones() -> None:
    assert with_capitals("la formation de tétouan", TEXTS) == "la formation de tétouan"


@given(st.text(max_size=80), st.lists(st.text(max_size=80), max_size=3), st.sampled_from([None, KNOWN]))
def test_nothing_but_capitals_changes(question: str, texts: list[str], known: frozenset[str] | None) -> None:
    made = with_capitals(question, texts, known)
    assert made.lower() == question.lower()
    assert capitalised(made) >= capitalised(question)


def test_capitals_alone_are_none() -> None:
    assert in_small_letters("QUI FINANCE L’OIM ?") == "qui finance l’oim ?"
    assert in_small_letters("PRM ?") == "PRM ?"
    assert in_small_letters("Qui finance l’OIM ?") == "Qui finance l’OIM ?"


@pytest.mark.parametrize(
    "question",
    [
        "Quels thèmes ont été traités pendant la formation de Tétouan ?",
        "Je souhaiterais connaître les institutions représentées à la formation de Dakhla.",
        "Qui a financé les formations ?",
        "Quand a eu lieu la formation de Casablanca ?",
    ],
)
def test_capitals_do_not_decide_whether_it_answers(bot: Bot, question: str) -> None:
    as_written = bot.invoke(question)
    for typed in (question.lower(), question.upper()):
        answer = bot.invoke(typed)
        assert answer.refused == as_written.refused
        assert [c.quote for c in answer.citations] == [c.quote for c in as_written.citations]
        assert answer.question == typed
        assert not answer.understood


def test_a_conversation_in_capitals(bot: Bot) -> None:
    history = (Turn("user", "QUAND A EU LIEU LA FORMATION À RABAT ?"),)
    answer = bot.invoke(Question("ET À CASABLANCA ?", history))
    assert (
        answer.understood
        == bot.invoke(
            Question("et à casablanca ?", (Turn("user", "quand a eu lieu la formation à rabat ?"),))
        ).understood
    )
    assert "Casablanca" in answer.understood
