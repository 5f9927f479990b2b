"""The first line of every notebook and command: TensorFlow, loaded quietly, and the settings."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from utils.settings import ROOT, Settings, load_settings


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
