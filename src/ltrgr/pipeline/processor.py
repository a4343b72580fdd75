"""The processor and its linear algebra: what decides the last digits of a sum."""

from __future__ import annotations

import platform
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

FLAGS = (
    *("avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512_bf16", "avx512_fp16"),
    *("avx512_vnni", "avx_vnni", "amx_bf16", "amx_int8", "amx_tile"),
    *("asimd", "asimdhp", "bf16", "i8mm", "sve", "sve2", "svebf16"),
)
"""Instruction sets that kernels of torch, MKL, oneDNN and OpenBLAS are chosen by."""

_BUILD = {"mkl": r"Math Kernel Library Version (\S+)", "onednn": r"MKL-DNN v(\S+)"}


def processor() -> dict[str, Any]:
    """Return ``model``, ``family``, ``flags`` and, where torch is loaded, its ``capability``."""
    return {**_of_machine(), "capability": capability()}


def parse_cpuinfo(text: str) -> dict[str, Any]:
    """Return what Linux's ``/proc/cpuinfo`` says of the first core.

    Example:
        >>> parse_cpuinfo("model name : A\\ncpu family : 26\\nmodel : 2\\nflags : fpu avx2 fma")
        {'model': 'A', 'family': '26/2', 'flags': ['avx2', 'fma']}
    """
    first = text.strip().split("\n\n")[0]
    lines = (line.partition(":") for line in first.splitlines())
    found = {name.strip(): value.strip() for name, _, value in lines}
    family = [found[name] for name in ("cpu family", "model") if name in found]
    there = set(found.get("flags", found.get("Features", "")).split())
    return {
        "model": found.get("model name"),
        "family": "/".join(family) or None,
        "flags": [flag for flag in FLAGS if flag in there],
    }


def capability() -> str | None:
    """Return the instruction set of torch's own kernels; None before its import."""
    torch = sys.modules.get("torch")
    return None if torch is None else str(torch.backends.cpu.get_cpu_capability())


def libraries() -> dict[str, str | None]:
    """Return what sums: torch's ``blas``, ``mkl`` and ``onednn``, and ``numpy``'s BLAS."""
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    built = "" if torch is None else str(torch.__config__.show())
    return {**parse_torch_build(built), "numpy": None if numpy is None else _numpy_blas(numpy)}


def parse_torch_build(text: str) -> dict[str, str | None]:
    """Return the linear algebra in the words of ``torch.__config__.show()``."""
    versions = {name: re.search(pattern, text) for name, pattern in _BUILD.items()}
    blas = re.search(r"BLAS_INFO=(\w+)", text)
    return {
        "blas": blas[1] if blas else None,
        **{name: found[1].split("-")[0] if found else None for name, found in versions.items()},
    }


def described() -> str:
    """Return the processor in one line.

    The family belongs to it: a virtual machine gives several processors the same name.
    """
    found = processor()
    family = f" (family {found['family']})" if found["family"] else ""
    used = f", torch uses {found['capability']}" if found["capability"] else ""
    flags = f"; {' '.join(found['flags'])}" if found["flags"] else ""
    return f"{found['model']}{family}{used}{flags}"


@cache
def _of_machine() -> dict[str, Any]:
    try:
        found = parse_cpuinfo(Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        found = parse_cpuinfo("")
    return found | {"model": found["model"] or platform.processor() or platform.machine()}


def _numpy_blas(numpy: Any) -> str | None:
    try:
        blas = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
    except (KeyError, TypeError):
        return None
    return f"{blas.get('name')} {blas.get('version')}"
