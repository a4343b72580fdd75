"""Tracking: one W&B run, begun before training, that sends no more than was asked for."""

from __future__ import annotations

import logging
import netrc
import os
import re
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pytorch_lightning.loggers import WandbLogger

from ltrgr.errors import LtrgrError
from ltrgr.pipeline.settings import WandbSettings
from ltrgr.terminal import one_line

log = logging.getLogger("ltrgr")

SERVER = "https://api.wandb.ai"
"""where wandb sends runs unless WANDB_BASE_URL says otherwise"""

PATIENCE = 3.0
"""seconds to wait for any answer of the server"""

BEGIN = 30.0
"""seconds that a server which answers may take to begin a run"""

STEP = "trainer/global_step"
"""the figure that Lightning logs as the step"""

AGENT = ("WANDB_RUN_ID", "WANDB_SWEEP_ID", "WANDB_SWEEP_PARAM_PATH")
"""variables by which a `wandb agent` names the run of the job that it starts"""

FOLDERS = re.compile(r"(?<![\w.:/])[~/][^\s,;:'\"\[\]]*/")
"""the folders of an absolute path"""


_kept_open: ContextVar[bool] = ContextVar("kept_open", default=False)
"""whether the run of the command's own stage stays open after its training"""


class TrackingError(LtrgrError):
    """``wandb.mode=online`` was asked for and cannot be had."""


def wandb_mode(tracking: WandbSettings) -> str:
    """Online only where there is a key, unless set otherwise."""
    chosen = os.environ.get("WANDB_MODE") if tracking.mode == "auto" else tracking.mode
    if chosen is not None:
        return {"dryrun": "offline"}.get(chosen, chosen)  # its old name
    return "online" if has_key() else "offline"


