"""Pictures with captions: the drawn scenes, Flickr8k and pictures of your own, in one form.

A dataset is drawn, unpacked or downloaded on first use; after that it is only read.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import socket
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import keras
from PIL import Image

from utils.settings import Settings, UserError, alone_in

RELEASE = "https://github.com/jbrownlee/Datasets/releases/download/Flickr8k/"
PHOTOS, PHOTOS_ZIP, PHOTOS_MB = "Flicker8k_Dataset", "Flickr8k_Dataset.zip", 1065
TEXT_ZIP, TEXT_MB = "Flickr8k_text.zip", 3
CAPTIONS = "Flickr8k.token.txt"
OWN_CAPTIONS = "captions.csv"
OWN_LEAST = 10  # pictures
PATIENCE = 15  # seconds without a byte after which a download is given up
LISTS = {split: f"Flickr_8k.{split}Images.txt" for split in ("train", "dev", "test")}


@dataclass(frozen=True)
class CaptionDataset:
    """Pictures, their captions, and a split by picture.

    folder    of the pictures
    captions  image file name -> its captions, as they were written
    splits    `train`, `dev`, `test` -> image file names; no picture is in two of them
    boxes     image file name -> [{"label", "color", "box": [x0, y0, x1, y1] in pixels, x1 and y1
              exclusive}, ...]; None where nobody drew boxes
    """

    name: str
    folder: Path
    captions: dict[str, tuple[str, ...]]
    splits: dict[str, tuple[str, ...]]
    boxes: dict[str, list[dict]] | None = None

    @property
    def images(self) -> tuple[str, ...]:
        """All image file names: train, then dev, then test."""
        return self.splits["train"] + self.splits["dev"] + self.splits["test"]

    def path(self, name: str) -> Path:
        """Where the picture `name` lies."""
        return self.folder / name


def load_dataset(settings: Settings) -> CaptionDataset:
    """The dataset of the settings; the first call draws, unpacks or downloads it.

    It goes to the data folder, or to the run folder where the data folder is read-only.
    Raises UserError that names the file when something is missing or damaged.
    """
    if settings.folder:
        return _load_own(settings.folder)
    if settings.dataset == "scenes":
        return _load_scenes(settings)
    return _load_flickr8k(settings)


def _load_scenes(settings: Settings) -> CaptionDataset:
    from utils.scenes import is_drawn, render_scenes

    folder = settings.data_dir / "scenes"
    if not is_drawn(folder):
        folder = _writable_folder(settings, "scenes")
        render_scenes(folder)
    scenes = json.loads((folder / "scenes.json").read_text(encoding="utf-8"))["scenes"]
    return CaptionDataset(
        name="scenes",
        folder=folder / "images",
        captions={scene["image"]: tuple(scene["captions"]) for scene in scenes},
        splits={
            split: tuple(scene["image"] for scene in scenes if scene["split"] == split) for split in LISTS
        },
        boxes={scene["image"]: scene["objects"] for scene in scenes},
    )


def _load_flickr8k(settings: Settings) -> CaptionDataset:
    target = _writable_folder(settings, "flickr8k")
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

    _notice(f"photos that {CAPTIONS} names do not exist", sorted(set(captions) - there - set(everything)))
    _notice(f"listed photos are not in {folder}", [name for name in everything if name not in there])
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


def _load_own(folder: Path) -> CaptionDataset:
    """Your own pictures: `captions.csv` names them, one line per caption, and stands beside them."""
    file = folder / OWN_CAPTIONS
    pictures = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    captions: dict[str, list[str]] = {}
    absent, wordless = set(), set()
    for number, name, caption in _caption_lines(file):
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise UserError(f"{file}, line {number}: {name} leads out of the folder.")
        if name not in pictures:
            absent.add(name)
        elif not caption:
            wordless.add(name)
        else:
            captions.setdefault(name, []).append(caption)
    _notice(f"pictures that {OWN_CAPTIONS} names are not in {folder.name}", sorted(absent))
    suffixes = set(Image.registered_extensions())
    uncaptioned = {name for name in pictures if PurePosixPath(name).suffix.lower() in suffixes} | wordless
    _notice("pictures without a caption", sorted(uncaptioned - captions.keys()))
    if len(captions) < OWN_LEAST:
        raise UserError(
            f"{file} has captions for {len(captions)} pictures that are in the folder: {OWN_LEAST} is "
            "the least that can be divided into train, dev and test, a few hundred the least to learn from."
        )
    # By a digest of the name: the split of a picture does not depend on the order of the lines,
    # and a picture that is added later moves few of the others.
    names = sorted(captions, key=lambda name: hashlib.sha256(name.encode()).digest())
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


def _notice(what: str, names: list[str]) -> None:
    if names:
        more = ", ..." if len(names) > 3 else ""
        print(f"{what}: {len(names):,}, left out ({', '.join(names[:3])}{more})", flush=True)


def _writable_folder(settings: Settings, name: str) -> Path:
    """`name` in the data folder, or in the run folder where the data folder is read-only."""
    folder = settings.data_dir / name
    nearest = next(path for path in [folder, *folder.parents] if path.exists())
    # The mode says what the owner wants; os.access alone says yes to root everywhere.
    if nearest.stat().st_mode & stat.S_IWUSR and os.access(nearest, os.W_OK):
        return folder
    return settings.run_dir / name


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


def _damaged_zip(path: Path, error: Exception) -> UserError:
    return UserError(f"{path} is damaged or not a zip file ({error}). Delete it and fetch it again.")


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
        with zipfile.ZipFile(path) as archive:
            photos = []
            for member in archive.infolist():
                inside = PurePosixPath(member.filename)
                if inside.is_absolute() or ".." in inside.parts:
                    raise UserError(f"{path} holds a path that leads out of it: {member.filename}")
                hidden = "__MACOSX" in inside.parts or inside.name.startswith(".")
                if inside.suffix.lower() == ".jpg" and not hidden:
                    photos.append((member, inside.name))
            print(f"unpacking {len(photos):,} photographs to {folder}", flush=True)
            progress = keras.utils.Progbar(len(photos), unit_name="photo")
            for done, (member, name) in enumerate(photos, 1):
                (part / name).write_bytes(archive.read(member))
                if done % 100 == 0 or done == len(photos):
                    progress.update(done)
        (part / "source.json").write_text(source, encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(part, folder)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise _damaged_zip(path, error) from None
    except OSError as error:
        raise UserError(f"{path} can't be unpacked to {folder}: {error.strerror or error}.") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _texts(places: list[Path], target: Path) -> dict[str, str]:
    """The caption file and the three lists, by name: unpacked in one of the places, or from the zip."""
    wanted = [CAPTIONS, *LISTS.values()]
    for folder in [*places, *(place / "Flickr8k_text" for place in places)]:
        if all((folder / name).is_file() for name in wanted):
            return {name: (folder / name).read_text(encoding="utf-8") for name in wanted}
    path = _zip_file(TEXT_ZIP, TEXT_MB, places, target)
    try:
        with zipfile.ZipFile(path) as archive:
            # Under __MACOSX the same names stand with "._" before them.
            members = {PurePosixPath(member).name: member for member in archive.namelist()}
            return {name: archive.read(members[name]).decode("utf-8") for name in wanted}
    except KeyError as error:
        raise UserError(f"{path} does not hold {error.args[0]}: fetch it again from {RELEASE}.") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, UnicodeDecodeError) as error:
        raise _damaged_zip(path, error) from None


@contextmanager
def _impatient():
    """Without a timeout, a network that swallows packets holds a download up for minutes."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def download(url: str, path: Path, md5: str | None = None) -> None:
    """Download `url` to `path` with `keras.utils.get_file`: complete, or not at all.

    Raises OSError that says why it could not.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(path.parent, os.W_OK):
        raise OSError(f"the folder {path.parent} can't be written")
    with alone_in(path.parent):
        if path.exists():  # from a program that was waited for
            return
        part = path.with_name(path.name + ".part")
        try:
            with _impatient():
                keras.utils.get_file(
                    part.name,
                    url,
                    cache_dir=str(path.parent),
                    cache_subdir=".",
                    file_hash=md5,
                    hash_algorithm="md5",
                    force_download=True,
                )
            os.replace(part, path)
        except Exception as error:  # get_file raises a bare Exception when the address can't be reached
            # Keras puts the address in front, which our own message names already.
            raise OSError(str(error).rpartition(" -- ")[2].strip() or type(error).__name__) from None
        finally:
            part.unlink(missing_ok=True)
