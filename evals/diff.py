"""What a change of the knowledge does to the answers: both revisions indexed, every case asked of both.

Prints nothing. The code is that of today on both sides: only the documents differ.
"""

import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from evals.cases import Case
from evals.compare import Comparison, compare
from evals.results import Manifest, Run, Summary
from evals.run import run_cases
from index.documents import read_knowledge
from index.errors import RepereError

NOW = "the working tree"


class DiffError(RepereError):
    """No git repository, no such revision, or no knowledge in it."""


def diff(before: str, after: str, knowledge: Path, index: Path, cases: Sequence[Case]) -> Comparison:
    """Answers over `knowledge` at the git revision `before` against those at `after` ("" is the folder now).

    `index` only lends its vectors; neither it nor the working tree is written to. Raises DiffError,
    KnowledgeError or EncoderMissing.
    """
    with tempfile.TemporaryDirectory(prefix="repere-diff-") as place:
        old = _checked_out(before, knowledge, Path(place) / "before")
        new = _checked_out(after, knowledge, Path(place) / "after") if after else knowledge
        first = _asked(before, old, index, Path(place) / "index-before", cases)
        second = _asked(after or NOW, new, index, Path(place) / "index-after", cases)
    return compare(first, second)


def _asked(name: str, knowledge: Path, lent: Path, index: Path, cases: Sequence[Case]) -> Run:
    from bot.chain import Bot  # heavy: only after git has said yes
    from bot.settings import Settings
    from index.build import build

    if (lent / "CURRENT").is_file():
        shutil.copytree(lent, index, ignore=shutil.ignore_patterns("LOCK"))
    build(knowledge, index, skip_bad=True)
    documents = {d.id: d for d in read_knowledge(knowledge, skip_bad=True).documents}
    bot = Bot.open(Settings.from_environment(knowledge=knowledge, index=index))
    return Run(Path(name), Manifest("", "repere"), run_cases(bot, cases, documents), Summary({}))


def _checked_out(revision: str, knowledge: Path, target: Path) -> Path:
    """The knowledge folder as it was at a revision, written to `target`."""
    folder = knowledge.resolve()
    if not folder.is_dir():
        raise DiffError(f"there is no folder « {knowledge} »")
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top is None:
        raise DiffError(f"« {knowledge} » is in no git repository, so there is no revision to compare with")
    # --end-of-options: a revision is never read as an option of git.
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if not commit:
        raise DiffError(f"git knows no revision « {revision} »")
    inside = folder.relative_to(Path(top.decode().strip()).resolve()).as_posix()
    root = commit.decode().strip()
    packed = _git(folder, "archive", "--format=tar", root if inside == "." else f"{root}:{inside}")
    if packed is None:
        raise DiffError(f"there is no folder « {inside} » in revision « {revision} »")
    target.mkdir()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(target, filter="data")
    return target


def _git(folder: Path, *words: str) -> bytes | None:
    """What git prints; None when it fails. Run at the top of the repository where `archive` needs that."""
    place = folder
    if words[0] == "archive":
        top = _git(folder, "rev-parse", "--show-toplevel")
        place = Path((top or b"").decode().strip())
    try:
        done = subprocess.run(["git", "-C", str(place), *words], capture_output=True, check=False)
    except OSError:
        raise DiffError("git is not installed") from None
    return done.stdout if done.returncode == 0 else None
