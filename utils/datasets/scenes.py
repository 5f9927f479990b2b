"""The drawn dataset: 3,700 little pictures with captions, and the true box of every object.

Each scene is first composed (what is in it and where, from a seed and its number), then
drawn with Pillow. Captions are written from the same description, so what they say is true.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import current_process, get_context
from pathlib import Path

import numpy as np

from utils.datasets import CaptionDataset
from utils.datasets.drawing import MAIN_PX, draw, pick
from utils.datasets.layout import HELD_OUT, MANY, OFTEN, RELATIONS, attempt, held_out
from utils.datasets.sketch import sketch
from utils.datasets.speakers import describe_scene
from utils.files import UserError, alone_in, writable_folder, write_text
from utils.settings import Settings

SPLITS = {"train": 3000, "dev": 200, "test": 300, "novel": 200}
# All that decides what the scenes are.
_CODE = ("drawing.py", "sketch.py", "layout.py", "words.py", "speakers.py", "scenes.py")


def _signature(scene: dict) -> str:
    """What two scenes must not have in common."""
    groups = [{**group, "box": None} for group in scene["groups"]]
    return json.dumps([scene["place"], scene["sky"], groups], sort_keys=True)


def _compose(seed: int) -> list[dict]:
    """All scenes, in order, no two with the same signature."""
    scenes, seen = [], set()
    for index, split in enumerate(split for split, count in SPLITS.items() for _ in range(count)):
        rng = np.random.default_rng([seed, index])
        scene = compose_one(split == "novel", rng)
        while _signature(scene) in seen:
            scene = compose_one(split == "novel", rng)
        seen.add(_signature(scene))
        scene["split"] = split
        scene["captions"] = describe_scene(scene, rng)
        scenes.append(scene)
    return scenes


def compose_one(novel: bool, rng: np.random.Generator) -> dict:
    """What is in one scene and where: one with a combination that is held out, or one without any."""
    wanted: tuple = pick(rng, HELD_OUT) if novel else ()
    while True:
        kind: str = pick(rng, tuple(MAIN_PX))
        if wanted:
            kind = wanted[-1]
        options = [relation for relation, pairs in RELATIONS.items() if kind in pairs]
        ends = np.cumsum([OFTEN[relation] for relation in options])
        relation = options[int(np.searchsorted(ends, rng.random() * ends[-1], side="right"))]
        if len(wanted) == 3:
            relation = wanted[1]
        count = 1
        if kind in MANY and relation in ("left of", "right of", "above"):
            count = int(rng.integers(1, 4))
        for _ in range(15):  # most choices fit at once; three big cars never do
            scene = attempt(kind, count, relation, rng)
            if scene:
                shown = held_out(scene["groups"])
                if wanted in shown if novel else not shown:
                    return scene


def _fingerprint(seed: int, sketched: bool = False) -> str:
    code = b"".join((Path(__file__).parent / name).read_bytes() for name in _CODE)
    return hashlib.sha256(code + f"{seed} {sketched}".encode()).hexdigest()[:16]


def _render(folder: Path, seed: int, sketched: bool, index: int, scene: dict) -> dict:
    """Draw one scene into the folder; returns its entry in scenes.json."""
    rng = np.random.default_rng([seed, index, 1])
    # Nearer things are lower in the picture; what sits on or flies above something is in front of it.
    depth = [(thing["ground"] is None, thing["foot"]) for thing in scene["things"]]
    things = sorted(range(len(depth)), key=depth.__getitem__)
    image, boxes = draw(scene["place"], scene["sky"], [scene["things"][i] for i in things], rng)
    if sketched:
        image = sketch(image, np.random.default_rng([seed, index, 2]))
    name = f"{index:06d}.png"
    # Renamed when whole: somebody may be reading the picture. Not by `replacing`, which waits for the disk.
    fresh = folder / "images" / f".{os.getpid()}-{name}"
    image.save(fresh, format="PNG", compress_level=4)
    os.replace(fresh, folder / "images" / name)
    objects = [
        {"label": scene["things"][i]["kind"], "color": scene["things"][i]["color"], "box": box}
        for i, box in sorted(zip(things, boxes, strict=True))
    ]
    return {"image": name, "split": scene["split"], "captions": scene["captions"], "objects": objects,
            "place": scene["place"], "sky": scene["sky"], "groups": scene["groups"]}  # fmt: skip


def render_scenes(folder: Path, seed: int = 0, sketched: bool = False) -> None:
    """Draw all scenes into `folder`/images and describe them in `folder`/scenes.json.

    Does nothing when they are there already, drawn by this code with this seed. scenes.json
    holds, for each picture, its split, five captions, every object's kind, color and box
    ([x0, y0, x1, y1] in pixels; x1 and y1 are one past the last), and the place, sky and groups
    that no other picture has. A group's relation is to the first, largest one. `sketched`
    draws the same scenes in the other style.

    Raises UserError when the folder can't be written.
    """
    if is_drawn(folder, seed, sketched):
        return
    if getattr(current_process(), "_inheriting", False):
        # A script without a main guard is run once more in each drawing process, and gets here: it would
        # wait for the process that waits for it.
        raise RuntimeError("a drawing process draws what it is given")
    with alone_in(folder):
        if is_drawn(folder, seed, sketched):  # by a program that was waited for
            return
        try:
            (folder / "scenes.json").unlink(missing_ok=True)  # half-drawn is never taken for whole
            (folder / "images").mkdir(exist_ok=True)
            for left_over in (folder / "images").glob(".*.png"):  # by a program that was killed
                left_over.unlink()
            records = _render_all(partial(_render, folder, seed, sketched), _compose(seed))
        except OSError as error:
            raise UserError(
                f"{error.filename or folder} can't be written ({error.strerror}). Make room there, "
                "or set CAPTION_DATA_DIR to a folder that can be written."
            ) from None
        index = {"fingerprint": _fingerprint(seed, sketched), "seed": seed, "scenes": records}
        write_text(folder / "scenes.json", json.dumps(index, indent=1) + "\n")


def is_drawn(folder: Path, seed: int = 0, sketched: bool = False) -> bool:
    """Whether the folder holds all scenes, drawn by this code so; a damaged index is none."""
    try:
        known = json.loads((folder / "scenes.json").read_text(encoding="utf-8"))
        images = [folder / "images" / scene["image"] for scene in known["scenes"]]
        whole = all(image.is_file() for image in images)
        return whole and known["fingerprint"] == _fingerprint(seed, sketched)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _render_all(render: Callable[[int, dict], dict], scenes: list[dict]) -> list[dict]:
    # Keras is imported here, not above: the drawing processes import this module and need none of it.
    from keras.utils import Progbar

    progress = Progbar(len(scenes), unit_name="picture")
    records = []
    try:
        # Not forked: TensorFlow's threads may be running here.
        with ProcessPoolExecutor(min(8, os.cpu_count() or 1), mp_context=get_context("spawn")) as pool:
            for record in pool.map(render, range(len(scenes)), scenes, chunksize=20):
                records.append(record)
                if len(records) % 20 == 0:
                    progress.update(len(records))
    except BrokenProcessPool:  # no new processes here (a script without a main guard, say): alone, then
        for i in range(len(records), len(scenes)):
            records.append(render(i, scenes[i]))
            progress.update(len(records))
    return records


def load_scenes(settings: Settings) -> CaptionDataset:
    """The drawn scenes, drawn now if they are not there yet; `scenes-sketch` are the same, sketched."""
    folder, sketched = settings.data_dir / settings.dataset, settings.dataset == "scenes-sketch"
    if not is_drawn(folder, sketched=sketched):
        folder = writable_folder(folder, settings.run_dir)
        render_scenes(folder, sketched=sketched)
    scenes = json.loads((folder / "scenes.json").read_text(encoding="utf-8"))["scenes"]
    return CaptionDataset(
        name=settings.dataset,
        folder=folder / "images",
        captions={scene["image"]: tuple(scene["captions"]) for scene in scenes},
        splits={
            split: tuple(scene["image"] for scene in scenes if scene["split"] == split) for split in SPLITS
        },
        boxes={scene["image"]: scene["objects"] for scene in scenes},
        scenes={scene["image"]: {key: scene[key] for key in ("place", "sky", "groups")} for scene in scenes},
    )
