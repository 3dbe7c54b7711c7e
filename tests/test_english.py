"""English questions in French words: translations that the bundled table must hold, and any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import english, french


@pytest.mark.parametrize(
    ("word", "french_word"),
    [("women", "femme"), ("funded", "fonds"), ("countries", "pays"), ("morocco", "maroc"), ("nato", "otan")],
)
def test_a_word_is_translated(word: str, french_word: str) -> None:
    assert french.stem(french_word) in {french.stem(w) for w in english.translations(word)}


def test_names_and_numbers_stay() -> None:
    found = english.in_french("When was the training in Zagora in 2022?").split()
    assert {"zagora", "2022"} <= set(found)


@given(st.text(max_size=200))
def test_any_text_gives_words_that_can_be_searched(text: str) -> None:
    for forms in english.translated(text):
        assert forms
        assert all(form == french.fold(form) and form.strip() for form in forms)
