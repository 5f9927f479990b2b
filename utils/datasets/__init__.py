"""Pictures with captions: the drawn scenes, photographs and pictures of your own, in one form.

A dataset is drawn, unpacked or downloaded on first use; after that it is only read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from utils.settings import Settings


@dataclass(frozen=True)
class CaptionDataset:
    """Pictures, their captions, and a split by picture.

    folder    of the pictures
    captions  image file name -> its captions, as they were written
    splits    `train`, `dev`, `test` -> image file names; no picture is in two of them. The drawn scenes have
              `novel` as well: combinations of things, colors, counts and relations that no other split shows
    boxes     image file name -> [{"label", "color", "box": [x0, y0, x1, y1] in pixels, x1 and y1
              exclusive}, ...]; None where nobody drew boxes
    scenes    image file name -> {"place", "sky", "groups"}: what `utils.truth` holds a caption against;
              None where nobody knows
    """

    name: str
    folder: Path
    captions: dict[str, tuple[str, ...]]
    splits: dict[str, tuple[str, ...]]
    boxes: dict[str, list[dict]] | None = None
    scenes: dict[str, dict] | None = None

    @property
    def images(self) -> tuple[str, ...]:
        """All image file names, split by split: train, dev, test and what there is beyond."""
        return tuple(name for names in self.splits.values() for name in names)

    def path(self, name: str) -> Path:
        """Where the picture `name` lies."""
        return self.folder / name


def load_dataset(settings: Settings) -> CaptionDataset:
    """The dataset of the settings; the first call draws, unpacks or downloads it.

    It goes to the data folder, or to the run folder where the data folder is read-only.
    Raises UserError that names the file when something is missing or damaged.
    """
    # Imported here: each of them imports this module, and the drawing processes need none of the others.
    if settings.folder:
        from utils.datasets.own import load_own

        dataset = load_own(settings.folder)
    elif settings.dataset in ("scenes", "scenes-sketch"):
        from utils.datasets.scenes import load_scenes

        dataset = load_scenes(settings)
    else:
        from utils.datasets.flickr import load_photographs

        return load_photographs(settings)
    if settings.limit is None:
        return dataset
    splits = limit_splits(dataset.splits, settings.limit)
    captions = {name: dataset.captions[name] for names in splits.values() for name in names}
    return replace(dataset, captions=captions, splits=splits)


def limit_splits(splits: Mapping[str, Sequence[str]], limit: int) -> dict[str, tuple[str, ...]]:
    """About `limit` pictures in all, each split in proportion and none empty, in the order they had. Which,
    depends on their names alone: those of a smaller limit are among those of a larger one."""
    total, kept = sum(map(len, splits.values())), {}
    for split, names in splits.items():
        by_digest = sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())
        chosen = {*by_digest[: max(1, round(limit * len(names) / total))]}
        kept[split] = tuple(name for name in names if name in chosen)
    return kept


def left_out(what: str, names: list[str]) -> None:
    """Print how many things of a kind are left out of the dataset, and the first three."""
    if names:
        first = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        # A file name may hold bytes that are no character and can't be printed.
        first = first.encode("utf-8", "replace").decode("utf-8")
        print(f"{what}: {len(names):,}, left out ({first})", flush=True)
