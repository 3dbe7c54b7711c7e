"""evals: facts as values, cases with all their mistakes, scores worked out by hand."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answers import Answer, Citation, Question
from bot.values import MONTHS, holds, tokens
from evals import metrics
from evals.baselines import BM25Chain
from evals.bench import ColdStartError, Row, bench_rows, cold_start
from evals.cases import FOLDER, Case, CaseFileError, read_cases
from evals.gate import read_thresholds, short_of
from evals.replies import reply_of
from evals.report import as_json, bench_table, failures, table
from evals.run import run_cases
from evals.scores import summarise
from index.documents import COMMENT, Document, read_knowledge
from index.passages import Passage, RankedPassage

ROOT = Path(__file__).parents[1]
TEXT = "La formation de Rabat a eu lieu du 15 au 17 février 2022. Elle a réuni soixante-dix personnes."
RABAT = Document("rabat", "Rabat", TEXT)
OTHER = Document("autre", "Autre", "Rien de tout cela.")
DOCUMENTS = {d.id: d for d in (RABAT, OTHER)}
WHEN = Case("quand", "Quand ?", facts=(("15-17/02/2022",),), documents=("rabat",), tags=("date",))


def answer(document: Document, start: int, end: int, ranked: tuple[Document, ...]) -> Answer:
    """An answer that quotes `document.text[start:end]`, with whole documents as passages."""
    quote = document.text[start:end]
    passages = tuple(
        RankedPassage(Passage(f"{d.id}#{i}", d.id, d.title, "", d.text, 0, len(d.text)), 1 / (i + 1))
        for i, d in enumerate(ranked)
    )
    citation = Citation(1, document.id, document.title, "", quote, start, end)
    return Answer("?", "?", f"{quote} [1]", (citation,), passages, 0.9)


RIGHT = answer(RABAT, 0, 57, (RABAT, OTHER))
REFUSAL = Answer("?", "?", "Je ne sais pas.", refused=True)


class Scripted:
    """Answers from a list; a question that is not on it makes it crash."""

    def __init__(self, **answers: Answer) -> None:
        self.answers = answers

    def invoke(self, question: Question, /) -> Answer:
        return self.answers[question.text]


# --- facts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("La formation s’est tenue du 15 au 17 février 2022 à Rabat.", "15-17/02/2022"),
        ("La formation s’est tenue du 15 au 17 février 2022 à Rabat.", "15 au 17 février"),
        ("La formation s’est tenue du 15 au 17 février 2022 à Rabat.", "2022-02-15/2022-02-17"),
        ("La formation s’est tenue du 15 au 17 février 2022 à Rabat.", "février 2022"),
        ("La formation s’est tenue du 15 au 17 février 2022 à Rabat.", "17 février"),
        ("La formation s’est tenue du 15 au 17 février 2022 à Rabat.", "2022"),
        ("du 30 mars au 2 avril 2022", "30/03/2022 - 02/04/2022"),
        ("le 1er mars 2022", "01/03/2022"),
        ("15–17 févr. 2022", "15-17 février 2022"),
        ("elle compte 174 États membres", "cent soixante-quatorze états membres"),
        ("soixante-dix participants", "70 participants"),
        ("1 000 pays", "mille pays"),
        ("cinquante pour cent", "50 %"),
        ("deux mille vingt-deux", "2022"),
        ("le Conseil National des Droits de l’Homme (CNDH)", "conseil national des droits de l'homme"),
        ("L'APPUI A LA JEUNESSE", "appui à la jeunesse"),
        ("« protection et résilience »", "protection et résilience"),
        ("le cœur", "coeur"),
    ],
)
def test_a_fact_is_found_whatever_its_form(text: str, fact: str) -> None:
    assert holds(text, fact)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("du 15 au 17 février", "15-17/02/2022"),  # the text does not tell the year
        ("du 15 au 17 février 2022", "15-18/02/2022"),
        ("du 15 au 17 février 2022", "15-17/03/2022"),
        ("du 15 au 17 février 2022", "16 février 2022"),
        ("du 15 au 17 février 2022", "15"),
        ("170 participants", "70 participants"),
        ("1 740 pays", "174"),
        ("deux, trois", "cinq"),
        ("35 femmes et 36 hommes", "35 hommes"),
        ("sept formations", "septembre"),
        ("la migration", "immigration"),
        ("la formation", "la"),
        ("texte", ""),
    ],
)
def test_another_value_is_no_match(text: str, fact: str) -> None:
    assert not holds(text, fact)


@given(
    st.integers(1, 27), st.integers(1, 4), st.integers(1, 12), st.integers(1000, 2999), st.sampled_from("’'")
)
def test_every_form_of_a_range_of_days_is_one_value(
    first: int, length: int, month: int, year: int, apostrophe: str
) -> None:
    last = first + length
    forms = [
        f"du {first} au {last} {MONTHS[month - 1]} {year}",
        f"{first}-{last} {MONTHS[month - 1].upper()} {year}",
        f"{first}\u2013{last}/{month:02}/{year}",
        f"{first:02}/{month:02}/{year} au {last:02}/{month:02}/{year}",
        f"{year}-{month:02}-{first:02}/{year}-{month:02}-{last:02}",
        f"entre le {first} et le {last} {MONTHS[month - 1]} {year}",
    ]
    text = f"l{apostrophe}atelier {forms[0]}"
    assert all(tokens(form)[-1] == tokens(forms[0])[-1] for form in forms)
    assert all(holds(text, form) for form in forms[:5])
    assert not holds(text, f"{first}-{last + 1}/{month:02}/{year}")
    assert not holds(text, f"{first}-{last}/{month:02}/{year + 1}")


ONES = ["", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze"]
ONES += ["treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf"]
TENS = {20: "vingt", 30: "trente", 40: "quarante", 50: "cinquante", 60: "soixante", 80: "quatre-vingt"}


def spelled(n: int) -> str:
    """2 ≤ n ≤ 999 999 in French words, traditional spelling."""
    if n >= 1000:
        head = "" if n < 2000 else f"{spelled(n // 1000)} "
        return f"{head}mille {spelled(n % 1000)}".strip()
    if n >= 100:
        head = "" if n < 200 else f"{ONES[n // 100]} "
        return f"{head}cent {spelled(n % 100)}".strip()
    if n < 20:
        return ONES[n]
    ten = max(t for t in TENS if t <= n)
    if n == 80:
        return "quatre-vingts"
    joined = " et " if (n - ten) in (1, 11) and ten != 80 else "-"
    return f"{TENS[ten]}{joined}{ONES[n - ten]}" if n > ten else TENS[ten]


@given(st.integers(2, 999_999))
def test_number_words_are_numbers(n: int) -> None:
    assert tokens(f"environ {spelled(n)} personnes") == ("environ", str(n), "personnes")


@given(st.text())
def test_any_text_states_itself(text: str) -> None:
    assert holds(text, text) == bool(tokens(text))


# --- metrics -----------------------------------------------------------------------------------------


def test_percentiles_are_linear_between_ranks() -> None:
    assert metrics.percentile([4, 1, 3, 2], 50) == 2.5
    assert metrics.percentile([10, 20, 30], 95) == pytest.approx(29)
    assert metrics.percentile([], 50) == 0


def test_an_answer_is_right_when_it_holds_the_facts_and_nothing_forbidden() -> None:
    assert metrics.wrong(WHEN, RIGHT) == ""
    assert "refused" in metrics.wrong(WHEN, REFUSAL)
    assert "« 35 femmes »" in metrics.wrong(replace(WHEN, facts=(("35 femmes", "35 dames"),)), RIGHT)
    assert "« Rabat »" in metrics.wrong(replace(WHEN, forbidden=("Rabat",)), RIGHT)
    assert metrics.wrong(Case("non", "?", refuse=True), REFUSAL) == ""
    assert "should refuse" in metrics.wrong(Case("non", "?", refuse=True), RIGHT)


def test_the_number_of_a_quote_is_no_fact() -> None:
    assert metrics.wrong(replace(WHEN, facts=(("1",),)), RIGHT) != ""


def test_a_citation_must_be_exact_and_from_a_document_that_proves() -> None:
    right = reply_of(RIGHT)
    assert metrics.well_cited(WHEN, right, DOCUMENTS)
    quote = (right.citations or ())[0]
    for other in (replace(quote, start=1, end=58), replace(quote, quote=TEXT, end=len(TEXT) + 5)):
        assert not metrics.well_cited(WHEN, replace(right, citations=(other,)), DOCUMENTS)
    assert not metrics.well_cited(WHEN, reply_of(answer(OTHER, 0, 4, (OTHER,))), DOCUMENTS)
    assert not metrics.well_cited(WHEN, right, {})
    assert not metrics.well_cited(WHEN, replace(right, citations=()), DOCUMENTS)


# --- a run -------------------------------------------------------------------------------------------

CASES = (
    WHEN,
    Case("second", "Second ?", facts=(("70",),), documents=("rabat",), tags=("nombre",)),
    Case("crash", "Crash ?", facts=(("70",),), documents=("rabat",), tags=("nombre",)),
    Case("hors", "Hors ?", refuse=True, tags=("far",)),
)
BOT = Scripted(
    **{"Quand ?": RIGHT, "Second ?": answer(OTHER, 0, 18, (OTHER, OTHER, RABAT)), "Hors ?": REFUSAL}
)


def test_scores_of_a_run_with_a_crash() -> None:
    results = run_cases(BOT, CASES, DOCUMENTS)
    summary = summarise(results)
    got = {name: score.value for name, score in summary.scores.items() if not name.startswith("latency")}
    f1 = [2 * 1 / (len(tokens(RIGHT.text.replace("[1]", ""))) + 1), 0, 0]  # « 15-17/02/2022 » is one token
    assert got == pytest.approx(
        {
            "hit@1": 1 / 3,
            "hit@5": 2 / 3,
            "hit@10": 2 / 3,
            "MRR@10": (1 + 1 / 3 + 0) / 3,
            "nDCG@10": (1 + 1 / 2 + 0) / 3,  # rank 3: 1 / log2(4)
            "recall@10": 2 / 3,
            "answer accuracy": 1 / 3,
            "right cases": 2 / 4,
            "fact recall": 1 / 3,
            "exact match": 0,
            "token F1": sum(f1) / 3,
            "citation accuracy": 1 / 2,
            "citation precision": 1 / 2,
            "citation recall": 1 / 2,
            "quote exactness": 1,
            "refusal precision": 1,
            "refusal recall": 1,
            "refusal F1": 1,
            "risk–coverage area": 1 / 2,  # two answers equally sure, one wrong
            "calibration error": abs(0.9 - 1 / 2),
            "median words": (14 + 5) / 2,  # « La formation … 2022. [1] », « Rien de tout cela. [1] »
        }
    )
    assert {tag: scores["right cases"].value for tag, scores in summary.tags.items()} == {
        "date": 1,
        "far": 1,
        "nombre": 0,
    }
    assert results[2].error is not None
    assert "KeyError" in results[2].why
    report = failures(results)
    assert "2 failed of 4" in report
    assert "crash: Crash ?" in report
    assert "quand" not in report
    assert "nombre" in table(summary)
    whole = json.loads(as_json(summary, results, ["hit@1"]))
    assert [c["right"] for c in whole["cases"]] == [True, False, False, True]
    assert whole["below"] == ["hit@1"]


def test_thresholds_have_a_direction(tmp_path: Path) -> None:
    (tmp_path / "thresholds.yaml").write_text("hit@1: 0.7\nmedian words: 45\n", encoding="utf-8")
    limits = read_thresholds(tmp_path)
    assert short_of({"hit@1": 0.7, "median words": 45}, limits) == ()
    assert short_of({"hit@1": 0.69, "median words": 46}, limits) == (
        "hit@1 0.690, must be at least 0.700",
        "median words 46.000, must be at most 45.000",
    )
    (tmp_path / "thresholds.yaml").write_text("hit@1: beaucoup\nhit@2: 1\n", encoding="utf-8")
    with pytest.raises(CaseFileError) as caught:
        read_thresholds(tmp_path)
    assert [p.split("thresholds.yaml")[1][:3] for p in caught.value.problems] == [":1:", ":2:"]


# --- case files --------------------------------------------------------------------------------------

BAD = """\
- id: a
  question: Quand ?
  facts: [2007]
  documents: [x]
  tags: [direct]
  colour: red
