"""A run from its cases to its reports: workers, Ctrl-C, targets, gate, diff, explain, sets."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from bot.chain import Bot
from bot.reader import Reader
from bot.settings import Settings
from evals.__main__ import app
from evals.cases import Case, read_cases
from evals.compare import CompareError, change, compare
from evals.diff import DiffError, diff
from evals.explain import UnknownCaseError, explain, pick, terminal
from evals.gate import failing, read_thresholds
from evals.launch import Options, launch
from evals.report import HTML, JUNIT, MARKDOWN
from evals.results import Manifest, Result, Run, RunFileError, read_results, read_run
from evals.run import Asked, run_all, run_cases
from evals.scores import summarise
from evals.targets import OURS, TargetError, TargetOptions, open_target, refuses
from evals.variants import VARIANTS
from index.build import build
from index.documents import COMMENT, read_knowledge
from index.encoder import Encoder
from index.passages import passages
from tests.conftest import KNOWLEDGE, ROOT
from tests.journeys.conftest import serving

OIM = read_cases()
FEW = """\
- {id: sigle, question: "Que signifie OIM ?", documents: [profil-oim], tags: [direct],
   facts: [Organisation internationale pour les migrations]}
- {id: faux, question: "Combien d’États membres compte l’OIM ?", documents: [profil-oim], tags: [direct, nombre],
   facts: [[999, mille]], forbidden: [174]}
- {id: loin, question: "Qui a peint la Joconde ?", refuse: true, tags: [far]}
- id: suite
  history: [{role: user, content: "Quand a eu lieu la formation à Rabat ?"}]
  question: Et à Casablanca ?
  documents: [formations-2022-dates-et-lieux]
  facts: [22 au 24 mars 2022]
  tags: [suite]
"""


def undated(results: list[Result] | tuple[Result, ...]) -> list[Result]:
    return [replace(result, seconds=0.0) for result in results]


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the four cases of FEW and no thresholds."""
    folder = tmp_path_factory.mktemp("few")
    (folder / "few.yaml").write_text(FEW, "utf-8")
    return folder


