"""A run as a folder: manifest.json, results.jsonl, summary.json. Reads and writes; measures nothing.

manifest.json   what was asked of what: enough to run again the same way
results.jsonl   one Result a line, in the order of the cases, then of the variants
summary.json    scores with their intervals, by tag and variant, and the curves
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Self

from bot.answers import Turn
from index.errors import RepereError

FORMAT = 1
RUNS = Path(".cache/evals")
MANIFEST, RESULTS, SUMMARY = "manifest.json", "results.jsonl", "summary.json"


class RunFileError(RepereError):
    """A folder that holds no run, or one that cannot be used."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was asked of what. `created` is ISO 8601 in UTC; `index` is what the index says of itself.

    `settings` are the options of the command; `versions` name Python and each package that matters.
    """

    created: str
    target: str
    commit: str = ""
    dirty: bool = False
    index: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    cases: tuple[str, ...] = ()
    cases_digest: str = ""
    variants: tuple[str, ...] = ("",)
    workers: int = 1
    versions: Mapping[str, str] = field(default_factory=dict)
    complete: bool = False
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Quote:
    """A citation as it was given: `quote` should stand at [start, end) of the document's text."""

    number: int
    document: str
    title: str
    source: str
    quote: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved passage, without its text."""

    id: str
    document: str
    score: float


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one case in one variant ("" is the question as written).

    `facts` to `documents` are the case's own. `error` is None, or "Type: message" of a crash, after
    which the answer is empty. `why` is empty when `right`. `values` hold a number for each metric of a
    single answer, None where it does not apply. `seconds` is the time that the answer took.
    """

    id: str
    variant: str
    question: str
    tags: tuple[str, ...]
    right: bool
    history: tuple[Turn, ...] = ()
    refuse: bool = False
    facts: tuple[tuple[str, ...], ...] = ()
    forbidden: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    answer: str = ""
    standalone_question: str = ""
    refused: bool = False
    reason: str = ""
    confidence: float | None = None
    citations: tuple[Quote, ...] = ()
    passages: tuple[Hit, ...] = ()
    seconds: float = 0.0
    error: str | None = None
    why: str = ""
    values: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """What no two results of a run share: the case and the variant."""
        return self.id, self.variant


@dataclass(frozen=True, slots=True)
class Score:
    """A metric's value with its 95 % interval, over `n` cases; None where it applies to none."""

    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Summary:
    """The scores of a run. `tags` and `scores` are over the questions as written.

    `variants`: variant → metric → value. `risk_coverage`: (coverage, risk), both in [0, 1].
    `reliability`: (mean confidence, accuracy, n) of each bin that is not empty. `latencies`: seconds.
    """

    scores: Mapping[str, Score]
    tags: Mapping[str, Mapping[str, Score]] = field(default_factory=dict)
    variants: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    risk_coverage: tuple[tuple[float, float], ...] = ()
    reliability: tuple[tuple[float, float, int], ...] = ()
    latencies: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """A run read whole. A result holds no text of passages, so that 10,000 of them take some 100 MB."""

    folder: Path
    manifest: Manifest
    results: tuple[Result, ...]
    summary: Summary


