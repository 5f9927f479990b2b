"""Settings: read from the environment once, shown in each notebook's first output.

Everything that tells one run from another stands here, so that the same notebooks
serve the drawn scenes and the real photographs. No other module reads the environment.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from utils.files import UserError, writable_folder

ROOT = Path(__file__).resolve().parent.parent
"""The repository: the folder that holds `notebooks/`, `utils/` and `data/`."""

SLIM_NAMES = ("vgg16-slim", "resnet-slim", "vit-slim")
PHOTOGRAPHS = ("flickr8k", "flickr30k", "coco")
DEFAULT_ENCODERS = {
    "scenes": SLIM_NAMES[0],
    "scenes-sketch": SLIM_NAMES[0],
    **dict.fromkeys((*PHOTOGRAPHS, "own"), "vgg16"),
}


@dataclass(frozen=True)
class Recipe:
    """Sizes and training settings that suit a dataset.

    min_count      a word used less often in the training captions becomes `<unk>`
    embedding_dim  numbers in a word vector
    units          numbers in the decoder's state
    dropout        share of inputs and outputs zeroed in training
    batch_size     captions per training step
    learning_rate  the highest, reached after the warm-up
    label_smoothing  share of the target spread over all words
    epochs         the most passes over the training captions
    """

    min_count: int
    embedding_dim: int
    units: int
    dropout: float
    batch_size: int
    learning_rate: float
    label_smoothing: float
    epochs: int


_PHOTOGRAPHS = Recipe(
    min_count=5,
    embedding_dim=256,
    units=512,
    dropout=0.4,
    batch_size=64,
    learning_rate=2e-3,
    label_smoothing=0.1,
    epochs=8,
)
_SCENES = Recipe(
    min_count=3,
    embedding_dim=128,
    units=256,
    dropout=0.08,
    batch_size=64,
    learning_rate=4e-3,
    label_smoothing=0.0,
    epochs=8,
)
RECIPES = {
    "scenes": _SCENES,
    "scenes-sketch": _SCENES,
    "flickr8k": _PHOTOGRAPHS,
    # Five and nineteen times as many captions: fewer epochs still make more steps. Not tried yet.
    "flickr30k": replace(_PHOTOGRAPHS, epochs=6),
    "coco": replace(_PHOTOGRAPHS, epochs=4),
    # Fewer pictures: smaller batches and more epochs, for enough steps, shorter ones and more dropout; and no
    # word is too rare to be tried.
    "own": replace(_PHOTOGRAPHS, min_count=1, dropout=0.5, batch_size=16, learning_rate=1e-3, epochs=30),
}

SHOWN = {"scenes": ("vgg16-slim",), "flickr8k": ("mobilenet", "efficientnet-lite2")}
"""Encoders with which the checks of the notebooks were seen to hold."""


@dataclass(frozen=True)
class Settings:
    """What a run depends on.

    dataset   `scenes`, `scenes-sketch`, `flickr8k`, `flickr30k`, `coco` or `own`
    encoder   one of SLIM_NAMES, a network of `keras.applications`, several of these with `+` between them, or
              the path of a `.keras` file (utils.encoders)
    decoder   one of `utils.decoders.DECODERS`
    data_dir  where datasets are looked for before anything is downloaded or drawn
    features_dir  where the feature cache is: data/features/<dataset>-<encoder>, or in the run folder
              where the data folder is read-only
    run_dir   where this run's model, captions and scores go: data/runs/<dataset>-<encoder>-<decoder>
    folder    of your own pictures and their `captions.csv`; None for the other datasets
    seed      of everything random in training
    recipe    sizes and training settings, by dataset
    devices   to train on: `one`, or `all` GPUs of this machine
    limit     about how many pictures of the dataset are used; None: all
    """

    dataset: str
    encoder: str
    decoder: str
    data_dir: Path
    features_dir: Path
    run_dir: Path
    seed: int
    recipe: Recipe
    folder: Path | None = None
    devices: str = "one"
    limit: int | None = None

    @property
    def standard(self) -> bool:
        """Whether this is a whole run of the kind whose scores the notebooks were shown to reach."""
        shown = self.decoder == "gru" and label(self.encoder) in SHOWN.get(self.dataset, ())
        whole = self.folder is None and self.limit is None
        return shown and whole and self.recipe == RECIPES[self.dataset]

    def __str__(self) -> str:
        # The run folder by its last two parts: the same on every machine.
        dataset = f"own pictures in {self.folder.name}" if self.folder else self.dataset
        rows = {
            "dataset": f"{dataset}, about {self.limit:,} pictures of it" if self.limit else dataset,
            "encoder": label(self.encoder),
            "decoder": self.decoder,
            "run folder": "/".join(self.run_dir.parts[-2:]),
            "seed": self.seed,
        }
        return "\n".join(f"{name:<12}{value}" for name, value in rows.items())


def label(encoder: str) -> str:
    """An encoder's name as part of a folder's name: `vgg16`, `mobilenet-alpha-0.5`, `efficientnet-lite2`."""
    stem = Path(encoder).stem if encoder.endswith(".keras") else encoder.lower()
    return re.sub(r"[^\w.-]+", "-", stem)


def _integer(environ: Mapping[str, str], name: str, lowest: int) -> int | None:
    text = environ.get(name, "").strip()
    if not text:
        return None
    if not re.fullmatch(r"\d{1,9}", text) or int(text) < lowest:
        raise UserError(f"{name}={text!r}: give a whole number, {lowest} or more.")
    return int(text)


def chosen(environ: Mapping[str, str] | None = None) -> bool:
    """Whether the environment names a run, by its dataset or its folder."""
    environ = os.environ if environ is None else environ
    return bool(environ.get("CAPTION_DATASET") or environ.get("CAPTION_RUN_DIR"))


def drawn(settings: Settings) -> Settings:
    """These settings where they are of drawn scenes, else those of the scenes, saying so: what is true is
    known of scenes alone. Of the others' settings data folder, seed, decoder and devices stay."""
    if settings.dataset in ("scenes", "scenes-sketch"):
        return settings
    kept = {"DATA_DIR": settings.data_dir, "SEED": settings.seed, "DECODER": settings.decoder}
    kept |= {"DEVICES": settings.devices, "DATASET": "scenes"}
    scenes = load_settings({f"CAPTION_{name}": str(value) for name, value in kept.items()})
    print(f"what is true of {settings.dataset} pictures is not known: the drawn scenes are taken\n{scenes}")
    return scenes


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read `CAPTION_DATASET`, `CAPTION_ENCODER`, `CAPTION_DECODER`, `CAPTION_DATA_DIR`, `CAPTION_RUN_DIR`,
    `CAPTION_SEED`, `CAPTION_EPOCHS`, `CAPTION_LIMIT` and `CAPTION_DEVICES`; an unset or empty one takes its
    default.

    Raises UserError that names the variable and the values it may take.
    """
    environ = os.environ if environ is None else environ
    dataset, folder = environ.get("CAPTION_DATASET") or "scenes", None
    if dataset not in RECIPES or dataset == "own":
        dataset, folder = "own", Path(dataset).expanduser().absolute()
        if not folder.is_dir():
            raise UserError(
                f"CAPTION_DATASET={environ['CAPTION_DATASET']!r}: choose {', '.join(list(RECIPES)[:-1])}, or "
                f"the path of a folder of pictures with a captions.csv; there is no folder {folder}."
            )
    encoder = (environ.get("CAPTION_ENCODER") or DEFAULT_ENCODERS[dataset]).strip()
    if encoder.endswith(".keras"):
        encoder = str(Path(encoder).expanduser().absolute())  # notebooks run in another folder
        if not Path(encoder).is_file():
            raise UserError(f"CAPTION_ENCODER={environ['CAPTION_ENCODER']!r}: there is no file {encoder}.")
    decoder = (environ.get("CAPTION_DECODER") or "gru").strip().lower()
    if not re.fullmatch(r"[\w-]+", decoder):  # it becomes part of a folder's name
        raise UserError(f"CAPTION_DECODER={decoder!r}: give the name of a decoder, such as gru.")
    data_dir = Path(environ.get("CAPTION_DATA_DIR") or ROOT / "data").expanduser().absolute()
    name = dataset
    if folder:  # two folders of one name are two datasets
        name = f"{folder.name}-{hashlib.sha256(str(folder).encode()).hexdigest()[:6]}"
    limit = _integer(environ, "CAPTION_LIMIT", 10)
    name = f"{name}-{limit}-{label(encoder)}" if limit else f"{name}-{label(encoder)}"
    run_dir = Path(environ.get("CAPTION_RUN_DIR") or ROOT / "data" / "runs" / f"{name}-{decoder}")
    run_dir = run_dir.expanduser().absolute()
    features_dir = data_dir / "features" / name
    if not (features_dir / "features.json").exists():
        features_dir = writable_folder(features_dir, run_dir / "features")
    devices = environ.get("CAPTION_DEVICES") or "one"
    if devices not in ("one", "all"):
        raise UserError(f"CAPTION_DEVICES={devices!r}: choose one of one, all.")
    seed = _integer(environ, "CAPTION_SEED", 0)
    epochs = _integer(environ, "CAPTION_EPOCHS", 1)
    recipe = RECIPES[dataset]
    return Settings(
        dataset=dataset,
        encoder=encoder,
        decoder=decoder,
        data_dir=data_dir,
        features_dir=features_dir,
        run_dir=run_dir,
        seed=1 if seed is None else seed,
        recipe=recipe if epochs is None else replace(recipe, epochs=epochs),
        folder=folder,
        devices=devices,
        limit=limit,
    )
