"""French words: folding, elision, stems, likeness, and which language a question is in."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index import french
from index.languages import is_english


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("L’élève", "l'eleve"),
        ("Qu’est-ce que l’œuvre", "qu'est ce que l'oeuvre"),
        ("FINANCÉES", "financée"),
        ("les formations", "la formation"),
    ],
)
def test_spellings_that_are_one(a: str, b: str) -> None:
    assert french.terms(a) == french.terms(b)


def test_elision_does_not_hide_a_word() -> None:
    assert french.terms("l’OIM d’Alger") == ["oim", "alger"]


@given(st.text())
@example("A𝓐")
@example("İ")
def test_folding_twice_is_folding_once(text: str) -> None:
    assert french.fold(french.fold(text)) == french.fold(text)


@given(st.text())
def test_spans_point_at_words_of_the_text(text: str) -> None:
    for word, start, end in french.spans(text):
        assert french.fold(text[start:end]) == word


@given(
    st.text(alphabet="abcdefgéèçñ0123456789", min_size=1),
    st.text(alphabet="abcdefgéèçñ0123456789", min_size=1),
)
def test_likeness_is_symmetric_and_bounded(a: str, b: str) -> None:
    a, b = french.fold(a), french.fold(b)
    assert 0 <= french.likeness(a, b) == french.likeness(b, a) <= 1
    assert french.likeness(a, a) == 1


def test_a_typo_and_a_word_family_are_alike_and_other_words_are_not() -> None:
    assert french.likeness("formatoins", "formations") > 0.5
    assert french.likeness("financeurs", "financement") > 0.5
    assert french.likeness("femmes", "hommes") == 0
    assert french.likeness("2021", "2022") == 0


def test_a_topical_word_is_rarer_than_a_small_one() -> None:
    assert french.rarity("le") < french.rarity("formation") < french.rarity("xylographie")


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("Who funded the trainings?", True),
        ("Qui a financé les formations ?", False),
        ("dates casablanca", False),
    ],
)
def test_english_is_told_by_its_small_words(text: str, english: bool) -> None:
    assert is_english(text) is english
