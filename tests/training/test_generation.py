"""Stage 1's loss, and how both stages step, against arithmetic."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import AdamW

from ltrgr.data.identifier_batch import IdentifierBatch
from ltrgr.training.identifier_pretraining import (
    IdentifierPretraining,
    dev_figures,
    dev_names,
    generation_loss,
    right_tokens,
)
from ltrgr.training.optimization import (
    constant,
    cosine,
    lightning_optimizer,
    linear,
    parameter_groups,
)
from tiny_world import MINDER, sampler_of


@pytest.fixture
def batch() -> IdentifierBatch:
    return IdentifierBatch(
        prompt_ids=torch.tensor([[10, 11, 12], [13, 1, 1]]),
        prompt_mask=torch.tensor([[1, 1, 1], [1, 0, 0]]),
        labels=torch.tensor([[20, 21], [22, -100]]),
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_generation_loss_by_hand(
    random_model: Any, batch: IdentifierBatch, smoothing: float
) -> None:
    """Token by token with plain forward passes: (1 - e) * -log p(target) + e * mean of -log p."""
    start = random_model.config.decoder_start_token_id
    wanted = [([10, 11, 12], [], 20), ([10, 11, 12], [20], 21), ([13], [], 22)]
    losses = []
    with torch.no_grad():
        for question, before, token in wanted:
            log_p = (
                random_model(
                    input_ids=torch.tensor([question]),
                    decoder_input_ids=torch.tensor([[start, *before]]),
                )
                .logits[0, -1]
                .log_softmax(0)
            )
            losses.append(-(1 - smoothing) * log_p[token] - smoothing * log_p.mean())
        found = generation_loss(random_model, batch, label_smoothing=smoothing)
    assert float(found) == pytest.approx(float(sum(losses)) / 3, rel=1e-5)


def test_pretraining_learns_a_batch(minder_index: Any, corpus: Any, random_model: Any) -> None:
    from copy import deepcopy

    module = IdentifierPretraining(
        model=deepcopy(random_model),
        optimizer=partial(AdamW, lr=3e-3, weight_decay=0.01),
        scheduler=partial(linear, warmup_ratio=0.1),
        steps=80,
        label_smoothing=0.1,
    )
    (optimiser, schedule) = made(module.configure_optimizers())
    sampler = sampler_of(minder_index, MINDER, corpus)
    generator = np.random.default_rng(0)
    batch = sampler.batch(generator.integers(0, sampler.n_pairs, 16), generator)
    for step in range(80):
        loss = module.training_step(batch, step)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    labels = batch.labels.contiguous()
    with torch.no_grad():
        logits = module.model(
            input_ids=batch.prompt_ids, attention_mask=batch.prompt_mask, labels=labels
        ).logits
    target = labels >= 0
    right = (logits.argmax(2) == labels)[target].float().mean()
    assert right > 0.7  # not 1: some prompts have several targets


def made(configured: dict[str, Any]) -> tuple[Any, Any]:
    assert configured["lr_scheduler"]["interval"] == "step"
    return configured["optimizer"], configured["lr_scheduler"]["scheduler"]


def half_cosine(k: int) -> float:
    return 4 * (1 + math.cos(math.pi * k / 8))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (linear, [4, 8, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        (cosine, [4, 8, *(half_cosine(k) for k in range(9))]),
        (constant, [4, *[8] * 10]),
    ],
)
def test_schedule_by_hand(kind: Any, expected: list[float]) -> None:
    """10 steps, warm-up 0.2: half the rate, the whole, then down to 0 or constant."""
    optimizer, schedule = made(
        lightning_optimizer(
            [{"params": [nn.Parameter(torch.ones(2, 2))]}],
            optimizer=partial(AdamW, lr=8.0),
            scheduler=partial(kind, warmup_ratio=0.2),
            steps=10,
        )
    )
    rates = []
    for _ in range(11):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates == pytest.approx(expected)


@pytest.mark.parametrize("kind", [linear, cosine, constant])
def test_schedule_without_warm_up_starts_at_the_top(kind: Any) -> None:
    optimizer = AdamW([nn.Parameter(torch.ones(1))], lr=1.0)
    kind(optimizer, steps=10, warmup_ratio=0.0)
    assert optimizer.param_groups[0]["lr"] == 1.0


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_warm_up_is_a_share(ratio: float) -> None:
    optimizer = AdamW([nn.Parameter(torch.ones(1))], lr=1.0)
    with pytest.raises(ValueError, match=r"warmup_ratio=.*expected 0 to 1"):
        linear(optimizer, steps=10, warmup_ratio=ratio)


def in_adamw(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The groups as AdamW completes them."""
    return AdamW(groups, lr=1e-4, weight_decay=0.01).param_groups


