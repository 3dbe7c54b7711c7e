"""The bundled model reads passages beside a question: which answers, in which sentence, in which words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from evals.cases import Case
from evals.reading import area, read_all, scores
from index.encoder import Encoder
from index.pieces import Bytes

LIGHTHOUSE = ("Le phare", "Le phare date de 1902. Un gardien y vit avec sa famille.")
MUSEUM = ("Le musée", "Le musée est ouvert le mardi et le jeudi. L’entrée coûte cinq euros.")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder()


def told(encoder: Encoder, title: str, text: str) -> tuple[str, str, Bytes]:
    """A passage as an index holds it."""
    return title, text, next(encoder.read_passages([f"{title}. {text}"]))[1].as_bytes()


@pytest.mark.parametrize(
    ("question", "passage", "sentence"),
    [
        ("De quand date le phare ?", 0, 0),
        ("Qui vit dans le phare ?", 0, 1),
        ("Quels jours le musée est-il ouvert ?", 1, 0),
        ("Combien coûte l’entrée ?", 1, 1),
    ],
)
def test_the_right_passage_and_sentence_are_the_likeliest(
    encoder: Encoder, question: str, passage: int, sentence: int
) -> None:
    judged = encoder.judge(question, [told(encoder, *LIGHTHOUSE), told(encoder, *MUSEUM)])
    assert int(np.argmax([max(j.margins) for j in judged])) == passage
    assert int(np.argmax(judged[passage].margins)) == sentence


def test_the_span_lies_in_the_text_and_keeps_whole_words(encoder: Encoder) -> None:
    (judged,) = encoder.judge("De quand date le phare ?", [told(encoder, *LIGHTHOUSE)])
    start, end = judged.span
    text = LIGHTHOUSE[1]
    assert "1902" in text[start:end]
    assert text[start:end].strip() == text[start:end]


def test_what_is_said_of_a_passage_does_not_hang_on_those_beside_it(encoder: Encoder) -> None:
    question, long = "De quand date le phare ?", ("Le port", "Le port est grand. " * 90)
    alone = encoder.judge(question, [told(encoder, *LIGHTHOUSE)])
    beside = encoder.judge(question, [told(encoder, *long), told(encoder, *LIGHTHOUSE)])
    assert beside[1].margins == pytest.approx(alone[0].margins, abs=1e-3)
    assert beside[1].span == alone[0].span
    assert len(beside[0].margins) == 90  # also those beyond the pieces that are read


def test_nothing_to_read_is_nothing_to_say(encoder: Encoder) -> None:
    assert encoder.judge("De quand date le phare ?", []) == []
    (judged,) = encoder.judge("", [told(encoder, *LIGHTHOUSE)])
    assert judged.span == (0, 0)


def test_questions_are_scored_beside_their_own_paragraph(encoder: Encoder) -> None:
    painted = ("Le phare", "Des élèves ont peint la porte en rouge.")
    documents = {"phare": LIGHTHOUSE, "porte": painted, "musee": MUSEUM}
    cases = [
        Case("date", "De quand date le phare ?", facts=(("1902", "en 1902"),), documents=("phare",)),
        Case("prix", "Combien coûte l’entrée ?", facts=(("cinq euros",),), documents=("musee",)),
    ]
    date, price = read_all(cases, documents, encoder, None)
    assert (date.right, price.right) == (1, 1)
    assert 0 < date.f1 <= 1
    assert date.beside is not None
    assert date.sure > date.beside
    assert price.beside is None
    told = scores([date, price])
    assert told["right sentence"] == (1, 1, 1)
    low, high = told["token F1"][1:]
    assert 0 <= low <= told["token F1"][0] <= high <= 1


@given(
    st.lists(st.integers(-5, 5), min_size=2, max_size=30),
    st.lists(st.integers(-5, 5), min_size=2, max_size=30),
)
def test_the_area_under_the_curve_is_that_of_scikit_learn(rights: list[int], wrongs: list[int]) -> None:
    value, low, high = area(rights, wrongs)
    labels = [1] * len(rights) + [0] * len(wrongs)
    assert value == pytest.approx(roc_auc_score(labels, rights + wrongs))
    assert low <= value <= high
