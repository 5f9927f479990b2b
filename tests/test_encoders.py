"""The encoders: VGG16's topology, each network's preprocessing, and what happens without a network."""

from __future__ import annotations

import socket
import urllib.error

import keras
import numpy as np
import pytest

from utils import encoders
from utils.settings import ROOT, UserError

SHARED_MODELS = ROOT.parent / "shared" / "keras" / "models"
NOTOP = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"


@pytest.fixture
def models(tmp_path, monkeypatch):
    """An empty folder of Keras's, and no network."""

    def unreachable(*args, **kwargs):
        raise urllib.error.URLError(socket.gaierror(-2, "Name or service not known"))

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", unreachable)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path / "models"


def shared_weights(models, name):
    if not (SHARED_MODELS / name).is_file():
        pytest.skip(f"the ImageNet weights are not here ({SHARED_MODELS / name})")
    models.mkdir(exist_ok=True)
    (models / name).write_bytes((SHARED_MODELS / name).read_bytes())


def test_full_width_is_keras_vgg16_layer_for_layer():
    ours = encoders.build_vgg16()
    keras_own = keras.applications.VGG16(include_top=False, weights=None, input_shape=(224, 224, 3))
    assert [type(layer) for layer in ours.layers] == [type(layer) for layer in keras_own.layers]
    assert ours.input.shape == keras_own.input.shape
    for mine, theirs in zip(ours.layers[1:], keras_own.layers[1:], strict=True):
        assert mine.get_config() == theirs.get_config()
        assert [w.shape for w in mine.weights] == [w.shape for w in theirs.weights]
    ours.set_weights(keras_own.get_weights())
    pictures = np.random.default_rng(0).uniform(-100, 100, (1, 224, 224, 3)).astype("float32")
    np.testing.assert_allclose(ours(pictures), keras_own(pictures), rtol=1e-5, atol=1e-5)


def test_slim_is_an_eighth_as_wide_under_the_same_names():
    slim = encoders.build_vgg16(encoders.SLIM_WIDTH, classes=7)
    names = [layer.name for layer in encoders.build_vgg16().layers[1:]]
    assert [layer.name for layer in slim.layers[1:]] == [*names, "average", "predictions"]
    convs = [layer.filters for layer in slim.layers if "_conv" in layer.name]
    assert convs == [8, 8, 16, 16, 32, 32, 32, 64, 64, 64, 64, 64, 64]
    assert slim.output.shape == (None, 7)
    assert sum(w.numpy().nbytes for w in slim.weights) < 1.2e6


@pytest.mark.parametrize(
    ("name", "layer", "channels"),
    [("vgg16", "block5_pool", 512), ("vgg16-slim", "block5_pool", 64), ("mobilenet", "conv_pw_13_relu", 768)],
)
def test_every_encoder_gives_a_7x7_grid(name, layer, channels):
    encoder = encoders.load_encoder(name, weights=None)
    assert (encoder.layer, encoder.grid, encoder.channels) == (layer, (7, 7), channels)
    features = encoder(np.zeros((1, 224, 224, 3), np.uint8))
    assert features.shape == (1, 7, 7, channels) and features.dtype == "float32"


def test_preprocessing_is_each_networks_own_and_leaves_the_picture_alone():
    red = np.zeros((1, 1, 1, 3), np.float32)
    red[..., 0] = 255
    before = red.copy()
    blue_green_red = [-103.939, -116.779, 255 - 123.68]
    np.testing.assert_allclose(np.ravel(encoders.PREPROCESS["vgg16"](red)), blue_green_red, rtol=1e-6)
    slim = np.ravel(encoders.PREPROCESS["vgg16-slim"](red))
    np.testing.assert_allclose(slim, np.array(blue_green_red) / 64, rtol=1e-6)
    np.testing.assert_allclose(np.ravel(encoders.PREPROCESS["mobilenet"](red)), [1, -1, -1])
    np.testing.assert_array_equal(red, before)


def test_fingerprint_tells_weights_apart():
    model = encoders.build_vgg16(1 / 32)
    before = encoders.weights_fingerprint(model)
    weights = model.get_weights()
    assert encoders.weights_fingerprint(model) == before
    weights[-1][0] += 1e-3
    model.set_weights(weights)
    assert encoders.weights_fingerprint(model) != before


@pytest.mark.parametrize(
    ("load", "name", "file"),
    [
        (encoders.load_encoder, "vgg16", NOTOP),
        (encoders.load_classifier, "vgg16", "vgg16_weights_tf_dim_ordering_tf_kernels.h5"),
        (encoders.load_encoder, "mobilenet", "mobilenet_7_5_224_tf_no_top.h5"),
    ],
)
def test_no_weights_and_no_network_is_one_clear_error(models, load, name, file):
    with pytest.raises(UserError) as caught:
        load(name)
    message = str(caught.value)
    assert caught.value.__suppress_context__
    assert file in message and str(models) in message and f"/{file} " in message
    assert "CAPTION_DATASET=scenes" in message
    assert ("CAPTION_ENCODER=mobilenet" in message) == (name == "vgg16")
    assert not list(models.iterdir()), "a failed download leaves nothing behind"


def test_a_network_that_never_answers_is_given_up_soon(models, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("KERAS_HOME", str(models.parent))
    monkeypatch.setattr("utils.datasets.PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/{NOTOP}"
        monkeypatch.setitem(encoders._FILES, "vgg16", (url, 59, None))
        with pytest.raises(UserError, match="timed out"):
            encoders.load_encoder("vgg16")
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", "truncated", "another network"])
def test_damaged_weights_are_named(models, content):
    models.mkdir()
    file = models / NOTOP
    model = encoders.build_vgg16(1 / 32)
    model.save_weights(models / "small.weights.h5")
    if content == "truncated":
        content = (models / "small.weights.h5").read_bytes()[:5000]
    elif content == "another network":
        content = (models / "small.weights.h5").read_bytes()
    file.write_bytes(content)
    with pytest.raises(UserError) as caught:
        encoders.load_encoder("vgg16")
    assert str(file) in str(caught.value) and caught.value.__suppress_context__
    assert file.read_bytes() == content, "the reader's file is not touched"


def test_imagenet_weights_that_are_there_need_no_network(models):
    for name in ("mobilenet_7_5_224_tf_no_top.h5", "mobilenet_7_5_224_tf.h5", "imagenet_class_index.json"):
        shared_weights(models, name)
    encoder = encoders.load_encoder("mobilenet")
    classifier, names = encoders.load_classifier("mobilenet")
    assert encoder.fingerprint != encoders.load_encoder("mobilenet", weights=None).fingerprint
    assert classifier.output.shape == (None, 1000) and len(names) == 1000
    assert names[0] == "tench" and names[285] == "Egyptian cat"
    # The classifier is the encoder with a top: the features are the same.
    pictures = encoder.preprocess(np.random.default_rng(0).integers(0, 255, (1, 224, 224, 3)))
    inside = keras.Model(classifier.input, classifier.get_layer(encoder.layer).output)
    np.testing.assert_allclose(inside(pictures), encoder.model(pictures), atol=1e-4)


def test_unknown_encoder_is_a_user_error():
    with pytest.raises(UserError, match="resnet"):
        encoders.load_encoder("resnet")
