"""Tests see the drawn scenes and a run folder of their own, whatever the shell has set."""

import os
import tempfile
from pathlib import Path

import pytest

RUN = tempfile.TemporaryDirectory(prefix="captioning-")


def pytest_configure(config):
    for name in [name for name in os.environ if name.startswith("CAPTION_")]:
        del os.environ[name]
    # Notebook kernels inherit this: they train from nothing and leave the reader's own runs alone.
    os.environ["CAPTION_RUN_DIR"] = str(Path(RUN.name) / "runs" / "scenes-vgg16-slim-gru")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With `-n 2`, all notebooks go one after another through one process, since each reads what those before
    it have left, and the unit tests, file by file, through the other."""
    from xdist.scheduler import LoadScopeScheduling

    class Lanes(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.split("::")[0]
            return "notebooks" if file.endswith(".ipynb") else file

    return Lanes(config, log)


def pytest_collectstart(collector):
    # Notices on stderr differ between machines and are no part of what a notebook says.
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("stderr",)


@pytest.fixture
def uncompiled():
    """`tf.function` does nothing: where a test takes a few steps, most of its time would go into tracing."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def few_pictures(tmp_path):
    """Settings of thirty small pictures, two captions each, and a recipe that trains in no time."""
    import dataclasses

    import numpy as np
    from PIL import Image

    from utils.settings import load_settings

    folder, rng = tmp_path / "pictures", np.random.default_rng(0)
    folder.mkdir()
    lines = ["image,caption"]
    for number in range(30):
        Image.fromarray(rng.integers(0, 255, (9, 9, 3), np.uint8)).save(folder / f"{number}.png")
        color = "red" if number % 2 else "green"
        lines += [f"{number}.png,a {color} picture of {word}" for word in ("cats", "dogs")]
    (folder / "captions.csv").write_text("\n".join(lines))
    environ = {"CAPTION_DATASET": str(folder), "CAPTION_ENCODER": "vgg16-slim"}
    environ |= {"CAPTION_DATA_DIR": str(tmp_path), "CAPTION_RUN_DIR": str(tmp_path / "run")}
    settings = load_settings(environ)
    small = dataclasses.replace(settings.recipe, embedding_dim=8, units=16, epochs=2)
    return dataclasses.replace(settings, recipe=small)


def pytest_unconfigure(config):
    RUN.cleanup()
