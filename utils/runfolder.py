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
        whole = all((run_dir / name).exists() for name in ("captioner.keras", "training.keras"))
        if not (_same(_read(run_dir), run) and whole):
            # It starts from nothing: a model that lies here without its state of training is kept, too.
            _put_aside(run_dir, "unnamed")
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
    if other == ["recipe"] and _more_epochs(kept["recipe"], run["recipe"]):
        _put_aside(run_dir, _digest(kept), copy=True)  # the shorter run as it was
        print(f"training goes on from {kept['recipe']['epochs']} to {run['recipe']['epochs']} epochs")
        write_text(run_dir / "training.json", json.dumps({**run, "finished": False}))
        return
    place = _put_aside(run_dir, _digest(kept) if kept else "unnamed")
    if place and kept:
        what = f"captioner.keras was trained with another {' and '.join(other)}"
        print(f"{what}: it is kept in before/{place.name}")
    digest = _digest(run)
    if (run_dir / "before" / digest / "training.json").exists():
        os.replace(run_dir / "before" / digest, run_dir / "before" / f"{digest}.back")
        _finish_moves(run_dir)
        print(f"the run of these settings is taken back from before/{digest}")


def _read(run_dir: Path) -> dict:
    try:
        kept = json.loads((run_dir / "training.json").read_text(encoding="utf-8"))
        return kept if isinstance(kept["recipe"], dict) else {}
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
    there = [file for file in RUN_FILES if (run_dir / file).exists()]
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


def _free(target: Path) -> Path:
    names = [target, *(target.with_name(f"{target.name}-{number}") for number in range(2, 10_000))]
    return next(name for name in names if not name.exists())


def _finish_moves(run_dir: Path) -> None:
    """Bring to its end what a program has begun to move, and perhaps was killed at."""
    for part in sorted((run_dir / "before").glob("*.moving")):
        for file in RUN_FILES:
            if (run_dir / file).exists() and not (part / file).exists():
                os.replace(run_dir / file, part / file)
        os.replace(part, _free(part.with_suffix("")))
    for part in sorted((run_dir / "before").glob("*.back")):
        for file in RUN_FILES:
            if (part / file).exists():
                os.replace(part / file, run_dir / file)
        part.rmdir()
    for half in run_dir.glob("*.part.keras"):  # written by a program that was killed
        if re.fullmatch(r"(captioner|training)\.\d+\.part\.keras", half.name):
            half.unlink()
