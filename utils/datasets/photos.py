"""The files that photographs come in: found where they are, downloaded, unpacked once."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

import keras

from utils.files import UserError, alone_in, unzipping, write_text


def find(name: str, places: list[Path]) -> Path | None:
    """The file or folder `name` in the first of the places that has it."""
    return next((place / name for place in places if (place / name).exists()), None)


def photo_folder(
    name: str,
    archive: str,
    wanted: Collection[str],
    places: list[Path],
    target: Path,
    fetch: Callable[[str], Path],
) -> Path:
    """The folder `name` of the photographs that the zip file `archive` holds, with those that are `wanted`
    unpacked in it.

    A folder that was unpacked by hand in one of the places is used as it is. Ours is `target/name`, with a
    note, `source.json`, of the zip file that it comes from. `fetch(archive)` is asked for the zip file where
    there is neither. Raises UserError that names the zip file when it is damaged.
    """
    for place in places:
        if (place / name).is_dir() and not (place / name / "source.json").exists():
            return place / name
    folder, path = target / name, find(archive, places)
    if path is None and _unpacked(folder, wanted):  # the zip file was thrown away after that
        return folder
    path = path or fetch(archive)
    source = json.dumps({"bytes": path.stat().st_size, "modified": path.stat().st_mtime_ns})
    if not _holds(folder, source, wanted):
        with alone_in(target):
            if not _holds(folder, source, wanted):  # nor by a program that was waited for
                _unpack(path, folder, source, wanted)
    return folder


def _holds(folder: Path, source: str, wanted: Collection[str]) -> bool:
    """Whether the folder comes from that zip file, and all that is wanted has been looked for in it."""
    return _read_note(folder)[0] == source and _unpacked(folder, wanted)


def _unpacked(folder: Path, wanted: Collection[str]) -> bool:
    """Whether all that is wanted has been looked for in the zip file that the folder comes from."""
    source, parts = _read_note(folder)
    return bool(source) and (parts is None or {*wanted} <= {*parts})


def _read_note(folder: Path) -> tuple[str, list[str] | None]:
    """The zip file that the folder comes from, and what was looked for in it; "" where there is no note."""
    try:
        note = json.loads((folder / "source.json").read_text(encoding="utf-8"))
        parts = note.pop("parts", None)  # version 0.1 unpacked all, and noted none
    except (OSError, ValueError, AttributeError):
        return "", None
    return json.dumps(note), parts


def _unpack(path: Path, folder: Path, source: str, wanted: Collection[str]) -> None:
    """Unpack photographs of the zip file into `folder`, going on after those that are there. Where the
    folder is of another zip file, or there is none, it becomes what it is only when all are done."""
    known = _holds(folder, source, ())
    part = folder if known else folder.with_name(folder.name + ".part")
    try:
        if not known and not _holds(part, source, ()):
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            _note(part, source, ())
        earlier = json.loads((part / "source.json").read_text(encoding="utf-8")).get("parts", ())
        with unzipping(path, lambda name: name.lower().endswith((".jpg", ".jpeg", ".png"))) as photos:
            names = [name for name in photos if name in wanted and not (part / name).exists()]
            print(f"unpacking {len(names):,} photographs to {folder}", flush=True)
            progress = keras.utils.Progbar(len(names), unit_name="photo")
            for done, name in enumerate(names, 1):
                content = photos[name]()
                (part / f".{name}.part").write_bytes(content)
                os.replace(part / f".{name}.part", part / name)
                if done % 100 == 0 or done == len(names):
                    progress.update(done)
        _note(part, source, {*wanted, *earlier})
        if not known:
            if folder.exists():
                shutil.rmtree(folder)
            os.replace(part, folder)
    except OSError as error:
        raise UserError(f"{path} can't be unpacked to {folder}: {error.strerror or error}.") from None


def _note(folder: Path, source: str, parts: Collection[str]) -> None:
    write_text(folder / "source.json", json.dumps(json.loads(source) | {"parts": sorted(parts)}))
