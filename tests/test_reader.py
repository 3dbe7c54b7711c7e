"""Reading: which kind of value is asked for, where it stands, and the decisive words."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.kinds import Kind, kind_of, values, wants_several
from bot.reader import FEATURES, decisive, features
from index.encoder import Encoder
from index.retriever import HybridRetriever


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Quand a eu lieu la formation ?", Kind.DATE),
        ("quelles etaient les dates", Kind.DATE),
        ("Combien de temps a-t-elle duré ?", Kind.DURATION),
        ("Combien de femmes ?", Kind.NUMBER),
        ("Quel est le budget du projet ?", Kind.MONEY),
        ("Où se trouve le bureau ?", Kind.PLACE),
        ("Dans quelles villes ?", Kind.PLACE),
        ("Qui a financé le projet ?", Kind.NAME),
        ("Quel est le numéro de téléphone ?", Kind.CONTACT),
        ("Pourquoi ce projet ?", Kind.REASON),
        ("Que signifie le sigle ?", Kind.DEFINITION),
        ("When did it start?", Kind.DATE),
        ("How many people came?", Kind.NUMBER),
        ("conbien de femmes", Kind.NUMBER),
        ("combiens d'hommes", Kind.NUMBER),
        ("qaund a eu lieu la formation", Kind.DATE),
        ("Depuis combien de temps existe-t-elle ?", Kind.DATE),
        ("Le programme combine-t-il plusieurs aides ?", Kind.OTHER),
        ("Le projet ou la formation", Kind.OTHER),
    ],
)
def test_the_kind_asked_for(question: str, kind: Kind) -> None:
    assert kind_of(question) is kind


@pytest.mark.parametrize(
    ("question", "sentence", "expected"),
    [
        ("Quand ?", "Le cours a eu lieu du 3 au 5 mai 2021 à Lyon.", ["du 3 au 5 mai 2021"]),
        ("Depuis quand ?", "Elle existe depuis 1951.", ["1951"]),
        ("Combien de jours dure-t-il ?", "Il a duré deux jours et demi.", ["deux jours et demi"]),
        ("Où ?", "Le cours a eu lieu à Lyon et à Aix-en-Provence.", ["à Lyon", "à Aix-en-Provence"]),
        ("Où ?", "Le cours a eu lieu dans deux villes : Lyon et Nantes.", ["Lyon et Nantes"]),
        ("Depuis combien de temps ?", "Elle existe depuis quinze ans.", ["depuis quinze ans"]),
        ("Qui le finance ?", "Il est financé par le Ministère de la Justice.", ["Ministère de la Justice"]),
        ("Combien ça coûte ?", "L’entrée est à 12 euros.", ["12 euros"]),
    ],
)
def test_decisive_words(question: str, sentence: str, expected: list[str]) -> None:
    found = [sentence[a:b] for a, b in decisive(question, sentence)]
    assert all(any(e in f for f in found) for e in expected)


def test_the_number_of_the_noun_that_was_asked_for() -> None:
    sentence = "Les trois cours de 2022 ont réuni 70 participants : 35 femmes et 35 hommes."
    assert [sentence[a:b] for a, b in decisive("Combien de participants ?", sentence)] == ["70 participants"]


@given(st.text(max_size=80), st.text(max_size=200), st.sampled_from(Kind))
def test_spans_lie_in_the_sentence(question: str, sentence: str, kind: Kind) -> None:
    for start, end in [*values(kind, sentence, question), *decisive(question, sentence)]:
        assert 0 <= start < end <= len(sentence)


def test_a_plural_question_wants_several() -> None:
    assert wants_several("Quelles villes ?")
    assert not wants_several("Quelle ville ?")


@pytest.mark.parametrize(
    ("question", "strange"),
    [
        ("Combien de femmes ont participé aux formations de 2022 ?", set()),
        ("Combien de femmes ont participé aux formations de 2014 ?", {"strange_time"}),
        ("formation octobre dates", {"strange_time"}),
        ("Qui a financé les formations de l’OIM au Cameroun ?", {"strange_name"}),
        ("qui a financé les formations au cameroun", {"strange_name"}),
        ("QUI A PAYÉ LES FORMATIONS ?", set()),
        ("Bonjour. Formations de Rabat, dates svp", set()),
        ("How many women took part in Morocco?", set()),
        ("How many women took part in Cameroon in 2014?", {"strange_name", "strange_time"}),
    ],
)
def test_names_and_times_that_no_passage_holds_are_noticed(
    index_dir: Path, question: str, strange: set[str]
) -> None:
    retriever = HybridRetriever(index=index_dir, encoder=Encoder())
    _, rows = features(question, retriever.rank(question, 6))
    noticed = {name for name in ("strange_name", "strange_time") if rows[0][FEATURES.index(name)]}
    assert noticed == strange
