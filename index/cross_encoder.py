"""The cross-encoder: a question beside a passage → how well each sentence answers it, and where.

A small BERT reads `<s> question </s> title </s> passage </s>`; its token types tell which words of one side
stand on the other. Its word embeddings are those of the bundled encoder, so that what it learned on English
questions holds for French ones. Knows nothing about searching or wording.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import nn
from transformers import BertConfig, BertModel

from index import english, french
from index.encoder import BUNDLED as ENCODER
from index.languages import is_english
from index.packed import SCALE, WEIGHTS, unpacked
from index.passages import sentences

BUNDLED = Path(__file__).parent / "models" / "repere-reader-fr"

WORDS = "embeddings.word_embeddings.weight"
LONGEST = 320  # pieces of question, title and passage together
ALIKE = 0.6  # likeness from which two words count as one
ASKED, TOLD, TOLD_ALIKE, ASKED_ALIKE = range(4)  # token types


@dataclass(frozen=True, slots=True)
class Example:
    """One question beside one passage, in pieces.

    `offsets` are (start, end) in the passage's text, or (0, 0) for pieces outside it;
    `spans` are the passage's sentences as (start, end) in its text.
    """

    ids: list[int]
    types: list[int]
    offsets: list[tuple[int, int]]
    spans: list[tuple[int, int]]


def topical(text: str) -> list[tuple[str, int, int]]:
    """The topical words of a text, folded, with their (start, end)."""
    return [(w, a, b) for w, a, b in french.spans(text) if w and not french.is_stop_word(w)]


def alike(words: list[tuple[str, int, int]], others: set[str]) -> list[tuple[int, int]]:
    """The (start, end) of words that are like one of the others."""
    return [(a, b) for w, a, b in words if any(french.likeness(w, o) >= ALIKE for o in others)]


def example(tokenizer: Tokenizer, question: str, title: str, text: str, *, marked: bool = True) -> Example:
    """Put a question beside a passage; words that stand on both sides are marked unless not `marked`."""
    asked, named, told = topical(question), topical(title), topical(text)
    of_question = {w for w, _, _ in asked} if marked else set()
    if marked and is_english(question):
        of_question |= {form for forms in english.translated(question) for form in forms}
    of_passage = {w for w, _, _ in (*named, *told)} if marked else set()
    parts = (
        (question, 48, ASKED, ASKED_ALIKE, alike(asked, of_passage)),
        (title, 40, TOLD, TOLD_ALIKE, alike(named, of_question)),
        (text, LONGEST, TOLD, TOLD_ALIKE, alike(told, of_question)),
    )
    first, separator = (tokenizer.token_to_id(piece) or 0 for piece in ("<s>", "</s>"))
    ids, types = [first], [ASKED]
    offsets = [(0, 0)]
    for part, longest, plain, same, places in parts:
        pieces = tokenizer.encode(part, add_special_tokens=False)
        room = min(longest, LONGEST - len(ids) - 1)
        own, where = pieces.ids[:room], pieces.offsets[:room]
        ids += [*own, separator]
        types += [same if any(a < e and s < b for s, e in places) else plain for a, b in where] + [plain]
        offsets += [*(where if part is text else [(0, 0)] * len(own)), (0, 0)]
    return Example(ids, types, offsets, sentences(text))


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples as tensors: (n × pieces) ids, types, mask, text mask; (n × sentences × pieces) means."""

    ids: torch.Tensor
    types: torch.Tensor
    mask: torch.Tensor
    inside: torch.Tensor
    means: torch.Tensor

    @staticmethod
    def of(examples: list[Example]) -> "Batch":
        """Pad examples to the longest."""
        size = (len(examples), max(len(e.ids) for e in examples))
        ids, types = torch.ones(size, dtype=torch.long), torch.zeros(size, dtype=torch.long)  # 1 pads
        mask, inside = torch.zeros(size), torch.zeros(size)
        means = torch.zeros((size[0], max(len(e.spans) for e in examples), size[1]))
        for row, e in enumerate(examples):
            length = len(e.ids)
            ids[row, :length], types[row, :length] = torch.tensor(e.ids), torch.tensor(e.types)
            mask[row, :length] = 1.0
            for at, (a, b) in enumerate(e.offsets):
                if b > a:
                    inside[row, at] = 1.0
                    for i, (low, high) in enumerate(e.spans):
                        if a < high and low < b:
                            means[row, i, at] = 1.0
        means = means / means.sum(-1, keepdim=True).clamp(min=1.0)
        return Batch(ids, types, mask, inside, means)


