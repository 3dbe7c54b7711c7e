"""Every error `index` raises on purpose.

RepereError
├── KnowledgeError    one or more files cannot be read
├── BuildInProgress   another build holds the lock
└── IndexProblem      the index cannot be used; `command` mends it
    ├── IndexMissing      nothing was built here
    ├── IndexOutdated     built by another version, or by another encoder
    └── IndexDamaged      a file is gone or does not say what the manifest says
EncoderMissing and ReaderMissing (RepereErrors) are raised when a model cannot be loaded.
"""

from dataclasses import dataclass

BUILD = "python -m index build"


class RepereError(Exception):
    """The base of all errors raised on purpose; its text is one English sentence for a person."""


@dataclass(frozen=True, slots=True)
class BadFile:
    """A knowledge file that cannot be indexed, and why."""

    path: str
    reason: str


class KnowledgeError(RepereError):
    """Files of the knowledge folder cannot be indexed; nothing was built."""

    def __init__(self, files: tuple[BadFile, ...]) -> None:
        self.files = files
        super().__init__("; ".join(f"{f.path}: {f.reason}" for f in files))


class BuildInProgress(RepereError):
    """Another process is building into the same folder."""


class EncoderMissing(RepereError):
    """The encoder that was asked for cannot be loaded."""


class ReaderMissing(RepereError):
    """The model that should read questions beside passages cannot be loaded."""


class IndexProblem(RepereError):
    """The index cannot be used; `command` is what to run."""

    command = BUILD


class IndexMissing(IndexProblem):
    """No generation has been built in this folder."""


class IndexOutdated(IndexProblem):
    """The generation was built by another version or with another encoder."""


class IndexDamaged(IndexProblem):
    """A file of the generation is missing or changed."""

    command = f"{BUILD} --fresh"
