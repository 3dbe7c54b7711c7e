"""What a question is about: names and times, without what it says of who asks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.subjects import names_in, times_in, without_asker
from index import french


@pytest.mark.parametrize(
    ("question", "left_out"),
    [
        ("Je travaille à Oujda pour une ONG, qui finance COMPASS ?", "Oujda"),
        ("Suite à votre mail du 12 mai, pouvez-vous me redire quand a eu lieu la session ?", "mai"),
        ("Mme Alaoui, ma cheffe au HCR, aimerait savoir quels thèmes ont été abordés en 2022", "Alaoui"),
        ("Mon ami Karim, qui vit à Lyon, m’a parlé du PRM. De quel pays est ce bureau ?", "Karim"),
        ("Dans quelles villes avez-vous fait des formations ? J’habite à Fès.", "Fès"),
        ("Pour mon mémoire de 2025, je cherche le nombre d’États membres.", "2025"),
        ("I live in Oujda, who funds COMPASS?", "Oujda"),
    ],
)
def test_what_concerns_the_asker_is_left_out(question: str, left_out: str) -> None:
    assert left_out not in without_asker(question)


@pytest.mark.parametrize(
    "question",
    [
        "En 2014, combien de femmes ont participé ?",
        "Depuis quand l’OIM est-elle présente en Tunisie ?",
        "formations 2018 bailleurs",
        "Et à Nador ?",
        "Qui est Madame Alaoui ?",
        "Un collègue est venu à Nador. Quels jours était-ce ?",
    ],
)
def test_what_is_asked_about_stays(question: str) -> None:
    assert without_asker(question) == question


@given(st.text(max_size=300))
def test_something_is_always_left(text: str) -> None:
    left = without_asker(text)
    assert left == text or french.words(left)
    assert set(french.words(left)) <= set(french.words(text))


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("Combien de gens à Nador et à Fès ?", {"nador", "fes"}),
        ("qui finance l’unicef au cameroun", {"unicef", "cameroun"}),
        ("OTAN sigle", {"otan"}),
        ("QUI A PAYÉ LES FORMATIONS ?", set()),
        ("Bonjour. Formations de la région, dates svp", set()),
    ],
)
def test_names(question: str, names: set[str]) -> None:
    assert names_in(question, french.words(question)) == names


def test_years_and_months_are_times() -> None:
    assert times_in(french.words("en mars 2014, 70 personnes en 3 jours")) == {"mars", "2014"}
