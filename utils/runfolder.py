"""The folder of a training run: whose files are in it, and where those of other settings are kept.

It holds the newest run: `vocabulary.txt`, `captioner.keras` (the best model), `training.keras` (where
training stands, with its optimizer), `history.csv`, `training.json` (the settings), and what notebook 6 made
of it. A run of other settings is in `before/<digest of its settings>/`, and comes back from there when its
settings do. No model is ever deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

from utils.files import UserError, write_text

# `training.json` comes last: as long as it is there, the folder knows whose the other files are.
RUN_FILES = (
    *("captioner.keras", "training.keras", "history.csv", "vocabulary.txt"),
    *("captions.json", "bleu.json", "truth.json", "training.json"),
)


def open_run(run_dir: Path, run: dict) -> None:
    """Make the folder that of `run`, which holds everything its numbers depend on, `recipe` with its
    `epochs` among it. What another run has left there is moved to `before/`, what this one has left there
    is taken back, and a run of fewer epochs goes on. To be called by one program at a time.

    Raises UserError that names what can't be written.
    """
    try:
        _finish_moves(run_dir)
        kept = _read(run_dir)
        if not _same(kept, run):
            _change(run_dir, kept, run)
        # A finished run needs its model only, one that goes on what it goes on from.
        names = ["captioner.keras"] if is_finished(run_dir, run) else RUN_FILES[:3]
        if not (_same(_read(run_dir), run) and all((run_dir / name).exists() for name in names)):
            # It starts from nothing: a model that lies here without its state of training is kept, too.
            if place := _put_aside(run_dir, "unnamed"):
                print(f"a captioner.keras of which nothing is known is kept in before/{place.name}")
            write_text(run_dir / "training.json", json.dumps({**run, "finished": False}))
    except OSError as error:
        raise UserError(f"{error.filename or run_dir} can't be written: {error.strerror or error}.") from None


def is_finished(run_dir: Path, run: dict) -> bool:
    """Whether the folder holds this run, trained to its end."""
    kept = _read(run_dir)
    return _same(kept, run) and kept.get("finished") is True


def finish(run_dir: Path, run: dict) -> None:
    """Note that the run in the folder has come to its end."""
    write_text(run_dir / "training.json", json.dumps({**run, "finished": True}))


def _change(run_dir: Path, kept: dict, run: dict) -> None:
    """Put aside what the folder holds, or let it go on to more epochs."""
    other = [name for name, value in run.items() if kept.get(name) != value]
    earlier = run_dir / "before" / _digest(run)
    known = (earlier / "training.json").exists()
    if not known and other == ["recipe"] and _more_epochs(kept["recipe"], run["recipe"]):
        _put_aside(run_dir, _digest(kept), copy=True)  # the shorter run as it was
        print(f"training goes on from {kept['recipe']['epochs']} to {run['recipe']['epochs']} epochs")
        write_text(run_dir / "training.json", json.dumps({**run, "finished": False}))
        return
    place = _put_aside(run_dir, _digest(kept)) if kept else None
    if place:
        # Notebook 3 may have written the new run's already.
        write_text(place / "vocabulary.txt", "\n".join(kept["vocabulary"]) + "\n")
        what = f"captioner.keras was trained with another {' and '.join(other)}"
        print(f"{what}: it is kept in before/{place.name}")
    if known:
        _put_aside(run_dir, "unnamed")
        for file in _files(run_dir):  # of a run that was stopped before it had a model
            (run_dir / file).unlink()
        os.replace(earlier, earlier.with_name(f"{earlier.name}.back"))
        _finish_moves(run_dir)
        print(f"the run of these settings is taken back from before/{earlier.name}")


def _read(run_dir: Path) -> dict:
    try:
        kept = json.loads((run_dir / "training.json").read_text(encoding="utf-8"))
        return kept if isinstance(kept["recipe"], dict) and isinstance(kept["vocabulary"], list) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _same(kept: dict, run: dict) -> bool:
    return bool(kept) and all(kept.get(name) == value for name, value in run.items())


def _more_epochs(kept: dict, wanted: dict) -> bool:
    return kept == {**wanted, "epochs": kept.get("epochs")} and kept["epochs"] < wanted["epochs"]


def _digest(run: dict) -> str:
    """12 hexadecimal digits that tell the settings of one run from those of another."""
    said = {name: value for name, value in run.items() if name != "finished"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]


def _put_aside(run_dir: Path, name: str, copy: bool = False) -> Path | None:
    """Move (or copy) the run's files to `before/<name>`, or to `<name>-2` ... where that is taken; returns
    where, or None where there was no model to keep."""
    there = _files(run_dir)
    if not {"captioner.keras", "training.keras"} & set(there):
        return None
    target = _free(run_dir / "before" / name)
    part = target.with_name(f"{target.name}.{'copy' if copy else 'moving'}")
    if copy:
        shutil.rmtree(part, ignore_errors=True)  # half a copy, of a program that was killed
    part.mkdir(parents=True, exist_ok=True)
    for file in there:
        if copy:
            shutil.copy2(run_dir / file, part / file)
        else:
            os.replace(run_dir / file, part / file)
    os.replace(part, target)
    return target


def _files(folder: Path) -> list[str]:
    """The names of a run's files that are there, the tables of later notebooks among them."""
    tables = sorted(path.name for path in folder.glob("[0-9][0-9]_*.json"))
    return tables + [file for file in RUN_FILES if (folder / file).exists()]


def _free(target: Path) -> Path:
    names = [target, *(target.with_name(f"{target.name}-{number}") for number in range(2, 10_000))]
    return next(name for name in names if not name.exists())


def _finish_moves(run_dir: Path) -> None:
    """Bring to its end what a program has begun to move, and perhaps was killed at."""
    before = run_dir / "before"
    for part in sorted(before.glob("*.moving")):
        for file in _files(run_dir):
            if not (part / file).exists():
                os.replace(run_dir / file, part / file)
        os.replace(part, _free(part.with_suffix("")))
    for part in sorted(before.glob("*.back")):
        for file in _files(part):
            if not (run_dir / file).exists():
                os.replace(part / file, run_dir / file)
        if any(part.iterdir()):  # somebody else's file, or one that was there already
            os.replace(part, _free(before / "unnamed"))
        else:
            part.rmdir()
    for half in before.glob("*.copy"):
        shutil.rmtree(half)
    for half in run_dir.glob("*.part.keras"):  # written by a program that was killed
        if re.fullmatch(r"\.(captioner|training)\.\d+\.part\.keras", half.name):
            half.unlink()
