"""The encoders: VGG16's topology, each network's preprocessing, and what happens without a network."""

from __future__ import annotations

import gc
import json
import socket
import urllib.error

import keras
import numpy as np
import pytest
from PIL import Image

from utils import encoders, files, imagenet, modelfile, pretrain, resnet, vit
from utils.datasets import CaptionDataset
from utils.datasets.drawing import LABELS
from utils.features import TOLERANCE, encoder_function
from utils.files import UserError
from utils.pictures import read_picture
from utils.settings import ROOT

SHARED_MODELS = ROOT.parent / "shared" / "keras" / "models"
LITE = ROOT.parent / "shared" / "encoders" / "efficientnet-lite2.keras"
NOTOP = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"


@pytest.fixture
def models(tmp_path, monkeypatch):
    """An empty folder of Keras's, and no network."""

    def unreachable(*args, **kwargs):
        raise urllib.error.URLError(socket.gaierror(-2, "Name or service not known"))

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", unreachable)
    monkeypatch.setattr("keras.src.applications.imagenet_utils.CLASS_INDEX", None)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path / "models"


@pytest.fixture(scope="module")
def lite():
    """A file that is an encoder: RGB in [0, 255] at 32 x 32 to a map of 4 x 4 and 5 channels."""
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    x = keras.layers.Conv2D(5, 3, strides=8, padding="same", activation="tanh")(x)
    return keras.Model(inputs, x)


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


def test_slim_is_an_eighth_as_wide_and_a_quarter_at_its_end_under_the_same_names():
    slim = encoders.build_vgg16(encoders.SLIM_WIDTH, classes=7)
    names = [layer.name for layer in encoders.build_vgg16().layers[1:]]
    assert [layer.name for layer in slim.layers[1:]] == [*names, "average", "predictions"]
    convs = [layer.filters for layer in slim.layers if "_conv" in layer.name]
    assert convs == [8, 8, 16, 16, 32, 32, 32, 64, 64, 64, 128, 128, 128]
    assert slim.output.shape == (None, 7)
    assert sum(w.numpy().nbytes for w in slim.weights) < 2.2e6


def test_resnet_at_full_width_is_keras_resnet50():
    ours = resnet.build_resnet50(input_shape=(None, None, 3))
    keras_own = keras.applications.ResNet50(include_top=False, weights=None)
    assert [type(layer) for layer in ours.layers] == [type(layer) for layer in keras_own.layers]
    for mine, theirs in zip(ours.layers, keras_own.layers, strict=True):
        for key in ("filters", "kernel_size", "strides", "epsilon", "pool_size"):
            assert getattr(mine, key, None) == getattr(theirs, key, None), (mine.name, theirs.name)
    ours.set_weights(keras_own.get_weights())
    pictures = np.random.default_rng(0).uniform(-100, 100, (1, 64, 64, 3)).astype("float32")
    expected = keras_own(pictures)
    assert np.std(expected) > 0
    np.testing.assert_allclose(ours(pictures), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "of_window"), zip(encoders.SLIM, (3, 4, 3)))
def test_slim_networks_have_half_a_million_weights_and_take_windows(name, of_window):
    model = encoders.SLIM[name](classes=len(LABELS), input_shape=(None, None, 3))
    assert model.count_params() < 500_000
    features = keras.Model(model.input, model.get_layer("average").input)
    for size, grid in ((224, 7), (pretrain.WINDOW, of_window)):
        pictures = np.zeros((1, size, size, 3), np.float32)
        assert features(pictures).shape[1:3] == (grid, grid) and model(pictures).shape == (1, len(LABELS))


def test_a_residual_block_adds_to_what_it_was_given():
    inputs = keras.Input((4, 4, 8))
    block = keras.Model(inputs, resnet.bottleneck(inputs, 2))
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 8)).astype(np.float32)
    last = [layer for layer in block.layers if isinstance(layer, keras.layers.BatchNormalization)][-1]
    assert np.abs(block(x) - np.maximum(x, 0)).max() > 0.01
    last.gamma.assign(np.zeros(8))  # the block's own share is nothing
    np.testing.assert_allclose(block(x), np.maximum(x, 0), atol=1e-6)


