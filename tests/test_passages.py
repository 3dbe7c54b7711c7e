"""Cutting: French sentences, headings, and offsets that always hold."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.documents import Document, read_knowledge
from index.passages import LONGEST, passages, sentences
from tests.conftest import KNOWLEDGE

TEXTS = st.lists(
    st.sampled_from(
        ["# Titre", "## L’été", "Une phrase.", "M. X est là.", "« Oui ! »", "- point", "1. un", "12,5 %", "le 3.02.2022",
         "…", "\n", "\n\n", "<!-- questions\nQui ?\n-->", "<!--", "-->", "  ", "œuvre", "👍", "\u00a0", "a" * 30, "http://x.fr/a.b?c=d"]
    ),
    max_size=60,
).map(" ".join) | st.text(max_size=400)  # fmt: skip


def cut(text: str) -> list[str]:
    return [text[a:b] for a, b in sentences(text)]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("M. Dupont est venu. Mme Martin aussi.", 2),
        ("Voir l’art. 3 du code. Voir aussi p. 12.", 2),
        ("Cela vaut 3.5 millions. C’est peu.", 2),
        ("Le 12.03.2022 à 10 h. Puis rien.", 2),
        ("J. R. Martin et l’O.N.U. ont signé.", 1),
        ("« Est-ce vrai ? » demande-t-il.", 1),
        ("Vraiment ? Oui ! Enfin…", 3),
        ("Des pommes, des poires, etc. sont là.", 1),
        ("Il a dit « non. » Puis il est parti.", 2),
        ("- un\n- deux\n- trois", 3),
        ("Une ligne\nqui continue. Fin.", 2),
    ],
)
def test_french_sentences(text: str, count: int) -> None:
    assert len(cut(text)) == count


def test_a_heading_is_never_in_a_passage_and_travels_as_title() -> None:
    document = Document("d", "Le document", "# Un\n\nAlpha.\n\n## Deux\n\nBêta.\n\n# Trois\n\nGamma.")
    assert [(p.title, p.text) for p in passages(document)] == [
        ("Le document › Un", "Alpha."),
        ("Le document › Un › Deux", "Bêta."),
        ("Le document › Trois", "Gamma."),
    ]


def test_example_questions_are_never_quoted_and_hold_until_the_next_heading() -> None:
    text = "# Un\n<!-- questions\nQui ?\n- Où donc ?\n-->\nAlpha. Bêta.\n<!-- relu -->\nGamma.\n\n## Deux\nDelta."
    cut = passages(Document("d", "Le document", text))
    assert [(p.text, p.questions) for p in cut] == [
        ("Alpha. Bêta.", ("Qui ?", "Où donc ?")),
        ("Gamma.", ("Qui ?", "Où donc ?")),
        ("Delta.", ()),
    ]


def test_questions_without_an_answer_stand_beside_a_passage_and_never_in_it() -> None:
    text = "# Un\n<!-- questions\nQui ?\n-->\n<!-- sans réponse\nCombien ?\n-->\nAlpha.\n\n## Deux\nBêta."
    cut = passages(Document("d", "Le document", text))
    assert [(p.text, p.questions, p.gaps) for p in cut] == [
        ("Alpha.", ("Qui ?",), ("Combien ?",)),
        ("Bêta.", (), ()),
    ]


@given(TEXTS)
def test_sentences_hold_every_visible_character_in_order(text: str) -> None:
    spans = sentences(text)
    assert all(a < b for a, b in spans)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
    assert all(text[a:b] == text[a:b].strip() for a, b in spans)
    outside = "".join(
        text[b:a] for (_, b), (a, _) in zip([(0, 0), *spans], [*spans, (len(text), 0)], strict=True)
    )
    assert not [c for c in outside if c.isalpha()]


@given(TEXTS)
def test_offsets_always_hold(text: str) -> None:
    document = Document("d", "Titre", text)
    found = passages(document)
    assert all(text[p.start : p.end] == p.text for p in found)
    assert len({p.id for p in found}) == len(found)
    assert all(len(p.text.split()) <= LONGEST or len(sentences(p.text)) == 1 for p in found)


def test_offsets_hold_in_the_real_documents() -> None:
    for document in read_knowledge(KNOWLEDGE).documents:
        found = passages(document)
        assert found
        assert all(document.text[p.start : p.end] == p.text for p in found)


def test_an_id_is_stable_while_its_text_is() -> None:
    before = {p.id for p in passages(Document("d", "T", "# A\n\nUn.\n\n# B\n\nDeux."))}
    after = {
        p.id for p in passages(Document("d", "T", "# Nouveau\n\nZéro.\n\n# A\n\nUn.\n\n# B\n\nDeux, changé."))
    }
    assert len(before & after) == 1


def test_a_large_document_is_cut_in_linear_time() -> None:
    text = "Une phrase de cinq mots. " * 40_000  # 1 MB; quadratic code would not end within the time limit
    assert sum(len(p.text.split()) for p in passages(Document("d", "T", text))) == 200_000
