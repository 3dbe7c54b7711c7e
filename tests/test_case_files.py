"""Cases as spreadsheets, the schema for editors, standard sets, variants of a question, the dev and test split."""

import csv
import json
import random
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from typer.testing import CliRunner

from bot.answers import Turn
from bot.reader import Model
from evals.__main__ import app
from evals.calibrate import WORLDS, calibrate, write
from evals.cases import FOLDER, Case, CaseFileError, as_yaml, group_of, in_test_split, read_cases
from evals.metrics import missing_facts
from evals.results import read_run
from evals.sets import read_sets
from evals.swaps import swapped
from evals.tables import TableError, read_table, write_table
from evals.variants import VARIANTS, vary
from index import french
from index.documents import read_knowledge
from index.encoder import Encoder
from index.training.data import Question, held_out
from tests.conftest import KNOWLEDGE

ORGANISATIONS = [path.parent for path in sorted(WORLDS.parent.glob("*worlds/*/cases.yaml"))]
SCHEMA = json.loads((FOLDER / "cases.schema.json").read_text("utf-8"))
WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12
).filter(lambda text: text == text.strip() and any(c.isascii() and c.isalnum() for c in text))
FACT = (
    st.sampled_from(["70", "15-17/02/2022", "a | b", "c\\d", "Rabat, Tanger", "=1+1", "deux\nlignes"]) | WORDS
)
TURNS = st.lists(st.builds(Turn, st.sampled_from(["user", "assistant"]), FACT), max_size=2).map(tuple)
ANSWERED = st.builds(
    Case,
    id=st.uuids().map(str),
    question=FACT,
    history=TURNS,
    facts=st.lists(
        st.lists(st.just("x1") | FACT, min_size=1, max_size=3).map(tuple), min_size=1, max_size=3
    ).map(tuple),
    forbidden=st.lists(FACT, max_size=2).map(tuple),
    documents=st.lists(FACT, min_size=1, max_size=2).map(tuple),
    tags=st.lists(FACT, min_size=1, max_size=2).map(tuple),
)


# --- spreadsheets ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["xlsx", "csv"])
def test_the_reviewed_cases_survive_a_spreadsheet(tmp_path: Path, suffix: str) -> None:
    table = tmp_path / f"cases.{suffix}"
    assert CliRunner().invoke(app, ["export", str(table)]).exit_code == 0
    assert read_table(table) == read_cases()
    assert CliRunner().invoke(app, ["import", str(table)]).exit_code == 0
    (tmp_path / "folder").mkdir()
    table.with_suffix(".yaml").rename(tmp_path / "folder" / "cases.yaml")
    assert read_cases(tmp_path / "folder") == read_cases()


@given(st.lists(ANSWERED, min_size=1, max_size=3, unique_by=lambda case: case.id))
def test_any_case_survives_a_spreadsheet_and_yaml(
    tmp_path_factory: pytest.TempPathFactory, cases: list[Case]
) -> None:
    folder = tmp_path_factory.mktemp("round")
    (folder / "c.yaml").write_text(as_yaml(cases), "utf-8")
    try:
        written = read_cases(folder)  # what holds no word to look for is a mistake, here as there
    except CaseFileError:
        return
    write_table(written, folder / "c.csv")
    assert read_table(folder / "c.csv") == written == tuple(cases)


def test_a_table_as_people_write_it(tmp_path: Path) -> None:
    """A day and a number typed into cells, English headings, « oui »."""
    book = Workbook()
    book.active.append(["id", "Question", "faits", "documents", "refuser", "tags"])
    book.active.append(["a", "Combien ?", 70, "x, y", None, "t"])
    book.active.append(["b", "Qui ?", None, None, "oui", "far"])
    book.save(tmp_path / "t.xlsx")
    first, second = read_table(tmp_path / "t.xlsx")
    assert (first.facts, first.documents) == ((("70",),), ("x", "y"))
    assert second.refuse
    assert load_workbook(tmp_path / "t.xlsx").active.max_row == 3


def test_every_mistake_of_a_table_is_reported_with_its_row(tmp_path: Path) -> None:
    with (tmp_path / "t.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [
            ["identifiant", "question", "faits", "documents", "refuser", "étiquettes", "dialogue"],
            ["a", "", "70", "x", "", "t", ""],
            ["b", "Q ?", "", "", "peut-être", "t", ""],
            ["c", "Q ?", "les", "x", "", "t", "Bonjour"],
            ["d", "Q ?", "", "", "oui", "t", ""],
            ["d", "Q ?", "", "", "oui", "t", ""],
        ]
        csv.writer(file, delimiter=";").writerows(rows)
    with pytest.raises(CaseFileError) as caught:
        read_table(tmp_path / "t.csv")
    rows_named = {int(p.split("t.csv:")[1].split(":")[0]) for p in caught.value.problems}
    assert rows_named == {2, 3, 4, 6}
    done = CliRunner().invoke(app, ["import", str(tmp_path / "t.csv")])
    assert not (tmp_path / "t.yaml").exists()
    assert isinstance(done.exception, CaseFileError)
    (tmp_path / "broken.xlsx").write_bytes(b"not a zip")
    for name in ("broken.xlsx", "absent.csv", "t.ods"):
        with pytest.raises(TableError):
            read_table(tmp_path / name)


