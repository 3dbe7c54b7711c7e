"""The bundled model reads passages beside a question: which answers, in which sentence, in which words."""

import numpy as np
import pytest

from index.encoder import Encoder
from index.passages import sentences
from index.pieces import Bytes

LIGHTHOUSE = ("Le phare", "Le phare date de 1902. Un gardien y vit avec sa famille.")
MUSEUM = ("Le musée", "Le musée est ouvert le mardi et le jeudi. L’entrée coûte cinq euros.")


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder()


def told(encoder: Encoder, title: str, text: str) -> tuple[str, str, Bytes, tuple[int, ...]]:
    """A passage as an index holds it."""
    pieces = next(encoder.read_passages([f"{title}. {text}"]))[1]
    return title, text, pieces.as_bytes(), pieces.cuts([len(title) + 2 + a for a, _ in sentences(text)])


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
    question, long = "De quand date le phare ?", ("Le port", "Le port est grand. " * 40)
    alone = encoder.judge(question, [told(encoder, *LIGHTHOUSE)])
    beside = encoder.judge(question, [told(encoder, *long), told(encoder, *LIGHTHOUSE)])
    assert beside[1].margins == pytest.approx(alone[0].margins, abs=1e-3)
    assert beside[1].span == alone[0].span
    assert len(beside[0].margins) == 40


def test_nothing_to_read_is_nothing_to_say(encoder: Encoder) -> None:
    assert encoder.judge("De quand date le phare ?", []) == []
    (judged,) = encoder.judge("", [told(encoder, *LIGHTHOUSE)])
    assert judged.span == (0, 0)
