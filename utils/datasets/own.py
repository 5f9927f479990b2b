"""Your own pictures: a folder with a `captions.csv`."""

from __future__ import annotations

import csv
import hashlib
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from utils.datasets import CaptionDataset, left_out
from utils.files import UserError
from utils.pictures import picture_suffixes

OWN_CAPTIONS = "captions.csv"
OWN_LEAST = 10  # pictures


def load_own(folder: Path) -> CaptionDataset:
    """Your own pictures: `captions.csv` names them, one line per caption, and stands beside them.

    Raises UserError that names the file, and the line where it is one, when `captions.csv` can't be
    used or leaves fewer than OWN_LEAST pictures.
    """
    file = folder / OWN_CAPTIONS
    pictures = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    composed = {_composed(name): name for name in pictures}
    captions: dict[str, list[str]] = {}
    absent, wordless = set(), set()
    for number, name, caption in _caption_lines(file):
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise UserError(f"{file}, line {number}: {name} leads out of the folder.")
        if name not in pictures:
            name = composed.get(_composed(name), name)
        if name not in pictures:
            absent.add(name)
        elif not caption:
            wordless.add(name)
        else:
            captions.setdefault(name, []).append(caption)
    left_out(f"pictures that {OWN_CAPTIONS} names are not in {folder.name}", sorted(absent))
    suffixes = picture_suffixes()
    uncaptioned = {name for name in pictures if PurePosixPath(name).suffix.lower() in suffixes} | wordless
    left_out("pictures without a caption", sorted(uncaptioned - captions.keys()))
    if len(captions) < OWN_LEAST:
        raise UserError(
            f"{file} has captions for {len(captions)} pictures that are in the folder: {OWN_LEAST} is "
            "the least that can be divided into train, dev and test, a few hundred the least to learn from."
        )
    # By a digest of the name: the split of a picture does not depend on the order of the lines nor on
    # the disk, and a picture that is added later moves few of the others.
    names = sorted(captions, key=lambda name: (hashlib.sha256(_composed(name).encode()).digest(), name))
    tenth = max(1, len(names) // 10)
    return CaptionDataset(
        name=folder.name,
        folder=folder,
        captions={name: tuple(texts) for name, texts in captions.items()},
        splits={
            "train": tuple(names[2 * tenth :]),
            "dev": tuple(names[:tenth]),
            "test": tuple(names[tenth : 2 * tenth]),
        },
    )


def _composed(name: str) -> str:
    """A letter with its accent as one character: Macs write two into file names, keyboards one."""
    return unicodedata.normalize("NFC", name)


def _caption_lines(file: Path) -> Iterator[tuple[int, str, str]]:
    """Line number, image and caption of each line of a `captions.csv`."""
    try:
        # utf-8-sig: spreadsheets put a byte order mark in front.
        with file.open(encoding="utf-8-sig", newline="") as stream:
            lines = csv.reader(stream, strict=True)
            header = [title.strip().lower() for title in next(lines, [])]
            if header != ["image", "caption"]:
                found = ",".join(header)
                raise UserError(f"{file}: its first line has to be image,caption and is {found!r}.")
            for fields in lines:
                if len(fields) > 2:
                    raise UserError(
                        f"{file}, line {lines.line_num}: a caption with a comma in it has to stand in "
                        "double quotes."
                    )
                if any(field.strip() for field in fields):
                    yield lines.line_num, fields[0].strip(), fields[1].strip() if len(fields) == 2 else ""
    except FileNotFoundError:
        raise UserError(
            f"{file} is missing. Write one line per caption, image,caption, and these two words as its "
            "first line."
        ) from None
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not in UTF-8 ({error.reason}): save it as CSV UTF-8.") from None
    except (csv.Error, OSError) as error:
        raise UserError(f"{file} can't be read: {error}.") from None