def test_each_patch_has_its_place_in_sines_of_row_and_column():
    places = vit.Places()(np.zeros((1, 5, 3, 8), np.float32))[0].numpy()
    for row, column in ((0, 0), (4, 1), (2, 2)):
        angles = [np.outer([1.0, 0.01], [at]).ravel() for at in (row, column)]
        by_hand = np.concatenate([wave(angle) for angle in angles for wave in (np.sin, np.cos)])
        np.testing.assert_allclose(places[row, column], by_hand, atol=1e-6)
    model = vit.build_vit(input_shape=(64, 64, 3), width=8, depth=1, heads=2)
    picture = np.random.default_rng(0).normal(size=(1, 64, 64, 3)).astype(np.float32)
    changed = picture.copy()
    changed[:, 48:, 48:] = 0  # the last patch: what the first position gives depends on it
    assert np.abs(model(picture) - model(changed))[0, 0, 0].max() > 1e-6


def test_encoders_side_by_side_give_the_channels_of_both():
    """They want their pictures prepared otherwise; and one network may stand on both sides."""
    names = ("vgg16-slim", "mobilenet", "MobileNet")
    keras.utils.set_random_seed(1)
    parts = [encoders.load_encoder(name, weights=None) for name in names]
    keras.utils.set_random_seed(1)
    both = encoders.load_encoder(" + ".join(names), weights=None)
    whole = ("vgg16-slim+mobilenet+mobilenet", (7, 7), 128 + 2 * 768)
    assert (both.name, both.grid, both.channels) == whole
    pictures = np.random.default_rng(0).integers(0, 255, (2, 224, 224, 3), np.uint8)
    found = np.split(both(pictures), (128, 128 + 768), axis=-1)
    for one, part in zip(found, parts, strict=True):
        expected = np.asarray(part(pictures))
        np.testing.assert_allclose(one, expected, atol=1e-3 * np.abs(expected).max())
    fingerprints = {encoder.fingerprint for encoder in (*parts, both)}
    assert len(fingerprints) == 4


def test_encoders_side_by_side_compute_in_half_the_bits_too():
    both = encoders.load_encoder("vgg16-slim+resnet-slim", weights=None)
    pictures = np.random.default_rng(0).integers(0, 255, (2, 224, 224, 3), np.uint8)
    exact, short = (
        encoder_function(both, 2, compute)(pictures)[0].numpy().astype(np.float32)
        for compute in ("float32", "bfloat16")
    )
    for channels in (slice(128), slice(128, None)):
        off = exact[..., channels] - short[..., channels]
        assert 0.003 < np.sqrt(np.mean(off**2) / np.mean(exact[..., channels] ** 2)) < TOLERANCE


def test_encoders_that_do_not_fit_side_by_side_say_so():
    with pytest.raises(UserError, match=r"vgg16-slim 7 x 7 of 224 pixels, efficientnetb1 8 x 8 of 240"):
        encoders.load_encoder("vgg16-slim+efficientnetb1", weights=None)
    with pytest.raises(UserError, match="more than one network"):
        encoders.load_classifier("vgg16-slim+resnet-slim")
    for name in ("vgg16-slim+", "a/file.keras+vgg16-slim"):
        for load in (encoders.load_encoder, encoders.preprocessing):
            with pytest.raises(UserError, match="names of networks before and behind"):
                load(name)


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        *(("vgg16", 512), ("vgg16-slim", 128), ("mobilenet", 768), ("resnet50", 2048)),
        *(("resnet-slim", 256), ("vit-slim", 96)),
    ],
)
def test_every_encoder_gives_a_7x7_grid(name, channels):
    encoder = encoders.load_encoder(name, weights=None)
    assert (encoder.name, encoder.grid, encoder.channels) == (name, (7, 7), channels)
    pictures = np.random.default_rng(0).integers(0, 255, (1, 224, 224, 3), np.uint8)
    features = encoder(pictures)
    assert features.shape == (1, 7, 7, channels) and features.dtype == "float32"
    np.testing.assert_array_equal(encoder.preprocess(pictures), encoders.preprocessing(name)(pictures))


