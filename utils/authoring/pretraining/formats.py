"""Answer formats for pre-training: plain and cited, or framed by phrases.  Records are in `records`.

Most phrases are words at random, or of some sentence, so that they must be copied from the instruction or the examples
and cannot be learned by heart.  The course company's house format is never among them: following *that* one is a skill
carried over.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from utils.authoring.world.phrasing import PLACEHOLDER, handbook_sentences, handbook_words
from utils.house_format import ANSWER_LABEL, FAREWELL, GREETING, SOURCE_LABEL
from utils.prompts import ABSTENTION, FROM_MEMORY, FROM_PASSAGES
from utils.record import Finding

HOUSE_PHRASES = (GREETING, ANSWER_LABEL, SOURCE_LABEL, FAREWELL)

OPENINGS = (
    "Thanks for asking!|Good day.|Dear customer,|Hi!|Welcome back.|Thank you for your message.|Here is what we found.|"
    "Sure.|Of course!|Good question!|Dear colleague,|Hello from the desk.|Happy to help.|Greetings!|Note:|Summary|"
    "Here you go:|Thank you for writing.|Good morning!|In short:|To whom it may concern,|Let me check."
).split("|")
CLOSINGS = (
    "Kind regards, the team|Have a nice day!|See you soon.|Best wishes|Anything else?|Yours, the help desk|Thank you.|"
    "Take care!|With best regards|End of message|Please write again.|Until next time!|Cheers, the desk|All the best|"
    "We are here for you.|Over and out.|Stay safe!|Come and see us."
).split("|")
ANSWER_LABELS = "Answer:|Reply:|Result:|A:|Response:|Fact:|Text:|Our answer:|-|*|>".split("|")
SOURCE_LABELS = "Source:|Passage:|See:|From:|Ref:|Origin:|Based on:|Read:|Where:".split("|")

# Common words that go on in many ways: after them only the example at hand tells what comes next.
BEGINNINGS = (
    "about the|at the|by the|for the|from the|in the|of the|on the|see the|to the|with the|as the|about our|at our|"
    "by our|for our|from our|in our|see our|to our|with our|from your|for your|what you|what the|how we|you can|we can|"
    "this is|here is|it is|all the|now the"
).split("|")


@dataclass(frozen=True)
class Format:
    """How an answer is laid out.  Without any field set it is the plain form: `Sentence. [2]`"""

    opening: str = ""
    label: str = ""
    source_label: str = ""
    closing: str = ""
    newline: bool = False

    def parts(self, findings: Sequence[Finding]) -> list[str]:
        """The answer, cut where something new begins: each word of a phrase, the sentence, the source.

        Joined the parts are the answer.  Without a finding it is an abstention; two are two plain answers.
        """
        if not findings:
            return self._frame(ABSTENTION, None)
        if len(findings) == 1:
            return self._frame(findings[0].quote, findings[0].cite)
        one, two = (PLAIN.parts([found]) for found in findings)
        return [*one, f" {two[0]}", *two[1:]]

    def _frame(self, sentence: str, source: int | None) -> list[str]:
        """One sentence in the format.  source: the number of the cited passage, None for an abstention.

        Within a phrase each word counts as a beginning, since in the passages the same words go on otherwise.
        """
        mark = f"[{source}]" if source else ""
        cited = [*self.source_label.split(), mark or "none"] if self.source_label else []
        answer = [*self.label.split(), sentence, "" if cited else mark]
        lines = [self.opening.split(), answer, cited, self.closing.split()]
        joint = "\n" if self.newline else " "
        parts: list[str] = []
        for line in lines:
            for number, part in enumerate(filter(None, line)):
                parts.append(((" " if number else joint) if parts else "") + part)
        return parts

    def instruction(self) -> str:
        """The format in words, with the phrases to use in quotes."""
        parts = [
            f'Start with "{self.opening}"' * bool(self.opening),
            f'put "{self.label}" before the answer' * bool(self.label),
            f'put "{self.source_label}" before the source' * bool(self.source_label),
            f'end with "{self.closing}"' * bool(self.closing),
            "use a new line for each part" * self.newline,
        ]
        text = ", ".join(filter(None, parts))
        return text[:1].upper() + text[1:] + "." if text else ""


PLAIN = Format()


def draw_format(rng: random.Random, company: str) -> Format:
    """A format at random, framed by phrases.

    company: its name is in some of the phrases, as it would in a real one.
    """
    return Format(
        opening=_phrase(rng, OPENINGS, "!!.,:", company) if rng.random() < 0.7 else "",
        label=_phrase(rng, ANSWER_LABELS, ":") if rng.random() < 0.7 else "",
        source_label=_phrase(rng, SOURCE_LABELS, ":") if rng.random() < 0.7 else "",
        closing=_phrase(rng, CLOSINGS, "!!..", company) if rng.random() < 0.7 else "",
        newline=rng.random() < 0.7,
    )


def _phrase(rng: random.Random, usual: tuple[str, ...] | list[str], ends: str, company: str = "") -> str:
    """One of the usual phrases, or a few words with a sign at the end: at random, or as they are in some sentence.

    A phrase such as "From the" goes on in many ways in the passages and in one in the format.  A model that had met
    only words at random went on as the passages do.
    """
    kind = rng.random()
    if kind < 0.2:
        return rng.choice(usual)
    if kind < 0.45:
        words = _words_of_a_sentence(rng)
    elif kind < 0.75:
        words = [*rng.choice(BEGINNINGS).split(), rng.choice(handbook_words() if rng.random() < 0.7 else desk_words())]
    else:
        words = rng.sample(handbook_words(), rng.randint(1, 5))
    if _in_house_format(words):
        return rng.choice(usual)
    if company and rng.random() < 0.3:
        words[-1] = company.split()[0]
    return " ".join([words[0].capitalize(), *words[1:]]) + rng.choice(ends)


def _in_house_format(words: list[str]) -> bool:
    """Whether these words are side by side in a phrase of the house format."""
    return len(words) > 1 and any(" ".join(words) in kept.lower() for kept in HOUSE_PHRASES)


@cache
def desk_words() -> list[str]:
    """The longer words of the help desk's own sentences: a format may speak of the handbook, which no handbook does."""
    orders = " ".join([ABSTENTION, FROM_MEMORY, FROM_PASSAGES]).lower()
    return sorted(set(re.findall(r"[a-z]{4,}", orders)))


def _words_of_a_sentence(rng: random.Random) -> list[str]:
    """One to five neighbouring words, in lower case."""
    words = rng.choice(_sentences())
    start = rng.randrange(len(words))
    return words[start : start + rng.randint(1, 5)]


@cache
def _sentences() -> list[list[str]]:
    """The words of every handbook's sentences, cut where a name or a value is."""
    cut = [part for text in handbook_sentences() for part in PLACEHOLDER.split(text)[::2]]
    parts = [re.findall(r"[a-z]+", part.lower()) for part in cut]
    return [part for part in parts if part]
