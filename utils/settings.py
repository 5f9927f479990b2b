"""Settings: read from the environment once, shown in each notebook's first output.

Everything that tells one run from another stands here, so that the same six notebooks
serve the drawn scenes and the real photographs. No other module reads the environment.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

ROOT = Path(__file__).resolve().parent.parent
"""The repository: the folder that holds `notebooks/`, `utils/` and `data/`."""

DEFAULT_ENCODERS = {"scenes": "vgg16-slim", "flickr8k": "vgg16", "own": "vgg16"}
ENCODERS = ("vgg16-slim", "vgg16", "mobilenet")


class UserError(Exception):
    """Something the reader can put right; the message says what and how."""

    def _render_traceback_(self) -> list[str]:
        # Jupyter shows these lines in place of the frames, which would hide the message.
        return str(self).splitlines()


@dataclass(frozen=True)
class Recipe:
    """Sizes and training settings that suit a dataset.

    min_count      a word used less often in the training captions becomes `<unk>`
    embedding_dim  numbers in a word vector
    units          numbers in the GRU's state
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
    dropout=0.5,
    batch_size=64,
    learning_rate=1e-3,
    label_smoothing=0.1,
    epochs=9,
)
RECIPES = {
    "scenes": Recipe(
        min_count=1,
        embedding_dim=128,
        units=256,
        dropout=0.3,
        batch_size=32,
        learning_rate=4e-3,
        label_smoothing=0.0,
        epochs=24,
    ),
    "flickr8k": _PHOTOGRAPHS,
    # Fewer pictures: smaller batches and more epochs, for enough steps.
    "own": replace(_PHOTOGRAPHS, min_count=2, batch_size=16, epochs=30),
}


@dataclass(frozen=True)
class Settings:
    """What a run depends on.

    dataset   `scenes`, `flickr8k` or `own`
    encoder   `vgg16-slim`, `vgg16` or `mobilenet`
    data_dir  where datasets are looked for before anything is downloaded or drawn
    run_dir   where this run's artefacts go
    folder    of your own pictures and their `captions.csv`; None for the other datasets
    seed      of everything random in training
    recipe    sizes and training settings, by dataset
    devices   to train on: `one`, or `all` GPUs of this machine
    """

    dataset: str
    encoder: str
    data_dir: Path
    run_dir: Path
    seed: int
    recipe: Recipe
    folder: Path | None = None
    devices: str = "one"

    @property
    def standard(self) -> bool:
        """Whether this is a whole run on scenes or Flickr8k, whose scores the notebooks check."""
        return self.folder is None and self.recipe == RECIPES[self.dataset]

    def __str__(self) -> str:
        # The run folder by its last two parts: the same on every machine.
        rows = {
            "dataset": f"own pictures in {self.folder.name}" if self.folder else self.dataset,
            "encoder": self.encoder,
            "run folder": "/".join(self.run_dir.parts[-2:]),
            "seed": self.seed,
        }
        return "\n".join(f"{name:<12}{value}" for name, value in rows.items())


def _integer(environ: Mapping[str, str], name: str, lowest: int) -> int | None:
    text = environ.get(name, "").strip()
    if not text:
        return None
    if not re.fullmatch(r"\d{1,9}", text) or int(text) < lowest:
        raise UserError(f"{name}={text!r}: give a whole number, {lowest} or more.")
    return int(text)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read `CAPTION_DATASET`, `CAPTION_ENCODER`, `CAPTION_DATA_DIR`, `CAPTION_RUN_DIR`,
    `CAPTION_SEED`, `CAPTION_EPOCHS` and `CAPTION_DEVICES`; an unset or empty one takes its default.

    Raises UserError that names the variable and the values it may take.
    """
    environ = os.environ if environ is None else environ
    dataset, folder = environ.get("CAPTION_DATASET") or "scenes", None
    if dataset not in ("scenes", "flickr8k"):
        dataset, folder = "own", Path(dataset).expanduser().absolute()
        if not folder.is_dir():
            raise UserError(
                f"CAPTION_DATASET={environ['CAPTION_DATASET']!r}: choose scenes, flickr8k, or the path of a "
                f"folder of pictures with a captions.csv; there is no folder {folder}."
            )
    encoder = environ.get("CAPTION_ENCODER") or DEFAULT_ENCODERS[dataset]
    if encoder not in ENCODERS:
        raise UserError(f"CAPTION_ENCODER={encoder!r}: choose one of {', '.join(ENCODERS)}.")
    data_dir = Path(environ.get("CAPTION_DATA_DIR") or ROOT / "data").expanduser().absolute()
    name = dataset
    if folder:  # two folders of one name are two datasets
        name = f"{folder.name}-{hashlib.sha256(str(folder).encode()).hexdigest()[:6]}"
    run_dir = environ.get("CAPTION_RUN_DIR") or ROOT / "data" / "runs" / f"{name}-{encoder}"
    devices = environ.get("CAPTION_DEVICES") or "one"
    if devices not in ("one", "all"):
        raise UserError(f"CAPTION_DEVICES={devices!r}: choose one of one, all.")
    seed = _integer(environ, "CAPTION_SEED", 0)
    epochs = _integer(environ, "CAPTION_EPOCHS", 1)
    recipe = RECIPES[dataset]
    return Settings(
        dataset=dataset,
        encoder=encoder,
        data_dir=data_dir,
        run_dir=Path(run_dir).expanduser().absolute(),
        seed=1 if seed is None else seed,
        recipe=recipe if epochs is None else replace(recipe, epochs=epochs),
        folder=folder,
        devices=devices,
    )


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    # TensorFlow's C++ start-up notes obey no log level: they are held back at the file
    # descriptor, and given out after all if the import fails.
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), 2)
        try:
            yield
        except Exception:
            notes.seek(0)
            os.write(kept, notes.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _install_missing() -> None:
    # Colab brings most packages. What it has stays as it is: only what is not there is installed.
    missing = []
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if name := re.match(r"[\w-]+", line):
            try:
                importlib.metadata.version(name[0])
            except importlib.metadata.PackageNotFoundError:
                missing.append(line)
    if missing:
        print("installing", *missing, flush=True)
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *missing], check=True)


def start() -> Settings:
    """First line of every notebook and command: load TensorFlow without its start-up notes,
    seed Python, NumPy and TensorFlow, and return the settings. In Colab, install what it lacks."""
    settings = load_settings()
    if "google.colab" in sys.modules:
        _install_missing()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _quiet_stderr():
        import keras
        import tensorflow as tf

        tf.config.list_physical_devices()
        tf.constant(0)
    keras.utils.set_random_seed(settings.seed)
    return settings


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Programs that work in the same folder take turns; the folder is made if there is none.

    The lock ends with the process that holds it. Not on Windows, nor on disks without locks.
    Raises UserError that names the folder when it can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{folder} can't be made ({error.strerror}): set CAPTION_DATA_DIR or CAPTION_RUN_DIR to another."
        ) from None
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"another program is at work in {folder.name}: waiting until it is done", flush=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:
            pass
        yield
    finally:
        os.close(descriptor)


def write_text(file: Path, text: str) -> None:
    """Write a small file whole or not at all: under a temporary name, then renamed.

    Raises UserError that names the file when the disk is full or the folder can't be written.
    """
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, file)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise UserError(f"{file} can't be written: {error.strerror or error}.") from None
