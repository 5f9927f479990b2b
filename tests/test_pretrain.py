"""The slim encoder's training command works, and the weights in the repository see."""

from __future__ import annotations

import numpy as np
import pytest

from utils import pretrain
from utils.datasets.drawing import LABELS, draw_single
from utils.encoders import SLIM_WIDTH, build_vgg16, load_classifier, preprocessing


@pytest.mark.filterwarnings("ignore:Even though the")
def test_the_command_writes_weights_that_load(tmp_path, monkeypatch, uncompiled):
    monkeypatch.setattr(pretrain, "PICTURES", 64)
    monkeypatch.setattr(pretrain, "HELD_OUT", 16)
    monkeypatch.setattr(pretrain, "STAGES", ((64, 1), (96, 1)))
    monkeypatch.setattr(pretrain, "SLIM_WEIGHTS", tmp_path / "vgg16-slim.weights.h5")
    pretrain.main()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["vgg16-slim.weights.h5"]
    build_vgg16(SLIM_WIDTH, classes=len(LABELS)).load_weights(tmp_path / "vgg16-slim.weights.h5")


def test_the_weights_in_the_repository_name_what_is_drawn():
    model, labels = load_classifier("vgg16-slim")
    pictures = [draw_single(label, np.random.default_rng([9, i])) for i, label in enumerate(labels)]
    probabilities = model.predict_on_batch(preprocessing("vgg16-slim")(np.stack(pictures)))
    assert np.mean(probabilities.argmax(axis=-1) == np.arange(len(labels))) >= 0.85
