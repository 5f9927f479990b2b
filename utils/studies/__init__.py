"""Studies: what needs more time than a notebook may take, run by one command and stored as a table.

`make study NAME=04_mistakes` runs a study, goes on with one that was stopped, and stores its table in
`data/studies/`. The notebook prints that table, runs one member of the study live, and asks whether it lies
within the spread of the stored ones. A study is a module of this package with

    members(settings)  the trainings, "row/seed" -> function that runs one and returns its measures: numbers
                 by name, or whatever JSON can hold; called once, also when a stopped study goes on
    SLACK        by measure, how far a live number may lie beyond the spread of the stored ones
    SETTINGS     where there are any: sizes and numbers that the results depend on, beside the recipe
    show(study)  where there is one: what the command prints of the finished study, as README has it
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import re
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from utils.decoders.base import Decoder
from utils.files import UserError, alone_in, write_text
from utils.session import start
from utils.settings import ROOT, Settings, label

STUDIES = {
    "04_mistakes": ("mistakes", "scenes", "vgg16-slim"),
    "07_clinic": ("clinic", "scenes", "vgg16-slim"),
    "08_other_decoders": ("decoders", "scenes", "vgg16-slim"),
    "08_learning_curve": ("curve", "scenes", "vgg16-slim"),
    "08_encoders": ("encoders", "scenes", "vgg16-slim"),
    "flickr8k-mobilenet": ("photographs", "flickr8k", "mobilenet"),
    "flickr8k-efficientnet-lite2": ("photographs", "flickr8k", "efficientnet-lite2"),
    "flickr8k-choices": ("choices", "flickr8k", "mobilenet"),
    "flickr8k-decoders": ("photo_decoders", "flickr8k", "mobilenet"),
}
"""The studies: the module of this package that defines each, its dataset and its encoder."""

FOLDER = ROOT / "data" / "studies"
PARTS = ROOT / "data" / "runs" / "studies"


def load_study(name: str) -> dict[str, Any]:
    """The stored table: `members` by name, and `dataset`, `encoder`, `settings`, `seeds`, `slack`, `minutes`,
    `decoders` (`Decoder.version`), `processor`, `versions`.

    Raises UserError that names the file and the command where it is missing or damaged.
    """
    file = FOLDER / f"{name}.json"
    try:
        return _read(file)
    except FileNotFoundError:
        wrong = "missing"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        wrong = "damaged"
    raise UserError(f"{file} is {wrong}: `make study NAME={name}` makes it again.")


def shown(name: str) -> str:
    """The stored table as README has it; empty where a notebook prints it. Raises as `load_study`."""
    show = getattr(importlib.import_module(f"utils.studies.{STUDIES[name][0]}"), "show", None)
    return show(load_study(name)) if show else ""


def covers(study: Mapping, settings: Settings) -> bool:
    """Whether a live member may be held against the stored ones: a whole run with the default settings, on
    the dataset, by the encoder and with the recipe of the study."""
    same = _of(settings) == (study["dataset"], study["encoder"]) and vars(settings.recipe) == study["recipe"]
    return settings.standard and same


def table(study: Mapping) -> dict[str, dict[str, list[float]]]:
    """The numbers of a study: row -> measure -> one number for each seed."""
    rows: dict[str, dict[str, list[float]]] = {}
    for name, measures in study["members"].items():
        row = rows.setdefault(name.rpartition("/")[0], {})
        for measure, value in measures.items():
            if isinstance(value, (int, float)):
                row.setdefault(measure, []).append(value)
    return rows


def summarize(study: Mapping, measures: Mapping[str, str]) -> str:
    """A table to print: one row each, mean and spread (the lowest and the highest) over the seeds.

    measures  name of the measure -> head of its column
    """
    rows = table(study)
    first = max(map(len, rows))
    lines = [" " * first + "".join(f"  {head:>17}" for head in measures.values())]
    for name, row in rows.items():
        cells = [f"{np.mean(row[m]):.2f} ({min(row[m]):.2f}-{max(row[m]):.2f})" for m in measures]
        lines.append(f"{name:<{first}}" + "".join(f"  {cell:>17}" for cell in cells))
    how = f"{study['seeds']} seeds, {study['minutes']:.0f} minutes on {study['processor']}"
    return "\n".join([*lines, how])


def spread(numbers: Sequence[float]) -> str:
    """The mean, and where they differ the lowest and the highest: `0.195 (0.190-0.199)`."""
    differ = len({f"{number:.3f}" for number in numbers}) > 1
    return f"{np.mean(numbers):.3f}" + (f" ({min(numbers):.3f}-{max(numbers):.3f})" if differ else "")


def within(values: Sequence[float], live: float, slack: float) -> bool:
    """Whether `live` lies within four standard deviations of the mean of `values`, and a slack."""
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return abs(live - float(np.mean(values))) <= 4 * spread + slack


def compare(one: Sequence[float], other: Sequence[float]) -> str:
    """`higher` or `lower` where every number of one lies beyond every number of the other, else `no
    difference shown`."""
    if min(one) > max(other):
        return "higher"
    return "lower" if max(one) < min(other) else "no difference shown"


def run_study(name: str) -> dict[str, Any]:
    """Run what is missing of a study, each member stored as soon as it is done, and store its table.

    Raises UserError that says which studies there are, or which settings this one wants.
    """
    if name not in STUDIES:
        raise UserError(f"There is no study {name!r}: choose one of {', '.join(STUDIES)}.")
    module, *wanted = STUDIES[name]
    settings = start()
    if _of(settings) != tuple(wanted) or not settings.standard:
        how = "CAPTION_DATASET={} CAPTION_ENCODER={}".format(*wanted)
        raise UserError(f"The study {name} is a whole run with the default settings of {how}: set these.")
    definition = importlib.import_module(f"utils.studies.{module}")
    with alone_in(PARTS):  # two programs would run the same members
        return _run(name, definition, settings, PARTS / f"{name}.json")


def _of(settings: Settings) -> tuple[str, str]:
    return settings.dataset, label(settings.encoder)


def _run(name: str, definition: ModuleType, settings: Settings, file: Path) -> dict[str, Any]:
    head: dict[str, Any] = {"study": name, "dataset": settings.dataset, "encoder": label(settings.encoder)}
    head |= {"settings": getattr(definition, "SETTINGS", {}), "recipe": vars(settings.recipe)}
    head |= {"seed": settings.seed, "slack": definition.SLACK, "decoders": Decoder.version}
    head = json.loads(json.dumps(head))  # as it comes back from a file: tuples are lists
    done = _done(file, head)
    members = definition.members(settings)
    for number, (member, run) in enumerate(members.items(), 1):
        if member in done:
            continue
        started = time.monotonic()
        measures = run()
        # A member that was trained before, or in several goes, says itself what it took.
        done[member] = {"seconds": round(time.monotonic() - started, 1), **measures}
        write_text(file, _text(head | {"members": done}))
        print(f"{number:3} of {len(members)}: {member}, {done[member]['seconds']:.0f} s", flush=True)
    done = {member: done[member] for member in members}
    head["seeds"] = len({member.rpartition("/")[2] for member in members})
    head["minutes"] = round(sum(row["seconds"] for row in done.values()) / 60, 1)
    head["processor"] = _processor()
    head["versions"] = {package: version(package) for package in ("tensorflow", "keras")}
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_text(FOLDER / f"{name}.json", _text(head | {"members": done}))
    file.unlink(missing_ok=True)
    return head | {"members": done}


def _done(file: Path, head: dict) -> dict[str, dict]:
    """The members that a stopped run of the same study has left."""
    try:
        kept = _read(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        kept = {}
    # How much slack is given changes no result.
    if any(kept.get(key) != value for key, value in head.items() if key != "slack"):
        print(f"{file} is damaged, or of other settings: the study begins again")
        return {}
    print(f"{len(kept['members'])} members are done already (delete {file} to begin again)")
    return kept["members"]


def _read(file: Path) -> dict[str, Any]:
    study = json.loads(file.read_text(encoding="utf-8"))
    if not all(isinstance(row, dict) for row in study["members"].values()) or not study["members"]:
        raise ValueError("a member is no table")
    return {**study, "slack": dict(study["slack"]), "settings": dict(study["settings"])}


def _text(study: dict) -> str:
    return json.dumps(study, indent=1, ensure_ascii=False, default=lambda value: value.tolist()) + "\n"


def _processor() -> str:
    """What the study was run on: the name of the GPU, where TensorFlow has found one, else of the CPU."""
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        return tf.config.experimental.get_device_details(gpu).get("device_name", "a GPU")
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    found = re.search(r"model name\s*: (.+)", text)
    name = found[1] if found else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"