def test_cross_attention_stands_apart_where_it_has_a_rate(random_model: Any) -> None:
    groups = in_adamw(parameter_groups(random_model, cross_attention_learning_rate=5e-4))
    name_of = {id(p): name for name, p in random_model.named_parameters()}
    rates = {name_of[id(p)]: (g["lr"], g["weight_decay"]) for g in groups for p in g["params"]}
    assert rates.keys() == set(name_of.values())
    for name, parameter in random_model.named_parameters():
        rate = 5e-4 if "encoder_attn" in name else 1e-4
        assert rates[name] == (rate, 0.01 if parameter.ndim > 1 else 0.0)
    assert sum("encoder_attn" in name for name in rates) == 10  # q, k, v, out, norm: 2 each


def test_one_rate_without_it(random_model: Any) -> None:
    groups = in_adamw(parameter_groups(random_model))
    assert {g["lr"] for g in groups} == {1e-4}
    assert sum(len(g["params"]) for g in groups) == len(list(random_model.parameters()))


def test_cross_attention_of_bert_and_t5_is_known() -> None:
    from transformers import (
        BertConfig,
        EncoderDecoderConfig,
        EncoderDecoderModel,
        T5Config,
        T5ForConditionalGeneration,
    )

    shape: dict[str, Any] = {
        "vocab_size": 20,
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
        "intermediate_size": 8,
    }
    bert = EncoderDecoderModel(
        EncoderDecoderConfig.from_encoder_decoder_configs(
            BertConfig(**shape), BertConfig(**shape, is_decoder=True, add_cross_attention=True)
        )
    )
    t5 = T5ForConditionalGeneration(
        T5Config(vocab_size=20, d_model=8, d_kv=8, d_ff=8, num_layers=1, num_heads=1)
    )
    for model, expected in ((bert, 10), (t5, 4)):  # T5: q, k, v, o without biases
        groups = parameter_groups(model, cross_attention_learning_rate=2.0)
        apart = sum(len(g["params"]) for g in groups if g.get("lr") == 2.0)
        assert apart == expected


def test_frozen_weights_are_left_out() -> None:
    model = nn.Linear(2, 2)
    model.bias.requires_grad_(False)
    (group,) = parameter_groups(model)
    assert [p is model.weight for p in group["params"]] == [True]


def test_right_tokens_by_hand(random_model: Any, batch: IdentifierBatch) -> None:
    """The likeliest token from plain forward passes, after the target's own first tokens."""
    start = random_model.config.decoder_start_token_id

    def likeliest(question: list[int], before: list[int]) -> int:
        with torch.no_grad():
            output = random_model(
                input_ids=torch.tensor([question]),
                decoder_input_ids=torch.tensor([[start, *before]]),
            )
        return int(output.logits[0, -1].argmax())

    first = likeliest([10, 11, 12], [])
    second = likeliest([10, 11, 12], [first])
    batch.labels = torch.tensor([[first, second, 20], [likeliest([13], []) + 1, -100, -100]])
    third = likeliest([10, 11, 12], [first, second]) == 20
    with torch.no_grad():
        right, asked = right_tokens(random_model, batch)
    assert (right & asked).tolist() == [[True, True, third], [False, False, False]]
    assert asked.tolist() == [[True, True, True], [True, False, False]]


def test_the_figures_of_dev_by_hand() -> None:
    """A view of which nothing was asked is no part of the mean."""
    shares = {
        "token_accuracy": torch.tensor(0.5),
        "identifier_accuracy/title": torch.tensor(0.25),
        "identifier_accuracy/body": torch.tensor(0.75),
        "identifier_accuracy/query": torch.tensor(float("nan")),
    }
    assert list(shares) == dev_names(["title", "body", "query"])
    found = dev_figures(shares)
    assert float(found["dev/identifier_accuracy"]) == 0.5  # (0.25 + 0.75) / 2
    assert float(found["dev/token_accuracy"]) == 0.5
    assert float(found["dev/identifier_accuracy/body"]) == 0.75
    assert len(found) == 5