# --- schema ----------------------------------------------------------------------------------------------


def test_the_schema_accepts_the_reviewed_cases_and_refuses_what_the_reader_refuses() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    whole = yaml.safe_load((FOLDER / "oim.yaml").read_text("utf-8"))
    assert list(validator.iter_errors(json.loads(json.dumps(whole, default=str)))) == []
    good = {"id": "a", "question": "Q ?", "facts": ["x"], "documents": ["d"], "tags": ["t"]}
    assert validator.is_valid([good])
    for change in (
        {"colour": "red"},
        {"refuse": True},
        {"facts": []},
        {"question": " "},
        {"history": [{"role": "robot", "content": "x"}]},
    ):
        assert not validator.is_valid([{**good, **change}]), change
    for key in good:
        assert not validator.is_valid([{k: v for k, v in good.items() if k != key}]), key
    assert set(SCHEMA["$defs"]["case"]["properties"]) == {
        *("id", "question", "history", "facts", "forbidden", "documents", "refuse", "tags")
    }


# --- standard sets ---------------------------------------------------------------------------------------

TOWER = "La tour Hassan se dresse à Rabat. Sa construction a commencé en 1196."
PORT = "Le port de Tanger Med a ouvert en 2007. Il se trouve sur le détroit de Gibraltar."


def squad(path: Path) -> Path:
    """A SQuAD-format file with two paragraphs, one question that 2.0 calls impossible."""
    data = [
        {
            "title": title,
            "paragraphs": [
                {"context": text, "qas": [{"id": name, "question": question, "answers": answers}]},
            ],
        }
        for name, title, text, question, answers in (
            ("1", "Tour", TOWER, "Quand commence la construction ?", [{"text": "1196", "answer_start": 64}]),
            ("2", "Port", PORT, "Quand le port a-t-il ouvert ?", [{"text": "2007", "answer_start": 34}]),
            ("3", "Port", PORT, "Combien coûte le port ?", []),
        )
    ]
    path.write_text(json.dumps({"version": "x", "data": data}), "utf-8")
    return path


