"""The first line of every notebook and command: TensorFlow, loaded quietly, its devices, and the settings."""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

from utils.files import UserError
from utils.settings import ROOT, Settings, load_settings

if TYPE_CHECKING:
    import tensorflow as tf

IMPORTED = ("tensorflow", "keras", "numpy", "matplotlib", "pillow")
"""What notebooks import, and `utils` for them. In Colab nothing else is installed: Jupyter's own packages
would be moved under the running kernel, and what only commands and tests need is large."""

_strategy: tf.distribute.Strategy | None = None


def start() -> Settings:
    """First line of every notebook and command: load TensorFlow as the backend of Keras, without its start-up
    notes, choose the devices to train on, seed Python, NumPy and TensorFlow, and return the settings.

    In Colab, install what it lacks. With `TF_CONFIG` of several workers, wait for the others.
    Raises UserError when a setting is wrong or Keras is loaded with another backend already.
    """
    _print_any_character()
    settings = load_settings()
    os.environ["KERAS_BACKEND"] = "tensorflow"  # comes before ~/.keras/keras.json
    loaded = sys.modules.get("keras")
    if loaded and (backend := loaded.backend.backend()) != "tensorflow":
        raise UserError(
            f"Keras is loaded already, with the backend {backend}; this project needs tensorflow: "
            "restart the kernel, and run this cell before anything imports keras."
        )
    if "google.colab" in sys.modules:
        _install_missing()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Else the first kernel takes all of a GPU's memory, and the next notebook finds none.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    with _quiet_stderr():
        import keras
        import tensorflow as tf

        _choose_strategy(settings.devices)
        tf.constant(0)
    keras.utils.set_random_seed(settings.seed)
    return settings


def strategy() -> tf.distribute.Strategy:
    """The strategy that `start` has made: for all devices of this machine, or for all workers of a cluster;
    TensorFlow's default, one device, where it has made none."""
    import tensorflow as tf

    return tf.distribute.get_strategy() if _strategy is None else _strategy


def workers() -> int:
    """How many processes train together, by `TF_CONFIG`: 1 where there is none."""
    return _place()[1]


def _choose_strategy(devices: str) -> None:
    # Here, because workers can only be joined before the first operation, and logical devices only be
    # made before it: nothing in the project may touch a device earlier.
    global _strategy
    import tensorflow as tf

    number, workers = _place()
    if workers > 1:
        if _strategy is None:  # a second one can't be had in one process
            print(f"worker {number} of {workers} (0 is the first) waits for the others", flush=True)
            try:
                _strategy = tf.distribute.MultiWorkerMirroredStrategy()
            except RuntimeError as error:
                raise UserError(f"{error}: restart the kernel, and run this cell first.") from None
    elif devices == "all":
        # NCCL is for GPUs; on logical CPUs adding up on one of them is the safe way.
        on_one = None if tf.config.list_logical_devices("GPU") else tf.distribute.ReductionToOneDevice()
        _strategy = _strategy or tf.distribute.MirroredStrategy(cross_device_ops=on_one)
    else:
        _strategy = None


def _place() -> tuple[int, int]:
    # This process's number among those that train, by `TF_CONFIG`, and how many they are.
    text = os.environ.get("TF_CONFIG") or "{}"
    try:
        config = json.loads(text)
        cluster = config.get("cluster") or {}
        places = [(job, n) for job in ("chief", "worker") for n in range(len(cluster.get(job, ())))]
        if not places:
            return 0, 1
        return places.index((config["task"]["type"], int(config["task"]["index"]))), len(places)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UserError(
            f"TF_CONFIG={text!r}: give the addresses of all workers and the number of this one, such as "
            '{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}.'
        ) from None


def _print_any_character() -> None:
    # Windows's own encodings lack most characters of captions and file names: to print one would be the end.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")


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
        except UserError:
            raise
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
        name = re.match(r"[\w-]+", line)
        if name and name[0] in IMPORTED:
            try:
                importlib.metadata.version(name[0])
            except importlib.metadata.PackageNotFoundError:
                missing.append(line)
    if missing:
        print("installing", *missing, flush=True)
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *missing], check=True)
