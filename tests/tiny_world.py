"""A world small enough to be built in every test run: 80 passages, a BART of width 32."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from ltrgr.corpus.demo import generate_demo
from ltrgr.corpus.records import Corpus, Passage
from ltrgr.data.identifier_batch import IdentifierBatch
from ltrgr.data.target_sampler import TargetSampler
from ltrgr.identifiers.clusters import kmeans_ids
from ltrgr.identifiers.docids import random_ids, title_ids
from ltrgr.identifiers.views import Family, View, pseudo_queries, texts, titled_texts, titles
from ltrgr.identifiers.vocabulary import Vocabulary, train_byte_level_bpe
from ltrgr.models.bart_from_scratch import bart_from_scratch
from ltrgr.pipeline.index_stage import build_index, open_serialised, open_vocabulary
from ltrgr.pipeline.pretrain_stage import target_sampler
from ltrgr.pipeline.settings import Backbone, ComputeSettings, IndexSettings, TargetSettings
from ltrgr.training.identifier_pretraining import generation_loss

TITLE = View(
    source=titles,
    prompt="<title>",
    begin="<title>",
    end="</title>",
    max_new_tokens=15,
    sampling_weight=3.0,
)
BODY = View(source=texts, prompt="<body>", max_new_tokens=10, sampling_weight=10.0)
QUERY = View(
    source=pseudo_queries,
    prompt="<query>",
    begin="<query>",
    end="</query>",
    max_new_tokens=20,
    sampling_weight=5.0,
)
SEAL = Family({"title": TITLE, "body": BODY})
MINDER = Family({"title": TITLE, "body": BODY, "query": QUERY})
READ = View(
    source=titled_texts, prompt="<text>", max_new_tokens=1, sampling_weight=0.0, searched=False
)


def docid_family(docids: Any, *, symbols: int = 0, steps: int = 12) -> Family:
    """A DSI-like family: one given identifier a passage, the text only to learn from."""
    view = View(
        docids=docids,
        symbols=symbols,
        prompt="<docid>",
        begin="<docid>",
        end="</docid>",
        max_new_tokens=steps,
    )
    return Family({"docid": view, "text": READ})


RANDOM = docid_family(partial(random_ids, symbols=4, seed=0), symbols=4)
KMEANS = docid_family(
    partial(kmeans_ids, symbols=4, components=8, slack=2, sample=1000, seed=0), symbols=4
)
TITLES = docid_family(title_ids, steps=24)
DOCID_FAMILIES = {"random": RANDOM, "kmeans": KMEANS, "title": TITLES}
QUIET = ComputeSettings(accelerator="cpu", threads=1, progress=False)
TARGETS = TargetSettings(
    span_length=10,
    temperature=0.5,
    field_temperature=0.5,
    unsupervised=0.3,
    max_question_length=64,
    max_target_length=32,
)


def tiny_corpus() -> Corpus:
    """The smallest demo world."""
    return generate_demo(passages=80, train_questions=200, dev_questions=24, test_questions=24)


def tiny_backbone(*, dropout: float = 0.0) -> Backbone:
    """A 500-symbol BPE and a one-layer BART."""
    return Backbone(
        tokenizer=partial(train_byte_level_bpe, size=500),
        network=partial(
            bart_from_scratch,
            width=32,
            layers=1,
            heads=2,
            feed_forward=64,
            dropout=dropout,
            max_positions=128,
            init_scale=0.113,
        ),
    )


def index_of(
    directory: Path,
    family: Family,
    corpus: Corpus,
    *,
    backbone: Backbone | None = None,
    kind: str = "fm",
) -> Path:
    """The index artefact's files in ``directory``."""
    directory.mkdir(parents=True, exist_ok=True)
    build_index(
        directory,
        corpus=corpus,
        family=family,
        backbone=backbone or tiny_backbone(),
        settings=IndexSettings(kind=kind),
        compute=QUIET,
    )
    return directory


def sampler_of(index: Path, family: Family, corpus: Corpus) -> TargetSampler:
    """Stage 1's sampler over an index."""
    return target_sampler(
        corpus=corpus,
        vocabulary=open_vocabulary(index, family),
        serialised=open_serialised(index),
        settings=TARGETS,
    )


def awake(model: Any) -> Any:
    """Random weights so large that the output depends strongly on the prompt, even untrained."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(4.0)
    return model.eval()


def train_a_little(model: Any, sampler: TargetSampler, *, steps: int) -> Any:
    """Stage 1 without Lightning, so that the model is not random any more."""

    def draw(step: int) -> IdentifierBatch:
        generator = np.random.default_rng((7, step))
        return sampler.batch(generator.integers(0, sampler.n_pairs, 32), generator)

    return descend(model, draw, steps=steps, label_smoothing=0.1)


def descend(
    model: Any, draw: Callable[[int], IdentifierBatch], *, steps: int, label_smoothing: float
) -> Any:
    """``steps`` steps of AdamW on L_gen of the batches that ``draw`` gives."""
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for step in range(steps):
        loss = generation_loss(model, draw(step), label_smoothing=label_smoothing)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.eval()


def word_piece(texts: list[str]) -> PreTrainedTokenizerFast:
    """A BERT-like tokenizer: lower case, word pieces, [CLS] text [SEP]."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


def small_vocabulary(
    passages: list[Passage], family: Family = MINDER, size: int = 300
) -> Vocabulary:
    """A byte-level BPE trained on a few passages."""
    strings = [f"{p.title} {p.text} {' '.join(p.pseudo_queries)}" for p in passages]
    return Vocabulary(train_byte_level_bpe(texts=strings, size=size), family)
