"""One retriever with one thread of torch and with several, in turns under the same load.

python -m benchmarks.threads runs/rank/FINGERPRINT --threads 2 --turns 15
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import median
from time import perf_counter

from ltrgr.retrieval.retriever import Retriever

QUESTION = "who wrote the first book about the river?"
"""its words do not matter: a search decodes the same number of steps for any"""


def main() -> None:
    """Print the median seconds of a question for each number of threads."""
    arguments = _arguments()
    opened = Retriever.from_pretrained(arguments.retriever)
    numbers = (1, arguments.threads)
    seconds: dict[int, list[float]] = {number: [] for number in numbers}
    for turn in range(arguments.turns + 1):
        for number in numbers:
            retriever = opened.with_(threads=number)
            begin = perf_counter()
            retriever.search([QUESTION] * arguments.questions)
            if turn:  # the first one loads compiled code
                seconds[number].append((perf_counter() - begin) / arguments.questions)
    for number in numbers:
        found = seconds[number]
        print(
            f"{number} threads: {1e3 * median(found):.1f} ms/question, "
            f"{1e3 * min(found):.1f} to {1e3 * max(found):.1f} in {len(found)} turns"
        )
    ratios = [several / one for one, several in zip(*seconds.values(), strict=True)]
    print(f"{numbers[1]} threads / 1 thread, turn by turn: median {median(ratios):.2f}")
    print(f"the retriever's own: {opened.threads or 'as many as torch has'}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("retriever", type=Path, help="directory of a finished pretrain or rank")
    parser.add_argument("--threads", type=int, default=2, help="to compare with one")
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--questions", type=int, default=1, help="searched together")
    arguments = parser.parse_args()
    if arguments.threads < 2 or arguments.turns < 1 or arguments.questions < 1:
        parser.error("expected --threads of 2 or more, --turns and --questions of 1 or more")
    return arguments


if __name__ == "__main__":
    main()
