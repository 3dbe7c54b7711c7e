"""Give a trained encoder late interaction: `python -m index.training.interaction --data DIR --encoder DIR`.

Nothing is fitted on questions: the projection keeps the principal directions of the encoder's hidden states,
and rarity is counted on French texts. README.md beside this file says what fitting them gave.
"""

import argparse
import json
from pathlib import Path

import torch
from transformers import BertModel, PreTrainedTokenizerFast

from index.interaction import LateInteraction
from index.packed import PackedBert
from index.training import data

QUERY, PASSAGE = "query: ", "passage: "
SAMPLED = 900  # paragraphs whose pieces the directions are taken from
SHORTEST = 200  # characters of a text that pieces are counted in
COMMONEST = 0.1  # nats: the least rarity, of pieces that stand nearly everywhere


@torch.no_grad()
def states(
    bert: BertModel, tokenizer: PreTrainedTokenizerFast, texts: list[str], prefix: str
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The pieces of each text as hidden states (pieces × hidden) and ids, those of the prefix left out."""
    found: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    for first in range(0, len(order), 32):
        part = order[first : first + 32]
        batch = tokenizer(
            [prefix + texts[i] for i in part], padding=True, truncation=True, max_length=256,
            return_tensors="pt", return_token_type_ids=False, return_offsets_mapping=True,
        )  # fmt: skip
        own = batch.pop("offset_mapping")[..., 1] > len(prefix)
        hidden = bert(**batch).last_hidden_state
        found |= {i: (hidden[row][own[row]], batch["input_ids"][row][own[row]]) for row, i in enumerate(part)}
    return [found[i] for i in range(len(texts))]


def rarity(tokenizer: PreTrainedTokenizerFast, texts: list[str], size: int) -> torch.Tensor:
    """The inverse document frequency of each piece, at least COMMONEST."""
    seen = torch.zeros(size)
    for ids in tokenizer(texts, truncation=True, max_length=256)["input_ids"]:
        seen[list(set(ids))] += 1
    return torch.log((len(texts) + 1) / (seen + 1)).clamp(min=COMMONEST)


def begin(bert: BertModel, tokenizer: PreTrainedTokenizerFast, folder: Path) -> LateInteraction:
    """Late interaction for an encoder."""
    late = LateInteraction(bert.config.hidden_size, bert.config.vocab_size)
    own = [q for q in data.piaf(folder) if not data.held_out(q.title)]
    paragraphs = list(dict.fromkeys(f"{q.title}. {q.text}" for q in own))
    texts = [t for name in ("vikidia", "gouv_fr") for t in data.lines(folder / "text" / f"{name}.txt.zst")]
    texts = [t for t in texts if len(t) > SHORTEST] + paragraphs
    late.rarity.copy_(rarity(tokenizer, texts, bert.config.vocab_size))
    pieces = torch.cat([hidden[::4] for hidden, _ in states(bert, tokenizer, paragraphs[:SAMPLED], PASSAGE)])
    _, _, directions = torch.linalg.svd(pieces, full_matrices=False)
    with torch.no_grad():
        late.project.weight.copy_(directions[: late.project.out_features])
    return late


@torch.no_grad()
def dev_hits(
    bert: BertModel, tokenizer: PreTrainedTokenizerFast, late: LateInteraction, folder: Path
) -> dict[str, float]:
    """hit@1 and hit@10 of the held-out PIAF articles' questions among all paragraphs, by late interaction."""
    items = data.piaf(folder)
    texts = list(dict.fromkeys((q.title, q.text) for q in items))
    dev = [q for q in items if data.held_out(q.title)]
    told = [late(*each)[0] for each in states(bert, tokenizer, [f"{t}. {x}" for t, x in texts], PASSAGE)]
    owner = torch.repeat_interleave(torch.arange(len(told)), torch.tensor([len(t) for t in told]))
    pieces = torch.cat(told)
    ranks = []
    for question, (hidden, ids) in zip(
        dev, states(bert, tokenizer, [q.question for q in dev], QUERY), strict=True
    ):
        vectors, weights = late(hidden, ids)
        best = torch.full((len(ids), len(told)), -1.0)
        best.scatter_reduce_(1, owner.expand(len(ids), -1), vectors @ pieces.T, "amax")
        found = (best.T @ weights).topk(10).indices.tolist()
        gold = texts.index((question.title, question.text))
        ranks.append(found.index(gold) if gold in found else 10)
    return {
        "questions": len(dev),
        "hit@1": round(sum(rank == 0 for rank in ranks) / len(dev), 4),
        "hit@10": round(sum(rank < 10 for rank in ranks) / len(dev), 4),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, required=True, help="its folder")
    args = parser.parse_args()
    encoder = PackedBert.load(str(args.encoder))
    late = begin(encoder.bert, encoder.tokenizer, args.data)
    print(json.dumps(dev_hits(encoder.bert, encoder.tokenizer, late, args.data)))
    PackedBert.save_late(late, args.encoder)


if __name__ == "__main__":
    main()
