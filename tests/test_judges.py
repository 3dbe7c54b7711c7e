"""Models that others made read questions beside passages: a CamemBERT for question answering, a reranker."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    CamembertConfig,
    CamembertForQuestionAnswering,
    PreTrainedTokenizerFast,
)

from bot.chain import Bot
from bot.settings import Settings
from index.errors import ReaderMissing
from index.judges import QuestionAnswering, Reranker, judge_of
from index.passages import sentences

PASSAGES = [
    ("Le phare", "Le phare date de 1611. Il se dresse en mer, à sept kilomètres de la côte."),
    ("Le musée", "Le musée est ouvert le mardi."),
]


def tokenizer(folder: Path) -> int:
    """Letters for pieces, pairs as CamemBERT puts them; the size of the vocabulary."""
    pieces = ["<s>", "<pad>", "</s>", "<unk>", *"abcdefghijklmnopqrstuvwxyzàéèê0123456789ABCDEFLMQ:?.,'’"]
    made = Tokenizer(models.WordLevel({p: i for i, p in enumerate(pieces)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B:1 </s>:1", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", cls_token="<s>", sep_token="</s>",
        unk_token="<unk>", pad_token="<pad>", model_input_names=["input_ids", "attention_mask"],
    ).save_pretrained(folder)  # fmt: skip
    return len(pieces)


SIZE = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}


@pytest.fixture
def camembert(tmp_path: Path) -> Path:
    """A whole CamemBERT for question answering of a few kilobytes."""
    folder = tmp_path / "camembert-qa"
    config = CamembertConfig(
        vocab_size=tokenizer(folder), max_position_embeddings=514, pad_token_id=1, **SIZE
    )
    CamembertForQuestionAnswering(config).save_pretrained(folder)
    return folder


@pytest.fixture
def cross_encoder(tmp_path: Path) -> Path:
    """A whole reranker of a few kilobytes."""
    folder = tmp_path / "reranker"
    config = BertConfig(
        vocab_size=tokenizer(folder), max_position_embeddings=514, num_labels=1, pad_token_id=1, **SIZE
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_a_question_answering_model_judges_each_sentence_and_finds_a_span(camembert: Path) -> None:
    judge = judge_of(str(camembert))
    assert isinstance(judge, QuestionAnswering)
    judged = judge.judge("De quand date le phare ?", PASSAGES)
    assert [len(j.margins) for j in judged] == [2, 1]
    for (_, text), each in zip(PASSAGES, judged, strict=True):
        start, end = each.span
        assert 0 <= start < end <= len(text)
        assert any(a <= start and end <= b for a, b in sentences(text))
    alone = judge.judge("De quand date le phare ?", PASSAGES[1:])
    assert alone[0].margins == pytest.approx(judged[1].margins, abs=1e-4)  # padding changes nothing
    assert judge.judge("De quand ?", []) == []


def test_a_long_passage_is_cut_and_its_last_sentences_are_unlikely(camembert: Path) -> None:
    long = "Le phare date de 1611. " * 60
    (judged,) = judge_of(str(camembert)).judge("De quand date le phare ?", [("Le phare", long)])
    assert len(judged.margins) == 60
    assert judged.margins[-1] < min(judged.margins[:5])


def test_a_reranker_scores_whole_passages(cross_encoder: Path) -> None:
    judge = judge_of(str(cross_encoder))
    assert isinstance(judge, Reranker)
    first, second = judge.judge("De quand date le phare ?", PASSAGES)
    assert len(first.margins) == 2
    assert len(second.margins) == 1
    assert first.margins[0] == first.margins[1]
    assert judge.judge("De quand ?", []) == []


@pytest.mark.parametrize("made", ["camembert", "cross_encoder"])
def test_the_bot_reads_with_it_by_one_setting(
    made: str, request: pytest.FixtureRequest, index_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPERE_READER", str(request.getfixturevalue(made)))
    answer = Bot.open(Settings.from_environment(index=index_dir)).invoke("Combien d’États membres ?")
    read = [hit for hit in answer.passages if hit.margins]
    assert read
    assert all(len(hit.margins) == len(sentences(hit.passage.text)) for hit in read)


def test_a_model_that_is_not_there_or_does_something_else_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReaderMissing):
        judge_of(str(tmp_path / "empty"))
    BertModel(BertConfig(vocab_size=tokenizer(tmp_path / "other"), **SIZE)).save_pretrained(
        tmp_path / "other"
    )
    with pytest.raises(ReaderMissing):
        judge_of(str(tmp_path / "other"))
