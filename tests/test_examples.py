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
    learned = fit(((i, encoder.queries(asked)) for i, asked in EXAMPLES.items()), encoder.dimensions)
    for question, wanted in (
        ("Faut-il payer pour entrer ?", "tarifs"),
        ("Vous ouvrez à quelle heure le samedi ?", "horaires"),
        ("Quel est le nom de la directrice ?", NOTHING),
    ):
        found = learned.probabilities(encoder.query(question))
        assert max(found, key=found.__getitem__) == wanted


def test_without_examples_nothing_is_learned() -> None:
    row = np.ones((1, 4), np.float32)
    assert fit([("", row)], 4).probabilities(row) == {}
    assert fit([], 4).probabilities(row) == {}
