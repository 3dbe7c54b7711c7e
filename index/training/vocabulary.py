"""A French vocabulary for an English encoder: new pieces, and their first vectors by translation.

The new embedding row of a French piece is the weighted mean of the English pieces that stand in the
same translated pairs most often (Jaccard of their pair sets). Knows nothing about the training loop.
"""

import numpy as np
import torch
from scipy.sparse import csr_matrix
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def train_vocabulary(texts: list[str], size: int) -> PreTrainedTokenizerFast:
    """Train a lower-case, accent-free WordPiece vocabulary of `size` pieces."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace("’", "'"),
            normalizers.Replace("œ", "oe"),
            normalizers.BertNormalizer(strip_accents=True, lowercase=True),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=SPECIAL, limit_alphabet=400, min_frequency=3
    )
    tokenizer.train_from_iterator(texts, trainer)
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", sep), ("[CLS]", cls))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=512,
    )


def presence(tokenizer: PreTrainedTokenizerFast, texts: list[str], size: int) -> csr_matrix:
    """A (texts × pieces) 0/1 matrix: which piece stands in which text."""
    rows, columns = [], []
    for start in range(0, len(texts), 20_000):
        batch = texts[start : start + 20_000]
        encoded = tokenizer(batch, add_special_tokens=False, truncation=True, max_length=128)
        for i, ids in enumerate(encoded["input_ids"]):
            unique = set(ids)
            rows.extend([start + i] * len(unique))
            columns.extend(unique)
    ones = np.ones(len(rows), dtype=np.float32)
    return csr_matrix((ones, (rows, columns)), shape=(len(texts), size))


def transplant(
    pairs: list[tuple[str, str]],
    old: PreTrainedTokenizerFast,
    new: PreTrainedTokenizerFast,
    old_rows: torch.Tensor,
    best: int = 4,
) -> torch.Tensor:
    """Return a (new pieces × dimensions) matrix of first embeddings for the new vocabulary.

    `pairs` are (English, French); `old_rows` is the (old pieces × dimensions) matrix of the teacher.
    """
    english, french = [p[0] for p in pairs], [p[1] for p in pairs]
    size_old, size_new = old_rows.shape[0], len(new)
    in_english = presence(old, english, size_old)
    in_french = presence(new, french, size_new)
    french_counts = np.asarray(in_french.sum(axis=0)).ravel()
    english_counts = np.asarray(in_english.sum(axis=0)).ravel()
    english_new = np.asarray(presence(new, english[:200_000], size_new).sum(axis=0)).ravel()
    english_new *= len(english) / min(len(english), 200_000)
    together = (in_french.T @ in_english).tocsr()
    rows = old_rows.numpy()
    result = np.zeros((size_new, rows.shape[1]), dtype=np.float32)
    old_vocabulary = old.get_vocab()
    for piece, i in new.get_vocab().items():
        part = together.getrow(i)
        translated = None
        if part.nnz and french_counts[i] >= 3:
            union = french_counts[i] + english_counts[part.indices] - part.data
            score = part.data / union
            top = np.argsort(-score)[:best]
            weight = score[top] ** 2
            translated = (rows[part.indices[top]] * weight[:, None]).sum(0) / weight.sum()
        same = old_vocabulary.get(piece)
        if same is None:
            ids = old(piece.removeprefix("##"), add_special_tokens=False)["input_ids"] or [100]
            own, share = rows[ids].mean(0), 0.0
        else:
            own = rows[same]
            share = english_new[i] / max(english_new[i] + french_counts[i], 1)
        if piece in SPECIAL or translated is None:
            result[i] = own
        else:
            result[i] = share * own + (1 - share) * translated
    return torch.from_numpy(result)
