"""Example questions told apart: a question goes to the passage whose examples it resembles."""

import numpy as np

from index.encoder import Encoder
from index.examples import NOTHING, fit

EXAMPLES = {
    "tarifs": ["Combien coûte l’entrée ?", "Quel est le prix du billet ?", "C’est payant ?"],
    "horaires": ["À quelle heure ouvrez-vous ?", "Êtes-vous ouverts le dimanche ?", "Quand fermez-vous ?"],
    NOTHING: ["Qui est le directeur ?", "Comment s’appelle le gardien ?"],
}


def test_a_new_question_goes_to_its_passage_or_to_none() -> None:
    encoder = Encoder()
    learned = fit(
        ((i, asked, encoder.queries(asked)) for i, asked in EXAMPLES.items()), encoder.dimensions, 3
    )
    for question, wanted in (
        ("Faut-il payer pour entrer ?", "tarifs"),
        ("Vous ouvrez à quelle heure le samedi ?", "horaires"),
        ("Quel est le nom de la directrice ?", NOTHING),
    ):
        found = learned.probabilities(question, encoder.query(question))
        assert max(found, key=found.__getitem__) == wanted


def test_without_examples_nothing_is_learned() -> None:
    row = np.ones((1, 4), np.float32)
    assert fit([("", ["Quoi ?"], row)], 4, 1).probabilities("Quoi ?", row) == {}
    assert fit([], 4, 0).probabilities("Quoi ?", row) == {}


def test_words_tell_apart_what_vectors_do_not() -> None:
    vectors = np.ones((3, 4), np.float32) / 2
    learned = fit(
        [
            ("rabat", ["Quand à Rabat ?", "Les dates de Rabat ?", "Rabat, quels jours ?"], vectors),
            ("fes", ["Quand à Fès ?", "Les dates de Fès ?", "Fès, quels jours ?"], vectors),
        ],
        4,
        100,
    )
    found = learned.probabilities("Rabat, c’était quel mois ?", vectors[:1])
    assert found["rabat"] > 0.9
    assert 0.1 < learned.probabilities("Et là ?", vectors[:1])["rabat"] < 0.9


def test_many_examples_are_believed_and_few_are_not() -> None:
    vectors = np.eye(2, 4, dtype=np.float32)
    rows = [("rabat", ["Rabat ?"], vectors[:1]), ("fes", ["Fès ?"], vectors[1:])]
    shares = [sum(fit(rows, 4, each).probabilities("Rabat ?", vectors[:1]).values()) for each in (1, 10, 100)]
    assert 0 < shares[0] < 0.2 < shares[1] < 0.9 < shares[2] <= 1
