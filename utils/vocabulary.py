"""The vocabulary's file, and whether a vocabulary is worth learning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from utils.files import UserError, write_text
from utils.text import SPECIAL, tokenize


def check_vocabulary(captions: Iterable[str], vocabulary: Sequence[str]) -> None:
    """Say so where much of the captions becomes `<unk>`. Raises UserError where there is next to nothing
    left to learn."""
    known, words = set(vocabulary), [word for caption in captions for word in tokenize(caption)]
    share = sum(word not in known for word in words) / max(1, len(words))
    size = len(vocabulary) - len(SPECIAL)
    if size < 5 or share > 0.5:
        raise UserError(
            f"The vocabulary has {size:,} words, and {share:.0%} of all words in the training captions would "
            "become <unk>: most words are used too rarely to be learned. Write more captions, or lower "
            "min_count in RECIPES (utils/settings.py)."
        )
    if share > 0.2:
        print(f"{share:.0%} of the words in the training captions are rare and become <unk>")


def save_vocabulary(vocabulary: Sequence[str], run_dir: Path) -> None:
    """Write `vocabulary.txt`: one token per line, line number = token number."""
    run_dir.mkdir(parents=True, exist_ok=True)
    write_text(run_dir / "vocabulary.txt", "\n".join(vocabulary) + "\n")


def load_vocabulary(run_dir: Path) -> list[str]:
    """Read `vocabulary.txt`. Raises UserError that names the file if it is missing or not a vocabulary."""
    file = run_dir / "vocabulary.txt"
    try:
        vocabulary = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UserError(f"{file} is missing: run notebook 3, which writes it.") from None
    except UnicodeDecodeError:
        vocabulary = []
    if tuple(vocabulary[:4]) != SPECIAL or len(set(vocabulary)) != len(vocabulary):
        raise UserError(f"{file} is not a vocabulary: delete it and run notebook 3, which writes it again.")
    return vocabulary
