"""The slim encoder's training command works, and the weights in the repository see."""

from __future__ import annotations

import numpy as np
import pytest

from utils import pretrain
from utils.datasets import scattered as scatter
from utils.datasets.drawing import LABELS, draw_single
from utils.datasets.layout import HELD_OUT
from utils.encoders import SLIM, load_classifier, preprocessing
from utils.files import UserError


@pytest.mark.filterwarnings("ignore:Even though the")
@pytest.mark.parametrize("network", SLIM)
def test_the_command_writes_weights_that_load(tmp_path, monkeypatch, uncompiled, network):
    for name, number in (("SINGLE", 64), ("SCATTERED", 32), ("CHECKED", 16), ("AGAIN", 32)):
        monkeypatch.setattr(pretrain, name, number)
    monkeypatch.setattr(pretrain, "WINDOW_EPOCHS", 1)
    monkeypatch.setattr(pretrain, "EPOCHS", 1)
    monkeypatch.setattr(pretrain, "SLIM_FOLDER", tmp_path)
    pretrain.main(network)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [f"{network}.weights.h5"]
    SLIM[network](classes=len(LABELS)).load_weights(tmp_path / f"{network}.weights.h5")


def test_there_are_slim_networks_only():
    with pytest.raises(UserError, match="no slim network 'vgg16'.*resnet-slim"):
        pretrain.main("vgg16")


def test_targets_say_of_each_position_what_is_there():
    """Two red balls on the left, a blue car to their right and below them."""
    ball, car = LABELS.index("red ball"), LABELS.index("blue car")
    boxes = [[2, 2, 62, 62], [66, 2, 126, 62], [96, 130, 220, 200]]
    found = pretrain.targets([ball, ball, car], boxes)
    assert found["thing"][0, 0] == ball + 1 and found["thing"][5, 5] == car + 1
    assert not found["thing"][6].any()
    assert found["centre"].sum() == 3 and found["centre"][1, 1] == found["centre"][1, 3] == 1
    np.testing.assert_allclose(64 * found["reach"][0, 0], [14, 46, 14, 46])  # from (16, 16)
    assert found["number"][0, 0] == 1 and found["number"][5, 5] == 0
    sides = found["neighbours"].reshape(7, 7, 4, -1)
    left, right, above, below = np.eye(4, dtype=bool)
    kinds = pretrain.KINDS
    assert sides[0, 0, below, kinds.index("car")] == 1 and sides[5, 5, above, kinds.index("ball")] == 1
    assert sides[0, 0].sum() == sides[5, 5].sum() == 1
    wide = pretrain.targets([ball, car], [boxes[0], [96, 10, 220, 80]])["neighbours"].reshape(7, 7, 4, -1)
    assert wide[0, 0, right, kinds.index("car")] == 1 and wide[1, 5, left, kinds.index("ball")] == 1
    mirrored = pretrain._mirrored("neighbours", wide.reshape(1, 7, 7, -1)).reshape(7, 7, 4, -1)
    assert mirrored[0, 6, left, kinds.index("car")] == 1 and mirrored[0, 6].sum() == 1
    reach = pretrain._mirrored("reach", found["reach"][None])[0]
    np.testing.assert_allclose(64 * reach[0, 6], [14, 46, 46, 14])


def test_nothing_that_is_held_out_is_shown_together(monkeypatch):
    """In the first 4,000 of the pictures that the encoder is taught on; they need not be drawn for that."""
    monkeypatch.setattr(scatter, "draw", lambda place, sky, things, rng: (np.zeros(1), things))
    for i in range(4000):
        _, labels, boxes, _, _ = scatter.scattered(np.random.default_rng([0, 2, pretrain.SINGLE + i]))
        shown = [tuple(LABELS[label].split()) for label in labels]
        kinds = [kind for _, kind in shown]
        assert len(labels) == len(boxes) > 0 and not set(shown) & set(HELD_OUT)
        assert not {(labels.count(label), kind) for label, kind in zip(labels, kinds)} & set(HELD_OUT)
        for held in HELD_OUT:
            assert len(held) == 2 or not {held[0], held[2]} <= set(kinds)


@pytest.mark.parametrize("network", SLIM)
def test_the_weights_in_the_repository_name_what_is_drawn(network):
    model, labels = load_classifier(network)
    pictures = [draw_single(label, np.random.default_rng([9, i])) for i, label in enumerate(labels)]
    probabilities = model.predict_on_batch(preprocessing(network)(np.stack(pictures)))
    assert np.mean(probabilities.argmax(axis=-1) == np.arange(len(labels))) >= 0.85