def test_a_network_is_found_by_its_name_and_options():
    narrow = encoders.load_encoder("MobileNet:alpha=0.50", weights=None)
    assert (narrow.name, narrow.channels) == ("mobilenet:alpha=0.5", 512)
    assert imagenet.full_name(" MobileNet : alpha = 0.75 ") == imagenet.full_name("mobilenet") == "mobilenet"
    assert imagenet.full_name("mobilenet:dropout=0.1,alpha=1.0") == "mobilenet:alpha=1.0,dropout=0.1"
    assert imagenet.find("MobileNetV3Small:minimalistic=True")[1] == {"minimalistic": True}
    assert imagenet.find("mobilenet")[1] == {"alpha": 0.75}
    assert imagenet.find("resnet50")[0] is keras.applications.ResNet50


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("resnet", "resnet50"),
        ("eficientnetb0", "efficientnetb0"),
        ("something else", ".keras file"),
        ("mobilenet:alfa=1", "alpha"),
        ("mobilenet:alpha=wide", "alpha=wide"),
        ("mobilenet:include_top=True", "include_top=True"),
        ("mobilenet:alpha=print(1)", "no option"),
        ("vgg16:alpha=1", "no options"),
        ("mobilenet:alpha=-1", "mobilenet"),
        ("mobilenet:alpha=0.6", "alpha"),
        ("somewhere/nothing.keras", "nothing.keras"),
    ],
)
def test_a_name_that_means_nothing_is_one_clear_error(models, name, says):
    for load in (encoders.load_encoder, encoders.load_classifier):
        with pytest.raises(UserError) as caught:
            load(name)
        assert name in str(caught.value) and says in str(caught.value)
        assert caught.value.__suppress_context__ or not caught.value.__context__


def test_pictures_have_the_size_that_keras_trained_with(monkeypatch):
    """Keras tells each network's own size to this function, before it builds anything."""
    asked = {}

    def note(*args, default_size, **others):
        asked["size"] = default_size
        raise ValueError("that is all")

    monkeypatch.setattr("keras.src.applications.imagenet_utils.obtain_input_shape", note)
    for name, network in imagenet.networks().items():
        if name.startswith("mobilenetv3"):  # takes any size; the names of its weight files say 224
            assert network.__name__ not in imagenet.SIZES
            continue
        asked.clear()
        with pytest.raises(UserError, match="that is all"):
            imagenet.build(name, include_top=True, weights=None)
        assert imagenet.SIZES.get(network.__name__, 224) == asked["size"], name
    assert set(imagenet.SIZES) <= {network.__name__ for network in imagenet.networks().values()}


