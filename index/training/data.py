"""Readers for the training data: sentence pairs and question–passage pairs, nothing about models.

Everything is read from one folder given on the command line; the layout is described in README.md
beside this file. Splits are made by article, never by question, and are fixed by a hash of the title.
"""

import hashlib
import io
import itertools
import json
import random
import re
import tarfile
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SENTENCE = re.compile(r"(?<=[.!?…])\s+(?=[«\"“(]?[A-ZÀÂÇÉÈÊËÎÏÔÖÛÜ0-9])")

PARALLEL = {  # file → share of the sentence batches; law is capped, it is repetitive
    "hansard36": 0.36,
    "tatoeba": 0.16,
    "justice-canada-acts": 0.08,
    "justice-canada-regulations": 0.07,
    "debianweb": 0.09,
    "openquizzdb": 0.05,
    "pythondocs": 0.02,
    "canada_cds": 0.02,
    "canada_designsystem": 0.04,
    "opensource_guide": 0.02,
    "mozillawww": 0.02,
    "opencontracting": 0.02,
    "mon_entreprise": 0.02,
    "gnomehelp": 0.03,
}
PASSAGES = {"passages-hansard36": 0.8, "passages-justice": 0.2}
ENGLISH_QA = (
    "en-squad11_dev",
    "en-squad11_train_subset",
    "en-squad20_dev_half",
    "en-squadshifts_new_wiki",
    "en-squadshifts_reddit",
    "en-squadshifts_amazon_reviews",
    "en-nq_qed",
    "en-nq_open_oracle",
    "en-fairytaleqa_explicit",
)


@dataclass(frozen=True)
class Question:
    """One question with the paragraph that answers it; `text[start:end]` is the answer."""

    question: str
    title: str
    text: str
    start: int
    end: int


def lines(path: Path) -> Iterator[str]:
    """Yield the lines of a zstd-compressed UTF-8 text file."""
    import zstandard  # in the `train` extra, needed for compressed files alone

    with path.open("rb") as handle:
        stream = zstandard.ZstdDecompressor().stream_reader(handle)
        yield from io.TextIOWrapper(stream, encoding="utf-8")


def parallel(folder: Path, name: str, limit: int, seed: int) -> list[tuple[str, str]]:
    """Read (English, French) pairs of 3 to 1,200 characters, shuffled, at most `limit`."""
    pairs = []
    for line in lines(folder / "parallel" / f"{name}.tsv.zst"):
        english, _, french = line.rstrip("\n").partition("\t")
        if 3 <= len(english) <= 1200 and 3 <= len(french) <= 1200:
            pairs.append((english, french))
    random.Random(seed).shuffle(pairs)
    return pairs[:limit]


def held_out(title: str, one_in: int = 6) -> bool:
    """Whether an article belongs to the dev split: a fixed sixth, by hash of its title."""
    return int(hashlib.md5(title.encode()).hexdigest(), 16) % one_in == 0


