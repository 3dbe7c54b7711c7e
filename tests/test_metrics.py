"""evals.metrics, statistics and scores: against ir_measures, SQuAD's own formulas, and by hand."""

import itertools
import math
from collections import Counter

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, wilcoxon

from evals import metrics
from evals.results import Result
from evals.scores import summarise
from evals.statistics import calibration_error, intervals, paired, quantile, ratio, risk_area, risk_coverage

NAMES = [f"d{i}" for i in range(15)]
EXACT = {"abs": 1e-9, "rel": 0}
WORDS = st.lists(st.sampled_from("abcdefg"), max_size=8)
SHARES = st.sampled_from([0.0, 0.1, 0.25, 0.25, 0.5, 0.75, 0.9, 1.0])
JUDGED = st.lists(st.tuples(SHARES, st.booleans()), min_size=1, max_size=7)


# --- ranking -----------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from(NAMES), max_size=14),
            st.sets(st.sampled_from(NAMES), min_size=1, max_size=12),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_ranking_metrics_agree_with_ir_measures(queries: list[tuple[list[str], set[str]]]) -> None:
    """A further passage of a document keeps its place: it stands in the run under a name nobody judged."""
    run, judged = [], []
    for number, (ranked, wanted) in enumerate(queries):
        for place, name in enumerate(ranked):
            unique = name if name not in ranked[:place] else f"again-{place}"
            run.append(ir_measures.ScoredDoc(str(number), unique, float(-place)))
        judged += [ir_measures.Qrel(str(number), name, 1) for name in wanted]
    theirs = ir_measures.calc_aggregate(
        [ir_measures.parse_measure(m) for m in ("Success@1", "Success@5", "RR@10", "nDCG@10", "R@10")],
        judged,
        run,
    )
    ours = {
        "Success@1": [metrics.hit(r, w, 1) for r, w in queries],
        "Success@5": [metrics.hit(r, w, 5) for r, w in queries],
        "RR@10": [metrics.reciprocal_rank(r, w) for r, w in queries],
        "nDCG@10": [metrics.ndcg(r, w) for r, w in queries],
        "R@10": [metrics.recall_at(r, w) for r, w in queries],
    }
    for measure, value in theirs.items():
        assert metrics.mean(ours[str(measure)]) == pytest.approx(value, **EXACT)


def test_ranking_by_hand() -> None:
    ranked = ["a", "b", "b", "c"]
    assert metrics.hit(ranked, ["c"], 3) == 0
    assert metrics.hit(ranked, ["c"], 4) == 1
    assert metrics.reciprocal_rank(ranked, ["c", "b"]) == 1 / 2
    assert metrics.ndcg(ranked, ["b", "c"]) == pytest.approx(
        (1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3)), **EXACT
    )
    assert metrics.recall_at(ranked, ["b", "x"]) == 1 / 2
    assert metrics.reciprocal_rank(["a"] * 10 + ["b"], ["b"]) == 0
    assert metrics.ndcg([], ["b"]) == metrics.recall_at([], []) == 0


# --- answers -----------------------------------------------------------------------------------------


def squad_f1(given_: list[str], gold: list[str]) -> float:
    """F1 as SQuAD's evaluation defines it, over tokens: by way of precision and recall."""
    if not given_ or not gold:
        return float(given_ == gold)
    shared = sum((Counter(given_) & Counter(gold)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(given_), shared / len(gold)
    return 2 * precision * recall / (precision + recall)


@given(WORDS, WORDS)
def test_token_f1_is_that_of_squad(said: list[str], gold: list[str]) -> None:
    words = {letter: letter * 3 for letter in "abcdefg"}  # three letters: no article, no elision
    said, gold = [words[w] for w in said], [words[w] for w in gold]
    assert metrics.token_f1(" ".join(said), " ".join(gold)) == pytest.approx(squad_f1(said, gold), **EXACT)


def test_french_normalisation_of_f1() -> None:
    assert metrics.token_f1("L’Éducation des élèves", "education eleves") == 1
    assert metrics.token_f1("du 15 au 17 février 2022", "15-17/02/2022") == 1
    assert metrics.token_f1("soixante-dix personnes", "70 femmes") == 1 / 2


# --- refusal, confidence, length -----------------------------------------------------------------------


def result(number: int, right: bool, refuse: bool, refused: bool, sure: float | None = None) -> Result:
    values = {"right cases": float(right)}
    return Result(
        f"{number}", "", "?", ("t",), right, (), refuse, refused=refused, confidence=sure, values=values
    )


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=20))
def test_refusals_are_counted_as_a_confusion_matrix(asked: list[tuple[bool, bool]]) -> None:
    """(had to be refused, was refused) → precision, recall and F1 from the four counts."""
    both, did = sum(a and b for a, b in asked), sum(b for _, b in asked)
    due = sum(a for a, _ in asked)
    scores = summarise([result(i, a == b, a, b) for i, (a, b) in enumerate(asked)]).scores
    got = [scores[f"refusal {name}"].value for name in ("precision", "recall", "F1")]
    if not due:
        assert got == [None, None, None]
        return
    assert got == pytest.approx([both / did if did else 1.0, both / due, 2 * both / (did + due)], **EXACT)


