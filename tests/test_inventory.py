"""`python -m index models` says what is in use without loading it."""

import os
import subprocess
import sys
from pathlib import Path

from index.inventory import models_in_use
from tests.conftest import ROOT


def test_the_bundled_models_name_size_licence_and_origin() -> None:
    models = tuple(models_in_use("", ""))
    assert [(model.role, model.where) for model in models] == [("encoder", "bundled"), ("reader", "bundled")]
    assert all(0 < model.size < 45e6 for model in models)
    assert all("not said" not in (model.licence, model.made_from) for model in models)


def test_a_local_model_is_described_by_its_card_and_a_distant_one_is_not_fetched(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nlicense: mit\nbase_model: [a/b, c/d]\n---\n# Mine\n", "utf-8")
    (tmp_path / "weights").write_bytes(b"0" * 1000)
    encoder, reader = models_in_use(str(tmp_path), "nobody/has-this")
    assert (encoder.where, encoder.licence, encoder.made_from) == ("local folder", "mit", "a/b, c/d")
    assert encoder.size > 1000
    assert reader.size == 0
    assert reader.where.startswith("hub")


def test_the_command_prints_a_model_a_role() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "index", "models"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "REPERE_READER": "nobody/has-this"},
    )
    assert done.returncode == 0
    assert {line.split()[0] for line in done.stdout.splitlines() if line[0] != " "} == {"encoder", "reader"}
