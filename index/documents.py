"""Document: a Markdown or text file and its front matter. Knows nothing about passages or vectors."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from index.errors import BadFile, KnowledgeError

SUFFIXES = (".md", ".txt")
LARGEST = 5_000_000  # bytes; a file beyond it is a mistake more often than a document
FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.S)
HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$", re.M)
COMMENT = re.compile(r"<!--.*?-->", re.S)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True, slots=True)
class Document:
    """One knowledge file. `text` is the body in NFC; all offsets count its characters.

    `id` is the path below the knowledge folder without its suffix; `date` is ISO 8601 or empty;
    `questions` are examples that this document answers.
    """

    id: str
    title: str
    text: str
    source: str = ""
    date: str = ""
    language: str = "fr"
    tags: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()

    @property
    def visible(self) -> str:
        """The text with its comments blanked, every character where it was: what may be quoted."""
        return COMMENT.sub(lambda found: " " * len(found[0]), self.text)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The readable documents of a folder, by id, and the files left out."""

    documents: tuple[Document, ...]
    skipped: tuple[BadFile, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over every document, so that equal knowledge has an equal digest."""
        lines = (repr(d) for d in self.documents)
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def read_knowledge(folder: Path, *, skip_bad: bool = False) -> Knowledge:
    """Read every `.md` and `.txt` file under `folder` (README.md and hidden files apart).

    Raises KnowledgeError naming every bad file, or only lists them in `skipped` when `skip_bad`;
    a folder that is missing or holds no readable document is an error either way.
    """
    if not folder.is_dir():
        raise KnowledgeError((BadFile(str(folder), "no such folder"),))
    documents: dict[str, Document] = {}
    bad: list[BadFile] = []
    for path in sorted(p for p in folder.rglob("*") if _is_document(p, folder)):
        name = path.relative_to(folder).as_posix()
        try:
            document = read_document(path, folder)
        except (ValueError, OSError) as error:
            bad.append(BadFile(name, _reason(error)))
            continue
        if document.id in documents:
            bad.append(BadFile(name, f"another file has the same id « {document.id} »"))
        else:
            documents[document.id] = document
    if bad and not skip_bad:
        raise KnowledgeError(tuple(bad))
    if not documents:
        raise KnowledgeError((*bad, BadFile(str(folder), "no .md or .txt document to read")))
    return Knowledge(tuple(documents.values()), tuple(bad))


def read_document(path: Path, folder: Path) -> Document:
    """Read one file. Raises ValueError with the reason in a few words."""
    if path.stat().st_size > LARGEST:
        raise ValueError(f"larger than {LARGEST // 1_000_000} MB; split it")
    try:
        raw = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 text (byte {error.start})") from None
    if CONTROL.search(raw):
        raise ValueError("binary data or control characters in it")
    raw = unicodedata.normalize("NFC", raw.replace("\r\n", "\n").replace("\r", "\n"))
    front, text = _front_matter(raw)
    if not HEADING.sub("", COMMENT.sub("", text)).strip():
        raise ValueError("no text in it")
    identity = path.relative_to(folder).with_suffix("").as_posix()
    heading = HEADING.search(text)
    title = _string(front, "title") or (heading[1] if heading else path.stem.replace("-", " "))
    return Document(
        id=_string(front, "id") or unicodedata.normalize("NFC", identity),
        title=title,
        text=text,
        source=_string(front, "source"),
        date=_date(front),
        language=_string(front, "language") or "fr",
        tags=_strings(front, "tags"),
        questions=_strings(front, "questions"),
    )


def _is_document(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    hidden = any(part.startswith(".") for part in parts)
    readme = path.name.lower() == "readme.md"
    return path.suffix.lower() in SUFFIXES and not hidden and not readme and path.is_file()


def _reason(error: Exception) -> str:
    return (error.strerror or "cannot be read") if isinstance(error, OSError) else str(error)


def _front_matter(raw: str) -> tuple[dict[str, Any], str]:
    """Split a file into its front matter and its body; offsets count in the body alone."""
    found = FRONT_MATTER.match(raw)
    if not found:
        if re.match(r"---[ \t]*\n\w+[ \t]*:", raw):
            raise ValueError("front matter is never closed by a line « --- »")
        return {}, raw
    try:
        front = yaml.safe_load(found[1]) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 2})" if mark else ""
        raise ValueError(f"front matter is not valid YAML{where}") from None
    if not isinstance(front, dict):
        raise ValueError("front matter is not a list of « key: value » lines")
    return front, raw[found.end() :]


def _string(front: dict[str, Any], key: str) -> str:
    value = front.get(key, "")
    if value is None or isinstance(value, (list, dict)):
        raise ValueError(f"« {key} » in the front matter must be one line of text")
    return unicodedata.normalize("NFC", str(value)).strip()


def _strings(front: dict[str, Any], key: str) -> tuple[str, ...]:
    value = front.get(key) or []
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or any(isinstance(item, (list, dict)) for item in value):
        raise ValueError(f"« {key} » in the front matter must be a list of texts")
    return tuple(unicodedata.normalize("NFC", str(item)).strip() for item in value)


def _date(front: dict[str, Any]) -> str:
    text = _string(front, "date")
    try:
        return date.fromisoformat(text[:10]).isoformat() if text else ""
    except ValueError:
        raise ValueError("« date » in the front matter must be written 2022-03-31") from None
