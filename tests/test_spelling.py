"""Misspelt words are mended by the words of the passages and by common French; names and rare words stay."""

import pytest

from bot.chain import Bot
from bot.spelling import respelled


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Quand c'est deroulé la formtion de Marakech ?", "Quand c'est deroulé la formation de Marrakech ?"),
        ("quelle est la durrée des formasions", "quelle est la durée des formations"),
        (
            "Depuis cmbien de temps l'OIM est presnte au Marroc",
            "Depuis combien de temps l'OIM est présente au Maroc",
        ),
        (
            "quels etaient les themes des formations a Rabat",
            "quels étaient les thèmes des formations a Rabat",
        ),
        ("Qi finance ? kan et pr koi ?", "Qui finance ? quand et pour quoi ?"),
        ("Quelle pomrte ouvre une gaarntie ?", "Quelle porte ouvre une garantie ?"),  # in no passage
        ("le mineur non acompagné de loim", "le mineur non accompagné de l’oim"),
        ("lé kestions o buro", "les questions au bureau"),
        ("QUELLE EST LA DUREE DES FORMASIONS ?", "QUELLE EST LA DURÉE DES FORMATIONS ?"),
    ],
)
def test_typos_are_mended(bot: Bot, typed: str, meant: str) -> None:
    assert respelled(typed, bot.retriever.rank(typed)) == meant


@pytest.mark.parametrize(
    "question",
    [
        "Que s’est-il passé à Agadir ?",
        "Y a-t-il eu une formation à Tanger ?",
        "Qui dirige le bureau de Dakar ?",
        "How many wommen took part?",
        "Qui finance le projet ?",
        "Que fait le Pr Ki Moon ?",
        "Était-ce un cours magistral barbant ? Dépendez-vous de M. Kaguat ?",
        "Quel est le budget de la coordination ?",
        "",
        "😀 <b>12</b>",
    ],
)
def test_names_and_right_words_stay(bot: Bot, question: str) -> None:
    assert respelled(question, bot.retriever.rank(question)) == question


def test_the_answer_says_how_a_misspelt_question_was_understood(bot: Bot) -> None:
    answer = bot.invoke("quelle est la durrée des formasions")
    assert not answer.refused
    assert answer.question != answer.standalone_question == "quelle est la durée des formations"
