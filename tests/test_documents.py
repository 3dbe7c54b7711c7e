"""Reading a knowledge folder: what is a document, and what is said of files that are none."""

from collections.abc import Callable
from pathlib import Path

import pytest

from index.documents import read_knowledge
from index.errors import KnowledgeError

FolderOf = Callable[[dict[str, str]], Path]


def test_front_matter_is_optional(folder_of: FolderOf) -> None:
    folder = folder_of({"a/fiche.md": "# Le titre\n\nDu texte.", "note.txt": "Une note."})
    first, second = read_knowledge(folder).documents
    assert (first.id, first.title) == ("a/fiche", "Le titre")
    assert (second.id, second.title, second.text) == ("note", "note", "Une note.")


def test_front_matter_is_read_and_is_no_part_of_the_text(folder_of: FolderOf) -> None:
    head = "---\ntitle: Été\nsource: https://exemple.org\ndate: 2022-03-31\ntags: [a, b]\nquestions: [Quand]\n---\n"
    (document,) = read_knowledge(folder_of({"f.md": head + "Corps."})).documents
    assert document.text == "Corps."
    assert (document.title, document.date, document.tags) == ("Été", "2022-03-31", ("a", "b"))
    assert document.questions == ("Quand",)


def test_text_is_composed_and_line_ends_are_unified(folder_of: FolderOf) -> None:
    (document,) = read_knowledge(folder_of({"f.md": "e\u0301te\u0301\r\nsuite"})).documents
    assert document.text == "été\nsuite"


def test_readme_and_hidden_files_are_no_documents(folder_of: FolderOf) -> None:
    folder = folder_of({"f.md": "Texte.", "README.md": "Pour les auteurs.", ".brouillon.md": "Non."})
    assert [d.id for d in read_knowledge(folder).documents] == ["f"]


BAD = {
    "empty": b"",
    "only a heading": b"# Titre\n",
    "latin-1": "été".encode("latin-1"),
    "binary": b"\x89PNG\r\n\x1a\n\x00\x00",
    "nul bytes": b"du texte\x00",
    "front matter never closed": b"---\ntitle: a\n\ntexte",
    "front matter not YAML": b"---\ntitle: [a\n---\ntexte",
    "front matter no mapping": b"---\n- a\n---\ntexte",
    "title no text": b"---\ntitle: [a, b]\n---\ntexte",
    "date no date": b"---\ndate: hier\n---\ntexte",
    "20 MB": b"mot " * (20_000_000 // 4),
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_named_with_its_reason(folder_of: FolderOf, content: bytes) -> None:
    folder = folder_of({"bon.md": "Texte."})
    (folder / "mauvais.md").write_bytes(content)
    with pytest.raises(KnowledgeError) as caught:
        read_knowledge(folder)
    (bad,) = caught.value.files
    assert bad.path == "mauvais.md"
    assert bad.reason
    read = read_knowledge(folder, skip_bad=True)
    assert [d.id for d in read.documents] == ["bon"]
    assert read.skipped == (bad,)


def test_every_bad_file_is_reported_at_once(folder_of: FolderOf) -> None:
    folder = folder_of({"a.md": "", "b.md": "", "c.md": "Texte."})
    with pytest.raises(KnowledgeError) as caught:
        read_knowledge(folder)
    assert [f.path for f in caught.value.files] == ["a.md", "b.md"]


def test_two_files_with_one_id(folder_of: FolderOf) -> None:
    with pytest.raises(KnowledgeError) as caught:
        read_knowledge(folder_of({"f.md": "Un.", "f.txt": "Deux."}))
    assert caught.value.files[0].path == "f.txt"


def test_a_missing_or_empty_folder(tmp_path: Path) -> None:
    for folder in (tmp_path / "rien", tmp_path):
        with pytest.raises(KnowledgeError):
            read_knowledge(folder, skip_bad=True)


def test_the_digest_changes_with_the_text_alone(folder_of: FolderOf) -> None:
    folder = folder_of({"f.md": "Un."})
    before = read_knowledge(folder).digest
    assert read_knowledge(folder).digest == before
    (folder / "f.md").write_text("Deux.", "utf-8")
    assert read_knowledge(folder).digest != before
