"""Invented names for the demo, from a small stock of syllables."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from ltrgr.corpus.demo_schema import read_words
from ltrgr.errors import CorpusError

_TRIES = 1000


@dataclass(frozen=True, slots=True)
class Name:
    """An entity's names: the title of its passages, the name in a sentence, partial names."""

    title: str
    spoken: str
    short: tuple[str, ...] = ()
    """partial names, often shared with others"""
    nickname: str = ""


class Namer:
    """Draws names. Titles and nicknames are unique; words and surnames repeat."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._parts = read_words()["names"]
        self._taken: set[str] = set()
        self._words: dict[str, list[str]] = {"place": [], "surname": []}

    def draw(self, *, kind: str, role: str) -> Name:
        """A new name for an entity.

        Raises CorpusError if the stock of names is exhausted.
        """
        for _ in range(_TRIES):
            name = getattr(self, f"_{kind}")(role)
            if name.title not in self._taken and name.nickname not in self._taken:
                self._taken.update((name.title, *([name.nickname] if name.nickname else [])))
                return name
        raise CorpusError(
            f"no new name for a {kind} after {_TRIES} tries with {len(self._taken)} names taken: "
            "the demo world is too large; ask for fewer passages (corpus.passages=2000)"
        )

    def draw_word(self, ending: str) -> str:
        """One invented word, such as ``Veldaholm``."""
        parts, rng = self._parts, self._rng
        middle = rng.choice(parts["middle"]) if rng.random() < 0.6 else ""
        return str(rng.choice(parts["start"]) + middle + rng.choice(parts[ending]))

    def _shared(self, ending: str, chance: float) -> str:
        """A word; with probability ``chance`` it is the word of another entity."""
        known = self._words[ending]
        if known and self._rng.random() < chance:
            return self._rng.choice(known)
        known.append(self.draw_word(ending))
        return known[-1]

    def _nickname(self) -> str:
        parts, rng = self._parts, self._rng
        return f"the {rng.choice(parts['adjective'])} {rng.choice(parts['nickname'])}"

    def _place(self, role: str) -> Name:
        word = self._shared("place", 0.3)
        prefixed = self._rng.random() < 0.3 or word in self._taken
        title = f"{self._rng.choice(self._parts['place_prefix'])} {word}" if prefixed else word
        return Name(title, title, (word,) if prefixed else (), self._nickname())

    def _river(self, role: str) -> Name:
        word = self.draw_word("river")
        return Name(f"River {word}", f"the River {word}", (f"the {word}",), self._nickname())

    def _person(self, role: str) -> Name:
        first, last = self.draw_word("first"), self._shared("surname", 0.5)
        short = (last, f"the {role} {last}")
        return Name(f"{first} {last}", f"{first} {last}", short, self._nickname())

    def _firm(self, role: str) -> Name:
        last = self._shared("surname", 0.6)
        title = f"{last} {self._rng.choice(self._parts['firm_suffix'])}"
        return Name(title, title, (f"the {last} firm", f"{last}'s firm"), self._nickname())

    def _work(self, role: str) -> Name:
        parts, rng = self._parts, self._rng
        adjective, noun = rng.choice(parts["adjective"]), rng.choice(parts["noun"])
        title = f"The {adjective} {noun}"
        return Name(title, title, (f"the {noun} {role}", f"the {role} {adjective} {noun}"))

    def _event(self, role: str) -> Name:
        where = self._shared("place", 0.8)
        formal, loose = read_words()["event_names"][role]
        title = f"{formal} {where}"
        return Name(title, f"the {title}", (f"{loose} {where}",))
