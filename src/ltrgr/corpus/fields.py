"""The fields of a JSON object, checked: every error names the file and line."""

from __future__ import annotations

from typing import Any

from ltrgr.errors import CorpusError

Record = dict[str, Any]


def read_id(record: Record, *, where: str, seen: dict[str, str]) -> str:
    """The object's ``_id``, which must not be in ``seen`` (id -> first place) and is added to it.

    Raises CorpusError if it is missing, empty, a duplicate, or holds white space, which qrels and
    run files cannot represent.
    """
    if "_id" not in record:
        raise CorpusError(
            f'{where}: found no "_id" among {sorted(record)}, expected {{"_id": "..."}}'
        )
    identity = read_text(record, "_id", where=where)
    if not identity:
        raise CorpusError(f'{where}: found an empty "_id", expected a unique one')
    if identity.split() != [identity]:
        raise CorpusError(
            f'{where}: found white space in "_id" {identity!r}, expected none: '
            "replace it here and in the qrels"
        )
    if identity in seen:
        raise CorpusError(
            f'{where}: found "_id" {identity!r} again, first at {seen[identity]}: '
            "delete or rename one of the two"
        )
    seen[identity] = where
    return identity


def read_text(record: Record, key: str, *, where: str, default: str | None = None) -> str:
    """A string field; ``default`` if it is absent and a default is given.

    Raises CorpusError if it is absent without a default, not a string, or not encodable.
    """
    if key not in record and default is not None:
        return default
    if key not in record:
        raise CorpusError(f"{where}: found no {key!r} among {sorted(record)}, expected a string")
    return _check_text(record[key], key, where)


def read_texts(record: Record, key: str, *, where: str) -> tuple[str, ...]:
    """A list of strings, none of them blank; empty if the field is absent.

    Raises CorpusError for any other value.
    """
    values = record.get(key, [])
    if not isinstance(values, list):
        raise CorpusError(
            f"{where}: found {key!r} of type {type(values).__name__}, expected a list of strings"
        )
    texts = tuple(_check_text(value, key, where) for value in values)
    if any(not text.strip() for text in texts):
        raise CorpusError(f"{where}: found an empty string in {key!r}, expected none: delete it")
    return texts


def _check_text(value: object, key: str, where: str) -> str:
    if not isinstance(value, str):
        raise CorpusError(
            f"{where}: found {key!r} of type {type(value).__name__}, expected a string"
        )
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise CorpusError(
            f"{where}: found half a surrogate pair in {key!r}, expected Unicode text: "
            "write the file again with ensure_ascii=False"
        ) from None
    return value
