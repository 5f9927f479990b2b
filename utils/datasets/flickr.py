"""Photographs with human captions: Flickr8k, Flickr30k and COCO.

Flickr8k (Hodosh, Young and Hockenmaier 2013) is read from its own files, which are downloaded where there are
none; all three are read from the lists that the field uses, Karpathy's `dataset_<name>.json` (Karpathy and
Fei-Fei 2015), in the folder of the data or in `caption_datasets.zip`, as they are published.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from utils.datasets import CaptionDataset, left_out, limit_splits
from utils.datasets.photos import find, photo_folder
from utils.files import UserError, download, unzipping, writable_folder
from utils.settings import Settings

RELEASE = "https://github.com/jbrownlee/Datasets/releases/download/Flickr8k/"
LISTS_ZIP = "caption_datasets.zip"
LISTS_FROM = f"https://cs.stanford.edu/people/karpathy/deepimagesent/{LISTS_ZIP}"
TEXT_ZIP = "Flickr8k_text.zip"
MEGABYTES = {"Flickr8k_Dataset.zip": 1065, TEXT_ZIP: 3}
LARGEST_LIST = 500_000_000  # bytes; COCO's is the largest, 150 million
TOKENS = "Flickr8k.token.txt"
LISTS = {split: f"Flickr_8k.{split}Images.txt" for split in ("train", "dev", "test")}
# Karpathy's words for the splits; "restval" is what COCO's validation photographs leave beside dev and test.
SPLITS = {"train": "train", "restval": "train", "val": "dev", "test": "test"}


@dataclass(frozen=True)
class Photos:
    """Where the photographs of a dataset lie: folder -> the zip file that holds it, and who has them."""

    folders: Mapping[str, str]
    source: str


PHOTOS = {
    "flickr8k": Photos({"Flicker8k_Dataset": "Flickr8k_Dataset.zip"}, RELEASE),
    "flickr30k": Photos(
        {"flickr30k-images": "flickr30k-images.zip"}, "https://shannon.cs.illinois.edu/DenotationGraph/"
    ),
    "coco": Photos(
        {"train2014": "train2014.zip", "val2014": "val2014.zip"}, "http://images.cocodataset.org/zips/"
    ),
}


@dataclass(frozen=True)
class Listed:
    """Captions of each photograph and the photographs of each split, as one file says or several do."""

    captions: dict[str, list[str]]
    splits: dict[str, list[str]]
    where: Mapping[str, str]  # split -> the file that lists it
    texts: str  # the file of the captions


def load_photographs(settings: Settings) -> CaptionDataset:
    """The dataset of the settings with its official split; Flickr8k is downloaded, all are unpacked now, if
    that was not done before. A part of `settings.limit` photographs is unpacked alone."""
    target = writable_folder(settings.data_dir / settings.dataset, settings.run_dir)
    places = list(dict.fromkeys([settings.data_dir, settings.data_dir / settings.dataset, target]))
    listed = _lists(settings.dataset, places, target)
    _check(listed)
    splits = {split: tuple(names) for split, names in listed.splits.items()}
    if settings.limit:
        splits = limit_splits(splits, settings.limit)
    everything = [name for names in splits.values() for name in names]
    wanted = set(everything) if settings.limit else set(listed.captions)
    folder, there = _photos(settings.dataset, wanted, places, target)
    if not settings.limit:
        left_out(f"photos that {listed.texts} names do not exist", sorted(wanted - there - set(everything)))
    left_out(f"listed photos are not in {folder}", [name for name in everything if name not in there])
    kept = {split: tuple(name for name in names if name in there) for split, names in splits.items()}
    for split, names in kept.items():
        if not names:
            zips = " and ".join(PHOTOS[settings.dataset].folders.values())
            raise UserError(
                f"None of the photos in {listed.where[split]} is in {folder}: fetch {zips} again."
            )
    return CaptionDataset(
        name=settings.dataset,
        folder=folder,
        captions={name: tuple(listed.captions[name]) for names in kept.values() for name in names},
        splits=kept,
    )


def _check(listed: Listed) -> None:
    """Raises UserError where a split is empty, or a photograph is in two splits or has no caption."""
    seen: set[str] = set()
    for split, names in listed.splits.items():
        if not names:
            raise UserError(f"{listed.where[split]} lists no photograph for {split}: fetch it again.")
        for name in names:
            if name in seen:
                raise UserError(f"{name} stands twice in {', '.join(sorted({*listed.where.values()}))}: "
                                "fetch it again.")  # fmt: skip
            if not listed.captions.get(name):
                raise UserError(
                    f"{name} stands in {listed.where[split]} but has no caption in {listed.texts}."
                )
            seen.add(name)


def _photos(dataset: str, wanted: Collection[str], places: list[Path], target: Path) -> tuple[Path, set[str]]:
    """The folder that the names of the photographs start from, and the names that are in it."""
    folders, fetch = PHOTOS[dataset].folders, partial(_fetch, dataset, places, target)
    if len(folders) == 1:
        [(name, archive)] = folders.items()
        folder = photo_folder(name, archive, wanted, places, target, fetch)
        return folder, {entry.name for entry in os.scandir(folder)}
    # Several folders (COCO's): a name says which, and all have to lie in one place.
    for place in places:
        if all((place / name).is_dir() and not (place / name / "source.json").exists() for name in folders):
            target = place
    there: set[str] = set()
    for name, archive in folders.items():
        inside = {PurePosixPath(path).name for path in wanted if path.startswith(f"{name}/")}
        folder = photo_folder(name, archive, inside, [target, *places], target, fetch)
        if folder.parent != target:
            raise UserError(
                f"{' and '.join(folders)} have to lie in one folder: {folder} is not in {target}. "
                "Move it there."
            )
        there |= {f"{name}/{entry.name}" for entry in os.scandir(folder)}
    return target, there


def _fetch(dataset: str, places: list[Path], target: Path, name: str) -> Path:
    """The zip file `name`, downloaded to `target`: Flickr8k's. Raises UserError that says where to get it."""
    if dataset != "flickr8k":
        raise UserError(
            f"{name} is missing: the photographs of {dataset}. Fetch them from {PHOTOS[dataset].source} and "
            f"put the zip file, or the folder that it unpacks to, in {places[1]}."
        )
    print(f"{name} (about {MEGABYTES[name]:,} MB) is downloaded once to {target}", flush=True)
    try:
        download(RELEASE + name, target / name)
    except OSError as error:
        raise UserError(
            f"{name} can't be downloaded ({error}).\n"
            f"Fetch {' and '.join(MEGABYTES)} from {RELEASE} on a machine with a network and put both in "
            f"{places[0]}.\nWithout them: CAPTION_DATASET=scenes needs no download at all."
        ) from None
    return target / name


