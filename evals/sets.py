"""Standard sets: SQuAD-format and AfriQA files, BEIR folders, FAQ lists → documents and cases.

Builds no index and asks nothing. A set brings its own knowledge: each paragraph becomes a document
that is called by its digest, with its title in the front matter.
"""

import csv
import hashlib
import json
import random
import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evals.cases import Case, CaseFileError
from index.documents import CONTROL
from index.training.data import held_out

SETS = Path(".cache/sets")


@dataclass(slots=True)
class _Set:
    """What a reader fills: documents by id (title, text), cases."""

    name: str
    documents: dict[str, tuple[str, str]] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    holds_out: bool = False

    def document(self, title: str, text: str) -> str:
        """Take a document in, once however often it is given, and return its id; "" when it has no text."""
        text = CONTROL.sub(" ", text).strip()
        if not re.sub(r"^#.*$", "", text, flags=re.M).strip():
            return ""
        name = hashlib.sha256(f"{title}\n{text}".encode("utf-8", "replace")).hexdigest()[:12]
        self.documents.setdefault(name, (title, text))
        return name

    def ask(self, name: str, question: str, document: str, answers: Sequence[str], title: str = "") -> None:
        """Take a question in. Without a document it is to be refused; a second time its document is added."""
        if not question.strip() or (self.holds_out and not held_out(title)):
            return
        name = f"{self.name}/{name}"
        documents = (*self.cases[name].documents, document) if name in self.cases else (document,)
        facts = (tuple(dict.fromkeys(answers)),) if answers else ()
        known = tuple(d for d in dict.fromkeys(documents) if d)
        self.cases[name] = Case(
            name,
            " ".join(question.split()),
            facts=facts if known else (),
            documents=known,
            refuse=not known,
            tags=(self.name,),
        )


def read_sets(
    paths: Sequence[Path], *, limit: int | None = None, held_out_only: bool = False, seed: int = 0
) -> tuple[dict[str, tuple[str, str]], tuple[Case, ...]]:
    """All documents of the sets, id → (title, text), and their questions as cases.

    `limit`: that many questions, drawn with `seed` and in their order; the documents stay all.
    `held_out_only`: of SQuAD-format files, only questions on articles that the bundled encoder was not
    trained on. Raises CaseFileError naming each file that is no set.
    """
    documents: dict[str, tuple[str, str]] = {}
    cases: dict[str, Case] = {}
    problems: list[str] = []
    for path in paths:
        found = _Set(path.stem)
        try:
            _reader(path)(path, found, held_out_only)
        except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            problems.append(f"{path}: not a SQuAD, AfriQA or FAQ file, nor a BEIR folder ({_why(error)})")
            continue
        if not found.cases:
            problems.append(f"{path}: there is no question to ask in it")
        documents |= found.documents
        cases |= found.cases
    if problems:
        raise CaseFileError(tuple(problems))
    names = list(cases)
    if limit is not None and limit < len(names):
        kept = set(random.Random(seed).sample(names, limit))
        names = [name for name in names if name in kept]
    return documents, tuple(cases[name] for name in names)


def knowledge_of(documents: dict[str, tuple[str, str]]) -> Path:
    """A folder of SETS with a `knowledge` folder of these documents; written whole, and only once."""
    digest = hashlib.sha256("\n".join(sorted(documents)).encode()).hexdigest()[:16]
    folder = SETS / digest
    if not (folder / "knowledge").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / f"knowledge-{uuid.uuid4().hex[:8]}"
        fresh.mkdir()
        for name, (title, text) in documents.items():
            front = f"---\nid: {json.dumps(name)}\ntitle: {json.dumps(title or name)}\n---\n"
            (fresh / f"{name}.md").write_text(f"{front}{text}\n", "utf-8", errors="replace")
        try:
            fresh.rename(folder / "knowledge")
        except OSError:  # another run was first with the same documents
            shutil.rmtree(fresh, ignore_errors=True)
    return folder


def _reader(path: Path) -> Callable[[Path, _Set, bool], None]:
    if path.is_dir():
        return _beir
    if path.suffix.lower() == ".csv":
        return _faq
    with path.open(encoding="utf-8") as file:
        first = file.readline()
    return _afriqa if '"answer_pivot"' in first else _squad


def _squad(path: Path, found: _Set, held_out_only: bool) -> None:
    """SQuAD 1.1 and 2.0; a question that 2.0 calls impossible is to be refused."""
    found.holds_out = held_out_only
    for article in json.loads(path.read_text("utf-8"))["data"]:
        title = str(article.get("title", ""))
        for paragraph in article["paragraphs"]:
            document = found.document(title, paragraph["context"])
            for asked in paragraph["qas"]:
                answers = [a["text"] for a in asked["answers"] if a["text"].strip()]
                right = document if answers and not asked.get("is_impossible") else ""
                found.ask(str(asked["id"]), asked["question"], right, answers, title)


def _afriqa(path: Path, found: _Set, _: bool) -> None:
    """AfriQA's gold passages, one JSON object a line; a question without an answer is left out."""
    for row in _json_lines(path):
        document = found.document(row["title"], row["context"])
        pivot = row["answer_pivot"]
        if pivot["answer_start"]:
            found.ask(str(row["id"]), row["question_translated"], document, pivot["text"], row["title"])


def _beir(path: Path, found: _Set, _: bool) -> None:
    """corpus.jsonl, queries.jsonl, qrels/test.tsv; every judgement above 0 counts alike."""
    documents = {
        str(row["_id"]): found.document(str(row.get("title", "")), row["text"])
        for row in _json_lines(path / "corpus.jsonl")
    }
    queries = {str(row["_id"]): row["text"] for row in _json_lines(path / "queries.jsonl")}
    with (path / "qrels" / "test.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(rows)
        for query, document, gain in rows:
            if float(gain) > 0 and documents.get(document):
                found.ask(query, queries[query], documents[document], ())


def _faq(path: Path, found: _Set, _: bool) -> None:
    """Two columns, question and answer. The answers are the documents, untitled: to be found, not matched."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        text = file.read()
    separator = ";" if text.split("\n", 1)[0].count(";") > text.split("\n", 1)[0].count(",") else ","
    rows = csv.reader(text.splitlines(keepends=True), delimiter=separator)
    heading = [cell.strip().lower() for cell in next(rows)]
    question = heading.index("question")
    answer = next(i for i, name in enumerate(heading) if name in ("answer", "réponse", "reponse"))
    for number, row in enumerate(rows, start=1):
        if len(row) > max(question, answer) and row[answer].strip():
            found.ask(str(number), row[question], found.document("", row[answer]), ())


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file if line.strip())


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or "cannot be read"
    if isinstance(error, KeyError):
        return f"no {error}"
    return type(error).__name__