- id: a
  question: "  "
  refuse: oui
  tags: []
- just words
- id: b
  question: Q ?
  refuse: true
  facts: [les]
  tags: [near]
  history:
    - {role: robot, content: Bonjour}
"""


def test_every_mistake_is_reported_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD, encoding="utf-8")
    (tmp_path / "broken.yaml").write_text("- id: [", encoding="utf-8")
    (tmp_path / "empty.yaml").write_text("", encoding="utf-8")
    (tmp_path / "latin.yaml").write_bytes("- id: é".encode("latin-1"))
    with pytest.raises(CaseFileError) as caught:
        read_cases(tmp_path)
    found = [problem.removeprefix(f"{tmp_path}/") for problem in caught.value.problems]
    expected = ["bad.yaml:6: unknown key", "bad.yaml:8: expected a text", "bad.yaml:9: « refuse »"]
    expected += ["bad.yaml:10: « tags »", "bad.yaml:7: a case to answer", "bad.yaml:11: a case must be"]
    expected += ["bad.yaml:18: a turn needs", "bad.yaml:12: « les »", "bad.yaml:12: a case to refuse"]
    expected += ["broken.yaml:1: not valid", "empty.yaml:1: the file is empty", "latin.yaml:1: cannot be"]
    assert sorted(f[: len(e)] for f, e in zip(sorted(found), sorted(expected), strict=True)) == sorted(
        expected
    )


def test_an_id_is_used_once(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("- {id: x, question: Q, refuse: true, tags: [far]}\n", encoding="utf-8")
    with pytest.raises(CaseFileError, match=r"b\.yaml:1: « x » is already the id of the case at .*a\.yaml:1"):
        read_cases(tmp_path)


def test_a_folder_without_cases_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(CaseFileError, match=r"no \.yaml file"):
        read_cases(tmp_path)


def test_the_command_exits_2_on_a_bad_file(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(BAD, encoding="utf-8")
    command = [sys.executable, "-m", "evals", "run", "--cases", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 2
    assert "bad.yaml:6: unknown key « colour »" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_reviewed_cases_agree_with_the_documents() -> None:
    documents = {d.id: d for d in read_knowledge(ROOT / "knowledge").documents}
    cases = read_cases(FOLDER)
    for case in cases:
        assert set(case.documents) <= set(documents), case.id
        shown = [(COMMENT.sub("", documents[name].text), documents[name].source) for name in case.documents]
        proof = "\n\n".join(f"{text}\n{source}" for text, source in shown)
        assert metrics.missing_facts(proof, case.facts) == (), case.id
    tags = [tag for case in cases for tag in case.tags]
    assert len(cases) >= 70
    assert tags.count("near") >= 15
    assert tags.count("far") >= 12
    assert all(("near" in c.tags or "far" in c.tags) == c.refuse for c in cases)
    assert read_thresholds(FOLDER)["quote exactness"] == 1


# --- bench -------------------------------------------------------------------------------------------


def test_a_ratio_above_one_is_in_our_favour() -> None:
    assert Row("warm p50, ms", {"Repère": 20, "stock": 50}).ratio("stock") == 2.5
    assert Row("hit@1", {"Repère": 0.9, "stock": 0.6}).ratio("stock") == pytest.approx(1.5)
    assert Row("hit@1", {"Repère": 0.9, "stock": None}).ratio("stock") is None
    rows = bench_rows({"Repère": {"hit@1": 0.9}, "BM25": {"hit@1": 0.6}})
    assert bench_table(rows).splitlines()[1].split() == ["hit@1", "0.900", "0.600", "1.50"]


def test_full_text_search_alone_answers_with_its_best_passage() -> None:
    chain = BM25Chain((RABAT, OTHER))
    found = chain.invoke(Question("Combien de personnes à la formation ?"))
    assert found.citations[0].document_id == "rabat"
    assert found.passages[0].score == 1
    assert chain.invoke(Question("xyzzy")).refused


def test_a_cold_start_is_timed_unless_it_fails() -> None:
    assert 0 < cold_start([sys.executable, "-c", "raise SystemExit(1)"], 2) < 60
    with pytest.raises(ColdStartError, match="no index"):
        cold_start([sys.executable, "-c", "import sys; sys.exit(print('no index', file=sys.stderr) or 2)"], 1)
