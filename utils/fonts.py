"""Fonts that have the characters of a caption, where the machine has any."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterable

from matplotlib import font_manager

# Matplotlib's own font, DejaVu Sans, has Latin, Greek, Cyrillic, Hebrew and Arabic letters; these have more.
_OTHERS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans Thai", "Noto Sans Devanagari", "Noto Sans"),
    *("Droid Sans Fallback", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Arial Unicode MS"),
    *("PingFang SC", "Hiragino Sans", "Thonburi", "Devanagari Sangam MN"),  # macOS
    *("Microsoft YaHei", "Yu Gothic", "Leelawadee UI", "Nirmala UI"),  # Windows
)
_installed = {font.name for font in font_manager.fontManager.ttflist}
FONTS = ["DejaVu Sans", *(name for name in _OTHERS if name in _installed)]
"""For Matplotlib's `font.family`: for each character the first of these that has it is taken."""

warnings.filterwarnings("ignore", "Glyph .* missing")  # said once, in our own words
_said: set[str] = set()


def check_font(texts: Iterable[str]) -> None:
    """Print, once, that the fonts of this machine lack characters of the texts, if they do."""
    lacking = sorted({one for text in texts for one in text if not one.isspace() and not _drawable(one)})
    if lacking and not _said:
        _said.update(lacking)
        print(
            f"No font on this machine has {' '.join(lacking[:3])}: figures show boxes in their place. "
            "Install one that has (Noto Sans CJK has Chinese and Japanese) and start the kernel anew."
        )


@functools.cache
def _drawable(character: str) -> bool:
    files = (font_manager.findfont(name) for name in FONTS)
    return any(font_manager.get_font(file).get_char_index(ord(character)) for file in files)


def width(word: str) -> float:
    """About how wide a word is, in letters: a Chinese character is as wide as two."""
    return 1.0 + sum(2 if letter > "\u2e80" else 1 for letter in word)
