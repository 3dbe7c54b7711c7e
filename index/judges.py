"""Models that others made for reading a question beside a passage: question answering, or a reranker.

None is bundled; REPERE_READER names one. Their log-odds have scales of their own: `python -m evals calibrate
--write` fits the reader to them. transformers' question-answering models and sentence-transformers'
CrossEncoder are loaded here alone. Knows nothing about searching.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.errors import ReaderMissing
from index.passages import sentences, titled

if TYPE_CHECKING:
    import torch  # when it is needed: the import takes a second

LONGEST = 384  # pieces of question and passage together
LONGEST_SPAN = 40  # pieces of an answer


@dataclass(frozen=True, slots=True)
class Judged:
    """What such a model says of one passage.

    `margins` are log-odds, a sentence each: that it answers against that nothing here does;
    `span` is the (start, end) of the likeliest answer in the passage's text, (0, 0) where none is known.
    """

    margins: tuple[float, ...]
    span: tuple[int, int]


def judge_of(model: str) -> "QuestionAnswering | Reranker | None":
    """Load a model from a folder or the hub; its architecture says which of the two it is. None for "".

    Raises ReaderMissing when it cannot be loaded or is neither.
    """
    if not model:
        return None
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    local = Path(model).is_dir()
    from transformers import AutoConfig
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        kinds = AutoConfig.from_pretrained(model, local_files_only=local).architectures or []
        if any(kind.endswith("ForQuestionAnswering") for kind in kinds):
            return QuestionAnswering(model, local)
        if any(kind.endswith("ForSequenceClassification") for kind in kinds):
            return Reranker(model, local)
    except Exception as error:  # the libraries raise many, of damaged files some that are theirs alone
        raise ReaderMissing(
            f"the reader « {model} » cannot be loaded ({type(error).__name__}); "
            "check REPERE_READER and the network, or unset it"
        ) from error
    raise ReaderMissing(
        f"the reader « {model} » neither answers questions nor ranks passages; check REPERE_READER"
    )


class QuestionAnswering:
    """An extractive model such as CamemBERT fitted on FQuAD: its likeliest span in each sentence."""

    def __init__(self, model: str, local: bool) -> None:
        from transformers import AutoModelForQuestionAnswering, AutoTokenizer

        self._tokenizer: Any = AutoTokenizer.from_pretrained(model, local_files_only=local)
        loaded: Any = AutoModelForQuestionAnswering.from_pretrained(model, local_files_only=local)
        self._model = loaded.float().eval()

    def judge(self, question: str, passages: list[tuple[str, str]]) -> list[Judged]:
        """Judge (title, text) passages for a question; the first piece's logits stand for « no answer »."""
        import torch

        if not passages:
            return []
        batch = self._tokenizer(
            [question] * len(passages), [titled(*passage) for passage in passages],
            truncation="only_second", max_length=LONGEST, padding=True, return_offsets_mapping=True,
            return_tensors="pt",
        )  # fmt: skip
        offsets = batch.pop("offset_mapping").tolist()
        with torch.inference_mode():
            logits = self._model(**batch)
        judged = []
        for row, (title, text) in enumerate(passages):
            start, end = logits.start_logits[row], logits.end_logits[row]
            shift = len(title) + 2
            places = [
                (i, a - shift, b - shift)
                for i, (side, (a, b)) in enumerate(zip(batch.sequence_ids(row), offsets[row], strict=True))
                if side == 1 and a >= shift and b > a
            ]
            none = float(start[0] + end[0])
            best = [_best(start, end, places, low, high) for low, high in sentences(text)]
            margins = tuple(score - none for score, _ in best)
            judged.append(Judged(margins, max(best, default=(0.0, (0, 0)))[1]))
        return judged


def _best(
    start: "torch.Tensor", end: "torch.Tensor", places: list[tuple[int, int, int]], low: int, high: int
) -> tuple[float, tuple[int, int]]:
    """The highest sum of border logits of a span inside [low, high), and that span."""
    inside = [(i, a, b) for i, a, b in places if a < high and b > low]
    spans = [
        (float(start[i] + end[j]), (max(a, low), min(b, high)))
        for at, (i, a, _) in enumerate(inside)
        for j, _, b in inside[at : at + LONGEST_SPAN]
    ]
    return max(spans, default=(-30.0, (low, low)))


class Reranker:
    """A sentence-transformers CrossEncoder: one score a passage, taken for each of its sentences."""

    def __init__(self, model: str, local: bool) -> None:
        from sentence_transformers import CrossEncoder

        self._model = CrossEncoder(model, device="cpu", local_files_only=local, max_length=LONGEST)

    def judge(self, question: str, passages: list[tuple[str, str]]) -> list[Judged]:
        """Judge (title, text) passages for a question; no span is known."""
        if not passages:
            return []
        import torch

        pairs = [(question, titled(title, text)) for title, text in passages]
        scores = self._model.predict(pairs, activation_fn=torch.nn.Identity(), show_progress_bar=False)
        return [
            Judged((float(score),) * len(sentences(text)), (0, 0))
            for score, (_, text) in zip(scores, passages, strict=True)
        ]
