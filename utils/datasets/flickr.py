"""Flickr8k: 8,000 photographs with five captions each (Hodosh, Young and Hockenmaier 2013)."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import keras

from utils.datasets import CaptionDataset, left_out
from utils.files import UserError, alone_in, download, unzipping, writable_folder
from utils.settings import Settings

RELEASE = "https://github.com/jbrownlee/Datasets/releases/download/Flickr8k/"
PHOTOS, PHOTOS_ZIP, PHOTOS_MB = "Flicker8k_Dataset", "Flickr8k_Dataset.zip", 1065
TEXT_ZIP, TEXT_MB = "Flickr8k_text.zip", 3
CAPTIONS = "Flickr8k.token.txt"
LISTS = {split: f"Flickr_8k.{split}Images.txt" for split in ("train", "dev", "test")}


def load_flickr8k(settings: Settings) -> CaptionDataset:
    """Flickr8k with its official split, downloaded and unpacked now if it is not there yet."""
    target = writable_folder(settings.data_dir / "flickr8k", settings.run_dir)
    places = list(dict.fromkeys([settings.data_dir, settings.data_dir / "flickr8k", target]))
    texts = _texts(places, target)
    folder = _photos(places, target)
    there = {entry.name for entry in os.scandir(folder)}

    captions: dict[str, list[str]] = {}
    for number, line in enumerate(texts[CAPTIONS].splitlines(), 1):
        if not line.strip():
            continue
        entry, tab, text = line.partition("\t")
        if not tab:
            raise UserError(f"{CAPTIONS}, line {number}: there is no tab between photo and caption.")
        captions.setdefault(entry.rpartition("#")[0], []).append(text.strip())

    listed = {split: texts[file].split() for split, file in LISTS.items()}
    everything = [name for names in listed.values() for name in names]
    if len(set(everything)) < len(everything):
        twice = next(name for name in everything if everything.count(name) > 1)
        raise UserError(f"{twice} stands twice in {', '.join(LISTS.values())}: fetch {TEXT_ZIP} again.")
    for split, names in listed.items():
        for name in names:
            if name not in captions:
                raise UserError(f"{name} stands in {LISTS[split]} but has no caption in {CAPTIONS}.")

    left_out(f"photos that {CAPTIONS} names do not exist", sorted(set(captions) - there - set(everything)))
    left_out(f"listed photos are not in {folder}", [name for name in everything if name not in there])
    splits = {split: tuple(name for name in names if name in there) for split, names in listed.items()}
    for split in splits:
        if not splits[split]:
            raise UserError(f"None of the photos in {LISTS[split]} is in {folder}: fetch {PHOTOS_ZIP} again.")
    return CaptionDataset(
        name="flickr8k",
        folder=folder,
        captions={name: tuple(captions[name]) for names in splits.values() for name in names},
        splits=splits,
    )


def _zip_file(name: str, megabytes: int, places: list[Path], target: Path) -> Path:
    """The path of the zip file `name`, downloaded to `target` when it is in none of the places."""
    for place in places:
        if (place / name).is_file():
            return place / name
    print(f"{name} (about {megabytes:,} MB) is downloaded once to {target}", flush=True)
    try:
        download(RELEASE + name, target / name)
    except OSError as error:
        raise UserError(
            f"{name} can't be downloaded ({error}).\n"
            f"Fetch {PHOTOS_ZIP} and {TEXT_ZIP} from {RELEASE} on a machine with a network and put both "
            f"in {places[0]}.\nWithout them: CAPTION_DATASET=scenes needs no download at all."
        ) from None
    return target / name


def _photos(places: list[Path], target: Path) -> Path:
    """The folder of the photographs, unpacked from the zip file on first use."""
    for place in places:
        # Unpacked by hand: there is no note of ours in it, and it is used as it is.
        if (place / PHOTOS).is_dir() and not (place / PHOTOS / "source.json").exists():
            return place / PHOTOS
    folder = target / PHOTOS
    note = folder / "source.json"
    zips = [place / PHOTOS_ZIP for place in places if (place / PHOTOS_ZIP).is_file()]
    if note.exists() and not zips:
        return folder
    path = zips[0] if zips else _zip_file(PHOTOS_ZIP, PHOTOS_MB, places, target)
    source = json.dumps({"bytes": path.stat().st_size, "modified": path.stat().st_mtime_ns})

    def unpacked() -> bool:
        return note.exists() and note.read_text(encoding="utf-8") == source

    if not unpacked():
        with alone_in(target):
            if not unpacked():  # nor by a program that was waited for
                _unpack(path, folder, source)
    return folder


def _unpack(path: Path, folder: Path, source: str) -> None:
    """Unpack the zip's photographs into `folder`, all or none, with `source` noted beside them."""
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        with unzipping(path, lambda name: name.lower().endswith(".jpg")) as photos:
            print(f"unpacking {len(photos):,} photographs to {folder}", flush=True)
            progress = keras.utils.Progbar(len(photos), unit_name="photo")
            for done, (name, read) in enumerate(photos.items(), 1):
                (part / name).write_bytes(read())
                if done % 100 == 0 or done == len(photos):
                    progress.update(done)
        (part / "source.json").write_text(source, encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(part, folder)
    except OSError as error:
        raise UserError(f"{path} can't be unpacked to {folder}: {error.strerror or error}.") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _texts(places: list[Path], target: Path) -> dict[str, str]:
    """The caption file and the three lists, by name: unpacked in one of the places, or from the zip."""
    wanted = [CAPTIONS, *LISTS.values()]
    for folder in [*places, *(place / "Flickr8k_text" for place in places)]:
        if all((folder / name).is_file() for name in wanted):
            return {name: _text((folder / name).read_bytes(), name, folder) for name in wanted}
    path = _zip_file(TEXT_ZIP, TEXT_MB, places, target)
    with unzipping(path, wanted.__contains__) as texts:
        for name in wanted:
            if name not in texts:
                raise UserError(f"{path} does not hold {name}: fetch it again from {RELEASE}.")
        return {name: _text(texts[name](), name, path) for name in wanted}


def _text(content: bytes, name: str, place: Path) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{name} in {place} is not in UTF-8 ({error.reason}): fetch {TEXT_ZIP} again."
        ) from None
