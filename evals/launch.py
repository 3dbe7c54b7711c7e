"""A run from its options to its folder: asks every question, writes results as they come, sums up."""

import hashlib
import itertools
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bot.reader import MODEL
from evals.cases import FOLDER, Case, CaseFileError, case_files, group_of, in_test_split, read_cases
from evals.results import (
    MANIFEST,
    Manifest,
    Result,
    RunFileError,
    RunWriter,
    new_folder,
    read_manifest,
    read_results,
)
from evals.run import Asked, run_all
from evals.scores import summarise
from evals.sets import knowledge_of, read_sets
from evals.targets import OURS, TargetOptions
from evals.variants import VARIANTS

VERSIONED = ("repere", "langchain-core", "chromadb", "tantivy", "sentence-transformers", "numpy")
MANY = 1000  # questions, from which it pays to start a process for each core
KEY = "OPENAI_API_KEY"  # the environment alone: an option would stand in the shell's history


class Split(StrEnum):
    """Which of the reviewed cases are asked; `evals.cases.in_test_split` tells them apart."""

    ALL = "all"
    DEV = "dev"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Options:
    """What is run: all that decides the results but the seed. Written into the manifest."""

    target: str = OURS
    index: str = ".cache/index"
    knowledge: str = "knowledge"
    cases: str = str(FOLDER)
    sets: tuple[str, ...] = ()
    limit: int | None = None
    held_out: bool = False
    split: Split = Split.ALL
    robustness: bool = False
    retrieval_only: bool = False
    model: str = ""
    refusal_phrases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: where it is, how many of its questions have a result."""

    folder: Path
    done: int
    all: int


def launch(options: Options, folder: Path | None = None, seed: int = 0, workers: int | None = None) -> Ended:
    """Run `options` into `folder`, a new one unless it is given.

    Ctrl-C ends the run early; what is there is summed up. Raises CaseFileError, IndexProblem,
    TargetError, RunFileError.
    """
    return _run(options, _empty(folder), seed, workers, None)


def resume(folder: Path, workers: int | None = None) -> Ended:
    """Ask what is missing of the run in `folder`, with its own options.

    Raises RunFileError when its cases or its index are no longer the same, and what `launch` raises.
    """
    old = read_manifest(folder)
    return _run(options_of(old), folder, old.seed, workers or old.workers, old)


def repeat(like: Path, folder: Path | None = None, workers: int | None = None) -> Ended:
    """Ask all that the run in `like` asked, with its options and its seed, into another folder.

    Raises what `resume` raises.
    """
    old = read_manifest(like)
    return _run(options_of(old), _empty(folder), old.seed, workers or old.workers, old)


def options_of(manifest: Manifest) -> Options:
    """The options that a run was started with. Raises RunFileError when its manifest does not tell."""
    raw = manifest.settings
    try:
        return Options(
            **{
                **raw,
                "sets": tuple(raw["sets"]),
                "refusal_phrases": tuple(raw["refusal_phrases"]),
                "split": Split(raw["split"]),
            }
        )
    except (KeyError, TypeError, ValueError):
        raise RunFileError("the manifest does not say how the run was started; begin a new run") from None


def _empty(folder: Path | None) -> Path:
    folder = folder or new_folder()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunFileError(
            f"« {folder} » is not an empty folder; go on with its run by --resume, or name another folder"
        )
    return folder


def _run(options: Options, folder: Path, seed: int, workers: int | None, old: Manifest | None) -> Ended:
    cases, used = _cases(options, seed)
    target = TargetOptions(
        used.target,
        Path(used.index),
        Path(used.knowledge),
        used.model,
        os.environ.get(KEY, ""),
        used.refusal_phrases,
        used.retrieval_only,
    )
    if options.sets and options.target == OURS:
        _build(target)
    variants = tuple(VARIANTS) if options.robustness else ("",)
    plan = [Asked(case, variant, seed) for case in cases for variant in variants]
    if workers is None:
        workers = 1 if len(plan) < MANY else os.cpu_count() or 1
    manifest = _manifest(options, target, cases, variants, seed, workers)
    if old:
        _check_same(old, manifest)
    if old and (folder / MANIFEST).exists():
        manifest = replace(manifest, created=old.created)
    done = {result.key for result in read_results(folder)}
    todo = [asked for asked in plan if (asked.case.id, asked.variant) not in done]
    count = len(done)
    with closing(run_all(target, todo, workers)) as results:
        first = list(itertools.islice(results, 1))  # a target that cannot be opened leaves no folder behind
        with RunWriter(folder, manifest) as writer:
            with suppress(KeyboardInterrupt):  # what was answered is kept and summed up
                for result in _shown(itertools.chain(first, results), len(plan), count):
                    writer.add(result)
                    count += 1
            summary = summarise(read_results(folder), seed)
            writer.finish(summary, replace(manifest, complete=count == len(plan)))
    return Ended(folder, count, len(plan))


def _shown(results: Iterable[Result], total: int, done: int) -> Iterator[Result]:
    hidden = not sys.stderr.isatty()
    return iter(tqdm(results, "evals", total, unit="question", initial=done, file=sys.stderr, disable=hidden))


def _cases(options: Options, seed: int) -> tuple[tuple[Case, ...], Options]:
    """The cases, and where their documents are: a set brings its own."""
    if not options.sets:
        cases = read_cases(Path(options.cases))
        asked_for = {Split.DEV: (False,), Split.TEST: (True,)}.get(options.split, (False, True))
        chosen = tuple(c for c in cases if in_test_split(group_of(c)) in asked_for)
        if not chosen:
            raise CaseFileError((f"{options.cases}: no case is in the split « {options.split} »",))
        return chosen, options
    paths = [Path(path) for path in options.sets]
    documents, cases = read_sets(paths, limit=options.limit, held_out_only=options.held_out, seed=seed)
    folder = knowledge_of(documents)
    return cases, replace(options, index=str(folder / "index"), knowledge=str(folder / "knowledge"))


def _build(target: TargetOptions) -> None:
    from index.build import build  # heavy; nothing is written when the index is that of these documents

    build(target.knowledge, target.index, skip_bad=True, progress=sys.stderr.isatty())


def _manifest(
    options: Options,
    target: TargetOptions,
    cases: Sequence[Case],
    variants: tuple[str, ...],
    seed: int,
    workers: int,
) -> Manifest:
    commit, dirty = _commit()
    return Manifest(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        target=f"{options.target} {options.model}".strip(),
        commit=commit,
        dirty=dirty,
        index=_index(target) if options.target == OURS else None,
        settings=asdict(options),
        seed=seed,
        cases=options.sets or tuple(map(str, case_files(Path(options.cases)))),
        cases_digest=_digest(repr(cases).encode("utf-8", "surrogatepass")),
        variants=variants,
        workers=workers,
        versions={"python": platform.python_version(), **_versions(), "reader": _digest(MODEL.read_bytes())},
    )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _check_same(old: Manifest, now: Manifest) -> None:
    for what, before, after in (
        ("the cases", old.cases_digest, now.cases_digest),
        ("the index", _built_from(old.index), _built_from(now.index)),
        ("the fitted reader", old.versions.get("reader"), now.versions.get("reader")),
    ):
        if before != after:
            raise RunFileError(f"{what} changed since that run was begun; begin a new one without it")


def _built_from(index: Mapping[str, Any] | None) -> tuple[Any, ...]:
    return tuple(index[key] for key in ("knowledge", "encoder", "longest")) if index else ()


def _index(target: TargetOptions) -> dict[str, Any]:
    """What the index says of itself. Raises IndexProblem when there is none."""
    from index.store import Manifest as IndexManifest
    from index.store import current

    return asdict(IndexManifest.read(target.index / "generations" / current(target.index)))


def _commit() -> tuple[str, bool]:
    """The commit of this source tree and whether it was changed since; "" where there is none."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(Path(__file__).parent), *words]
        try:
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return ""

    commit = git("rev-parse", "HEAD")
    return commit, bool(commit and git("status", "--porcelain", "--untracked-files=no"))


def _versions() -> dict[str, str]:
    found = {}
    for package in VERSIONED:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # run from a folder that was never installed
            found[package] = ""
    return found
