"""What a reading model and the encoder that is adapted with it are trained to lower.

Of questions drawn by `pairs`: BATCH of them, each with 1 + WRONG passages of which the first is right, and
two sentences of that passage of which the first answers.
"""

from collections.abc import Hashable, Sequence

import torch
from torch.nn import functional

from index.training.pairs import BATCH, WRONG, Drawn
from index.training.pupil import Encoded
from index.training.teacher import NEVER, Scores, weights_of
from index.training.texts import Padded

RIGHT, OTHER = 2.0, 0.8  # weights of a right passage and of another
PIECES_KEPT, WHOLES_KEPT = 1.5, 1.0  # weights of how far vectors went from what they were
RANKED = 0.4  # weight of late interaction's ranking the passages as the teacher does,
SHARPNESS, SOFTENED = 30.0, 2.0  # its scores that often, and the teacher's log-odds by that
# Telling the right passage or sentence from those of all questions: weights, and scores that often.
PIECES_APART, WHOLES_APART, SENTENCES_APART = 0.35, 0.12, 0.3
PIECES_OFTEN, VECTORS_OFTEN = 40.0, 50.0


def right_loss(said: Scores, drawn: Drawn) -> torch.Tensor:
    """Cross-entropy of borders, of each passage's answering or not, and of the right passage of each few."""
    starts, ends, answers = said
    first, each = slice(None, None, 1 + WRONG), answers.view(BATCH, 1 + WRONG)
    placed = drawn.places[:, 0] >= 0
    borders = [
        functional.cross_entropy(x[first][placed], place[placed])
        for x, place in zip((starts, ends), drawn.places.T, strict=True)
    ]
    right = functional.pad(drawn.answered[:, None].float(), (0, WRONG))
    weights = torch.where(right > 0, RIGHT, OTHER)
    passage = functional.binary_cross_entropy_with_logits(each, right, weight=weights)
    ranked = -each[drawn.answered].log_softmax(1)[:, 0].mean()
    return sum(borders) / 2 + passage + ranked / 2


def taught_loss(said: Scores, teacher: Scores, drawn: Drawn) -> torch.Tensor:
    """The same with what the teacher says, its borders by how sure it is that the passage answers."""
    first = slice(None, None, 1 + WRONG)
    sure = torch.sigmoid(teacher[2][first]) * drawn.answered
    apart = [
        -(theirs[first].softmax(-1) * mine[first].log_softmax(-1)).sum(-1)
        for mine, theirs in zip(said[:2], teacher[:2], strict=True)
    ]
    borders = ((apart[0] + apart[1]) * sure).sum() / sure.sum().clamp(min=1e-6) / 2
    passage = functional.binary_cross_entropy_with_logits(said[2], torch.sigmoid(teacher[2]))
    mine, theirs = (x[2].view(BATCH, -1).log_softmax(1) for x in (said, teacher))
    ranked = functional.kl_div(mine, theirs, log_target=True, reduction="batchmean")
    return borders + passage + ranked / 2


def kept_loss(
    now: Sequence[Encoded], before: Sequence[Encoded], texts: tuple[Padded, Padded]
) -> torch.Tensor:
    """How far the vectors of questions and passages are from what they were, in cosine."""
    loss = torch.zeros((), device=texts[0].ids.device)
    for mine, theirs, text in zip(now, before, texts, strict=True):
        loss = loss + PIECES_KEPT * (1 - (mine.near * theirs.near).sum(-1))[text.own].mean()
        loss = loss + WHOLES_KEPT * (1 - (mine.whole * theirs.whole).sum(-1)).mean()
    return loss


def retrieval_loss(
    now: Sequence[Encoded], texts: tuple[Padded, Padded], rarity: torch.Tensor, answers: torch.Tensor,
    drawn: Drawn,
) -> torch.Tensor:  # fmt: skip
    """Of questions, passages and sentences: late interaction's order of a question's passages from the
    teacher's; and how well late interaction and whole vectors find the right passage among those of all
    questions, and vectors its sentence.
    """
    asked, told, sentences = now
    met = met_by(asked, told, texts, weights_of(rarity, texts[0]))
    each = torch.arange(BATCH, device=met.device)
    own = met.view(BATCH, BATCH, 1 + WRONG)[each, each]
    mine, theirs = (own * SHARPNESS).log_softmax(1), (answers.view(BATCH, -1) / SOFTENED).log_softmax(1)
    ranked = functional.kl_div(mine, theirs, log_target=True, reduction="none").sum(1)
    placed = drawn.answered & (drawn.places[:, 0] >= 0)
    return (
        RANKED * (ranked * drawn.answered).mean()
        + PIECES_APART * apart(met * PIECES_OFTEN, drawn.passages, drawn.answered)
        + WHOLES_APART * apart(asked.whole @ told.whole.T * VECTORS_OFTEN, drawn.passages, drawn.answered)
        + SENTENCES_APART * apart(asked.whole @ sentences.whole.T * VECTORS_OFTEN, drawn.sentences, placed)
    )


def met_by(
    asked: Encoded, told: Encoded, texts: tuple[Padded, Padded], weights: torch.Tensor
) -> torch.Tensor:
    """How each passage meets each question, piece by piece, (questions × passages)."""
    (questions, count, width), (passages, length, _) = asked.near.shape, told.near.shape
    cosines = asked.near.bfloat16().reshape(-1, width) @ told.near.bfloat16().reshape(-1, width).T
    cosines = cosines.view(questions, count, passages, length).masked_fill(~texts[1].own[None, None], -1)
    best: torch.Tensor = (cosines.amax(-1).float() * weights[..., None]).sum(1)
    return best


def apart(scores: torch.Tensor, texts: Sequence[Hashable], which: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of (questions × texts) scores, the first text of each question being the right one; the
    same text drawn again is no other. Of some questions alone.
    """
    step = len(texts) // len(scores)
    number = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    names = torch.tensor([number[text] for text in texts], device=scores.device)
    right = torch.arange(0, len(texts), step, device=scores.device)
    again = names == names[right][:, None]
    again[torch.arange(len(scores)), right] = False
    loss = functional.cross_entropy(scores.masked_fill(again, NEVER), right, reduction="none")
    return (loss * which).sum() / which.sum().clamp(min=1)
