"""The steps that compiled code takes in an index of any kind: `extend`, `allowed`, ...

The type of ``arrays`` selects the kernels of `KERNELS` when a caller is compiled. A step then costs
as much as the kernel itself. Kernels are not passed as arguments, because numba stores neither a
function that takes a compiled function nor one that closes over it: each process would compile
decoding and scoring again, which takes 20 seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from numba import types
from numba.core.errors import TypingError
from numba.extending import overload

from ltrgr.index import kernels, trie_kernels
from ltrgr.index.arrays import IndexArrays
from ltrgr.index.kernels import STEP
from ltrgr.index.trie_arrays import TrieArrays


class Kernels(NamedTuple):
    """What compiled code needs of one kind of index: njit functions, whose arguments have these
    names. They allocate nothing.

    ``arrays`` is the NamedTuple of the kind. A key is an interval [lo, hi) with one row for each of
    its occurrences, and its number of tokens (``depth`` or ``length``).
    """

    extend: Callable[..., Any]
    """(arrays, lo, hi, token, depth) -> (lo, hi) of the key with one more token; lo == hi: none"""
    allowed: Callable[..., Any]
    """(arrays, lo, hi, depth, stamp, stamp_value, out) -> n: writes the n distinct tokens that
    follow the key to ``out`` [V], in any order. ``stamp`` [V + 1] is a buffer that needs no
    clearing if every call has a new ``stamp_value``."""
    passage_of_row: Callable[..., Any]
    """(arrays, row, length) -> the passage of the occurrence, -1 if it crosses a passage's end"""
    position_of_row: Callable[..., Any]
    """(arrays, row, length) -> position of the occurrence's first token in the token stream"""
    span_of_passage: Callable[..., Any]
    """(arrays, passage) -> positions (begin, end) that hold all keys of the passage"""
    passages_of_token: Callable[..., Any]
    """(arrays, token) -> the distinct passages that hold a token, or an empty array: not listed"""
    row_of_passage: Callable[..., Any] | None = None
    """(arrays, passage) -> its row, if every passage has exactly one: a key then occurs in the
    passage if and only if its interval holds the row, at the begin of the span. None: a passage's
    keys are found by reading ``arrays.text``."""


KERNELS: dict[type, Kernels] = {
    IndexArrays: Kernels(
        extend=kernels.extend,
        allowed=kernels.allowed,
        passage_of_row=kernels.passage_of_row,
        position_of_row=kernels.position_of_row,
        span_of_passage=kernels.span_of_passage,
        passages_of_token=kernels.passages_of_token,
    ),
    TrieArrays: Kernels(
        extend=trie_kernels.extend,
        allowed=trie_kernels.allowed,
        passage_of_row=trie_kernels.passage_of_row,
        position_of_row=trie_kernels.position_of_row,
        span_of_passage=trie_kernels.span_of_passage,
        passages_of_token=trie_kernels.passages_of_token,
        row_of_passage=trie_kernels.row_of_passage,
    ),
}
"""The kernels of each kind of index, by the type of its arrays."""


def kernels_of(arrays: Any) -> Kernels:
    """The kernels for ``arrays``: a NamedTuple in Python, or numba's type of one.

    Raises:
        TypingError: there are none for this type.
    """
    kind = arrays.instance_class if isinstance(arrays, types.BaseNamedTuple) else type(arrays)
    if kind not in KERNELS:
        known = [k.__name__ for k in KERNELS]
        raise TypingError(
            f"no kernels for {kind.__name__}: expected one of {known}; add its `Kernels` to "
            "ltrgr.index.any_index.KERNELS before the first search"
        )
    return KERNELS[kind]


def extend(arrays: Any, lo: int, hi: int, token: int, depth: int) -> Any:
    """See `Kernels.extend`."""
    return kernels_of(arrays).extend(arrays, lo, hi, token, depth)


def allowed(
    arrays: Any, lo: int, hi: int, depth: int, stamp: Any, stamp_value: int, out: Any
) -> Any:
    """See `Kernels.allowed`."""
    return kernels_of(arrays).allowed(arrays, lo, hi, depth, stamp, stamp_value, out)


def passage_of_row(arrays: Any, row: int, length: int) -> Any:
    """See `Kernels.passage_of_row`."""
    return kernels_of(arrays).passage_of_row(arrays, row, length)


def position_of_row(arrays: Any, row: int, length: int) -> Any:
    """See `Kernels.position_of_row`."""
    return kernels_of(arrays).position_of_row(arrays, row, length)


def span_of_passage(arrays: Any, passage: int) -> Any:
    """See `Kernels.span_of_passage`."""
    return kernels_of(arrays).span_of_passage(arrays, passage)


def passages_of_token(arrays: Any, token: Any) -> Any:
    """See `Kernels.passages_of_token`."""
    return kernels_of(arrays).passages_of_token(arrays, token)


def row_of_passage(arrays: Any, passage: int) -> Any:
    """See `Kernels.row_of_passage`, which only some kinds have."""
    kernel = kernels_of(arrays).row_of_passage
    assert kernel is not None
    return kernel(arrays, passage)


def _select(step: Callable[..., Any], **options: Any) -> None:
    """Compile a call of ``step`` as a call of the kernel of that name."""

    @overload(step, jit_options=options, strict=False)
    def _kernel(arrays, *rest):  # type: ignore[no-untyped-def]
        return getattr(kernels_of(arrays), step.__name__).py_func


for _step in (extend, allowed, passage_of_row, position_of_row, span_of_passage, row_of_passage):
    _select(_step, _nrt=STEP["_nrt"])
_select(passages_of_token)  # it returns an array
