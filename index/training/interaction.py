"""Give a trained encoder late interaction: `python -m index.training.interaction --data DIR --encoder DIR`.

Nothing is fitted on questions: the projection keeps the principal directions of the encoder's hidden states,
and rarity is counted on French texts. README.md beside this file says what fitting them gave.
"""

import argparse
import json
from pathlib import Path

import torch

from index.encoder import PROMPTS, Encoder, EncoderName
from index.interaction import LateInteraction
from index.packed import ENDS, LONGEST, PackedBert
from index.passages import titled
from index.pieces import match
from index.training import data

SAMPLED = 900  # paragraphs whose pieces the directions are taken from
SHORTEST = 200  # characters of a text that pieces are counted in
COUNTED = 256  # pieces of it
COMMONEST = 0.1  # nats: the least rarity, of pieces that stand nearly everywhere


@torch.no_grad()
def states(encoder: PackedBert, texts: list[str]) -> torch.Tensor:
    """Every fourth piece of the texts, as hidden states (pieces × hidden); those of the prefix left out."""
    found = []
    for first in range(0, len(texts), 16):
        batch = encoder(encoder.preprocess(texts[first : first + 16], prompt=PROMPTS["document"]))
        own = batch[ENDS] > len(PROMPTS["document"])
        found += [hidden[read][::4] for hidden, read in zip(batch["token_embeddings"], own, strict=True)]
    return torch.cat(found)


def rarity(encoder: PackedBert, texts: list[str]) -> torch.Tensor:
    """The inverse document frequency of each piece, at least COMMONEST."""
    seen = torch.zeros(encoder.bert.config.vocab_size)
    encoder.tokenizer.enable_truncation(COUNTED)
    for first in range(0, len(texts), 1000):
        cut = encoder.preprocess(texts[first : first + 1000])
        for ids, mask in zip(cut["input_ids"], cut["attention_mask"], strict=True):
            seen[ids[mask.bool()].unique()] += 1
    encoder.tokenizer.enable_truncation(LONGEST)
    return torch.log((len(texts) + 1) / (seen + 1)).clamp(min=COMMONEST)


def begin(encoder: PackedBert, folder: Path) -> LateInteraction:
    """Late interaction for an encoder."""
    late = LateInteraction(encoder.get_embedding_dimension(), encoder.bert.config.vocab_size)
    own = [q for q in data.piaf(folder) if not data.held_out(q.title)]
    paragraphs = list(dict.fromkeys(titled(q.title, q.text) for q in own))
    texts = [t for name in ("vikidia", "gouv_fr") for t in data.lines(folder / "text" / f"{name}.txt.zst")]
    texts = [t for t in texts if len(t) > SHORTEST] + paragraphs
    _, _, directions = torch.linalg.svd(states(encoder, paragraphs[:SAMPLED]), full_matrices=False)
    with torch.no_grad():
        late.rarity.copy_(rarity(encoder, texts))
        late.project.weight.copy_(directions[: late.project.out_features])
    return late


def dev_hits(folder: Path, model: Path) -> dict[str, float]:
    """hit@1 and hit@10 of the held-out PIAF articles' questions among all paragraphs, by late interaction."""
    encoder = Encoder(EncoderName(str(model)))
    items = data.piaf(folder)
    texts = list(dict.fromkeys((q.title, q.text) for q in items))
    dev = [q for q in items if data.held_out(q.title)]
    told = [p.as_bytes() for _, p in encoder.read_passages([titled(*each) for each in texts])]
    ranks = []
    for question in dev:
        asked = encoder.read_question(question.question)[1]
        scores = [met.whole for met in match(asked, [(pieces, (len(pieces),)) for pieces in told])]
        gold = scores[texts.index((question.title, question.text))]
        ranks.append(sum(score > gold for score in scores))
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
    PackedBert.save_late(begin(PackedBert.load(args.encoder), args.data), args.encoder)
    print(json.dumps(dev_hits(args.data, args.encoder)))


if __name__ == "__main__":
    main()