def test_preprocessing_is_each_networks_own_and_leaves_the_picture_alone():
    red = np.zeros((1, 1, 1, 3), np.float32)
    red[..., 0] = 255
    before = red.copy()
    blue_green_red = np.array([-103.939, -116.779, 255 - 123.68])
    imagenet_scale = (np.array([1, 0, 0]) - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    for name, prepared in {
        "vgg16": blue_green_red,
        "ResNet50": blue_green_red,
        **dict.fromkeys(encoders.SLIM, blue_green_red / 64),
        "mobilenet": [1, -1, -1],
        "MobileNet:alpha=0.5": [1, -1, -1],
        "ResNet50V2": [1, -1, -1],
        "InceptionV3": [1, -1, -1],
        "DenseNet121": imagenet_scale,
        "EfficientNetB0": [255, 0, 0],  # these three prepare inside
        "MobileNetV3Small": [255, 0, 0],
        "a/file.keras": [255, 0, 0],
    }.items():
        ours = encoders.preprocessing(name)(red)
        assert ours.dtype == "float32" and ours.shape == red.shape
        np.testing.assert_allclose(np.ravel(ours), prepared, rtol=1e-5, err_msg=name)
        integers = encoders.preprocessing(name)(red.astype(np.uint8))
        np.testing.assert_array_equal(integers, ours)
    np.testing.assert_array_equal(red, before)


def test_a_file_is_an_encoder_under_its_own_name(lite, tmp_path):
    lite.save(tmp_path / "My Lite.keras")
    said = modelfile.description(modelfile.read_config(tmp_path / "My Lite.keras"))
    encoder = encoders.load_encoder(str(tmp_path / "My Lite.keras"))
    assert encoder.identity == {
        "name": "My-Lite",
        "weights": encoders.weights_fingerprint(lite, said),
        "input_size": 32,
        "grid": [4, 4],
        "channels": 5,
    }
    assert json.loads(json.dumps(encoder.identity)) == encoder.identity
    pictures = np.random.default_rng(0).integers(0, 255, (2, 32, 32, 3), np.uint8)
    np.testing.assert_allclose(encoder(pictures), lite(pictures.astype(np.float32)), atol=1e-6)
    random = encoders.load_encoder(str(tmp_path / "My Lite.keras"), weights=None)
    assert random.fingerprint != encoder.fingerprint


@pytest.mark.parametrize("shape", [(32, 32, 1), (32, 24, 3), (None, None, 3)])
def test_a_file_that_is_no_encoder_says_what_one_takes_and_gives(tmp_path, shape):
    inputs = keras.Input(shape)
    keras.Model(inputs, keras.layers.Conv2D(2, 3)(inputs)).save(tmp_path / "other.keras")
    with pytest.raises(UserError, match="other.keras is no encoder.*size, size, 3"):
        encoders.load_encoder(str(tmp_path / "other.keras"))


def test_fingerprint_tells_weights_apart():
    model = encoders.build_vgg16(1 / 32)
    before = encoders.weights_fingerprint(model)
    weights = model.get_weights()
    assert encoders.weights_fingerprint(model) == before
    weights[-1][0] += 1e-3
    model.set_weights(weights)
    assert encoders.weights_fingerprint(model) != before
    swapped = [np.swapaxes(one, 0, 1) if one.ndim == 4 else one for one in model.get_weights()]
    turned = encoders.weights_fingerprint(model)
    model.set_weights(swapped)
    assert encoders.weights_fingerprint(model) != turned, "the same numbers in another order"


def test_fingerprint_is_of_numbers_and_not_of_names():
    def made():
        inputs = keras.Input((4, 4, 3))
        return keras.Model(inputs, keras.layers.Conv2D(2, 3)(inputs))

    first, second = made(), made()
    second.set_weights(first.get_weights())
    assert [w.path for w in first.weights] != [w.path for w in second.weights]
    assert encoders.weights_fingerprint(first) == encoders.weights_fingerprint(second)


@pytest.mark.parametrize(
    ("load", "name", "file"),
    [
        (encoders.load_encoder, "vgg16", NOTOP),
        (encoders.load_classifier, "mobilenet", "mobilenet_7_5_224_tf.h5"),
        (encoders.load_encoder, "mobilenet", "mobilenet_7_5_224_tf_no_top.h5"),
        (
            encoders.load_encoder,
            "MobileNetV2:alpha=0.35",
            "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5",
        ),
    ],
)
def test_no_weights_and_no_network_is_one_clear_error(models, load, name, file):
    with pytest.raises(UserError) as caught:
        load(name)
    message = str(caught.value)
    assert caught.value.__suppress_context__
    assert file in message and str(models) in message and f"/{file} " in message
    assert "CAPTION_DATASET=scenes" in message
    assert ("CAPTION_ENCODER=mobilenet" in message) == (name != "mobilenet")
    assert not list(models.iterdir()), "a failed download leaves nothing behind"


def test_a_network_that_never_answers_is_given_up_soon(models, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("KERAS_HOME", str(models.parent))
    monkeypatch.setattr(files, "PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/{NOTOP}"
        monkeypatch.setattr("keras.src.applications.vgg16.WEIGHTS_PATH_NO_TOP", url)
        with pytest.raises(UserError, match="timed out"):
            encoders.load_encoder("vgg16")
    assert socket.getdefaulttimeout() is None


def test_a_keras_that_looks_different_inside_downloads_in_its_own_way(models, monkeypatch):
    """Nothing of Keras's own is in the way, and its exception becomes a message."""
    monkeypatch.setitem(imagenet.sys.modules, "keras.src.utils.file_utils", None)
    with pytest.raises(UserError, match="mobilenet can't be made: .*http.*Name or service not known"):
        encoders.load_encoder("mobilenet")


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


def index(models, content):
    models.mkdir(exist_ok=True)
    (models / "imagenet_class_index.json").write_text(content)


def test_class_names_stand_in_the_order_of_the_outputs(models):
    """Their keys are strings: in the order of the alphabet, 10 would come before 2."""
    words = {str(i): [f"n{i:08}", f"class_number_{i}"] for i in range(1000)}
    index(models, json.dumps(dict(sorted(words.items()))))
    names = imagenet.class_names("mobilenet")
    assert names == [f"class number {i}" for i in range(1000)]


@pytest.mark.parametrize("content", ["", "<html>not found</html>", "{}", '{"0": 1}'])
def test_damaged_class_names_are_named_and_forgotten(models, content, capsys):
    index(models, content)
    with pytest.raises(UserError, match="imagenet_class_index.json is damaged"):
        imagenet.class_names("mobilenet")
    assert (models / "imagenet_class_index.json").read_text() == content
    index(models, json.dumps({str(i): ["n", "thing"] for i in range(1000)}))
    assert imagenet.class_names("mobilenet")[999] == "thing"
    assert "download" not in capsys.readouterr().out


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
    inside = keras.Model(classifier.input, classifier.get_layer(encoder.model.layers[-1].name).output)
    np.testing.assert_allclose(inside(pictures), encoder.model(pictures), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(imagenet.networks()))
def test_every_network_of_keras_gives_a_map(name, monkeypatch):
    # Zeros, not random numbers, and no digest of them: half of the time would go into these.
    for kind in ("VarianceScaling", "RandomNormal", "TruncatedNormal"):
        initializer = getattr(keras.initializers, kind)
        monkeypatch.setattr(initializer, "__call__", lambda self, shape, dtype=None: np.zeros(shape, dtype))
    monkeypatch.setattr(encoders, "weights_fingerprint", lambda model, description: "")
    encoder = encoders.load_encoder(name, weights=None)
    rows, cols = encoder.grid
    assert rows == cols and 5 <= rows <= 20 and encoder.channels >= 384
    assert encoder.model.input.shape == (None, encoder.input_size, encoder.input_size, 3)
    assert encoder.preprocess(np.zeros((1, 2, 2, 3), np.uint8)).shape == (1, 2, 2, 3)
    assert imagenet.full_name(encoder.name) == encoder.name == name
    del encoder
    keras.backend.clear_session()
    gc.collect()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MobileNetV2", "EfficientNetB1", "lite.keras"])
def test_other_encoders_go_through_the_cache(tmp_path, lite, name):
    from utils.features import extract_features

    if name.endswith(".keras"):
        name = str(tmp_path / name)
        lite.save(name)
    weights = "default" if name.endswith(".keras") else None
    encoder = encoders.load_encoder(name, weights=weights)
    rng = np.random.default_rng(0)
    names = [f"{i}.png" for i in range(3)]
    for picture in names:
        Image.fromarray(rng.integers(0, 255, (50, 60, 3), np.uint8)).save(tmp_path / picture)
    captions = {picture: ("a picture",) for picture in names}
    splits = {"train": (names[0],), "dev": (names[1],), "test": (names[2],)}
    dataset = CaptionDataset("own", tmp_path, captions, splits)
    cache = extract_features(dataset, encoder, tmp_path / "features")
    assert cache.encoder == encoder.identity and cache.grid == encoder.grid
    assert cache.array.shape == (3, encoder.grid[0] * encoder.grid[1], encoder.channels)
    picture = read_picture(tmp_path / names[1], encoder.input_size)
    expected = np.array(encoder(picture[None]), np.float32).reshape(cache.array.shape[1:])
    np.testing.assert_allclose(cache.array[1], expected, rtol=5e-3, atol=5e-3)


@pytest.mark.slow
@pytest.mark.skipif(not LITE.is_file(), reason=f"{LITE} is not here")
def test_the_lite_file_is_the_same_encoder_with_every_keras():
    encoder = encoders.load_encoder(str(LITE))
    assert encoder.identity == {
        "name": "efficientnet-lite2",
        "weights": "9a857d44da431bee",  # the same with Keras 3.8 and 3.15
        "input_size": 224,
        "grid": [7, 7],
        "channels": 1280,
    }


def test_a_file_that_prepares_pictures_otherwise_is_another_encoder(tmp_path):
    """The numbers are the same; what has no weights (scale, stride, activation) counts too, names do not."""
    found = []
    for number, scale in enumerate((1 / 255, 1 / 127.5, 1 / 255)):
        keras.utils.set_random_seed(1)
        inputs = keras.Input((32, 32, 3))
        outputs = keras.layers.Conv2D(4, 8, 8)(keras.layers.Rescaling(scale)(inputs))
        (tmp_path / str(number)).mkdir()
        file = tmp_path / str(number) / "mine.keras"
        keras.Model(inputs, outputs, name="mine").save(file)
        found.append(encoders.load_encoder(str(file)).fingerprint)
    assert found[0] == found[2] != found[1]
