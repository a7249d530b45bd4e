"""Invented names: companies, people, towns, streets and the things that handbook articles are about.

Two sources with one interface. `SyllableNames` makes endless fresh names for pre-training text; `ListedNames` hands
out the course company's own names, which `SyllableNames` refuses to make.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from utils.authoring.world.phrasing import handbook_words

ONSETS = "b c d f g h j k l m n p r s t v w z br cr dr fl gl gr kl pl pr sh sk sl st th tr".split()
VOWELS = "a e i o u a e i o ai ea ie oa oo y".split()
CODAS = ["", "", "n", "r", "s", "l", "m", "nd", "rt", "ck", "th", "x", "sk", "ll"]
TOWN_ENDS = ["", "ton", "bury", "ford", "wick", "ham", "field", "mouth", "bridge", "dale", "stead", "haven"]
STREET_ENDS = ["Street", "Lane", "Road", "Row", "Square", "Hill", "Way", "Court", "Wharf"]
FIRST_NAMES = (
    "Ada Ahmed Aiko Alan Alice Amara Amir Anna Anton Asha Ben Bianca Carl Carmen Chen Clara Daniel Diego Dora Elena "
    "Emil Emma Erik Eva Farah Felix Finn Grace Greta Hana Hassan Helen Hugo Ivan Jack Jade James Jan Joan Jonas Julia "
    "Karim Kate Kenji Laila Lars Laura Leo Lina Lucas Lucy Maria Mark Marta Maya Mei Milan Mina Nadia Nina Noah Nora "
    "Olga Omar Oscar Pablo Paul Petra Priya Rana Rosa Ruth Sam Sara Simon Sofia Stefan Tara Tom Vera Victor Yara Yusuf"
).split()
TRADE_WORDS = {
    "shop": ["Stores", "Outfitters", "Goods", "Supplies", "Market", "Trading", "Depot"],
    "clinic": ["Clinic", "Health", "Medical", "Care"],
    "city_office": ["City Office", "Town Hall", "Council", "Civic Office"],
    "airline": ["Air", "Airways", "Airlines", "Wings"],
    "hotel": ["Hotel", "Inns", "Lodge", "House Hotel"],
    "bank": ["Bank", "Savings", "Credit Union", "Finance"],
    "software": ["Software", "Systems", "Labs", "Cloud"],
    "library": ["Library", "Reading Rooms", "Public Library"],
    "gym": ["Gym", "Fitness", "Sports Club"],
    "university": ["University", "College", "Institute"],
}
ENTITY_ENDS = {
    "product": ["Pro", "Trail", "Lite", "Classic", "Max", "Compact", "Plus", "Duo", "Set", "Mini"],
    "plan": ["Basic", "Plus", "Team", "Pro", "Family", "Starter", "Premium", "Flex"],
    "room": ["Room", "Suite", "Hall", "Studio", "Lounge", "Ward"],
    "vehicle": ["Van", "Bus", "Shuttle", "Cart", "Truck"],
    "course": ["Basics", "Workshop", "Weekend", "Masterclass", "Evening", "Intensive", "Course"],
    "account": ["Saver", "Account", "Reserve", "Current", "Bonus"],
    "dish": ["stew", "soup", "pie", "curry", "salad", "platter", "cake"],
}


class Names(Protocol):
    """Where a company's names come from."""

    def company(self, trade: str) -> str:
        """A company of a trade, such as "shop"."""
        ...

    def person(self) -> str:
        """A first and a last name."""
        ...

    def town(self) -> str:
        """The name of a town, as addresses, branches and routes have it."""
        ...

    def street(self) -> str:
        """A street with the number of a house."""
        ...

    def entity(self, subject: str) -> str:
        """A thing of a subject, such as "product" or "branch"."""
        ...

    def code(self) -> str:
        """A short code of letters and digits."""
        ...


