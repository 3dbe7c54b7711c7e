"""Searching: spelling, meaning, LangChain's interface, scores that can be compared."""

from pathlib import Path

import pytest

from index.encoder import Encoder
from index.retriever import HybridRetriever


@pytest.fixture(scope="module")
def retriever(index_dir: Path) -> HybridRetriever:
    return HybridRetriever(index=index_dir, encoder=Encoder())


@pytest.mark.parametrize(
    "question",
    [
        "Quelles étaient les dates de la formation de Casablanca ?",
        "dates formation casablanca",
        "DATES FORMATION CASABLANCA",
        "quelles etaient les dates de la formatoin de Casablnca",
        "l'date d'la formation d’Casablanca",
    ],
)
def test_spelling_does_not_hide_the_document(retriever: HybridRetriever, question: str) -> None:
    best = retriever.rank(question)
    assert best[0].passage.document_id == "formations-2022-dates-et-lieux"


def test_an_english_question_finds_a_french_document(retriever: HybridRetriever) -> None:
    found = [r.passage.document_id for r in retriever.rank("How many women took part in the trainings?", 3)]
    assert "formations-2022-participants-et-intervenants" in found


def test_scores_are_ranked_and_bounded(retriever: HybridRetriever) -> None:
    scores = [r.score for r in retriever.rank("Qui finance le projet COMPASS ?")]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= s <= 1 for s in scores)
    assert len(scores) == retriever.count


@pytest.mark.parametrize(
    "question", ["", "   ", "?!", "👍👍", "\x00", "' OR 1=1 --", "\ud800", "mot " * 3000, 'text:"a" AND (']
)
def test_any_text_can_be_searched(retriever: HybridRetriever, question: str) -> None:
    assert len(retriever.rank(question.encode("utf-8", "replace").decode("utf-8"))) <= retriever.count


def test_langchain_documents_carry_offsets(retriever: HybridRetriever) -> None:
    texts = {d.id: d.text for d in retriever.generation().documents}
    for document in retriever.invoke("Où se sont tenues les formations ?"):
        meta = document.metadata
        assert texts[meta["document_id"]][meta["start"] : meta["end"]] == document.page_content


def test_each_half_of_the_search_is_alive(retriever: HybridRetriever) -> None:
    generation = retriever.generation()
    assert generation.lexical.stems("COMPASS", 5)
    assert generation.lexical.grams("COMPAS", 5)
    near = generation.nearest(retriever.encoder.query("Qui paie les projets ?"), 5)
    assert all(-1 <= cosine <= 1.001 for cosine in near.values())
    assert list(near.values()) == sorted(near.values(), reverse=True)


def test_only_what_may_be_overtaken_is_read_beside_others(
    retriever: HybridRetriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = [
        "Pourquoi les Pays-Bas ont-ils choisi de financer COMPASS ?",
        "Depuis quelle année l'OIM est-elle présente en Tunisie ?",
        "Qui sont les partenaires de mise en œuvre de COMPASS ?",
    ]
    soon = [retriever.rank(q) for q in questions]
    monkeypatch.setattr("index.retriever.SAID", 1e9)  # whatever is said of the first, all three are read
    late = [retriever.rank(q) for q in questions]
    assert [r[0].passage.id for r in soon] == [r[0].passage.id for r in late]
    assert sum(bool(p.margins) for r in soon for p in r) < sum(bool(p.margins) for r in late for p in r)
