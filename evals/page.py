"""A run → one self-contained French HTML page: page.html with page.css, page.js and the data in it.

Asks nothing of the network. Scores and charts are drawn here; the rows of the table are drawn in the
browser, some at a time, from JSON in the page, so that 10,000 of them open at once.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from bot.values import holds
from evals import charts, wording
from evals.metrics import MARK, METRICS, missing_facts, percentile
from evals.results import Result, Run, Score
from evals.wording import NBSP, VARIANTS, VERDICTS, amount, percent

HERE = Path(__file__).parent
SLOT = re.compile(r"\{\{(\w+)\}\}")
HEAT = (
    *("right cases", "answer accuracy", "fact recall", "hit@1", "MRR@10", "nDCG@10"),
    *("citation accuracy", "refusal recall", "refusal precision"),
)
WORST = 0.3  # a loss that is coloured fully


def page(run: Run) -> str:
    """The whole page as text."""
    written = [r for r in run.results if not r.variant] or list(run.results)
    verdicts = Counter(verdict(r) for r in written)
    slots = {
        **{name: escape(wording.french(text)) for name, text in wording.PAGE.items()},
        "css": (HERE / "page.css").read_text("utf-8"),
        "js": (HERE / "page.js").read_text("utf-8"),
        "data": _json(_data(run)),
        "subtitle": _subtitle(run, len(written)),
        "headline": _headline(run, written, verdicts),
        "scores": _scores(run.summary.scores),
        "charts": _charts(run),
        "heat": _heat(run.summary.variants),
        "facts": _about(run),
    }
    # One pass: what a slot is filled with is never looked into for slots.
    return SLOT.sub(lambda found: slots[found[1]], (HERE / "page.html").read_text("utf-8"))


def verdict(result: Result) -> str:
    """What became of a case: a key of `wording.VERDICTS`."""
    if result.error is not None:
        return "crash"
    if result.right:
        return "refused" if result.refuse else "answered"
    if result.refuse:
        return "bold"
    return "timid" if result.refused else "wrong"


def why(result: Result) -> str:
    """Why a case failed, in French; empty when it did not."""
    kind = verdict(result)
    if VERDICTS[kind][1]:
        return ""
    if kind == "crash":
        return wording.crashed(result.error or "")
    if result.values.get("right cases") is None:
        return wording.NOT_FOUND  # of a run that asks for passages alone
    if kind == "bold":
        return wording.BOLD
    if kind == "timid":
        return wording.timid(result.confidence)
    lacking = missing_facts(result.answer, result.facts)
    lies = [text for text in result.forbidden if holds(MARK.sub(" ", result.answer), text)]
    parts = [wording.missing(lacking)] if lacking else []
    parts += [wording.forbidden(lies)] if lies else []
    return " ".join(parts) or wording.UNCITED


def _subtitle(run: Run, cases: int) -> str:
    try:
        day = datetime.fromisoformat(run.manifest.created).strftime(wording.WHEN)
    except ValueError:
        day = run.manifest.created
    partial = "" if run.manifest.complete else f" · <strong>{wording.INTERRUPTED}</strong>"
    target = escape(run.manifest.target)
    return f"{target} · {wording.questions(cases)} · {escape(day)}{partial}"


def _headline(run: Run, written: list[Result], verdicts: Counter[str]) -> str:
    total, good = len(written), sum(verdicts[k] for k, (_, fine) in VERDICTS.items() if fine)
    score = run.summary.scores.get("right cases")
    between = _between("right cases", score) if score else ""
    legend = "".join(
        f'<li><button type="button" class="key {kind}" data-verdict="{kind}"><i></i>{label}'
        f"{NBSP}<b>{wording.number(verdicts[kind])}</b></button></li>"
        for kind, (label, _) in VERDICTS.items()
        if verdicts[kind]
    )
    parts = [(kind, label, verdicts[kind]) for kind, (label, _) in VERDICTS.items()]
    return (
        f'<p class="verdict"><b>{percent(good / total if total else 0)}</b> '
        f"<span>{wording.succeeded(good, total)}"
        f"<small>{between}</small></span></p>{charts.stack(parts)}"
        f'<ul class="keys" aria-label="{wording.FILTER_BY_VERDICT}">{legend}</ul>'
    )


def _between(name: str, score: Score) -> str:
    if score.low is None or score.high is None:
        return ""
    return wording.interval(wording.between(amount(name, score.low), amount(name, score.high)))


def _scores(scores: Mapping[str, Score]) -> str:
    known = [(title, names) for title, names in wording.GROUPS]
    others = {name: wording.Name(name, "") for name in scores if name not in wording.METRICS}
    return "".join(
        f'<section class="group"><h3>{title}</h3><dl>{"".join(rows)}</dl></section>'
        for title, names in [*known, (wording.OTHERS, others)]
        if (rows := [_score(n, each, scores[n]) for n, each in names.items() if n in scores])
    )


def _score(name: str, said: wording.Name, score: Score) -> str:
    share = name not in METRICS or METRICS[name].range == "0–1"
    bar = charts.bar(score.value, score.low, score.high) if share and score.value is not None else ""
    lower = wording.LOWER_IS_BETTER if name in METRICS and METRICS[name].better == "lower" else ""
    ends = wording.between(amount(name, score.low), amount(name, score.high))
    between = "" if score.low is None else f"{ends} · "
    over = f"{between}{wording.cases(score.n)}" if score.n else wording.APPLIES_TO_NONE
    return (
        f"<div><dt>{escape(said.label)}<small>{escape(said.says)}{lower}</small></dt>"
        f"<dd><b>{amount(name, score.value)}</b>{bar}<small>{over}</small></dd></div>"
    )


def _charts(run: Run) -> str:
    summary, drawn = run.summary, []
    tags = [(tag, s["right cases"]) for tag, s in summary.tags.items() if "right cases" in s]
    if tags:
        rows = "".join(
            f'<li><button type="button" data-tag="{escape(tag)}">{escape(tag)}</button>'
            f"{charts.bar(value, score.low, score.high)}"
            f"<span><b>{percent(value, 0)}</b> <small>{round(value * score.n)}/{score.n}</small></span></li>"
            for value, tag, score in sorted(
                ((s.value or 0.0, tag, s) for tag, s in tags), key=lambda each: each[:2]
            )
        )
        drawn.append(_figure(*wording.TAGS, f'<ul class="tags">{rows}</ul>', "wide"))
    if summary.risk_coverage:
        chart = charts.curve(summary.risk_coverage, *wording.RISK_AXES, wording.RISK[0])
        drawn.append(_figure(*wording.RISK, chart))
    if summary.reliability:
        axes = wording.RELIABILITY_AXES
        chart = charts.reliability(summary.reliability, *axes, wording.RELIABILITY[0])
        drawn.append(_figure(*wording.RELIABILITY, chart))
    if summary.latencies:
        times = [1000 * seconds for seconds in summary.latencies]
        marks = [(percentile(times, p), p) for p in (50, 95)]
        chart = charts.histogram(times, marks, wording.LATENCY_AXIS, wording.LATENCY[0])
        drawn.append(_figure(*wording.LATENCY, chart))
    return "".join(drawn)


def _figure(title: str, text: str, chart: str, kind: str = "") -> str:
    return (
        f'<figure class="card {kind}"><figcaption><h3>{title}</h3><p>{wording.french(text)}</p></figcaption>'
        f"{chart}</figure>"
    )


def _heat(variants: Mapping[str, Mapping[str, float | None]]) -> str:
    """A row a variant, a column a metric; the redder, the more is lost against the question as written."""
    if len(variants) < 2:
        return ""
    base = variants.get("") or next(iter(variants.values()))
    names = [name for name in HEAT if base.get(name) is not None]
    head = "".join(f'<th scope="col">{escape(wording.METRICS[n].label)}</th>' for n in names)
    rows = ""
    for variant, values in variants.items():
        cells = "".join(_cell(values.get(n), base[n]) for n in names)
        label = escape(VARIANTS.get(variant, variant))
        button = f'<button type="button" data-variant="{escape(variant)}">{label}</button>'
        rows += f'<tr><th scope="row">{button}</th>{cells}</tr>'
    title, text = wording.ROBUSTNESS
    return (
        f'<section class="card wide"><h3>{title}</h3><p>{text}</p>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{title}">'
        f'<table class="heat"><thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _cell(value: float | None, base: float | None) -> str:
    if value is None or base is None:
        return "<td>–</td>"
    change = value - base
    kind = "loss" if change < 0 else "gain"
    points = f"{'+' if change >= 0 else '−'}{wording.number(100 * abs(change), 0)}"
    shown = f"<small>{points}</small>" if round(100 * abs(change)) else ""
    strength = f"{min(1.0, abs(change) / WORST):.2f}"
    return f'<td class="{kind}" style="--s:{strength}">{percent(value, 0)}{shown}</td>'


def _about(run: Run) -> str:
    m = run.manifest
    index = m.index or {}
    facts = {
        "target": m.target,
        "commit": m.commit[:12] + (wording.CHANGED_CODE if m.dirty else "") if m.commit else "",
        "index": ", ".join(f"{k} {v}" for k, v in index.items() if isinstance(v, str | int)),
        "cases": ", ".join(m.cases) + (f" ({m.cases_digest[:12]})" if m.cases_digest else ""),
        "variants": ", ".join(VARIANTS.get(v, v) for v in m.variants),
        "seed": str(m.seed),
        "settings": ", ".join(f"{k} = {v}" for k, v in m.settings.items()),
        "versions": ", ".join(f"{k} {v}" for k, v in m.versions.items()),
    }
    rows = "".join(
        f"<div><dt>{wording.ABOUT[k]}</dt><dd>{escape(v)}</dd></div>" for k, v in facts.items() if v
    )
    return f"<dl>{rows}</dl>"


def _data(run: Run) -> dict[str, Any]:
    """What the table needs; keys are short because there may be 70,000 rows."""
    return {
        "verdicts": {kind: {"label": label, "good": good} for kind, (label, good) in VERDICTS.items()},
        "variants": {v: VARIANTS.get(v, v) for v in dict.fromkeys(r.variant for r in run.results)},
        "words": {key: wording.french(text) for key, text in wording.SCRIPT.items()},
        "rows": [_row(r) for r in run.results],
    }


def _row(r: Result) -> dict[str, Any]:
    said = MARK.sub(" ", r.answer)
    row = {
        "id": r.id,
        "v": r.variant,
        "q": r.question,
        "u": r.standalone_question if r.standalone_question != r.question else "",
        "h": [[turn.role == "user", turn.content] for turn in r.history],
        "t": r.tags,
        "k": verdict(r),
        "w": why(r),
        "a": r.answer,
        "f": [[group, not r.refused and any(holds(said, a) for a in group)] for group in r.facts],
        "x": r.forbidden,
        "d": r.documents,
        "c": None if r.confidence is None else round(r.confidence, 4),
        "s": round(r.seconds, 4),
        "z": [[c.number, c.quote, c.title, c.document, c.source] for c in r.citations],
        "p": [[hit.document, round(hit.score, 3)] for hit in r.passages],
    }
    return {key: value for key, value in row.items() if value not in ("", [], ())}


def _json(value: object) -> str:
    """JSON that cannot end its script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
