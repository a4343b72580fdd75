"""Stage 2's data: mined rank lists, in shuffled epochs, re-mined where that is on."""

from __future__ import annotations

import logging
import time
from typing import Any

import numpy as np
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader

from ltrgr.data.order import Order
from ltrgr.data.rank_list_batch import RankListBatch
from ltrgr.data.rank_list_sampler import RankListSampler
from ltrgr.data.remining import Period, Remining, mine_period
from ltrgr.data.step_stream import StepStream

log = logging.getLogger("ltrgr")


class RankListDataModule(LightningDataModule):
    """Stage-2 batches and the dev questions that choose the checkpoint.

    Args:
        remining: mines new lists during training; None: the first lists stay.
    """

    def __init__(
        self,
        *,
        sampler: RankListSampler,
        batch_size: int,
        dev: Tensor,
        seed: int,
        remining: Remining | None = None,
    ) -> None:
        super().__init__()
        self.sampler, self.batch_size, self.dev = sampler, batch_size, dev
        self.seed, self.remining = seed, remining
        self._period: Period | None = None
        self._renewed = sampler

    def train_dataloader(self) -> DataLoader[Any]:
        """Endless; the trainer's ``max_steps`` ends it. A resumed run goes on where it was."""
        first = self.trainer.global_step if self.trainer is not None else 0
        self._order = Order(self.sampler.mined, batch_size=self.batch_size, seed=self.seed)
        # The trainer fetches ahead, when the model of that step does not exist yet: with re-mining
        # the stream has only the number of each step, and the batch is built when it begins.
        make = int if self.remining else self._batch_of_first_lists
        return StepStream(make, first=first).loader()

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Where lists are re-mined, a step's batch is built when the step begins."""
        return self._batch_of_now(batch) if isinstance(batch, int) else batch

    def state_dict(self) -> dict[str, Any]:
        """The lists of the period, for an exact resume: their model is gone."""
        return {} if self._period is None else {"period": self._period.state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the lists of ``state_dict``."""
        self._take(Period.of_state(state_dict["period"]))

    def _batch_of_first_lists(self, step: int) -> RankListBatch:
        return self.sampler.batch(*self._order.at(step))

    def _batch_of_now(self, step: int) -> RankListBatch:
        assert self.remining is not None
        first = step - step % self.remining.every
        if first == 0:  # the model that mined them has only begun to change
            return self._batch_of_first_lists(step)
        if self._period is None or self._period.first != first:
            self._take(self._remine(first, self.remining))
        assert self._period is not None
        rows, generator = self._order.at(step)
        return self._renewed.batch(np.searchsorted(self._period.rows, rows), generator)

    def _take(self, period: Period) -> None:
        self._period, self._renewed = period, self.sampler.over(period.lists)

    def _remine(self, first: int, remining: Remining) -> Period:
        assert self.trainer is not None
        steps = range(first, min(first + remining.every, self.trainer.max_steps))
        seen = np.concatenate([self._order.at(step)[0] for step in steps])
        start = time.perf_counter()
        period, mined = mine_period(self.sampler.mined, seen, first=first, remining=remining)
        seconds = time.perf_counter() - start
        speed = mined / seconds
        message = "step %d: re-mined %d questions in %.1f s, %.0f questions/s"
        log.info(message, first, mined, seconds, speed)
        for logger in self.trainer.loggers:
            logger.log_metrics(
                {
                    "remining/questions": mined,
                    "remining/seconds": seconds,
                    "remining/questions_per_second": speed,
                },
                step=first,
            )
        return period

    def val_dataloader(self) -> DataLoader[Tensor]:
        """Positions of dev questions."""
        return DataLoader(self.dev, batch_size=64)  # type: ignore[arg-type]
