"""Settings: the values that an annotation allows, and one line for each value that does not fit."""

from __future__ import annotations

import inspect
from collections import abc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Len, Lt, MinLen
from pydantic import AfterValidator, AllowInfNan, ConfigDict, TypeAdapter, ValidationError

from ltrgr.errors import LtrgrError

T = TypeVar("T")

LARGE = 10**9
"""The largest number of any setting, far beyond any use: a wrong one must not ask for all memory or
time there is, nor overflow arithmetic."""

Count = Annotated[int, Ge(1), Le(LARGE)]
CountOrZero = Annotated[int, Ge(0), Le(LARGE)]
TwoOrMore = Annotated[int, Ge(2), Le(LARGE)]
Length = Annotated[int, Ge(1), Le(10_000)]
"""of a question or an identifier, in tokens"""
Seed = Annotated[int, Ge(0), Le(2**32 - 1)]
"""NumPy and Lightning take no other"""
Positive = Annotated[float, Gt(0)]
PositiveOrInfinite = Annotated[float, Gt(0), AllowInfNan(True)]
NotNegative = Annotated[float, Ge(0)]
Fraction = Annotated[float, Ge(0), Le(1)]
FractionBelowOne = Annotated[float, Ge(0), Lt(1)]
Text = Annotated[str, MinLen(1)]

PLAIN = (int, float, bool, str, NoneType, Path, Any)
NAMES = {int: "a whole number", float: "a finite number", bool: "true or false", str: "text"}
NAMES |= {NoneType: "null", Path: "a path"}
LONGEST = 80
"""characters of a value that a line shows"""


class SettingsError(LtrgrError):
    """One or more settings do not fit; each has a line of its own."""


class StoredSettingError(LtrgrError):
    """A setting in a file is unknown, of another type, or out of its range."""


def refuse(faults: Sequence[str]) -> None:
    """Raise SettingsError with all of ``faults``, each once, if there are any."""
    if faults:
        raise SettingsError("\n".join(dict.fromkeys(faults)))


def expect_fields(section: str, settings: Any) -> None:
    """Check every field of a dataclass against its annotation; to be called in ``__post_init__``.

    Args:
        section: of the config that the fields belong to, for the message.

    Raises:
        SettingsError: with one line for each field that does not fit.
    """
    values = {field.name: getattr(settings, field.name) for field in fields(settings)}
    refuse(list(faults(section, annotations_of(type(settings)), values)))


def stored_settings(kind: Callable[..., T], plain: Any, *, where: str) -> T:
    """The dataclass ``kind`` with the values of ``plain``, which comes from a file.

    Args:
        where: file and section, for the message.

    Raises:
        StoredSettingError: names the setting.
    """
    if not isinstance(plain, Mapping):
        raise StoredSettingError(f"{where} is a {type(plain).__name__}; expected an object")
    annotations = annotations_of(kind)
    for name in plain:
        if name not in annotations:
            raise StoredSettingError(
                f"{where}.{name} is no setting of this version of ltrgr; expected some of "
                f"{', '.join(annotations)}"
            )
    if found := list(faults(where, annotations, plain)):
        raise StoredSettingError("\n".join(found))
    try:
        return kind(**plain)
    except (TypeError, ValueError) as error:
        raise StoredSettingError(f"{where}: {error}") from error


def annotations_of(target: Callable[..., Any]) -> dict[str, Any]:
    """parameter -> annotation of a function or a class; nothing for those without one."""
    has_fields = inspect.isclass(target) and is_dataclass(target)
    described: Any = target.__init__ if inspect.isclass(target) and not has_fields else target
    try:
        found = get_type_hints(described, include_extras=True)
    except (NameError, TypeError):  # it names what only a type checker imports; or is compiled
        return {}
    found.pop("return", None)
    return found