def squad(path: Path) -> list[Question]:
    """The questions of a SQuAD-format file, each with its first answer. Raises ValueError when it is none."""
    try:
        return [
            Question(qa["question"], article["title"], paragraph["context"], start, start + len(text))
            for article in json.loads(path.read_text("utf-8"))["data"]
            for paragraph in article["paragraphs"]
            for qa in paragraph["qas"]
            for answer in qa["answers"][:1]
            for start, text in [(answer["answer_start"], answer["text"])]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not a SQuAD-format file ({type(error).__name__})") from error


def piaf(folder: Path) -> list[Question]:
    """PIAF v1.0 (etalab-ia, MIT): 3,835 French questions on 761 Wikipedia paragraphs."""
    return squad(folder / "qa" / "fr-piaf-v1.0.json")


def afriqa(folder: Path) -> list[Question]:
    """AfriQA train, French pivot (masakhane-io, CC BY 4.0): 289 questions, long contexts."""
    rows = (json.loads(line) for line in lines(folder / "qa" / "fr-afriqa-train.json.zst"))
    return [
        Question(
            row["question_translated"],
            row["title"],
            row["context"],
            row["answer_pivot"]["answer_start"][0],
            row["answer_pivot"]["answer_start"][0] + len(row["answer_pivot"]["text"][0]),
        )
        for row in rows
        if row["answer_pivot"]["answer_start"]
    ]


def written(folder: Path) -> list[Question]:
    """French questions that a language model wrote on PIAF's training paragraphs, Vikidia, gouv.fr,
    residence guides and passages of its own, one in eight without an answer (start = end = 0); none where the
    file is not there.
    """
    file = folder / "qa" / "fr-written.jsonl"
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.is_file() else []
    return [
        Question(row["question"], row["title"], row["context"], start, start + len(text))
        for row in rows
        for answer in row["answers"][:1] or [{"answer_start": 0, "text": ""}]
        for start, text in [(answer["answer_start"], answer["text"])]
    ]


def english(folder: Path) -> list[Question]:
    """English SQuAD-format questions; a title is not always given."""
    questions = []
    for name in ENGLISH_QA:
        for line in lines(folder / "qa" / f"{name}.jsonl.zst"):
            row = json.loads(line)
            if row.get("answers"):
                answer = row["answers"][0]
                title = str(row.get("title") or "").replace("_", " ")
                start = answer["answer_start"]
                questions.append(
                    Question(row["question"], title, row["context"], start, start + len(answer["text"]))
                )
    return questions


def same_questions(folder: Path) -> list[list[str]]:
    """Groups of questions that ask the same: Tatoeba's French translations of one English question, with
    it, and the labour-law questions (Apache-2.0) that were filed under one intent.
    """
    groups: dict[str, list[str]] = {}
    for english, french in parallel(folder, "tatoeba", 1_000_000, 7):
        if english.endswith("?") and french.endswith("?") and len(french.split()) >= 4:
            groups.setdefault(english, [english]).append(french)
    filed = json.loads("".join(lines(folder / "retrieval" / "cdtn-prequalified.data.json.zst")))
    groups |= {f"cdtn {i}": row["variants"] for i, row in enumerate(filed)}
    return [list(dict.fromkeys(group)) for group in groups.values() if len(set(group)) > 1]


def guides(folder: Path) -> list[Question]:
    """Headings with their sections: labour-law FAQ (Apache-2.0) and residence guides (CC BY-SA)."""
    import zstandard

    pairs: list[Question] = []
    contributions = "".join(lines(folder / "retrieval" / "cdtn-contributions.data.json.zst"))
    for row in json.loads(contributions):
        text = str(row["answers"]["generic"].get("text") or "")
        if len(text) > 80:
            pairs.append(Question(row["title"], "", text, 0, min(len(text), 60)))
    archive = zstandard.ZstdDecompressor().stream_reader(
        (folder / "retrieval" / "tramitit-fr.tar.zst").open("rb")
    )
    with tarfile.open(fileobj=archive, mode="r|") as tar:
        for member in tar:
            handle = tar.extractfile(member) if member.name.endswith(".md") else None
            if handle is None:
                continue
            raw = handle.read().decode("utf-8")
            found = re.search(r"^title: '?(.+?)'?$", raw, re.M)
            title = found[1].replace("''", "'") if found else ""
            for heading, body in re.findall(r"^#+ (.+?)\n+((?:(?!^#).*\n?)+)", raw, re.M):
                if len(body.strip()) > 80:
                    pairs.append(Question(f"{heading} {title}", title, body.strip(), 0, 40))
    return pairs


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph, roughly: cut at full stops before a capital."""
    return [text[a:b].strip() for a, b in _spans(text) if text[a:b].strip()]


def _spans(text: str) -> list[tuple[int, int]]:
    cuts = [0, *(m.end() for m in SENTENCE.finditer(text)), len(text)]
    return list(itertools.pairwise(cuts))


def window(item: Question, words: int, rng: random.Random) -> str:
    """Cut the paragraph to whole sentences around the answer, about `words` words."""
    spans = _spans(item.text)
    first = next(i for i, (_, end) in enumerate(spans) if item.start < end or i == len(spans) - 1)
    last = first
    while True:
        grow = [i for i in (first - 1, last + 1) if 0 <= i < len(spans)]
        if not grow:
            break
        pick = rng.choice(grow)
        low, high = min(first, pick), max(last, pick)
        if len(item.text[spans[low][0] : spans[high][1]].split()) > words:
            break
        first, last = low, high
    return item.text[spans[first][0] : spans[last][1]].strip()


def typo(text: str, rng: random.Random) -> str:
    """Swap, drop or double one letter of one word of at least four letters."""
    places = [m.span() for m in re.finditer(r"\w{4,}", text)]
    if not places:
        return text
    start, end = rng.choice(places)
    at = rng.randrange(start, end - 1)
    kind = rng.randrange(3)
    if kind == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + (text[at] * 2 if kind == 1 else "") + text[at + 1 :]


SHORT = {
    "pourquoi": "pk",
    "quelle": "kel",
    "quel": "kel",
    "qu'est-ce que": "c koi",
    "combien": "cb",
    "avec": "ac",
}


def asked(question: str, rng: random.Random) -> str:
    """The question as somebody may type it: half as it is, else without case, accents, words or letters."""
    if rng.random() < 0.5:
        return question
    if rng.random() < 0.3 and len(words := question.split()) > 5:
        del words[rng.randrange(1, len(words))]
        question = " ".join(words)
    if rng.random() < 0.4:
        question = question.lower().rstrip(" ?")
    if rng.random() < 0.35:
        question = "".join(
            c for c in unicodedata.normalize("NFD", question) if unicodedata.category(c) != "Mn"
        )
    if rng.random() < 0.08:
        for long, short in SHORT.items():
            question = re.sub(rf"\b{long}\b", short, question, flags=re.I)
    for _ in range(2):
        if rng.random() < 0.35:
            question = typo(question, rng)
    return question
