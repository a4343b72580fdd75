from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from ltrgr.index.machine import free_disk, free_memory


def write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)


MEMINFO = {"proc/meminfo": "MemTotal:  16000 kB\nMemFree:  100 kB\nMemAvailable:  9000 kB\n"}


def test_the_machine(tmp_path: Path) -> None:
    write(tmp_path, MEMINFO)
    assert free_memory(root=tmp_path) == 9000 * 1024


def test_a_container_with_less(tmp_path: Path) -> None:
    write(
        tmp_path,
        MEMINFO
        | {
            "sys/fs/cgroup/memory.max": "5000000\n",
            "sys/fs/cgroup/memory.current": "4000000\n",
            "sys/fs/cgroup/memory.stat": "anon 3000000\ninactive_file 700000\n",
        },
    )
    assert free_memory(root=tmp_path) == 5_000_000 - 4_000_000 + 700_000


def test_a_container_without_a_limit(tmp_path: Path) -> None:
    cgroup = {"memory.max": "max\n", "memory.current": "4000000\n", "memory.stat": ""}
    write(tmp_path, MEMINFO | {f"sys/fs/cgroup/{name}": text for name, text in cgroup.items()})
    assert free_memory(root=tmp_path) == 9000 * 1024


def test_a_container_of_version_1(tmp_path: Path) -> None:
    cgroup = {
        "memory.limit_in_bytes": "3000000\n",
        "memory.usage_in_bytes": "1000000\n",
        "memory.stat": "inactive_file 1\ntotal_inactive_file 1\n",
    }
    write(
        tmp_path, MEMINFO | {f"sys/fs/cgroup/memory/{name}": text for name, text in cgroup.items()}
    )
    assert free_memory(root=tmp_path) == 2_000_001


def test_a_container_that_is_full_has_nothing_free(tmp_path: Path) -> None:
    cgroup = {"memory.max": "1000", "memory.current": "2000", "memory.stat": ""}
    write(tmp_path, MEMINFO | {f"sys/fs/cgroup/{name}": text for name, text in cgroup.items()})
    assert free_memory(root=tmp_path) == 1  # 0 would read as unknown


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and cgroups of Linux")
def test_free_memory_of_this_machine_is_part_of_it() -> None:
    """At most the machine's memory, which the C library knows; only Linux reports it."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    found = free_memory()
    assert found is not None
    assert 2**20 < found <= machine


def test_the_disk_of_a_directory_that_is_not_there_yet(tmp_path: Path) -> None:
    found, expected = free_disk(tmp_path / "a" / "b"), shutil.disk_usage(tmp_path).free
    assert found is not None
    assert abs(found - expected) < 2**30
