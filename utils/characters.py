"""Characters of any script: which of them make a word, and where a caption has spaces."""

from __future__ import annotations

import functools
import re
import unicodedata

# Thai, Lao, Burmese, Khmer, Japanese and Chinese: written without spaces between the words.
NO_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)


def unify(text: str) -> str:
    """The text with one spelling of each accent, apostrophe and hyphen."""
    return unicodedata.normalize("NFC", text).replace("\u2019", "'").replace("\u2011", "-")


@functools.cache
def kind(character: str) -> str:
    """m: a mark that belongs to the letter before; c: a word of its own; w: letter or digit; `'` and `-`
    stand for themselves, and a space for all else."""
    category = unicodedata.category(character)[0]
    if category == "M" or character in "\u200c\u200d":  # joiners of Persian and Hindi
        return "m"
    if category in "LN":
        return "c" if NO_SPACES.match(character) else "w"
    return character if character in "'-" else " "


def space_between(before: str, word: str) -> str:
    """What stands between the beginning of a caption and its next word: nothing at the very start, nor
    between two characters of a language without spaces."""
    together = not before or (NO_SPACES.match(before[-1]) and NO_SPACES.match(word))
    return "" if together else " "
