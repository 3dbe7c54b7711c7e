"""The language of a question, and what a question in each language is answered with."""

import pytest

from bot import phrases
from bot.answers import Question, Reason, Turn
from bot.chain import Bot
from bot.translations import ANSWERED_LANGUAGES, IN_ENGLISH
from index.languages import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Qui finance COMPASS ?", "fr"),
        ("dates casablanca", "fr"),
        ("c koi le RSA", "fr"),
        ("qui a paye les formatoins", "fr"),
        ("Combien de participants", "fr"),
        ("Who funds COMPASS?", "en"),
        ("How many women?", "en"),
        ("opening hours please", "en"),
        ("¿Quién financia el proyecto?", "es"),
        ("¿Dónde está la oficina?", "es"),
        ("Chi finanzia il progetto?", "it"),
        ("Wer finanziert das Projekt?", "de"),
        ("Quem financia o projeto?", "pt"),
        ("Wie betaalt de opleiding?", "nl"),
        ("Projeyi kim finanse ediyor?", "tr"),
        ("من يمول المشروع؟", "ar"),
        ("Кто финансирует проект?", "ru"),
        ("Хто фінансує проєкт?", "uk"),
        ("谁资助这个项目？", "zh"),
        ("誰が資金を出していますか？", "ja"),
        ("ⵎⴰⵏⵡⴰ ⵉⵜⵜⵅⵍⵍⵚⵏ", "zgh"),
    ],
)
def test_three_words_tell_the_language(text: str, language: str) -> None:
    assert language_of(text) == language


def test_a_name_alone_is_in_the_language_of_the_question_before() -> None:
    assert language_of("Casablanca?", ("When was the training in Rabat?",)) == "en"
    assert language_of("Casablanca ?", ("Quand a eu lieu la formation de Rabat ?",)) == "fr"
    assert language_of("Casablanca?") == "fr"


@pytest.mark.parametrize(
    ("text", "language"),
    [("من يمول هذه الدورات؟", "ar"), ("¿Quién financia las formaciones?", "es"), ("Кто финансирует?", "ru")],
)
def test_another_language_gets_one_sentence_of_its_own(bot: Bot, text: str, language: str) -> None:
    answer = bot.invoke(text)
    assert (answer.refused, answer.reason) == (True, Reason.UNREADABLE)
    assert answer.text == ANSWERED_LANGUAGES[language]


def test_a_script_that_is_not_known_gets_both_languages(bot: Bot) -> None:
    answer = bot.invoke("ვინ აფინანსებს პროექტს?")
    assert answer.refused
    assert phrases.UNREADABLE in answer.text


def test_an_english_question_is_answered_with_french_quotes(bot: Bot) -> None:
    answer = bot.invoke("Who funds the COMPASS project?")
    assert "Pays-Bas" in answer.text
    assert answer.language == "en"


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("What is the recipe for apple pie?", phrases.NO_ANSWER),
        ("Hello", phrases.HELLO),
        ("Help me, I am in danger", phrases.NEEDS_PERSON),
    ],
)
def test_the_words_around_are_english(bot: Bot, text: str, phrase: str) -> None:
    answer = bot.invoke(text)
    assert IN_ENGLISH[phrase] in answer.text
    assert phrase not in answer.text


def test_the_source_is_told_in_english(bot: Bot) -> None:
    history = (Turn("user", "Who funds COMPASS?"), Turn("assistant", bot.invoke("Who funds COMPASS?").text))
    answer = bot.invoke(Question("What is the source?", history))
    assert answer.citations
    assert answer.text.startswith(IN_ENGLISH[phrases.SAID_BY].partition("{")[0])


def test_every_translation_keeps_its_places() -> None:
    import string

    def places(text: str) -> list[str | None]:
        return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)

    assert [fr for fr, en in IN_ENGLISH.items() if places(fr) != places(en)] == []
