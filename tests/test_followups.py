"""Follow-ups: what is made of a question that leans on the one before."""

import pytest

from bot.answers import Question, Turn
from bot.followups import standalone
from index import french


def understood(question: str, *earlier: str) -> str:
    return standalone(Question(question, tuple(Turn("user", text) for text in earlier)))


@pytest.mark.parametrize(
    ("earlier", "question", "wanted", "unwanted"),
    [
        (
            "Quand a eu lieu la formation à Rabat ?",
            "Et à Casablanca ?",
            "quand formation casablanca",
            "rabat",
        ),
        (
            "c'etait quand la formation a casablanca",
            "et marrakech",
            "quand formation marrakech",
            "casablanca",
        ),
        ("C’est quoi le projet COMPASS ?", "Qui le finance ?", "finance compass", ""),
        (
            "Combien de personnes ont suivi les formations ?",
            "Dont combien de femmes ?",
            "femmes formations",
            "",
        ),
        (
            "Quand a eu lieu la formation de Rabat ?",
            "Et combien de participants ?",
            "combien participants rabat",
            "",
        ),
        ("Qui finance le projet Avenir ?", "Depuis quand existe-t-il ?", "quand projet avenir", ""),
        ("Parlez-moi du projet COMPASS", "Qui finance ce projet ?", "finance compass", ""),
    ],
)
def test_a_follow_up_takes_what_it_lacks(earlier: str, question: str, wanted: str, unwanted: str) -> None:
    words = set(french.words(understood(question, earlier)))
    assert set(wanted.split()) <= words
    assert not set(unwanted.split()) & words


@pytest.mark.parametrize(
    "question",
    [
        "Quelles institutions étaient représentées ?",
        "Combien de pays compte l’organisation ?",
        "Quels sont les thèmes des formations ?",
        "Où se sont tenues les formations ?",
    ],
)
def test_a_whole_question_ignores_the_history(question: str) -> None:
    assert (
        understood(question, "Qui finance le projet COMPASS ?", "Quand a eu lieu la formation à Rabat ?")
        == question
    )


def test_the_first_question_stays_as_it_is() -> None:
    assert understood("Et à Casablanca ?") == "Et à Casablanca ?"


def test_a_chain_of_follow_ups() -> None:
    last = understood("et Marrakech ?", "Quand a eu lieu la formation à Rabat ?", "Et à Casablanca ?")
    assert {"quand", "formation", "marrakech"} <= set(french.words(last))


def test_fifty_follow_ups_stay_short() -> None:
    last = understood(
        "Et à Oujda ?", "Quand a eu lieu la formation à Rabat ?", *["Et qui le finance ?", "Et lui ?"] * 25
    )
    assert len(last) < 1000
