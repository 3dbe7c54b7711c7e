"""A run from its options to its folder: opens what is asked, writes results as they come, sums up."""

import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tqdm import tqdm

from evals.cases import FOLDER, Case, case_files, read_cases
from evals.run import Asked, run_all
from evals.runs import Manifest, RunFileError, RunWriter, new_folder, read_manifest, read_results
from evals.scores import summarise
from evals.sets import knowledge_of, read_sets
from evals.targets import Asking, Target, open_target
from evals.variants import VARIANTS
from index.documents import read_knowledge
from index.errors import IndexProblem

VERSIONED = ("repere", "langchain-core", "chromadb", "tantivy", "sentence-transformers", "numpy")
KEY = "OPENAI_API_KEY"  # the environment alone: an option would stand in the shell's history


@dataclass(frozen=True, slots=True)
class Options:
    """What is run: all that decides the results but the seed. Written into the manifest."""

    target: str = "repere"
    index: str = ".cache/index"
    knowledge: str = "knowledge"
    cases: str = str(FOLDER)
    sets: tuple[str, ...] = ()
    limit: int | None = None
    held_out: bool = False
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


def launch(options: Options, folder: Path | None = None, seed: int = 0, workers: int = 1) -> Ended:
    """Run `options` into `folder`, a new one unless it is given.

    Ctrl-C ends the run early; what is there is summed up. Raises CaseFileError, IndexProblem,
    TargetError, RunFileError.
    """
    folder = folder or new_folder()
    if folder.exists() and any(folder.iterdir()):
        raise RunFileError(
            f"« {folder} » is not empty; go on with its run by --resume, or name another folder"
        )
    return _run(options, folder, seed, workers, None)


def resume(folder: Path, workers: int | None = None) -> Ended:
    """Ask what is missing of the run in `folder`, with its own options.

    Raises RunFileError when its cases or its index are no longer the same, and what `launch` raises.
    """
    old = read_manifest(folder)
    try:
        raw = dict(old.settings)
        options = Options(
            **{**raw, "sets": tuple(raw["sets"]), "refusal_phrases": tuple(raw["refusal_phrases"])}
        )
    except (KeyError, TypeError):
        raise RunFileError(f"the run in « {folder} » does not say how it was started") from None
    return _run(options, folder, old.seed, workers or old.workers, old)


def _run(options: Options, folder: Path, seed: int, workers: int, old: Manifest | None) -> Ended:
    cases, options_used = _cases(options, seed)
    asking = Asking(
        options.target,
        Path(options_used.index),
        Path(options_used.knowledge),
        options.model,
        os.environ.get(KEY, ""),
        options.refusal_phrases,
        options.retrieval_only,
    )
    if options.sets and options.target == "repere":
        _build(asking)
    documents = {d.id: d for d in read_knowledge(asking.knowledge, skip_bad=True).documents}
    target = open_target(asking)
    manifest = _manifest(options, asking, target, cases, seed, workers)
    if old:
        _check_same(old, manifest, folder)
        manifest = replace(manifest, created=old.created)
    plan = [(case, variant) for case in cases for variant in manifest.variants]
    with RunWriter(folder, manifest) as writer:
        done = {result.key for result in read_results(folder)}
        todo = (Asked(case, variant, seed) for case, variant in plan if (case.id, variant) not in done)
        count = len(done)
        try:
            bar = tqdm(
                run_all(target, todo, documents, workers, answers=not options.retrieval_only),
                desc="evals",
                unit="question",
                total=len(plan),
                initial=count,
                file=sys.stderr,
                disable=not sys.stderr.isatty(),
            )
            for result in bar:
                writer.add(result)
                count += 1
        except KeyboardInterrupt:
            pass  # what was answered is kept and summed up
        summary = summarise(read_results(folder), seed)
        writer.finish(summary, replace(manifest, complete=count == len(plan)))
    return Ended(folder, count, len(plan))


def _cases(options: Options, seed: int) -> tuple[tuple[Case, ...], Options]:
    """The cases, and where their documents are: a set brings its own."""
    if not options.sets:
        return read_cases(Path(options.cases)), options
    paths = [Path(path) for path in options.sets]
    documents, cases = read_sets(paths, limit=options.limit, held_out_only=options.held_out, seed=seed)
    folder = knowledge_of(documents)
    return cases, replace(options, index=str(folder / "index"), knowledge=str(folder / "knowledge"))


def _build(asking: Asking) -> None:
    from index.build import build  # heavy; nothing is written when the index is that of these documents

    build(asking.knowledge, asking.index, skip_bad=True, progress=sys.stderr.isatty())


def _manifest(
    options: Options, asking: Asking, target: Target, cases: Sequence[Case], seed: int, workers: int
) -> Manifest:
    commit, dirty = _commit()
    return Manifest(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        target=target.name,
        commit=commit,
        dirty=dirty,
        index=_index(asking) if options.target == "repere" else None,
        settings=asdict(options),
        seed=seed,
        cases=options.sets or tuple(map(str, case_files(Path(options.cases)))),
        cases_digest=hashlib.sha256(repr(cases).encode("utf-8", "surrogatepass")).hexdigest(),
        variants=tuple(VARIANTS) if options.robustness else ("",),
        workers=workers,
        versions={"python": platform.python_version(), **_versions()},
    )


def _check_same(old: Manifest, now: Manifest, folder: Path) -> None:
    for what, before, after in (
        ("the cases", old.cases_digest, now.cases_digest),
        ("the index", _built_from(old.index), _built_from(now.index)),
    ):
        if before != after:
            raise RunFileError(
                f"{what} have changed since the run in « {folder} » was begun; begin a new one"
            )


def _built_from(index: Mapping[str, Any] | None) -> tuple[Any, ...]:
    return tuple(index[key] for key in ("knowledge", "encoder", "longest")) if index else ()


def _index(asking: Asking) -> dict[str, Any] | None:
    from index.store import Manifest as IndexManifest
    from index.store import current

    try:
        return asdict(IndexManifest.read(asking.index / "generations" / current(asking.index)))
    except IndexProblem:
        return None


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