def faults(where: str, annotations: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[str]:
    """One line for each of ``values`` that its annotation does not allow.

    Args:
        where: the section, the begin of each line.
    """
    for name, value in values.items():
        if name in annotations:
            yield from misfits(f"{where}.{name}" if where else name, annotations[name], value)


def misfits(place: str, annotation: Any, value: Any) -> Iterator[str]:
    """The lines of one value: of each wrong item where it is a list or a mapping."""
    if fits(annotation, value):
        return
    lines: list[str] = []
    for one in _alternatives(annotation):
        origin, args = get_origin(one), get_args(one)
        if origin is Annotated:
            origin, args = get_origin(args[0]), get_args(args[0])
        if origin is Mapping and isinstance(value, Mapping):
            for key, item in value.items():
                if not fits(args[0], key):
                    lines.append(f"{place}: found the key {shown(key)}, expected {spelt(args[0])}")
                lines += misfits(f"{place}.{key}", args[1], item)
        elif origin is Sequence and isinstance(value, list | tuple):
            for number, item in enumerate(value):
                lines += misfits(f"{place}[{number}]", args[0], item)
    yield from lines or [f"{place}={shown(value)}: expected {spelt(annotation)}{_bound(value)}"]


def fits(annotation: Any, value: Any) -> bool:
    """Whether ``value`` is of the annotated type and within its bounds; nothing is converted."""
    try:
        _validator(annotation).validate_python(value)
    except ValidationError:
        return False
    return True


def spelt(annotation: Any) -> str:
    """An annotation in words: ``a whole number, 1 or more``, ``true or false``."""
    words = [_one_in_words(one) for one in _alternatives(annotation)]
    return ", or ".join(dict.fromkeys(words))


def _bound(value: Any) -> str:
    """The bound of all numbers, where a value is beyond it and finite."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    beyond = is_number and LARGE < abs(value) < float("inf")
    return f", at most {LARGE:,}" if beyond else ""


def shown(value: Any) -> str:
    """A value as a config writes it, cut off where it is long."""
    plain = {None: "null", True: "true", False: "false"}
    text = plain[value] if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _one_in_words(annotation: Any) -> str:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _bounded(spelt(args[0]), args[1:])
    if origin is Literal:
        return f"one of {', '.join(map(str, args))}"
    if origin is Mapping:
        return f"a mapping from {spelt(args[0])} to {spelt(args[1])}"
    if origin is Sequence:
        return f"a list of {spelt(args[0])}"
    if origin is not None:
        return "a function" if callable(origin) else str(annotation)
    return NAMES.get(annotation, f"a {getattr(annotation, '__name__', annotation)}")


def _bounded(words: str, bounds: tuple[Any, ...]) -> str:
    if any(isinstance(bound, MinLen) for bound in bounds):
        return f"{words}, not empty"
    if exact := [bound.min_length for bound in bounds if isinstance(bound, Len)]:
        return f"{words}, {exact[0]} of them"
    low = [bound.ge for bound in bounds if isinstance(bound, Ge)]
    high = [bound.le for bound in bounds if isinstance(bound, Le) and bound.le != LARGE]
    above = [f" above {bound.gt:,}" for bound in bounds if isinstance(bound, Gt)]
    below = [f" and below {bound.lt:,}" for bound in bounds if isinstance(bound, Lt)]
    if high or below or any(isinstance(b, AllowInfNan) and b.allow_inf_nan for b in bounds):
        words = words.replace("finite ", "")
    if low and high:
        return f"{words} from {low[0]:,} to {high[0]:,}"
    return "".join([words, *(f", {n:,} or more" for n in low), *above, *below])


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


@lru_cache(maxsize=1024)
def _validator(annotation: Any) -> TypeAdapter[Any]:
    strict = ConfigDict(strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)
    return TypeAdapter(_checkable(annotation), config=strict)


def _checkable(annotation: Any) -> Any:  # noqa: PLR0911
    """The annotation for pydantic, which is not to look inside our own classes."""
    origin, args = get_origin(annotation), get_args(annotation)
    if float in (annotation, *args[:1]) and origin in (None, Annotated):
        return Annotated[(float, *args[1:], AfterValidator(_expect_no_absurd_number))]
    if origin is Annotated:
        return Annotated[(_checkable(args[0]), *args[1:])]  # type: ignore[return-value]
    if origin in (Union, UnionType):
        return Union[tuple(_checkable(one) for one in args)]  # noqa: UP007
    if origin in (Mapping, Sequence):
        generic: Any = origin
        return generic[tuple(_checkable(one) for one in args)]
    if origin is Literal or annotation in PLAIN:
        return Path | str if annotation is Path else annotation  # a config writes it as text
    if origin is not None:
        return Callable if origin is abc.Callable else Any
    is_class = isinstance(annotation, type) and not getattr(annotation, "_is_protocol", False)
    return _instance_of(annotation) if is_class else Any


def _expect_no_absurd_number(value: float) -> float:
    if LARGE < abs(value) < float("inf"):
        raise ValueError
    return value


def _instance_of(kind: type) -> Any:
    def expect_instance(value: Any) -> Any:
        if not isinstance(value, kind):
            raise ValueError
        return value

    return Annotated[Any, AfterValidator(expect_instance)]
