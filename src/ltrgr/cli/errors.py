"""Errors: what the user reads, and the exit code, when a command does not end well."""

from __future__ import annotations

import errno
import os
import re
import select
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ltrgr.cli.signals import stop_line
from ltrgr.cli.unimportable import unimportable
from ltrgr.errors import LtrgrError
from ltrgr.terminal import print_error, print_traceback

OK, CRASHED, MISUSED, PIPE_CLOSED = 0, 1, 2, 141
"""Exit codes: done; a fault in the program; a fault the user can fix; ``| head``.

``signals.stop_line`` gives that of a stopped command."""


UNWRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR}
REFUSED = re.compile(r"Error in call to target 'ltrgr\.")
FULL_KEY = re.compile(r"^full_key: (\S+)$", re.MULTILINE)
"""how Hydra tells what could not be built, and for which part of the config"""


class Carried(BaseException):
    """Carries a job's error past Hydra, which would print all overrides above our own message."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


@contextmanager
def carried() -> Iterator[None]:
    """Carry what the block raises past Hydra, which tells of a callback's error and goes on."""
    try:
        yield
    except Exception as error:
        raise Carried(error) from error


class MissingValuesError(LtrgrError):
    """Mandatory values (``???``) were not given."""


def missing_values(*, command: str, keys: Sequence[str]) -> MissingValuesError:
    """Return the error for the mandatory ``keys`` that have no value."""
    given = " ".join(f"{key}=..." for key in keys)
    return MissingValuesError(
        f"no value for {', '.join(keys)}; expected on the command line or in a config. "
        f"Run: ltrgr {command} {given}"
    )


def own_cause(error: BaseException) -> LtrgrError | None:
    """Return the error of ours in the chain of causes (Hydra wraps what a ``_target_`` raises)."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, LtrgrError):
        seen = seen.__cause__
    return seen


def report(
    error: BaseException,
    *,
    command: str,
    explain: Callable[[Exception], str],
    debug: bool = False,
    root: str = "",
) -> int:
    """Print ``error`` to stderr as its kind deserves and return the exit code.

    Errors of ours and of config composition become one clean message (with the traceback where
    ``debug``); ``explain`` writes the latter. So does a ``root`` that the system refuses. Anything
    else keeps its full traceback. An error of ours may name another ``exit_code`` than ``MISUSED``.
    """
    if isinstance(error, KeyboardInterrupt):
        line, code = stop_line()
        print_error(line)
        return code
    own = own_cause(error)
    composition = own is None and _is_composition(error)
    message = None
    if own is None:
        message = unimportable(error) or refused(error) or unusable(error, root)
    if debug or (own is None and not composition and message is None):
        print_traceback(error)
    if message is not None:
        print_error(f"ltrgr {command}: {message}")
    elif own is not None:
        print_error(f"ltrgr {command}: {type(own).__name__}: {own}")
    elif composition and isinstance(error, Exception):
        print_error(f"ltrgr {command}: {explain(error)}")
    else:
        return CRASHED
    return int(getattr(own, "exit_code", MISUSED))


def refused(error: BaseException) -> str | None:
    """What to tell where a class or function of ours does not take a config's value.

    What is raised in users' own parts keeps its traceback: the fault may be in their code.
    """
    from hydra.errors import InstantiationException

    if not isinstance(error, InstantiationException) or not REFUSED.match(str(error)):
        return None
    cause = error.__cause__
    if not isinstance(cause, ValueError | TypeError) or not _raised_by_us(cause):
        return None
    key = FULL_KEY.search(str(error))
    named = "" if key is None or str(cause).startswith(key[1]) else f"{key[1]}: "
    return f"{named}{cause}"


def unusable(error: BaseException, root: str) -> str | None:
    """What to tell where the folder of the artefacts cannot be made or written."""
    if not root or not isinstance(error, OSError) or error.filename is None:
        return None
    at, wanted = Path(os.fsdecode(error.filename)).absolute(), Path(root).absolute()
    near = at.is_relative_to(wanted) or wanted.is_relative_to(at)
    if not near or (error.errno not in UNWRITABLE and wanted.exists()):
        return None
    return f"root={root}: cannot write to {at} ({error.strerror}); give another root=FOLDER"


def _raised_by_us(error: BaseException) -> bool:
    """In our code, or by the call of it, which Hydra makes: a key that it does not know."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return str(frame.f_globals.get("__name__")).startswith(("ltrgr.", "hydra._internal."))


def _is_composition(error: BaseException) -> bool:
    from hydra.errors import HydraException, InstantiationException
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError  # type: ignore[import-untyped]

    known = isinstance(error, HydraException | OmegaConfBaseException | YAMLError)
    return known and not isinstance(error, InstantiationException)


def reader_is_gone() -> bool:
    """Whether nobody reads our standard output any more (``ltrgr --help | head -3``).

    Then nothing more is written there, so that the interpreter's own flush at exit stays silent.
    """
    poll = select.poll()
    poll.register(sys.stdout, 0)
    gone = bool(poll.poll(0))
    if gone:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return gone