def test_squad_beir_afriqa_and_faq_are_read(tmp_path: Path) -> None:
    documents, cases = read_sets([squad(tmp_path / "s.json")])
    assert len(documents) == 2
    assert [c.facts for c in cases] == [(("1196",),), (("2007",),), ()]
    assert [c.refuse for c in cases] == [False, False, True]
    assert documents[cases[0].documents[0]] == ("Tour", TOWER)

    beir = tmp_path / "beir"
    (beir / "qrels").mkdir(parents=True)
    corpus = [{"_id": "x", "title": "Tour", "text": TOWER}, {"_id": "y", "text": PORT}]
    (beir / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)), "utf-8")
    (beir / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "Où est la tour ?"}), "utf-8")
    (beir / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\tx\t1\nq\ty\t0\n", "utf-8")
    documents, cases = read_sets([beir])
    assert [(documents[c.documents[0]][0], c.facts) for c in cases] == [("Tour", ())]

    faq = tmp_path / "faq.csv"
    faq.write_text("question;réponse\nOù est la tour ?;" + TOWER + "\n", "utf-8")
    documents, cases = read_sets([faq])
    assert documents[cases[0].documents[0]][1] == TOWER

    afriqa = tmp_path / "a.json"
    pivot = {"text": ["Rabat"], "answer_start": [27]}
    row = {"id": 7, "question_translated": "Où ?", "title": "T", "context": TOWER, "answer_pivot": pivot}
    afriqa.write_text(json.dumps(row), "utf-8")
    assert read_sets([afriqa])[1][0].facts == (("Rabat",),)

    (tmp_path / "no.json").write_text("{}", "utf-8")
    with pytest.raises(CaseFileError) as caught:
        read_sets([tmp_path / "no.json", tmp_path / "absent.json", faq])
    assert len(caught.value.problems) == 2


def test_a_set_is_run_with_one_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # sets and runs are kept below the working folder
    squad(tmp_path / "s.json")
    done = CliRunner().invoke(app, ["run", "--set", "s.json", "--limit", "2", "--out", "run"])
    assert done.exit_code == 0, done.output
    run = read_run(Path("run"))
    assert len(run.results) == 2
    assert run.manifest.complete
    assert all(r.values["hit@1"] == 1 for r in run.results if not r.refuse)


# --- variants --------------------------------------------------------------------------------------------

QUESTION = "Quand a eu lieu la formation d’été à Casablanca ?"


@given(st.text(max_size=60), st.sampled_from(list(VARIANTS)), st.integers(0, 5))
def test_a_variant_is_the_same_for_the_same_seed(text: str, variant: str, seed: int) -> None:
    assert vary(text, variant, "id", seed) == vary(text, variant, "id", seed)


def test_variants_are_what_they_are_called() -> None:
    made = {variant: vary(QUESTION, variant, "id") for variant in VARIANTS}
    assert made[""] == QUESTION
    assert made["no accents"] == "Quand a eu lieu la formation d’ete a Casablanca ?"
    assert made["small letters"] == "quand a eu lieu la formation d’été à casablanca"
    assert made["capitals"] == QUESTION.upper()
    assert len(made["telegraphic"].split()) < len(QUESTION.split()) - 3
    assert "kan" in made["sms"]
    words = QUESTION.split()
    wrong = [
        sum(a != b for a, b in zip(words, made[v].split(), strict=True)) for v in ("one typo", "two typos")
    ]
    assert wrong == [1, 2]
    assert len({vary(QUESTION, "one typo", "id", seed) for seed in range(20)}) > 5


@pytest.mark.parametrize(
    "question",
    [
        "Quand a eu lieu la formation de Rabat ?",
        "formations 2022 dates",
        "Who funds IOM Morocco?",
        "en mars 2022",
    ],
)
def test_a_swapped_question_has_one_other_word_that_the_documents_lack(question: str) -> None:
    held = frozenset(french.words("La formation de Rabat, en mars 2022, est celle de l’OIM au Maroc, à Fès"))
    for seed in range(30):
        other = swapped(question, held, random.Random(seed))
        assert other is not None
        old, new = french.words(question), french.words(other)
        (place,) = [i for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]
        assert new[place] not in held
        assert new[place].isdigit() == old[place].isdigit()
    assert swapped("Qui a financé les formations ?", held, random.Random(0)) is None


# --- dev and test ----------------------------------------------------------------------------------------


def test_wordings_of_one_question_are_on_one_side_of_the_split() -> None:
    cases = read_cases()
    sides = [in_test_split(group_of(case)) for case in cases]
    assert 0.05 < sum(sides) / len(sides) < 0.4
    years = [case for case in cases if case.facts == (("2007",),)]
    assert len(years) > 1
    assert len({in_test_split(group_of(case)) for case in years}) == 1


def test_calibration_never_sees_the_test_split(
    index_dir: Path, encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is fitted and chosen is the same whatever the test split holds; its own figures are not."""
    monkeypatch.setattr("evals.calibrate.FEWER", (2,))
    world = tmp_path / "worlds" / "moulin"
    (world / "knowledge").mkdir(parents=True)
    (world / "knowledge" / "moulin.md").write_text("Le moulin date de 1702.", "utf-8")
    (world / "cases.yaml").write_text(
        "- {id: a, question: 'De quand date le moulin ?', documents: [moulin], facts: ['1702'], tags: [a]}\n"
        "- {id: n, question: 'Qui a bâti le moulin ?', refuse: true, tags: [near]}\n",
        "utf-8",
    )
    monkeypatch.setattr("evals.calibrate.WORLDS", world.parent)
    cases = [c for c in read_cases() if not c.history][::40]
    texts = [
        f"Le phare {n} a été bâti en {1800 + n}. Le gardien du phare {n} est arrivé en {1900 + n}."
        for n in range(24)
    ]
    items = [
        Question(f"Quand le phare {n} a-t-il été bâti ?", f"Phare {n}", text, at, at + 4)
        for n, text in enumerate(texts)
        for at in [text.index(str(1800 + n))]
    ]
    assert any(in_test_split(i.title) and held_out(i.title) for i in items)
    hidden = [replace(i, start=0, end=4) if in_test_split(i.title) else i for i in items]
    turned = [replace(c, documents=(), refuse=True) if in_test_split(group_of(c)) else c for c in cases]
    fitted = [
        calibrate(some, asked, index_dir, encoder, 0.75, 0.95, lambda _: None)
        for some, asked in ((cases, items), (turned, hidden))
    ]
    first, second = fitted
    assert first.rank.tolist() == second.rank.tolist()
    assert first.sure.tolist() == second.sure.tolist()
    assert first.threshold == second.threshold
    assert first.test != second.test
    write(first, "an encoder", tmp_path / "reader.json")
    model = Model.load(tmp_path / "reader.json")
    assert model.threshold == first.threshold
    assert model.rank == pytest.approx(first.rank.tolist(), abs=1e-4)


@pytest.mark.parametrize("world", ORGANISATIONS, ids=lambda world: world.name)
def test_the_questions_about_other_organisations_are_sound(world: Path) -> None:
    documents = {d.id: " ".join(d.visible.split()) for d in read_knowledge(world / "knowledge").documents}
    cases = read_cases(world)
    assert {"near", "far"} < {tag for case in cases for tag in case.tags}
    for case in cases:
        texts = [documents[name] for name in case.documents]
        assert case.refuse or any(not missing_facts(text, case.facts) for text in texts), case.id


def test_the_questions_kept_out_of_tuning_are_sound() -> None:
    kept_out = read_cases(FOLDER.parent / "held-out")
    assert len(kept_out) == 300
    documents = {d.id: " ".join(d.visible.split()) for d in read_knowledge(KNOWLEDGE).documents}
    for case in kept_out:
        texts = [documents[name] for name in case.documents]
        assert case.refuse or any(not missing_facts(text, case.facts) for text in texts), case.id
