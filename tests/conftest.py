"""Parts the tests share: the real knowledge, its real index, the real bot, small folders of documents."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from bot.chain import Bot
from bot.settings import Settings
from index.build import build
from index.documents import COMMENT
from index.encoder import Encoder, EncoderName

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as evals has it; read when torch is loaded

settings.register_profile("repere", deadline=None)  # no test asserts how fast a machine is
settings.load_profile("repere")

ROOT = Path(__file__).parents[1]
KNOWLEDGE = ROOT / "knowledge"
BUILT = ROOT / Settings().index


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The bundled encoder."""
    return Encoder(EncoderName())


@pytest.fixture(scope="session")
def index_dir(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """The index of the repository's own knowledge, for all workers: a copy of what `make index` built where
    that is current, else built here.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "index"
    with FileLock(folder.with_suffix(".lock")):
        if BUILT.is_dir() and not folder.is_dir():
            shutil.copytree(BUILT, folder)
        build(KNOWLEDGE, folder, encoder=encoder)
    return folder


@pytest.fixture
def one_document(tmp_path: Path) -> Path:
    """A knowledge folder with one of the repository's documents, that on projects and funders, without its
    many example questions.
    """
    folder = tmp_path / "one"
    folder.mkdir()
    text = (KNOWLEDGE / "projets-et-bailleurs.md").read_text("utf-8")
    (folder / "projets-et-bailleurs.md").write_text(COMMENT.sub("", text), "utf-8")
    return folder


@pytest.fixture(scope="session")
def bot(index_dir: Path, encoder: Encoder) -> Bot:
    """The bot over that index."""
    return Bot.open(Settings(knowledge=KNOWLEDGE, index=index_dir), encoder)


@pytest.fixture
def folder_of(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Write a knowledge folder: relative path → text."""

    def write(files: dict[str, str]) -> Path:
        folder = tmp_path / "knowledge"
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return folder

    return write
