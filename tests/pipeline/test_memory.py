"""Large blocks that are freed stay with the process."""

import platform
import subprocess
import sys

import pytest

COUNT = """
import resource, numpy as np
from ltrgr.pipeline.memory import keep_freed_memory
if {kept}: assert keep_freed_memory()
for _ in range(3): np.ones(20_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5): np.ones(20_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has mallopt")
def test_pages_are_not_fetched_again() -> None:
    def faults(kept: bool) -> int:
        command = [sys.executable, "-c", COUNT.format(kept=kept)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert faults(kept=True) < 50
    assert faults(kept=False) > 50
