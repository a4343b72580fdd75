"""Words of a text in any script: what BM25 counts."""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import lru_cache
from itertools import pairwise

from ltrgr.unspaced import UNSPACED

_ASCII_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """Lower-cased words of a text, without stemming and stop words.

    The text is brought into Unicode's form NFC first, so that a letter with an accent is the same
    however it was typed. Combining marks stay in their word. In scripts that write no space between
    words (Chinese, Japanese, Thai, ...) each pair of neighbouring characters is a word, as in
    Lucene's CJKAnalyzer; a character that stands alone is one, too.

    >>> words("The Elbe's end, 1850")
    ['the', 'elbe', 's', 'end', '1850']
    >>> words("北京的 Elbe")
    ['北京', '京的', 'elbe']
    """
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    word, part, character = _patterns()
    found = []
    for one in word.findall(unicodedata.normalize("NFC", text).lower()):
        for run in part.findall(one):
            characters = character.findall(run)
            if len(characters) > 1:
                found += [a + b for a, b in pairwise(characters)]
            else:
                found.append(run)
    return found


@lru_cache(maxsize=1)
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """A word of any script; its parts, each with or without spaces between words in its script; a
    character with its marks in a part without."""
    marks = _marks()
    one = f"(?![{marks}])[{UNSPACED}][{marks}]*"
    return (
        re.compile(f"[\\w{marks}]+"),
        re.compile(f"(?:{one})+|(?:(?!{one}).)+", re.DOTALL),
        re.compile(one),
    )


def _marks() -> str:
    """All combining marks of Unicode, as ranges of a regular expression."""
    codes = [c for c in range(sys.maxunicode + 1) if unicodedata.category(chr(c))[0] == "M"]
    starts = [c for i, c in enumerate(codes) if i == 0 or codes[i - 1] != c - 1]
    ends = [c for i, c in enumerate(codes) if i + 1 == len(codes) or codes[i + 1] != c + 1]
    return "".join(f"{chr(a)}-{chr(b)}" for a, b in zip(starts, ends, strict=True))
