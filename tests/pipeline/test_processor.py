"""What is written down of the processor, from texts of known machines."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import torch

from ltrgr.pipeline import processor as room
from ltrgr.pipeline.environment import environment
from ltrgr.pipeline.processor import parse_cpuinfo, parse_torch_build

EPYC = """\
processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 26
model\t\t: 2
model name\t: AMD EPYC
flags\t\t: fpu sse4_2 avx fma f16c avx2 avx512f avx512bw avx_vnni avx512_bf16 avx512_vnni

processor\t: 1
model name\t: another
flags\t\t: amx_bf16
"""

ARM = "processor\t: 0\nFeatures\t: fp asimd sve bf16 i8mm\nCPU part\t: 0xd40\n"

BUILD = """\
PyTorch built with:
  - Intel(R) oneAPI Math Kernel Library Version 2024.2-Product Build 20240605 for Intel(R) 64
  - Intel(R) MKL-DNN v3.12.0 (Git Hash 80afa71049cd)
  - Build settings: BLAS_INFO=mkl, BUILD_TYPE=Release, LAPACK_INFO=mkl
"""


def test_the_first_core_and_the_flags_that_matter() -> None:
    assert parse_cpuinfo(EPYC) == {
        "model": "AMD EPYC",
        "family": "26/2",
        "flags": [
            *("avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512_bf16"),
            *("avx512_vnni", "avx_vnni"),
        ],
    }
    assert parse_cpuinfo(ARM) == {
        "model": None,
        "family": None,
        "flags": ["asimd", "bf16", "i8mm", "sve"],
    }


def test_without_cpuinfo_the_platform_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(room.Path, "read_text", missing)
    monkeypatch.setattr(room.platform, "processor", lambda: "arm")
    assert room._of_machine.__wrapped__() == {"model": "arm", "family": None, "flags": []}
    monkeypatch.setattr(room.platform, "processor", lambda: "")
    monkeypatch.setattr(room.platform, "machine", lambda: "arm64")
    assert room._of_machine.__wrapped__()["model"] == "arm64"


def test_the_linear_algebra_of_a_build() -> None:
    assert parse_torch_build(BUILD) == {"blas": "mkl", "mkl": "2024.2", "onednn": "3.12.0"}
    assert parse_torch_build("") == {"blas": None, "mkl": None, "onednn": None}


def test_the_environment_holds_it_where_torch_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    found = json.loads(json.dumps(environment()))
    assert found["cpu"]["capability"] == torch.backends.cpu.get_cpu_capability()
    assert found["threads"]["torch"] == torch.get_num_threads()
    assert found["threads"]["torch_between"] == torch.get_num_interop_threads()
    assert found["threads"]["OMP_NUM_THREADS"] == "3"
    assert found["threads"]["MKL_NUM_THREADS"] is None
    assert found["libraries"].keys() == {"blas", "mkl", "onednn", "numpy"}
    assert room.described().startswith(found["cpu"]["model"])


def test_nothing_heavy_is_imported_for_it() -> None:
    code = (
        "import sys; from ltrgr.pipeline.environment import environment as e; found = e()\n"
        "assert 'torch' not in sys.modules\n"
        "assert found['cpu']['capability'] is None and found['libraries']['mkl'] is None\n"
        "assert found['threads']['torch'] is None and found['cpu']['model']"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=dict(os.environ))
