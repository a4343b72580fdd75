"""What an offline run of W&B holds: the records of its ``.wandb`` file."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BLOCK = 32768
"""bytes; the file is in LevelDB's log format, whose records never cross the end of a block"""
HEADER = 7
"""bytes: checksum, length, and whether it is a whole record, its first, middle or last part"""


def wandb_records(path: Path) -> Iterator[Any]:
    """The protobuf records of a run's file, in their order."""
    from wandb.proto.wandb_internal_pb2 import Record

    content, position, parts = path.read_bytes(), HEADER, b""
    while position + HEADER <= len(content):
        left = BLOCK - position % BLOCK
        if left < HEADER:
            position += left
            continue
        _, length, kind = struct.unpack("<IHB", content[position : position + HEADER])
        parts += content[position + HEADER : position + HEADER + length]
        position += HEADER + length
        if kind in (1, 4):  # a whole record, or the last part of one
            record = Record()
            record.ParseFromString(parts)
            yield record
            parts = b""