class Scorer(nn.Module):
    """The network: a BERT and three linear heads, for sentences, for no answer, for span borders."""

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.bert = BertModel(config, add_pooling_layer=False)
        self.sentence = nn.Linear(config.hidden_size, 1)
        self.nothing = nn.Linear(config.hidden_size, 1)
        self.border = nn.Linear(config.hidden_size, 2)

    def forward(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logits: (n × 1 + sentences), no answer first; (n × pieces) for starts; the same for ends.

        Sentences that are not there and pieces outside the passage, the first apart, are at -1e4.
        """
        hidden = self.bert(
            input_ids=batch.ids, token_type_ids=batch.types, attention_mask=batch.mask.long()
        ).last_hidden_state.float()
        scores = self.sentence(batch.means @ hidden).squeeze(-1)
        scores = scores.masked_fill(batch.means.sum(-1) == 0, -1e4)
        scores = torch.cat([self.nothing(hidden[:, 0]), scores], dim=1)
        outside = batch.inside == 0
        outside[:, 0] = False
        start, end = self.border(hidden).masked_fill(outside.unsqueeze(-1), -1e4).unbind(-1)
        return scores, start, end


@dataclass(frozen=True, slots=True)
class Judged:
    """What the cross-encoder says of one passage.

    `margins` are log-odds, a sentence each: that it answers against that nothing here does;
    `span` is the (start, end) of the likeliest answer in the passage's text.
    """

    margins: tuple[float, ...]
    span: tuple[int, int]


def tokenizer_of(folder: Path) -> Tokenizer:
    """The tokenizer of a model folder, without padding or truncation."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


class CrossEncoder:
    """Reads a question beside passages; loads at once."""

    def __init__(self, folder: Path = BUNDLED, encoder: Path = ENCODER) -> None:
        """Load the weights of `folder`; word embeddings and tokenizer are those of the `encoder` folder."""
        self._tokenizer = tokenizer_of(encoder)
        config = BertConfig.from_json_file(folder / "config.json")
        self._model = Scorer(config).eval()
        small = load_file(folder / WEIGHTS)
        small |= {
            f"bert.{k}": v for k, v in load_file(encoder / WEIGHTS).items() if k in (WORDS, WORDS + SCALE)
        }
        self._model.load_state_dict(unpacked(small))

    @torch.inference_mode()
    def judge(self, question: str, passages: list[tuple[str, str]]) -> list[Judged]:
        """Judge (title, text) passages for a question, in order."""
        if not passages:
            return []
        made = [example(self._tokenizer, question, title, text) for title, text in passages]
        scores, start, end = self._model(Batch.of(made))
        return [
            Judged(tuple((s[1 : 1 + len(e.spans)] - s[0]).tolist()), _span(e, a, b))
            for e, s, a, b in zip(made, scores, start, end, strict=True)
        ]


def _span(made: Example, start: torch.Tensor, end: torch.Tensor, longest: int = 40) -> tuple[int, int]:
    """The (start, end) in the text with the highest sum of border logits, at most `longest` pieces apart."""
    together = start[1:, None] + end[None, 1:]
    allowed = torch.ones_like(together).triu().tril(longest) > 0
    first, last = divmod(int(together.masked_fill(~allowed, -1e9).argmax()), together.shape[1])
    ends = made.offsets[1:]
    return (ends[first][0], ends[last][1]) if first < len(ends) and last < len(ends) else (0, 0)
