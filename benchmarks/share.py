"""Whole searches with a model: the constraint's share, and ``generate`` with a Python callback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from benchmarks.decoding import SHAPES
from benchmarks.measure import Parts, Row, flush_caches, scaled
from benchmarks.walk import STEPS, Pool
from benchmarks.world import World
from ltrgr.decoding import beam_search
from ltrgr.decoding.beam_search import SearchedView, constrained_beam_search
from ltrgr.decoding.model import decode
from ltrgr.index.fm_index import FMIndex
from ltrgr.index.shards import Shards

PROMPT = 24
"""tokens of a question with its marker"""

PARTS = (
    (beam_search, "encode", "encoder"),
    (beam_search, "decode", "decoder"),
    (beam_search, "advance", "constraint"),
    (beam_search, "collect", "constraint"),
)


def measure(
    world: World, index: FMIndex, model: Any, *, name: str, repeats: int, seed: int
) -> Iterator[Row]:
    """A whole search by ``constrained_beam_search`` and its parts, for each shape.

    The model takes its own time; what it says is replaced by drawn logits, because random
    weights like all tokens equally and would walk into the rarest keys at once. On a GPU each
    part waits for the device before and after, so that its time is its own.
    """
    pool = Pool(world, rows=max(q * b for q, b in SHAPES), seed=seed)
    speak = _speaking(pool, model.device)
    for questions, num_beams in SHAPES:
        runs = []
        for _ in range(repeats + 1):  # the first one warms up
            prompt, parts = _prompt(world, pool.rng, questions), Parts(model.device)
            flush_caches()
            with patch.object(beam_search, "decode", speak), parts.watching(*PARTS):
                begin = perf_counter()
                _search(world, index, model, prompt.to(model.device), num_beams)
                whole = perf_counter() - begin
            runs.append((whole, parts))
        yield from _shares(f"decoding/{questions}x{num_beams} {name}", runs[1:])


def _shares(prefix: str, runs: list[tuple[float, Parts]]) -> Iterator[Row]:
    for part in ("encoder", "decoder", "constraint"):
        values = [parts[part] * 1e3 for _, parts in runs]
        yield Row(name=f"{prefix}: {part}", unit="ms/10 steps", values=values)
    rest = [whole - sum(parts.values()) for whole, parts in runs]
    yield Row(
        name=f"{prefix}: rest",
        unit="ms/10 steps",
        values=scaled(rest, 1e3),
        note="cache reordering, normalisers, copies",
    )
    share = [100 * parts["constraint"] / parts["decoder"] for _, parts in runs]
    yield Row(name=f"{prefix}: constraint's share", unit="% of decoder", values=share)


def _speaking(pool: Pool, device: torch.device) -> Callable[..., Any]:
    """``decode`` with other logits; drawing them costs no more than a view."""
    logits = torch.from_numpy(pool.logits).to(device)

    def speak(model: Any, states: Any, mask: Any, last: Tensor, cache: Any = None) -> Any:
        _, cache = decode(model, states, mask, last, cache)
        first = int(pool.rng.integers(0, len(logits) - len(last) + 1))
        return logits[first : first + len(last)].unsqueeze(1), cache

    return speak


def _prompt(world: World, rng: np.random.Generator, questions: int) -> Tensor:
    return torch.from_numpy(world.spans(rng, questions, PROMPT).astype(np.int64))


def _search(world: World, index: FMIndex, model: Any, prompt: Tensor, num_beams: int) -> None:
    constrained_beam_search(
        model,
        prompt_ids=prompt,
        prompt_mask=torch.ones_like(prompt),
        view=SearchedView(number=0, max_new_tokens=STEPS),
        index=Shards([index]),
        is_marker=world.vocabulary.is_marker,
        num_beams=num_beams,
    )


def measure_generate(
    world: World, index: FMIndex, model: Any, *, repeats: int, seed: int
) -> Iterator[Row]:
    """What one would reach for today: ``generate(prefix_allowed_tokens_fn=...)``, tiny model.

    The callback asks this very index, one prefix at a time: the reference pays for Python calls
    and for a dense mask, not for a slow index. Its constraint's cost is what it takes beyond
    ``generate`` without a callback.
    """
    rng = np.random.default_rng(seed)
    callback = _callback(world, index)
    for questions, num_beams in SHAPES:
        search = partial(_search, world, index, model, num_beams=num_beams)
        constrained = partial(_generate, model, num_beams=num_beams, callback=callback)
        free = partial(_generate, model, num_beams=num_beams, callback=None)
        runs: dict[str, list[float]] = {"whole": [], "constraint": [], "with": [], "without": []}
        for _ in range(repeats + 1):
            prompt, parts = _prompt(world, rng, questions), Parts()
            with parts.watching(*PARTS):
                runs["whole"].append(_timed(search, prompt))
            runs["constraint"].append(parts["constraint"])
            runs["with"].append(_timed(constrained, prompt))
            runs["without"].append(_timed(free, prompt))
        ours = {name: scaled(values[1:], 1e3) for name, values in runs.items()}
        theirs = float(np.median(ours["with"]))
        name = f"decoding/{questions}x{num_beams} tiny"
        for part, reference in (
            ("whole", theirs),
            ("constraint", theirs - float(np.median(ours["without"]))),
        ):
            yield Row(
                name=f"{name}: {part}",
                unit="ms/10 steps",
                values=ours[part],
                references={"generate": reference},
            )


def _timed(run: Callable[[Tensor], None], prompt: Tensor) -> float:
    flush_caches()
    begin = perf_counter()
    run(prompt)
    return perf_counter() - begin


def _callback(world: World, index: FMIndex) -> Callable[[int, Tensor], list[int]]:
    is_marker = world.vocabulary.is_marker
    nothing = [world.vocabulary.pad_id]  # generate() accepts no empty list

    def allowed(_: int, ids: Tensor) -> list[int]:
        lo, hi = index.interval(ids[1:].numpy())
        tokens = index.allowed([lo], [hi])[1]
        kept: list[int] = tokens[~is_marker[tokens]].tolist()
        return kept or nothing

    return allowed


@torch.inference_mode()
def _generate(model: Any, prompt: Tensor, num_beams: int, callback: Any) -> None:
    model.generate(
        input_ids=prompt,
        attention_mask=torch.ones_like(prompt),
        num_beams=num_beams,
        num_return_sequences=num_beams,
        max_new_tokens=STEPS,
        do_sample=False,
        prefix_allowed_tokens_fn=callback,
    )