def has_key() -> bool:
    """Whether wandb will find a key: in WANDB_API_KEY, or in the file that `wandb login` writes."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    path = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    try:
        found = netrc.netrc(path).authenticators(urlsplit(_server()).hostname or "")
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        return False  # wandb reads it, and says what is wrong with it
    return found is not None and bool(found[2])


def begin_run(
    *, stage: str, name: str, tracking: WandbSettings, config: Mapping[str, Any]
) -> WandbLogger | None:
    """Begin a run; None where the mode is ``disabled``. The caller calls ``wandb.finish``.

    In the mode ``auto`` a run that cannot go online goes offline, with one line in the log.

    Raises:
        TrackingError: ``online`` was asked for, and the server does not answer or refuses.
    """
    mode = wandb_mode(tracking)
    if mode == "disabled":
        return None
    made = None if mode == "offline" else _online(stage, name, tracking, config)
    return made or _begun(stage, name, tracking, config, offline=True)


def expect_online(tracking: WandbSettings) -> None:
    """Where ``online`` was asked for: whether the server answers, before hours of work.

    Raises:
        TrackingError: it does not.
    """
    if tracking.mode == "online" and (why := silence_of(_server())):
        raise _offline(tracking, why)


def _online(
    stage: str, name: str, tracking: WandbSettings, config: Mapping[str, Any]
) -> WandbLogger | None:
    import wandb

    why = silence_of(_server())
    if not why:
        try:
            return _begun(stage, name, tracking, config, offline=False)
        except wandb.errors.Error as error:
            wandb.teardown()  # else the next run waits for this one
            why = one_line(error)
    if tracking.mode != "auto":
        raise _offline(tracking, why)
    log.warning("W&B goes offline: %s. Send the run later with: wandb sync", why)
    return None


def _server() -> str:
    return os.environ.get("WANDB_BASE_URL") or SERVER


def _offline(tracking: WandbSettings, why: str) -> TrackingError:
    return TrackingError(
        f"wandb.mode={tracking.mode}: {why}. Try `wandb login` and the network, or run with "
        "wandb.mode=offline and send the run later with `wandb sync`"
    )


def _begun(
    stage: str, name: str, tracking: WandbSettings, config: Mapping[str, Any], *, offline: bool
) -> WandbLogger:
    import wandb

    os.environ.setdefault("WANDB_SILENT", "true")
    tracking.directory.mkdir(parents=True, exist_ok=True)
    logger = WandbLogger(
        project=tracking.project,
        group=tracking.group,
        job_type=stage,
        name=without_folders(name),
        save_dir=str(tracking.directory),
        # not Lightning's `offline`, which sets WANDB_MODE for all that follows in this process
        mode="offline" if offline else "online",
        config=without_folders(dict(config)),
        settings=_settings(tracking),
    )
    # Lightning passes it even where nobody set it, and wandb warns of that in every run.
    logger._wandb_init.pop("anonymous", None)
    if any(name in os.environ for name in AGENT):
        wandb.teardown()  # it reads the environment once in a process, and now it is another one
    with nullcontext() if stage == tracking.agents_stage else without_agent():
        run = logger.experiment  # begins it
    # beside the last value of a figure, its best one: `dev/mrr@10.max` is what sweeps compare
    run.define_metric("dev/*", step_metric=STEP, summary="last,max")
    run.define_metric("train/loss", step_metric=STEP, summary="last,min")
    return logger


@contextmanager
def run_kept_open() -> Iterator[None]:
    """Leave the run of the command's own stage open after its training, until the end of this.

    So :func:`report_figures` adds what is measured afterwards to the same run.
    """
    token = _kept_open.set(True)
    try:
        yield
    finally:
        _kept_open.reset(token)
        _finish()


def end_run(*, stage: str, tracking: WandbSettings) -> None:
    """Finish the run of ``stage``, or leave that to :func:`run_kept_open`."""
    if not (_kept_open.get() and stage == tracking.agents_stage):
        _finish()


def _finish() -> None:
    if "wandb" in sys.modules:  # else no run was begun, and to import it takes a second
        import wandb

        wandb.finish()


def report_figures(tracking: WandbSettings, figures: Mapping[str, float]) -> None:
    """Give W&B the figures that a command ends with, as ``final/<name>`` in the run's summary.

    The run is the one that is kept open after its training. Where nothing was trained, because all
    was found, it is the run that a `wandb agent` has reserved; without an agent nothing is sent,
    for the run of the first time has the figures.
    """
    mode = wandb_mode(tracking)
    summary = {f"final/{name}": value for name, value in figures.items()}
    if _kept_open.get() and "wandb" in sys.modules:
        import wandb

        if wandb.run is not None:
            wandb.run.summary.update(summary)
            return
    if mode == "disabled" or not {"WANDB_RUN_ID", "WANDB_SWEEP_ID"} <= os.environ.keys():
        return
    if mode == "online" and (why := silence_of(_server())):
        log.warning("W&B does not get the figures of this job: %s", why)
        return
    import wandb

    os.environ.setdefault("WANDB_SILENT", "true")
    wandb.teardown()  # it reads the environment once in a process
    tracking.directory.mkdir(parents=True, exist_ok=True)
    with wandb.init(
        project=tracking.project,
        group=tracking.group,
        dir=str(tracking.directory),
        mode="online" if mode == "online" else "offline",
        resume="allow" if mode == "online" else None,
        settings=_settings(tracking),
    ) as run:
        run.summary.update(summary)


@contextmanager
def without_agent() -> Iterator[None]:
    """Hide the run that a `wandb agent` has reserved: a stage before its own would take it."""
    hidden = {name: os.environ.pop(name) for name in AGENT if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


def silence_of(url: str) -> str:
    """Why a server cannot be reached, in a few seconds; empty where anything answers.

    wandb itself tries for a minute and a half.
    """
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=PATIENCE):
            return ""
    except urllib.error.HTTPError:
        return ""  # an answer
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLError):
            return ""  # an answer; wandb may know a certificate that we do not
        return f"{url} does not answer ({one_line(reason)})"


def without_folders(value: Any) -> Any:
    """``value`` with absolute paths cut to their last part: folders tell who works where.

    >>> without_folders({"checkpoint": "/home/ada/bart", "margin": 2})
    {'checkpoint': 'bart', 'margin': 2}
    """
    if isinstance(value, Mapping):
        return {name: without_folders(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_folders(item) for item in value]
    return FOLDERS.sub("", str(value)) if isinstance(value, str | Path) else value


def _settings(tracking: WandbSettings) -> Any:
    import wandb

    own: dict[str, Any] = {}
    if not tracking.environment:
        own = {
            "x_disable_meta": True,  # arguments, program, user, host, Python's path, git remote
            "x_disable_machine_info": True,
            "x_save_requirements": False,
            "disable_git": True,
            "disable_job_creation": True,
            "save_code": False,
            "host": "-",
            "program": "ltrgr",
        }
    return wandb.Settings(
        silent=True, console="off", x_disable_stats=True, init_timeout=BEGIN, **own
    )
