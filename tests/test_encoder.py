"""Any other sentence-transformers model is one setting away, with its prefixes; the manifest keeps them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from bot.chain import Bot
from bot.settings import Settings
from index.build import build, verify
from index.encoder import Encoder, EncoderName
from index.errors import EncoderMissing, IndexOutdated
from tests.conftest import ROOT


def tiny_model(folder: Path, prompts: dict[str, str] | None = None) -> Path:
    """A whole sentence-transformers model of a few kilobytes: letters for pieces, one random layer."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefghijklmnopqrstuvwxyz0123456789:?.,'’"]
    pieces += [f"##{p}" for p in pieces[4:]]
    tokenizer = Tokenizer(models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    raw = folder.parent / f"{folder.name}-raw"
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(raw)
    BertModel(
        BertConfig(
            vocab_size=len(pieces), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=32, max_position_embeddings=128,
        )
    ).save_pretrained(raw)  # fmt: skip
    body = Transformer(str(raw), max_seq_length=96)
    modules = [body, Pooling(body.get_embedding_dimension()), Normalize()]
    SentenceTransformer(modules=modules, prompts=prompts, device="cpu").save(str(folder))
    return folder


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.allclose(a, b, atol=1e-5))


def test_a_local_model_builds_and_answers_and_its_index_is_not_mixed_up(
    tmp_path: Path, one_document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, index = tiny_model(tmp_path / "tiny"), tmp_path / "index"
    monkeypatch.setenv("REPERE_ENCODER", str(folder))
    manifest = build(one_document, index)
    assert (manifest.dimensions, manifest.encoder.split("@")[0]) == (16, "tiny")
    verify(index)
    settings = Settings.from_environment(index=index)
    assert Bot.open(settings).invoke("Qui finance le projet COMPASS ?").passages
    monkeypatch.delenv("REPERE_ENCODER")
    with pytest.raises(IndexOutdated) as refused:
        Bot.open(Settings.from_environment(index=index))
    assert "build" in refused.value.command


def test_e5_models_get_their_prefixes(tmp_path: Path) -> None:
    plain, e5 = tiny_model(tmp_path / "tiny"), tmp_path / "tiny-e5-small"
    plain.rename(e5)
    encoder, bare = Encoder(EncoderName(str(e5))), Encoder(EncoderName(str(e5), "", ""))
    assert same(encoder.query("où ?"), bare.query("query: où ?"))
    assert same(encoder.passages(["ici."]), bare.passages(["passage: ici."]))
    assert encoder.identity != bare.identity


def test_a_model_s_own_prompts_are_used(tmp_path: Path) -> None:
    prompts = {"query": "question : ", "document": "texte : "}
    folder = tiny_model(tmp_path / "tiny", prompts)
    encoder, bare = Encoder(EncoderName(str(folder))), Encoder(EncoderName(str(folder), "", ""))
    assert same(encoder.query("où ?"), bare.query("question : où ?"))
    assert same(encoder.passages(["ici."]), bare.passages(["texte : ici."]))


def test_a_model_that_is_not_there_or_damaged_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "packed.safetensors").write_bytes(b"no weights")
    for folder in (tmp_path / "empty", damaged):
        with pytest.raises(EncoderMissing):
            Encoder(EncoderName(str(folder)))


def test_no_answer_of_the_bundled_model_waits_for_what_only_others_need(index_dir: Path) -> None:
    program = """if True:
        import sys
        from pathlib import Path
        from bot.chain import Bot
        from bot.settings import Settings
        bot = Bot.open(Settings(index=Path(sys.argv[1])))
        print(*[bot.invoke(q).reason.name for q in ("Qui finance COMPASS ?", "Qui a gagné la coupe du monde ?")])
        bot.retriever.encoder.queries([f"Question {n} ?" for n in range(100)])
        print(*{"sentence_transformers", "transformers"} & {*sys.modules})
    """
    words = [sys.executable, "-c", program, str(index_dir)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == ["ANSWERED", "NO_EVIDENCE"]
