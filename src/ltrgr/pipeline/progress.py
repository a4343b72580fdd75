"""Progress bars: what is running, how far it is, how long is left."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from tqdm import tqdm

from ltrgr.terminal import one_line

Batch = TypeVar("Batch", bound=tuple[Any, ...])

BAR_POSITION = "LTRGR_BAR_POSITION"
"""environment variable: the line of this process's bars where several processes draw them"""


def bar(*, total: int, description: str, unit: str, shown: bool, done: int = 0) -> Any:
    """A bar on standard error; in a log file it writes a line every ten seconds at most."""
    position = int(os.environ.get(BAR_POSITION, "0"))
    return tqdm(
        total=total,
        initial=done,
        desc=one_line(description),
        unit=unit,
        disable=not shown,
        dynamic_ncols=True,
        position=position or None,
        leave=position == 0,
        mininterval=0.2 if sys.stderr.isatty() else 10.0,
    )


def watch(
    batches: Iterable[Batch], *, total: int, description: str, shown: bool
) -> Iterator[Batch]:
    """Pass batches on, each with its slice of the questions first; count questions per second."""
    with bar(total=total, description=description, unit=" questions", shown=shown) as progress:
        for batch in batches:
            yield batch
            progress.update(batch[0].stop - batch[0].start)


class StepProgress(Callback):
    """Training steps, with the loss."""

    def __init__(self, description: str) -> None:
        self._description = description
        self._bar: Any = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin at the step that a resumed run has reached."""
        self._bar = bar(
            total=trainer.max_steps,
            done=trainer.global_step,
            description=self._description,
            unit=" steps",
            shown=True,
        )

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Count the step."""
        self._bar.update(trainer.global_step - self._bar.n)
        if trainer.global_step % 20 == 0:
            shown = {k: f"{float(v):.3g}" for k, v in trainer.progress_bar_metrics.items()}
            self._bar.set_postfix(shown, refresh=False)

    def on_train_end(self, *_: Any) -> None:
        """Leave the finished bar on the screen."""
        self._bar.close()

    def on_exception(self, *_: Any) -> None:
        """Do not leave a running bar behind a traceback."""
        if self._bar is not None:
            self._bar.close()