class SyllableNames:
    """Endless fresh names made of syllables; none holds a word of `reserved` (compared in lower case)."""

    def __init__(self, rng: random.Random, reserved: Collection[str] = ()) -> None:
        self._rng = rng
        self._reserved = {word.lower() for name in reserved for word in name.split()}

    def _word(self, low: int = 1, high: int = 3) -> str:
        rng = self._rng
        while True:
            syllables = [rng.choice(ONSETS) + rng.choice(VOWELS) for _ in range(rng.randint(low, high))]
            word = ("".join(syllables) + rng.choice(CODAS)).capitalize()
            if rng.random() < 0.1:
                word = rng.choice("AEIOU") + word.lower()
            if len(word) > 2 and word.lower() not in self._reserved:
                return word

    def _unreserved(self, make: Callable[[], str]) -> str:
        name = make()
        while any(word.lower() in self._reserved for word in name.split()):
            name = make()
        return name

    def company(self, trade: str) -> str:
        """A made-up word and a word of the trade, such as "Depot"."""
        ends = TRADE_WORDS[trade]
        return f"{self._word(2, 3)} {self._rng.choice(ends)}"

    def person(self) -> str:
        """A common or made-up first name, and a made-up last name, one in ten with a hyphen."""
        first = self._rng.choice(FIRST_NAMES) if self._rng.random() < 0.6 else self._word(1, 2)
        last = self._word(2, 3) if self._rng.random() < 0.9 else f"{self._word(1, 2)}-{self._word(1, 2)}"
        return f"{first} {last}"

    def town(self) -> str:
        """A made-up word with the end of a town's name."""
        return self._unreserved(lambda: self._word(1, 2) + self._rng.choice(TOWN_ENDS))

    def street(self) -> str:
        """A number up to 240, a made-up word, and a word for a street."""
        return f"{self._rng.randint(1, 240)} {self._word(1, 3)} {self._rng.choice(STREET_ENDS)}"

    def entity(self, subject: str) -> str:
        """Half of the names are of common words, half of made-up ones; branches and routes have towns' names."""
        rng = self._rng
        if subject == "branch":
            return self.town()
        if subject == "route":
            return f"{self.town()} to {self.town()}"
        kind = rng.random()
        if kind < 0.5:
            return self._unreserved(lambda: self._common_words(ENTITY_ENDS[subject]))
        if kind < 0.7:
            return f"{self._word(2, 3)} {rng.randint(2, 99)}"
        return f"{self._word(2, 3)} {rng.choice(ENTITY_ENDS[subject])}"

    def _common_words(self, ends: Sequence[str]) -> str:
        """A name of one to three words that also occur in sentences, as "Rope and Knots" does."""
        rng = self._rng
        words = [word.capitalize() for word in rng.sample(handbook_words(), rng.randint(1, 3))]
        if len(words) == 1:
            return f"{words[0]} {rng.choice(ends)}"
        return f"{words[0]} and {words[1]}" if len(words) == 2 and rng.random() < 0.3 else " ".join(words)

    def code(self) -> str:
        """One to three letters and two to four digits, in either order, with or without a hyphen."""
        rng = self._rng
        letters = "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(rng.randint(1, 3)))
        digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(2, 4)))
        code = rng.choice([f"{letters}-{digits}", f"{digits}-{letters}", f"{letters}{digits}"])
        return code if code.lower() not in self._reserved else self.code()


class ListedNames:
    """Names dealt from lists, each once in a shuffled round.  Raises ValueError when a list is missing or empty."""

    def __init__(self, rng: random.Random, lists: Mapping[str, Sequence[str]]) -> None:
        for key in ("company", "person", "town", "street", "code"):
            if not lists.get(key):
                raise ValueError(f"the list of names needs an entry {key!r}")
        self._rng, self._lists = rng, lists
        self._decks: dict[str, list[str]] = {}

    def _deal(self, key: str) -> str:
        if not self._decks.get(key):
            self._decks[key] = self._rng.sample(list(self._lists[key]), len(self._lists[key]))
        return self._decks[key].pop()

    def company(self, trade: str) -> str:
        """The first company of the list, whatever the trade."""
        return self._lists["company"][0]

    def person(self) -> str:
        """The next person of the list."""
        return self._deal("person")

    def town(self) -> str:
        """The next town of the list."""
        return self._deal("town")

    def street(self) -> str:
        """A number up to 240, and the next street of the list."""
        return f"{self._rng.randint(1, 240)} {self._deal('street')}"

    def entity(self, subject: str) -> str:
        """The next name of the list of that subject."""
        return self._deal(subject)

    def code(self) -> str:
        """The next code of the list."""
        return self._deal("code")
