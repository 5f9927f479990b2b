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


def pytest_unconfigure(config):
    RUN.cleanup()