class RunWriter:
    """Writes a run as it goes. A context: leaving it closes the file, whatever was written stays.

    A folder that holds a run already is gone on with; what a killed process left of a line is cut off.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self._file: IO[str]

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / MANIFEST, asdict(self.manifest))
        path = self.folder / RESULTS
        _cut_off_broken_line(path)
        self._file = path.open("a", encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, result: Result) -> None:
        """Append one result; it is in the file when this returns."""
        self._file.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")
        self._file.flush()

    def finish(self, summary: Summary, manifest: Manifest) -> None:
        """Write the summary, then the manifest that says whether the run is complete."""
        write_json(self.folder / SUMMARY, asdict(summary))
        write_json(self.folder / MANIFEST, asdict(manifest))


def new_folder(now: datetime | None = None) -> Path:
    """A folder of its own for a run: the UTC time, and a number after it when that is taken."""
    name = f"{now or datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    free = (RUNS / (name + suffix) for suffix in ("", *(f"-{i}" for i in range(2, 1000))))
    return next(folder for folder in free if not folder.exists())


def latest() -> Path:
    """The folder of the run that was begun last. Raises RunFileError when there is none."""
    found = sorted(path.parent for path in RUNS.glob(f"*/{MANIFEST}"))
    if not found:
        raise RunFileError(f"there is no run in « {RUNS} »; run: python -m evals run")
    return found[-1]


def read_run(folder: Path) -> Run:
    """Read a whole run. Raises RunFileError with one sentence that says what is wrong."""
    return Run(folder, read_manifest(folder), tuple(read_results(folder)), read_summary(folder))


def read_summary(folder: Path) -> Summary:
    """Read `summary.json`. Raises RunFileError."""
    if not (folder / SUMMARY).exists():
        raise RunFileError(
            f"the run in « {folder} » was stopped before it was summed up; "
            f"go on with: python -m evals run --resume {folder}"
        )
    raw = _json(folder / SUMMARY)
    try:
        return _summary(raw)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise RunFileError(f"« {folder / SUMMARY} » is not the summary of a run") from None


def read_manifest(folder: Path) -> Manifest:
    """Read `manifest.json`. Raises RunFileError."""
    if not (folder / MANIFEST).exists():
        raise RunFileError(f"there is no run in « {folder} »: it holds no {MANIFEST}")
    raw = _json(folder / MANIFEST)
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise RunFileError(f"the run in « {folder} » was written by another version of Repère")
    try:
        known = {f.name: raw[f.name] for f in fields(Manifest)}
        return Manifest(**{**known, "cases": tuple(raw["cases"]), "variants": tuple(raw["variants"])})
    except (KeyError, TypeError):
        raise RunFileError(f"« {folder / MANIFEST} » is not the manifest of a run") from None


def read_results(folder: Path) -> Iterator[Result]:
    """The results, one by one; a last line that a killed process left unfinished is passed over.

    Raises RunFileError, naming the line, for any other that cannot be read.
    """
    path = folder / RESULTS
    if not path.exists():
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                yield _result(json.loads(line))
            except (KeyError, TypeError, ValueError, AttributeError):
                raise RunFileError(f"{path}:{number}: not a result of a run") from None


def write_json(path: Path, value: object) -> None:
    """Write JSON whole or not at all."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")
    fresh.replace(path)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        raise RunFileError(f"« {path} » cannot be read") from None


def _result(raw: dict[str, Any]) -> Result:
    return Result(
        **{
            **raw,
            "tags": tuple(raw["tags"]),
            "history": tuple(Turn(**turn) for turn in raw["history"]),
            "facts": tuple(tuple(group) for group in raw["facts"]),
            "forbidden": tuple(raw["forbidden"]),
            "documents": tuple(raw["documents"]),
            "citations": tuple(Quote(**each) for each in raw["citations"]),
            "passages": tuple(Hit(**each) for each in raw["passages"]),
        }
    )


def _summary(raw: dict[str, Any]) -> Summary:
    def scores(named: Mapping[str, Any]) -> dict[str, Score]:
        return {name: Score(**score) for name, score in named.items()}

    return Summary(
        scores(raw["scores"]),
        {tag: scores(named) for tag, named in raw["tags"].items()},
        raw["variants"],
        tuple((coverage, risk) for coverage, risk in raw["risk_coverage"]),
        tuple((sure, right, n) for sure, right, n in raw["reliability"]),
        tuple(raw["latencies"]),
    )


def _cut_off_broken_line(path: Path) -> None:
    if not path.exists():
        return
    with path.open("r+b") as file:
        whole = 0
        for line in file:
            whole += len(line) if line.endswith(b"\n") else 0
        file.truncate(whole)
