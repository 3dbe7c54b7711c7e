"""Late interaction: what it compares, and that bytes and cuts keep it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from index.encoder import Encoder
from index.passages import sentences
from index.pieces import Pieces, match


def pieces(rows: int, width: int = 8, seed: int = 0) -> Pieces:
    """Some random pieces, each of one character."""
    vectors = np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    weights = np.full(rows, 1 / max(1, rows), dtype=np.float32)
    return Pieces(vectors, np.arange(1, rows + 1), weights, np.zeros((rows, 0), np.float32))


@given(st.integers(1, 6), st.integers(1, 12), st.integers(0, 99))
def test_a_passage_meets_a_question_at_least_as_well_as_each_sentence(
    asked: int, told: int, seed: int
) -> None:
    question, passage = pieces(asked, seed=seed), pieces(told, seed=seed + 100)
    met = match(question, [(passage.as_bytes(), passage.cuts([0, told // 2]))])[0]
    exact = float((question.vectors @ passage.vectors.T).max(axis=1).mean())
    assert abs(met.whole - exact) < 0.03  # eight coordinates, each within half of 1/127
    assert all(s <= met.whole + 1e-6 for s in met.sentences)
    assert len(met.sentences) == 2


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6)), max_size=4),
    st.integers(0, 99),
)
def test_passages_compared_together_are_met_as_each_alone(
    parts: list[tuple[int, int, int]], seed: int
) -> None:
    question = pieces(3, seed=seed)
    told = [
        (pieces(sum(sizes), seed=seed + i).as_bytes(), (sizes[0], sizes[0] + sizes[1], sum(sizes)))
        for i, sizes in enumerate(parts)
    ]
    for met, passage in zip(match(question, told), told, strict=True):
        assert np.allclose(met.cosines, match(question, [passage])[0].cosines, atol=1e-6)
        near = (passage[0].astype(np.float32) / 127) @ question.vectors.T
        for row, a, b in zip(met.cosines, (0, *passage[1]), passage[1], strict=False):
            assert np.allclose(row, near[a:b].max(axis=0) if b > a else -1.0, atol=1e-6)


def test_a_sentence_that_was_cut_off_has_its_title_alone() -> None:
    question, passage = pieces(3), pieces(5, seed=1)
    met = match(question, [(passage.as_bytes(), (2, 5, 5))])[0]
    assert abs(met.sentences[1] - float(met.cosines[0] @ met.weights)) < 1e-6
    assert met.sentences[0] >= met.sentences[1]


def test_the_bundled_encoder_gives_a_sentence_its_own_pieces() -> None:
    title, text = "Le port", "Le phare date de 1902. Un gardien y vit."
    encoder = Encoder()
    vector, read = next(encoder.read_passages([f"{title}. {text}"]))
    assert np.allclose(vector, encoder.passages([f"{title}. {text}"]), atol=1e-5)
    cuts = read.cuts([len(title) + 2 + a for a, _ in sentences(text)])
    for question, sentence in (("De quand date le phare ?", 0), ("Qui habite là, un gardien ?", 1)):
        asked = encoder.read_question(question)[1]
        assert abs(asked.weights.sum() - 1) < 1e-5
        met = match(asked, [(read.as_bytes(), cuts)])[0]
        assert int(np.argmax(met.sentences)) == sentence
        assert 0 <= met.unmet <= 2
