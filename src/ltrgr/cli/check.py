"""The check at the end of a table: a verdict for each cell, and one line."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from ltrgr.errors import LtrgrError
from ltrgr.report.console import plain
from ltrgr.report.expected import Expected, read_expected
from ltrgr.report.result_table import ResultTable
from ltrgr.report.verdicts import Reproduction, judge, verdict_table, write_reproduction


class NotReproducedError(LtrgrError):
    """A cell is off and ``table.check`` is set; nothing else went wrong."""

    exit_code = 1


def expected_of(cfg: DictConfig) -> Expected | None:
    """What ``table.expected`` says; None where no file is named or there.

    Raises:
        ExpectedError: the file is not an expected.yaml.
    """
    path = None if cfg.table.expected is None else Path(cfg.table.expected)
    return None if path is None or not path.is_file() else read_expected(path)


def check(
    table: ResultTable, expected: Expected | None, cfg: DictConfig, *, console: Console
) -> bool:
    """Compare the table with what is expected, print the verdicts and keep them beside it.

    Returns:
        whether no cell is off
    """
    directory, named = Path(cfg.table.directory), cfg.table.expected
    if named is None:
        (directory / "reproduction.json").unlink(missing_ok=True)  # of an earlier table
        return True
    if expected is None:
        found = Reproduction(summary=f"reproduction: no verdicts: there is no file {named}")
    else:
        found = judge(table, expected, source=str(named))
    write_reproduction(found, directory)
    if found.cells:
        console.print(verdict_table(found))
    console.print(plain(found.summary), soft_wrap=True, highlight=False)
    return not found.off