@given(JUDGED)
def test_risk_area_is_the_mean_over_every_order_of_equals(judged: list[tuple[float, bool]]) -> None:
    """By brute force: all orders, those kept that put the surer first."""
    areas = []
    for order in itertools.permutations(range(len(judged))):
        sure = [judged[i][0] for i in order]
        if sure == sorted(sure, reverse=True):
            wrong = [not judged[i][1] for i in order]
            areas.append(metrics.mean([sum(wrong[:k]) / k for k in range(1, len(wrong) + 1)]))
    statistic = risk_area([s for s, _ in judged], [float(not r) for _, r in judged])
    assert float(statistic(np.ones((1, len(judged))))[0]) == pytest.approx(metrics.mean(areas), **EXACT)


@given(JUDGED)
def test_calibration_error_is_the_weighted_gap_of_the_bins(judged: list[tuple[float, bool]]) -> None:
    expected = 0.0
    for b in range(10):
        inside = [(s, r) for s, r in judged if min(int(10 * s), 9) == b]
        if inside:
            gap = metrics.mean([s for s, _ in inside]) - metrics.mean([float(r) for _, r in inside])
            expected += len(inside) / len(judged) * abs(gap)
    statistic = calibration_error([s for s, _ in judged], [float(r) for _, r in judged])
    assert float(statistic(np.ones((1, len(judged))))[0]) == pytest.approx(expected, **EXACT)


def test_the_risk_coverage_curve_by_hand() -> None:
    curve = risk_coverage([0.9, 0.8, 0.8, math.nan], [0.0, 1.0, 0.0, 1.0], 4)
    assert np.array(curve) == pytest.approx(np.array([[1 / 4, 0], [3 / 4, 1 / 3]]), **EXACT)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=12), st.sampled_from([5, 50, 95]), st.data())
def test_a_quantile_of_a_resample_is_that_of_its_values(
    values: list[int], p: float, data: st.DataObject
) -> None:
    counts = data.draw(st.lists(st.integers(0, 3), min_size=len(values), max_size=len(values)))
    drawn = [v for v, n in zip(values, counts, strict=True) for _ in range(n)]
    got = float(quantile(values, p)(np.array([counts], dtype=float))[0])
    if drawn:
        assert got == pytest.approx(float(np.percentile(drawn, p)), **EXACT)
        assert got == pytest.approx(metrics.percentile(drawn, p), **EXACT)
    else:
        assert math.isnan(got)


# --- intervals and tests -------------------------------------------------------------------------------


def test_an_interval_is_the_same_for_the_same_seed_and_covers_as_it_says() -> None:
    random = np.random.default_rng(1)
    covered = 0
    for trial in range(200):
        drawn = random.random(60) < 0.7
        low, high = intervals([ratio(drawn.tolist(), [1.0] * 60)], 60, seed=trial, times=300)[0]
        covered += low <= 0.7 <= high
    assert 0.88 <= covered / 200 <= 0.99
    sample = [1.0, 0.0, 1.0, 1.0]
    same = [intervals([ratio(sample, [1.0] * 4)], 4, seed=5)[0] for _ in range(2)]
    assert same[0] == same[1]


@settings(max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_right_and_wrong_are_compared_by_mcnemar(both: list[tuple[bool, bool]]) -> None:
    found = paired([float(a) for a, _ in both], [float(b) for _, b in both])
    wins, losses = sum(b > a for a, b in both), sum(a > b for a, b in both)
    assert (found.wins, found.ties, found.losses) == (wins, len(both) - wins - losses, losses)
    assert found.p == pytest.approx(binomtest(wins, wins + losses).pvalue if wins + losses else 1, **EXACT)
    assert found.difference == pytest.approx((wins - losses) / len(both), **EXACT)
    assert found.low <= found.difference <= found.high


def test_other_values_are_compared_by_wilcoxon() -> None:
    before, after = [0.1, 0.5, 0.2, 0.9, 0.4, 0.3], [0.2, 0.9, 0.6, 0.95, 0.3, 0.8]
    found = paired(before, after)
    assert found.p == pytest.approx(wilcoxon(np.array(after) - np.array(before)).pvalue, **EXACT)
    assert paired(after, after).p == 1
