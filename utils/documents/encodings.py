"""Encodings: the bytes of a text file become characters, and the encoding gets a name."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import CharsetMatches, from_bytes

# The longer marks go first: that of UTF-32 begins like that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with a byte order mark"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
# What Windows and old websites wrote.  Fewer candidates make short texts less ambiguous.
_CANDIDATES = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257",
    "cp932", "euc_jp", "gb18030", "big5", "cp949", "koi8_r",
]  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
# Encodings of two and four bytes.
_WIDE = re.compile(r"utf-?(16|32)", re.IGNORECASE)
_LETTERS = re.compile(rb"[\xa0-\xff]")


def decode(data: bytes, declared: str | None = None) -> tuple[str, str]:
    """The text of a file, with \\n at the end of each line, and the name of its encoding, such as "Windows-1252".

    declared: the encoding that the file itself names, as web pages do.  It counts unless the bytes are valid UTF-8.
    Raises ValueError when the bytes are no text in an encoding that can be recognised.
    """
    text, name = _marked(data) or _without_mark(data, declared)
    if "\0" in text:
        raise ValueError("the text has null characters")
    return text.replace("\r\n", "\n").replace("\r", "\n"), name


def whole_characters(text: str) -> str:
    """A text without half characters (surrogates), which some PDF files and escapes have; two halves are joined."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _marked(data: bytes) -> tuple[str, str] | None:
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            return data.decode(codec), name
    return None


def _without_mark(data: bytes, declared: str | None) -> tuple[str, str]:
    if b"\0" in data:
        return _utf_16_without_mark(data)
    if declared and _WIDE.match(declared):
        declared = None  # its name could be read as ASCII, so it is wrong
    unicode, stated = _attempt(data, "utf-8"), _attempt(data, declared) if declared else None
    if stated is not None and data.isascii() and stated != unicode:  # such as ISO-2022-JP, which is ASCII to the eye
        return stated, _name(declared)
    if unicode is not None:
        return unicode, "UTF-8"
    return (stated, _name(declared)) if stated is not None else _detected(data)


def _attempt(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeError, LookupError):  # LookupError: no such encoding, or one that is not for text
        return None


def _utf_16_without_mark(data: bytes) -> tuple[str, str]:
    """Null bytes are the upper halves of Latin characters, spaces and line ends: which half says the byte order."""
    if data.count(0) * 4 < len(data) and _attempt(data, "utf-8") is not None:
        raise ValueError("the bytes are not text")  # a stray null among single bytes
    codec = "utf-16-le" if data[1::2].count(0) > data[::2].count(0) else "utf-16-be"
    text = data.decode(codec)
    if _CONTROL.search(text):
        raise ValueError("the bytes are not text")
    return text, "UTF-16 without a byte order mark"


def _detected(data: bytes) -> tuple[str, str]:
    codec = _likely_codec(data)
    text = data.decode(codec)
    if _CONTROL.search(text):
        raise ValueError("the bytes are not text")
    return text, _name(codec)


def _likely_codec(data: bytes) -> str:
    # Alone, these bytes are the curly quotes, dashes and euro sign of Windows: too few for a statistical guess.
    if not _LETTERS.search(data) and _attempt(data, "cp1252") is not None and not re.search(rb"[\x80-\xff]{2}", data):
        return "cp1252"
    matches = from_bytes(data, cp_isolation=_CANDIDATES)
    best = matches.best()
    if best is None:
        raise ValueError("no encoding fits")
    few = len(set(_LETTERS.findall(data))) <= 3
    return "cp1252" if _cp1252_is_as_good(matches, few) else best.encoding


def _cp1252_is_as_good(matches: CharsetMatches, few: bool) -> bool:
    """Whether Windows' most common encoding reads the bytes as well as the best candidate does.

    few: the text has too few letters beyond ASCII to tell its language (coherence), only whether it is in order.
    """
    best = matches.best()
    return any(
        "cp1252" in match.could_be_from_charset
        and match.chaos == best.chaos
        and (few or match.coherence == best.coherence)
        for match in matches
    )


def _name(codec: str) -> str:
    name = codecs.lookup(codec).name
    return re.sub(r"^cp(125\d)$", r"Windows-\1", name)
