"""The commands as other programs call them: exit codes, JSON lines, one French sentence for an error."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


def run(
    *words: str, text: str = "", env: dict[str, str] | None = None, raw: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    given = raw if raw is not None else text.encode()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("REPERE_")} | (env or {})
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        input=given,
        capture_output=True,
        env=environment,
        check=False,
    )


def test_ask_answers_refuses_and_fails_with_its_exit_codes(index_dir: Path, tmp_path: Path) -> None:
    place = ("--index", str(index_dir))
    told = run("bot", "ask", "Qui a financé les formations ?", *place)
    assert (told.returncode, told.stderr) == (0, b"")
    assert "Danemark" in told.stdout.decode()
    refused = run("bot", "ask", "recette de la tarte aux pommes", "--json", *place)
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["refused"] is True
    missing = run("bot", "ask", "Qui ?", "--index", str(tmp_path / "rien"))
    assert missing.returncode == 2
    assert len(missing.stderr.decode().strip().splitlines()) == 1
    assert "python -m index build" in missing.stderr.decode()


# What libraries make of the widest instructions they find, held to AVX2: all that is asked for.
AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
}


def test_answers_are_the_same_on_a_processor_with_avx2_alone(index_dir: Path) -> None:
    asked = [
        "Qui a financé les formations ?",
        "Où les participants ont-ils travaillé en groupe ?",
        "qi a donné l'argen pour COMPASS ?",
        "Combien de juges ont été formés ?",
        "Who paid for the trainings?",
        "Quel est le budget de l’OIM Maroc ?",
    ]
    text = "\n".join(json.dumps({"question": question}) for question in asked)
    runs = [run("bot", "batch", "--index", str(index_dir), text=text, env=env) for env in ({}, AVX2)]
    wide, narrow = ([json.loads(line) for line in done.stdout.splitlines()] for done in runs)
    assert len(wide) == len(asked)
    for one, other in zip(wide, narrow, strict=True):
        for key in ("standalone_question", "answer", "refused", "citations"):
            assert one[key] == other[key]
        # where a number in single precision lies between two steps of `index.linear`, either is taken
        assert one["confidence"] == pytest.approx(other["confidence"], abs=0.01)


def test_a_document_that_cannot_be_read_is_one_sentence(index_dir: Path, tmp_path: Path) -> None:
    damaged = shutil.copytree(index_dir, tmp_path / "index")
    for file in damaged.glob("generations/*/documents.jsonl"):
        file.write_text(file.read_text("utf-8").replace('"text":', '"texte":'), "utf-8")
    for words in (("ask", "Qui a financé les formations ?"), ("chat",)):
        done = run("bot", *words, "--index", str(damaged), text="Qui a financé les formations ?\n")
        assert done.returncode == 2
        assert len(done.stderr.decode().strip().splitlines()) == 1
        assert "python -m index build" in done.stderr.decode()


def test_batch_gives_one_line_a_line_in_order(index_dir: Path) -> None:
    turns = [
        {"role": "user", "content": "Quand a eu lieu la formation à Rabat ?"},
        {"role": "assistant", "content": "…"},
    ]
    rows = [
        json.dumps({"id": 1, "question": "Qui a financé les formations ?"}),
        "pas du json",
        json.dumps({"id": "2", "question": "Et à Casablanca ?", "history": turns}),
        json.dumps({"id": 3}),
        json.dumps({"id": 4, "question": "x", "history": [{"role": "system", "content": "y"}]}),
        "[" * 100_000,
        json.dumps({"id": 5, "question": "\ud800 recette de crêpes"}),
    ]
    done = run("bot", "batch", "--index", str(index_dir), raw="\n".join(rows).encode() + b"\n\xff\xfe\n")
    assert done.returncode == 2
    out = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert ["error" in row for row in out] == [False, True, False, True, True, True, False, True]
    assert [row["id"] for row in out if "id" in row] == [1, "2", 5]
    assert "Casablanca" in out[2]["answer"]
    assert out[6]["refused"]
    assert len(out[6]["passages"]) == 10
    wanted = {
        "id",
        "question",
        "standalone_question",
        "answer",
        "refused",
        "reason",
        "confidence",
        "citations",
        "passages",
        "seconds",
    }
    assert all(wanted <= row.keys() for row in out if "error" not in row)
    assert {"number", "document", "title", "source", "quote", "start", "end", "highlights"} == out[0][
        "citations"
    ][0].keys()


def test_a_clean_batch_exits_zero(index_dir: Path) -> None:
    done = run("bot", "batch", "--index", str(index_dir), text='{"id": 1, "question": "Bonjour"}\n')
    assert done.returncode == 0


def test_chat_in_a_terminal_remembers_the_turn_before(index_dir: Path) -> None:
    said = run(
        "bot",
        "chat",
        "--index",
        str(index_dir),
        text="Quand a eu lieu la formation à Rabat ?\nEt à Casablanca ?\n",
    )
    assert said.returncode == 0
    assert "22 au 24 mars 2022" in said.stdout.decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [("REPERE_PORT", "http"), ("REPERE_ENCODER", "./nulle-part"), ("REPERE_READER", "./nulle-part")],
)
def test_a_bad_setting_is_one_french_sentence(index_dir: Path, name: str, value: str) -> None:
    done = run("bot", "ask", "Qui ?", "--index", str(index_dir), env={name: value, "HF_HUB_OFFLINE": "1"})
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert name in done.stderr.decode()


def test_the_index_command_builds_verifies_and_searches(tmp_path: Path, one_document: Path) -> None:
    place = ("--index", str(tmp_path / "index"))
    assert run("index", "build", "--knowledge", str(one_document), *place).returncode == 0
    assert run("index", "verify", *place).returncode == 0
    found = run("index", "search", "COMPASS", "--json", *place)
    assert json.loads(found.stdout.splitlines()[0])["document_id"] == "projets-et-bailleurs"


def test_the_index_command_names_a_bad_file(tmp_path: Path) -> None:
    (tmp_path / "k").mkdir()
    (tmp_path / "k" / "vide.md").write_bytes(b"")
    done = run("index", "build", "--knowledge", str(tmp_path / "k"), "--index", str(tmp_path / "i"))
    assert done.returncode == 2
    assert "vide.md" in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_every_setting_is_documented() -> None:
    sources = [ROOT / "bot" / "settings.py", ROOT / "index" / "encoder.py"]
    named = {name for path in sources for name in re.findall(r"REPERE_[A-Z_]*[A-Z]", path.read_text("utf-8"))}
    assert len(named) >= 10
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [name for name in sorted(named) if f"`{name}`" not in readme] == []
