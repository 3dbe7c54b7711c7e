"""What is typed on a phone is written out; what may be French stays as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.phone import SURE, sound, written_out
from index import french


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("c koi loim", "c’est quoi loim"),
        ("Ki a payé ?", "Qui a payé ?"),
        ("cb 2 pays", "combien de pays"),
        ("bjr vs avé fé koi ds lé 3 villes", "bonjour vous avez fé quoi dans les 3 villes"),
        ("c ou ki ont dormi", "c’est où qui ont dormi"),
    ],
)
def test_hurried_questions_are_written_out(typed: str, meant: str) -> None:
    assert written_out(typed) == meant


@pytest.mark.parametrize(
    "question",
    ["C’est où ?", "C'est à qui ?", "Un fil de 2 m c long ?", "Combien de sessions, 2 ou 3 ?", "", "PR, DS"],
)
def test_french_stays(question: str) -> None:
    assert written_out(question) == question


@given(st.lists(st.sampled_from([w for w in french.spellings().values() if w not in SURE][:5000])))
def test_common_words_stay(words: list[str]) -> None:
    assert written_out(" ".join(words)) == " ".join(words)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("kartié", "quartier"),
        ("buro", "bureau"),
        ("finansé", "financé"),
        ("fransé", "français"),
        ("kestion", "question"),
        ("umaine", "humaine"),
        ("enfan", "enfants"),
        ("koté", "côté"),
        ("ekri", "écrit"),
        ("organizé", "organisé"),
    ],
)
def test_words_that_sound_alike_have_one_sound(typed: str, meant: str) -> None:
    assert sound(typed) == sound(meant)


@pytest.mark.parametrize(
    ("one", "other"), [("jour", "jeu"), ("pont", "pan"), ("cas", "sac"), ("ville", "vol")]
)
def test_words_that_do_not_sound_alike_have_two(one: str, other: str) -> None:
    assert sound(one) != sound(other)