@pytest.fixture(scope="module")
def run_folder(index_dir: Path, few: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the command over FEW, with every variant and all its reports."""
    folder = tmp_path_factory.mktemp("run") / "run"
    options = ["--index", str(index_dir), "--knowledge", str(KNOWLEDGE), "--cases", str(few)]
    done = CliRunner().invoke(app, ["run", *options, "--out", str(folder), "--robustness"])
    assert done.exit_code == 0, done.output
    return folder


# --- one run -------------------------------------------------------------------------------------------


def test_results_stand_in_the_order_of_cases_and_variants(run_folder: Path) -> None:
    results = list(read_results(run_folder))
    assert [r.key for r in results] == [
        (case, variant) for case in ("sigle", "faux", "loin", "suite") for variant in VARIANTS
    ]
    written = {r.id: r for r in results if not r.variant}
    assert [name for name, r in written.items() if not r.right] == ["faux"]
    assert "999" in written["faux"].why
    assert written["suite"].citations[0].document == "formations-2022-dates-et-lieux"
    assert written["loin"].refused


def test_a_manifest_tells_what_was_asked_of_what(run_folder: Path) -> None:
    manifest = read_run(run_folder).manifest
    assert manifest.complete
    assert manifest.target == OURS
    assert manifest.index is not None
    assert manifest.index["passages"] > 0
    assert manifest.variants == tuple(VARIANTS)
    assert manifest.versions["reader"]


def test_junit_has_a_testcase_a_result(run_folder: Path) -> None:
    suite = ElementTree.parse(run_folder / JUNIT).getroot()[0]
    results = list(read_results(run_folder))
    assert len(suite.findall("testcase")) == int(suite.attrib["tests"]) == len(results)
    assert len(suite.findall("testcase/failure")) == sum(not r.right for r in results)


def test_markdown_names_the_failed_case(run_folder: Path) -> None:
    text = (run_folder / MARKDOWN).read_text("utf-8")
    assert "| faux |" in text
    assert "| sigle |" not in text


def test_the_page_asks_for_nothing_outside_itself(run_folder: Path) -> None:
    text = (run_folder / HTML).read_text("utf-8")
    head = text[: text.index('id="data"')]
    assert "http" not in head.replace("http-equiv", "")
    assert "{{" not in head


def test_every_metric_is_in_the_matrix_of_variants(run_folder: Path) -> None:
    summary = read_run(run_folder).summary
    assert list(summary.variants) == list(VARIANTS)
    assert all(set(values) == set(summary.scores) for values in summary.variants.values())
    assert summary.variants[""]["right cases"] == 3 / 4
    assert summary.variants["no accents"]["right cases"] is not None


# --- many workers, Ctrl-C, once more ---------------------------------------------------------------------


def test_ctrl_c_keeps_what_was_answered_and_workers_change_nothing(tmp_path: Path) -> None:
    cases = tmp_path / "cases"
    cases.mkdir()
    lines = [f"- {{id: c{n}, question: cas n° {n}, refuse: true, tags: [t]}}" for n in range(1, 8)]
    lines[2] = "- {id: c3, question: casse, refuse: true, tags: [t]}"
    lines[3] = "- {id: c4, question: rien, refuse: true, tags: [t]}"
    (cases / "c.yaml").write_text("\n".join(lines), "utf-8")

    def evals(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "evals", "run", *words]
        flag = {"TESTS_STOPPED_FLAG": str(tmp_path / "stopped")}
        return subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **flag}, check=False,
            # a background job of a shell, and all that it starts, would not hear Ctrl-C
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip

    first, second = tmp_path / "first", tmp_path / "second"
    done = evals("--cases", str(cases), "--target", "tests.bots:stopped", "--out", str(first))
    assert done.returncode == 130
    assert [r.id for r in read_results(first)] == ["c1", "c2", "c3", "c4"]
    assert not read_run(first).manifest.complete
    assert failing(read_run(first), {})
    assert (first / HTML).stat().st_size > 1000
    with (first / "results.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "half a li')  # as a killed process leaves it

    assert evals("--resume", str(first)).returncode == 0
    assert evals("--like", str(first), "--out", str(second), "--workers", "2").returncode == 0
    assert read_run(first).manifest.complete
    assert [r.id for r in read_results(first)] == [f"c{n}" for n in range(1, 8)]
    assert undated(list(read_results(first))) == undated(list(read_results(second)))
    values = {name: s for name, s in read_run(first).summary.scores.items() if not name.startswith("latency")}
    assert all(read_run(second).summary.scores[name] == score for name, score in values.items())

    (cases / "c.yaml").write_text("\n".join(lines[:-1]), "utf-8")
    changed = evals("--resume", str(first))
    assert changed.returncode == 2
    assert "Traceback" not in changed.stderr


def test_a_folder_that_holds_something_is_not_written_to(run_folder: Path, few: Path) -> None:
    with pytest.raises(RunFileError):
        launch(Options(cases=str(few)), run_folder)
    with pytest.raises(RunFileError):
        read_run(few)


# --- gate and compare --------------------------------------------------------------------------------------

ASKED = OIM[::14]


def measured(bot: Bot, knowledge: Path = KNOWLEDGE) -> Run:
    """ASKED, of a bot."""
    results = run_cases(bot, ASKED, {d.id: d for d in read_knowledge(knowledge).documents})
    return Run(Path(), Manifest("", OURS, complete=True), results, summarise(results))


def built(folder: Path, files: dict[str, str], lent: Path, encoder: Encoder) -> tuple[Bot, Path]:
    """A bot over other documents; an index lends the vectors of what is the same."""
    knowledge = folder / "knowledge"
    knowledge.mkdir()
    for name, text in files.items():
        (knowledge / name).write_text(text, "utf-8")
    shutil.copytree(lent, folder / "index")
    build(knowledge, folder / "index", encoder=encoder)
    return Bot.open(Settings(knowledge=knowledge, index=folder / "index"), encoder), knowledge


@pytest.fixture(scope="module")
def baseline(bot: Bot) -> Run:
    return measured(bot)


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    return {p.name: p.read_text("utf-8") for p in sorted(KNOWLEDGE.glob("*.md")) if p.name != "README.md"}


def test_an_unchanged_bot_passes_each_time(bot: Bot, baseline: Run) -> None:
    for _ in range(2):
        assert failing(measured(bot), {}, baseline) == ()


def test_a_document_that_is_gone_is_caught(
    tmp_path: Path, index_dir: Path, encoder: Encoder, baseline: Run, sources: dict[str, str]
) -> None:
    needed = next(c.documents[0] for c in ASKED if len(c.documents) == 1)
    left = {name: text for name, text in sources.items() if name != f"{needed}.md"}
    assert len(left) == len(sources) - 1
    assert failing(measured(*built(tmp_path, left, index_dir, encoder)), {}, baseline)


def test_shuffled_passages_are_caught(
    tmp_path: Path, index_dir: Path, encoder: Encoder, baseline: Run, sources: dict[str, str]
) -> None:
    """Each document keeps its name and title, and holds the text of the next, without example questions."""
    names = list(sources)
    bare = {name: COMMENT.sub("", text) for name, text in sources.items()}
    parts = {name: bare[name].split("\n---\n", 1) for name in names}
    bodies = [parts[name][1] for name in names]
    mixed = dict(zip(names, [*bodies[1:], bodies[0]], strict=True))
    files = {name: f"{parts[name][0]}\n---\n{mixed[name]}" for name in names}
    assert failing(measured(*built(tmp_path, files, index_dir, encoder)), {}, baseline)


def test_a_threshold_of_zero_is_caught(index_dir: Path, encoder: Encoder, baseline: Run) -> None:
    eager = Bot.open(Settings(knowledge=KNOWLEDGE, index=index_dir), encoder)
    eager.reader = Reader(replace(eager.reader.model, threshold=0.0))
    run = measured(eager)
    assert any(line.startswith("refusal recall") for line in failing(run, {}, baseline))
    assert failing(run, read_thresholds(ROOT / "evals" / "cases"))


def test_the_commands_gate_and_compare(run_folder: Path, tmp_path: Path) -> None:
    limits = tmp_path / "limits.yaml"
    limits.write_text("right cases: 0.99\n", "utf-8")
    words = ["gate", str(run_folder), "--thresholds", str(limits), "--baseline", str(run_folder)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1
    assert "right cases" in done.output
    limits.write_text("right cases: 0.75\n", "utf-8")
    assert CliRunner().invoke(app, words).exit_code == 0
    page = tmp_path / "page.html"
    done = CliRunner().invoke(app, ["compare", str(run_folder), str(run_folder), "--html", str(page)])
    assert done.exit_code == 0
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert CliRunner().invoke(app, ["report", str(run_folder), "--thresholds", str(limits)]).exit_code == 0


def test_changed_answers_are_told_from_lost_ones(run_folder: Path) -> None:
    run = read_run(run_folder)
    results = list(run.results)
    at = next(i for i, r in enumerate(results) if r.key == ("sigle", ""))
    results[at] = replace(results[at], right=False, answer="Autre chose.", values={"right cases": 0.0})
    refused = next(i for i, r in enumerate(results) if r.key == ("loin", ""))
    results[refused] = replace(results[refused], answer="Un refus en d’autres mots.")
    found = compare(run, replace(run, results=tuple(results[:-1])))
    assert [(pair[0].id, change(pair)) for pair in found.changed] == [("sigle", "broken")]
    assert found.tests["right cases"].losses == 1
    assert found.missing == (results[-1].key,)
    with pytest.raises(CompareError):
        compare(run, replace(run, results=()))


# --- explain and diff ---------------------------------------------------------------------------------------


def test_a_case_is_explained(bot: Bot) -> None:
    case = pick(OIM, "oim-etats-membres")
    found = explain(bot, case)
    assert found.problem == ""
    first = found.candidates[0]
    assert first.hit == found.answer.passages[0]
    assert {"stems", "pairs", "grams", "meaning", "sentence", "pieces"} == set(first.ranks)
    assert first.ranks["meaning"] is not None
    assert any("membre" in word for word in first.shared)
    assert found.sentences[0].probability == max(s.probability for s in found.sentences)
    assert len(found.sentences) > 1  # the runner-up is there
    lacking = explain(bot, replace(case, facts=(("999 États",),)))
    assert lacking.problem
    assert any("no passage" in line for line in lacking.because)
    assert "999" in terminal(lacking)
    with pytest.raises(UnknownCaseError, match="oim-etats-membres-sms"):
        pick(OIM, "etats-membres")


def test_every_failed_case_has_a_reason(bot: Bot, baseline: Run) -> None:
    failed = {r.id for r in baseline.results if not r.right}
    for case in (c for c in ASKED if c.id in failed):
        assert explain(bot, case).because, case.id


def test_a_change_of_the_knowledge_shows_the_answers_it_changes(tmp_path: Path) -> None:
    knowledge = tmp_path / "repository" / "knowledge"
    knowledge.mkdir(parents=True)
    (knowledge / "phare.md").write_text("# Le phare\n\nLe phare de Malabata a été bâti en 1920.\n", "utf-8")
    (knowledge / "port.md").write_text("# Le port\n\nLe port de Tanger accueille 300 navires.\n", "utf-8")

    def git(*words: str) -> None:
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", *who, *words], cwd=knowledge, check=True, capture_output=True)

    cases = (
        Case("phare", "Quand le phare de Malabata a-t-il été bâti ?", (), (("1920",),), (), ("phare",)),
        Case("port", "Combien de navires le port de Tanger accueille-t-il ?", (), (("300",),), (), ("port",)),
    )
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "one")
    (knowledge / "phare.md").write_text("# Le phare\n\nLe phare de Malabata a été bâti en 1935.\n", "utf-8")
    found = diff("HEAD", "", knowledge, tmp_path / "no-index", cases)
    assert [(pair[0].id, change(pair)) for pair in found.changed] == [("phare", "broken")]
    assert len(found.pairs) == 2
    with pytest.raises(DiffError, match="HEAD~7"):
        diff("HEAD~7", "", knowledge, tmp_path / "no-index", cases)
    with pytest.raises(DiffError):
        diff("HEAD", "", tmp_path, tmp_path / "no-index", cases)


# --- any bot -------------------------------------------------------------------------------------------------


class Endpoint(BaseHTTPRequestHandler):
    """An OpenAI-compatible endpoint that says the last message again; its key is « secret »."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != "Bearer secret":
            self.send_response(401)
            self.end_headers()
            return
        said = f"{body['model']} : {body['messages'][-1]['content']}"
        raw = json.dumps({"choices": [{"message": {"role": "assistant", "content": said}}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"openai:http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def asked(options: TargetOptions, *cases: Case) -> list[Result]:
    return list(run_all(replace(options, knowledge=KNOWLEDGE), map(Asked, cases)))


SAYS = Case("dit", "Rabat en 2022 ?", facts=(("Rabat en 2022",),), documents=("profil-oim",), tags=("t",))


def test_an_openai_compatible_endpoint_is_a_target(endpoint: str) -> None:
    options = TargetOptions(endpoint, model="modele", key="secret")
    (result,) = asked(options, SAYS)
    assert result.right
    assert result.answer.startswith("modele")
    assert result.values["hit@1"] is None  # it tells no passages
    (refused,) = asked(replace(options, key="other"), SAYS)
    assert refused.error is not None
    assert "secret" not in repr(refused)
    with pytest.raises(TargetError):
        open_target(TargetOptions(endpoint))


@pytest.mark.parametrize("name", ["parrot", "runnable"])
def test_a_callable_and_a_runnable_are_targets(name: str) -> None:
    crash, refuse = replace(SAYS, question="casse"), Case("rien", "rien", refuse=True)
    results = asked(TargetOptions(f"tests.bots:{name}"), SAYS, crash, refuse)
    assert [r.right for r in results] == [True, False, True]
    assert results[1].error is not None


def test_our_page_is_a_target(bot: Bot) -> None:
    with serving(bot) as address:
        over_http = asked(TargetOptions(address), *ASKED[:3], OIM[-1])
    direct = run_cases(bot, (*ASKED[:3], OIM[-1]), {d.id: d for d in read_knowledge(KNOWLEDGE).documents})
    for there, here in zip(over_http, direct, strict=True):
        assert (there.answer, there.right, there.citations) == (here.answer, here.right, here.citations)
        assert [hit.id for hit in there.passages] == [hit.id for hit in here.passages]


@pytest.mark.parametrize("spec", ["nothing", "http://127.0.0.1:1", "tests.bots:absent", "tests.absent:x"])
def test_a_bot_that_is_not_there_is_one_sentence(spec: str) -> None:
    with pytest.raises(TargetError) as caught:
        open_target(TargetOptions(spec))
    assert "\n" not in str(caught.value)


def test_a_free_text_refuses_by_what_it_opens_with() -> None:
    assert refuses("")
    assert refuses("Je n’ai pas trouvé cela dans les documents.")
    assert refuses("Désolé : hors sujet.", ["hors sujet"])
    assert not refuses("La formation a eu lieu à Rabat.")


# --- passages alone ------------------------------------------------------------------------------------------


def test_passages_alone_are_judged_without_answers(index_dir: Path) -> None:
    options = TargetOptions(OURS, index_dir, retrieval_only=True)
    results = asked(options, *(c for c in ASKED[:6] if not c.refuse))
    assert all(r.values["right cases"] is None for r in results)
    assert all(r.values["hit@10"] == 1 for r in results)
    known = {p.id for d in read_knowledge(KNOWLEDGE).documents for p in passages(d)}
    assert {hit.id for r in results for hit in r.passages} <= known