def _lists(dataset: str, places: list[Path], target: Path) -> Listed:
    """Captions and splits: Flickr8k's own files where they are, else Karpathy's list."""
    there = find(f"dataset_{dataset}.json", places) or find(LISTS_ZIP, places)
    if dataset != "flickr8k":
        return _karpathy(dataset, there, places)
    texts = _texts(places, find(TEXT_ZIP, places))
    if texts is None and there:
        return _karpathy(dataset, there, places)
    return _flickr8k(texts or _texts([], _fetch(dataset, places, target, TEXT_ZIP)) or {})


def _flickr8k(texts: Mapping[str, str]) -> Listed:
    captions: dict[str, list[str]] = {}
    for number, line in enumerate(texts[TOKENS].splitlines(), 1):
        if not line.strip():
            continue
        entry, tab, text = line.partition("\t")
        if not tab:
            raise UserError(f"{TOKENS}, line {number}: there is no tab between photo and caption.")
        captions.setdefault(entry.rpartition("#")[0], []).append(text.strip())
    return Listed(captions, {split: texts[file].split() for split, file in LISTS.items()}, LISTS, TOKENS)


def _texts(places: list[Path], path: Path | None) -> dict[str, str] | None:
    """Flickr8k's caption file and three lists, by name: unpacked in one of the places, or from the zip file
    `path`; None where there is neither."""
    wanted = [TOKENS, *LISTS.values()]
    for folder in [*places, *(place / "Flickr8k_text" for place in places)]:
        if all((folder / name).is_file() for name in wanted):
            return {name: _text((folder / name).read_bytes(), name, folder) for name in wanted}
    if path is None:
        return None
    with unzipping(path, wanted.__contains__) as texts:
        for name in wanted:
            if name not in texts:
                raise UserError(f"{path} does not hold {name}: fetch it again from {RELEASE}.")
        return {name: _text(texts[name](), name, path) for name in wanted}


def _text(content: bytes, name: str, place: Path) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{name} in {place} is not in UTF-8 ({error.reason}): fetch it again.") from None


def _karpathy(dataset: str, file: Path | None, places: list[Path]) -> Listed:
    """`dataset_<name>.json`, from `file`: itself, or the zip file that holds the lists of all datasets."""
    name = f"dataset_{dataset}.json"
    if file is None:
        raise UserError(
            f"{name} is missing: captions and splits of {dataset}. Fetch {LISTS_FROM} and put it in "
            f"{places[1]}, as it is or unpacked."
        )
    content = b""
    if file.name == name:
        content = file.read_bytes()
    else:
        with unzipping(file, name.__eq__, largest=LARGEST_LIST) as lists:
            if name not in lists:
                raise UserError(f"{file} does not hold {name}: fetch it again from {LISTS_FROM}.")
            content = lists[name]()
    captions: dict[str, list[str]] = {}
    splits: dict[str, list[str]] = {split: [] for split in ("train", "dev", "test")}
    try:
        for image in json.loads(_text(content, name, file))["images"]:
            photo, split, said = _photo(image)
            splits[split].append(photo)
            captions.setdefault(photo, []).extend(said)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{name} in {file} is damaged or of another form ({error!r}): fetch it again "
                        f"from {LISTS_FROM}.") from None  # fmt: skip
    return Listed(captions, splits, dict.fromkeys(splits, name), name)


def _photo(image: Mapping[str, Any]) -> tuple[str, str, list[str]]:
    """Name, split and captions of one entry of Karpathy's list. Raises what a wrong form brings with it."""
    photo = "/".join([*filter(None, [image.get("filepath")]), image["filename"]])
    if PurePosixPath(photo).is_absolute() or {"..", ""} & {*photo.split("/")} or "\\" in photo:
        raise ValueError(f"{photo} leads out of the folder")
    return photo, SPLITS[image["split"]], [sentence["raw"].strip() for sentence in image["sentences"]]
