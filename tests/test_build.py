"""Building: re-use, atomic swap, one build at a time, damage found, a killed build changes nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import filelock
import pytest

from index.build import build, verify
from index.encoder import Encoder, EncoderName
from index.errors import BuildInProgress, IndexDamaged, IndexMissing, IndexOutdated, KnowledgeError
from index.retriever import HybridRetriever
from index.store import Generation, current
from tests.conftest import ROOT

FolderOf = Callable[[dict[str, str]], Path]
FILES = {
    "chats.md": "# Les chats\n\nLe chat dort seize heures par jour.\n\n# Les repas\n\nIl mange des croquettes.",
    "phares.md": "# Les phares\n\nLe phare de Cordouan date de 1611.",
}


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


def test_an_example_question_leads_to_its_passage(folder_of: FolderOf, index: Path) -> None:
    text = "# Le musée\n\n## Accès\nLe tramway y mène.\n\n## Caisse\n<!-- questions\nQuel est le prix du billet ?\n-->\nOn y laisse six écus.\n\n## Cour\nElle est pavée."
    build(folder_of({"musee.md": text}), index, encoder=EncoderName())
    verify(index)
    best = HybridRetriever(index=index, encoder=Encoder()).rank("prix du billet")[0]
    assert best.passage.text == "On y laisse six écus."
    assert best.asked > 0.7


def test_a_build_can_be_searched_and_verified(folder_of: FolderOf, index: Path) -> None:
    manifest = build(folder_of(FILES), index)
    assert (manifest.documents, manifest.passages, manifest.reused) == (2, 3, 0)
    assert verify(index) == manifest
    best = HybridRetriever(index=index, encoder=Encoder()).rank("De quand date le phare ?")[0]
    assert best.passage.document_id == "phares"


def test_building_the_same_again_writes_nothing(folder_of: FolderOf, index: Path) -> None:
    knowledge = folder_of(FILES)
    first = build(knowledge, index)
    name = current(index)
    assert build(knowledge, index) == first
    assert current(index) == name


def test_unchanged_passages_keep_their_vectors(folder_of: FolderOf, index: Path) -> None:
    knowledge = folder_of(FILES)
    build(knowledge, index)
    (knowledge / "phares.md").write_text("# Les phares\n\nLe phare de la Vieille date de 1887.", "utf-8")
    manifest = build(knowledge, index)
    assert (manifest.passages, manifest.reused) == (3, 2)
    assert verify(index) == manifest
    found = HybridRetriever(index=index, encoder=Encoder()).rank("phare de Cordouan 1611")
    assert not any("1611" in r.passage.text for r in found)


def test_a_server_that_runs_notices_a_new_generation(folder_of: FolderOf, index: Path) -> None:
    knowledge = folder_of(FILES)
    build(knowledge, index)
    retriever = HybridRetriever(index=index, encoder=Encoder())
    assert len(retriever.rank("chat")) == 3
    (knowledge / "velo.md").write_text("Le vélo a deux roues.", "utf-8")
    build(knowledge, index)
    assert retriever.invoke("vélo")[0].metadata["document_id"] == "velo"


def test_a_bad_file_stops_the_build_and_the_old_generation_stays(folder_of: FolderOf, index: Path) -> None:
    knowledge = folder_of(FILES)
    build(knowledge, index)
    name = current(index)
    (knowledge / "cassé.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KnowledgeError):
        build(knowledge, index)
    assert current(index) == name
    manifest = build(knowledge, index, skip_bad=True)
    assert [f["path"] for f in manifest.skipped] == ["cassé.md"]


def test_a_second_build_while_one_runs_is_refused(folder_of: FolderOf, index: Path) -> None:
    index.mkdir()
    with filelock.FileLock(index / "LOCK"), pytest.raises(BuildInProgress):
        build(folder_of(FILES), index)


def test_a_killed_build_leaves_the_old_generation(folder_of: FolderOf, index: Path) -> None:
    knowledge = folder_of(FILES)
    before = build(knowledge, index)
    name = current(index)
    (knowledge / "long.md").write_text("\n\n".join(f"# Partie {i}\n\nTexte {i}." for i in range(60)), "utf-8")
    killed = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(knowledge), str(index)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert killed.stdout is not None
    assert killed.stdout.readline().strip() == "half way"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert len(list((index / "generations").iterdir())) == 2
    assert current(index) == name
    assert verify(index) == before
    assert build(knowledge, index).documents == 3
    assert verify(index).documents == 3


# Stops for ever in the last step before the swap, as a slow disk would, until it is killed.
KILLED = """
import sys, threading
from pathlib import Path
import index.build as b
class Halting(b.Manifest):
    def write(self, folder):
        print("half way", flush=True)
        threading.Event().wait()
b.Manifest = Halting
b.build(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def damage_vectors(generation: Path) -> None:
    shutil.rmtree(generation / "chroma")


def damage_text(generation: Path) -> None:
    path = generation / "documents.jsonl"
    path.write_text(path.read_text("utf-8").replace("seize", "treize"), "utf-8")


def damage_document(generation: Path) -> None:
    path = generation / "documents.jsonl"
    path.write_text(path.read_text("utf-8").replace('"text":', '"texte":', 1), "utf-8")


def damage_manifest(generation: Path) -> None:
    (generation / "manifest.json").write_text("{", "utf-8")


def damage_count(generation: Path) -> None:
    path = generation / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"passages": 7}), "utf-8")


def damage_words(generation: Path) -> None:
    for file in (generation / "lexical").iterdir():
        os.truncate(file, file.stat().st_size // 2)


@pytest.mark.parametrize(
    "damage",
    [damage_vectors, damage_text, damage_document, damage_manifest, damage_count, damage_words],
)
def test_damage_is_found(folder_of: FolderOf, index: Path, damage: Callable[[Path], None]) -> None:
    build(folder_of(FILES), index)
    damage(index / "generations" / current(index))
    with pytest.raises(IndexDamaged) as caught:
        verify(index)
    assert caught.value.command
    build(folder_of(FILES), index, fresh=True)
    verify(index)


def test_documents_come_back_one_by_one(folder_of: FolderOf, index: Path) -> None:
    build(folder_of(FILES), index)
    documents = Generation(index / "generations" / current(index)).documents
    assert [d.id for d in documents] == sorted(d.id for d in documents)
    assert len(documents) == len(list(documents)) == len(FILES)
    assert all(documents.get(d.id) == d for d in documents)
    assert documents.get("rien de tel") is None


def test_no_index(index: Path) -> None:
    with pytest.raises(IndexMissing):
        verify(index)


def test_an_index_of_another_encoder_or_version_is_refused(folder_of: FolderOf, index: Path) -> None:
    build(folder_of(FILES), index)
    manifest = index / "generations" / current(index) / "manifest.json"
    raw = json.loads(manifest.read_text("utf-8"))
    for change in ({"encoder": "another@123"}, {"format": 0}):
        manifest.write_text(json.dumps(raw | change), "utf-8")
        with pytest.raises(IndexOutdated):
            HybridRetriever(index=index, encoder=Encoder(EncoderName())).rank("chat")


def test_old_generations_are_tidied(folder_of: FolderOf, index: Path) -> None:
    knowledge = folder_of(FILES)
    for i in range(4):
        (knowledge / "n.md").write_text(f"Version {i}.", "utf-8")
        build(knowledge, index)
    assert len(list((index / "generations").iterdir())) == 2
