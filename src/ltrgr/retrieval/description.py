"""Description of a saved retriever: ``retriever.json``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ltrgr.decoding.decoding_settings import DecodingSettings
from ltrgr.disk import write_atomically
from ltrgr.errors import RetrieverError
from ltrgr.identifiers.functions import Function, function_of, name_of
from ltrgr.identifiers.views import Family
from ltrgr.json_file import MissingFileError, read_json_object
from ltrgr.scoring.scoring_settings import ScoringSettings
from ltrgr.typed import stored_settings

FILE = "retriever.json"
CURE = "give the directory of a finished `ltrgr pretrain` or `ltrgr rank` (they print it)"


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a retriever is besides its model and tokenizer."""

    index: str
    """path to the index, relative to the directory"""
    family: Family
    scoring: ScoringSettings
    decoding: DecodingSettings
    threads: int | None = None
    """of torch while the model computes; None: by the model's size"""

    def write(self, directory: Path) -> None:
        """Write ``retriever.json``."""
        own = self.scoring.transform
        plain = {
            "index": self.index,
            "views": self.family.describe(),
            "scoring": asdict(self.scoring) | {"transform": None if own is None else name_of(own)},
            "decoding": asdict(self.decoding),
            "threads": self.threads,
        }
        write_atomically(directory / FILE, json.dumps(plain, indent=2))

    @classmethod
    def read(
        cls,
        directory: Path,
        *,
        functions: Sequence[Function] = (),
        scoring: ScoringSettings | None = None,
        decoding: DecodingSettings | None = None,
    ) -> Description:
        """What ``write`` wrote; ``scoring`` and ``decoding`` are read where they are None.

        Args:
            functions: functions of the user's own that the file may name.

        Raises:
            RetrieverError, FileError: the file is missing or not what ``write`` writes.
            ForeignFunctionError: it names another function.
        """
        path = directory / FILE
        try:
            plain = read_json_object(path, cure=CURE)
        except MissingFileError as error:
            raise RetrieverError(f"{directory} holds no {FILE}; {CURE}") from error
        for name, kind in (("index", str), ("views", dict), ("scoring", dict), ("decoding", dict)):
            if not isinstance(plain.get(name), kind):
                raise RetrieverError(f"{path} is damaged: it has no {name!r} of its kind; {CURE}")
        if not plain["index"].isprintable():
            raise RetrieverError(f"{path} is damaged: {plain['index']!r} is no path; {CURE}")
        threads = plain.get("threads")  # absent where an earlier version wrote the file
        if threads is not None and (type(threads) is not int or threads < 1):
            raise RetrieverError(f"{path} is damaged: it has threads={threads!r}; {CURE}")
        if scoring is None:
            scoring = _scoring(plain["scoring"], functions=functions, path=path)
        where = f"{path}: decoding"
        return cls(
            index=plain["index"],
            family=Family.from_description(
                plain["views"], functions=functions, where=f"{path}: views"
            ),
            scoring=scoring,
            decoding=decoding or stored_settings(DecodingSettings, plain["decoding"], where=where),
            threads=threads,
        )


def _scoring(
    plain: dict[str, Any], *, functions: Sequence[Function], path: Path
) -> ScoringSettings:
    name, where = plain.get("transform"), f"{path}: scoring"
    transform = None if name is None else function_of(name, given=functions, where=str(path))
    return stored_settings(ScoringSettings, plain | {"transform": transform}, where=where)
