"""Keras files: what they hold is loaded, and nothing that they name is run."""

from __future__ import annotations

import copy
import errno
import io
import json
import sys
import zipfile

import h5py
import keras
import numpy as np
import pytest

from utils import modelfile
from utils.files import UserError
from utils.settings import ROOT

LITE = ROOT.parent / "shared" / "encoders" / "efficientnet-lite2.keras"


@pytest.fixture
def model():
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    y = keras.layers.Conv2D(4, 3, padding="same", kernel_regularizer="l2", name="conv")(x)
    y = keras.layers.BatchNormalization(name="norm")(y)
    y = keras.layers.Add()([y, keras.layers.Conv2D(4, 1)(x)])
    y = keras.Sequential([keras.Input((8, 8, 4)), keras.layers.ReLU(), keras.layers.MaxPooling2D()])(y)
    return keras.Model(inputs, y)


@pytest.fixture
def file(model, tmp_path):
    model.save(tmp_path / "small.keras")
    return tmp_path / "small.keras"


def load(file):
    config = modelfile.read_config(file)
    model = modelfile.build(config, file)
    modelfile.load_weights(model, file)
    return model


def rewritten(file, change=lambda config: None, weights=None):
    """The file with a changed config or other weights."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change(config)
    members["config.json"] = json.dumps(config).encode()
    members["model.weights.h5"] = members["model.weights.h5"] if weights is None else weights
    changed = file.with_name("changed.keras")
    with zipfile.ZipFile(changed, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return changed


def layer(config, name):
    return next(one for one in config["config"]["layers"] if one["name"] == name)


def test_a_model_comes_back_with_the_same_answers(model, file):
    pictures = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype("float32")
    np.testing.assert_array_equal(load(file)(pictures), model(pictures))


def test_a_sequential_model_and_its_dtype_policy_come_back(tmp_path):
    layers = [keras.Input((5,)), keras.layers.Dense(3, "tanh"), keras.layers.Dropout(0.5, seed=1)]
    layers.append(keras.layers.Dense(2, dtype="mixed_bfloat16"))
    before = keras.Sequential(layers)
    before.save(tmp_path / "s.keras")
    after = load(tmp_path / "s.keras")
    assert after.layers[-1].compute_dtype == "bfloat16"
    np.testing.assert_array_equal(np.float32(after(np.ones((1, 5)))), np.float32(before(np.ones((1, 5)))))


def test_an_optimizer_goes_on_where_it_was(tmp_path):
    def compiled():
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.Adam(0.1), loss="mse", run_eagerly=True)
        model.optimizer.build(model.trainable_variables)
        return model

    trained, fresh = compiled(), compiled()
    for _ in range(3):
        trained.train_on_batch(np.ones((1, 2)), np.ones((1, 1)))
    trained.save(tmp_path / "trained.keras")
    modelfile.load_weights(fresh, tmp_path / "trained.keras")
    assert int(fresh.optimizer.iterations) == 3
    for mine, theirs in zip(fresh.optimizer.variables, trained.optimizer.variables, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    # Keras itself would only warn, and the optimizer would start anew.
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "without.keras")
    with pytest.raises(UserError, match="without.keras .*optimizer"):
        modelfile.load_weights(fresh, tmp_path / "without.keras")


@pytest.mark.skipif(not LITE.is_file(), reason=f"{LITE} is not here")
def test_a_file_of_another_keras_gives_the_numbers_that_it_gave_there():
    encoder = load(LITE)
    picture = np.random.default_rng(0).uniform(0, 255, (1, 224, 224, 3)).astype("float32")
    features = np.array(encoder(picture))
    assert features.shape == (1, 7, 7, 1280) and features.min() >= 0
    np.testing.assert_allclose([features.mean(), (features > 0).mean()], LITE_NUMBERS, rtol=1e-4)


LITE_NUMBERS = [0.1002396, 0.0804847]  # mean and share above 0, by Keras 3.15.1; by 3.8.0 to the last bit


def refused(file, *words):
    with pytest.raises(UserError) as caught:
        load(file)
    assert all(word in str(caught.value) for word in (file.name, *words)), str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def foreign(module, name, config=None):
    def change(config_):
        layer(config_, "conv").update(module=module, class_name=name, registered_name=name)
        if config is not None:
            layer(config_, "conv")["config"] = config

    return change


def test_a_module_that_a_file_names_is_not_imported(file, tmp_path, monkeypatch):
    (tmp_path / "evil_module.py").write_text(
        f"open({str(tmp_path / 'trace')!r}, 'w').close()\n"
        "class Conv2D:\n    from_config = classmethod(lambda cls, config: cls())\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    refused(rewritten(file, foreign("evil_module", "Conv2D")), "'conv'", "evil_module.Conv2D")

    def in_depth(config):
        layer(config, "conv")["config"]["kernel_regularizer"]["module"] = "evil_module"

    refused(rewritten(file, in_depth), "'conv'", "evil_module.L2")

    def beside(config):  # parts of an object that are not its config
        for part in ("build_config", "compile_config"):
            config[part] = {"optimizer": {"module": "evil_module", "class_name": "Conv2D", "config": {}}}
            layer(config, "conv")[part] = config[part]

    load(rewritten(file, beside))
    assert not (tmp_path / "trace").exists() and "evil_module" not in sys.modules


@pytest.mark.parametrize(
    ("module", "name", "config"),
    [
        ("os", "system", "touch trace"),
        ("subprocess", "Popen", {"args": ["touch", "trace"]}),
        ("keras.layers", "Lambda", {"function": {"class_name": "__lambda__", "config": {"code": "4wEA"}}}),
        ("keras.layers", "TFSMLayer", {"filepath": "somewhere"}),
        ("keras.layers", "TorchModuleWrapper", {"module": {"class_name": "__bytes__", "config": {}}}),
        ("keras.layers", "StringLookup", {"vocabulary": "/etc/passwd"}),
        ("keras.layers", "TextVectorization", {"vocabulary": "/etc/passwd"}),
        ("keras.utils", "get_file", {"origin": "http://localhost/"}),
        ("keras.src.ops.numpy", "Add", {}),
        ("builtins", "function", "exec"),
    ],
)
def test_code_other_files_and_functions_are_refused(file, module, name, config):
    refused(rewritten(file, foreign(module, name, config)), "'conv'", f"{module}.{name}")


def test_a_function_as_an_activation_is_refused(file):
    def change(config):
        function = {"module": "builtins", "class_name": "function", "config": "exec"}
        layer(config, "conv")["config"]["activation"] = function | {"registered_name": "exec"}

    refused(rewritten(file, change), "'conv'", "builtins.function")


def test_a_model_class_of_ones_own_is_refused(file):
    def change(config):
        config.update(class_name="Captioner", module="evil")

    refused(rewritten(file, change), "Captioner")


def test_what_a_newer_keras_writes_is_left_out_only_where_it_says_as_before(model, file):
    def defaults(config):
        layer(config, "norm")["config"].update(renorm_momentum=0.99, invented=False, other=None)
        layer(config, "conv")["config"]["kernel_initializer"]["config"]["invented"] = None
        config["config"]["invented"] = None

    pictures = np.ones((1, 8, 8, 3))
    np.testing.assert_array_equal(load(rewritten(file, defaults))(pictures), model(pictures))

    def meant(config):
        layer(config, "norm")["config"].update(invented=0.5)

    refused(rewritten(file, meant), "newer Keras", "'norm'", "invented=0.5")


def h5(fill):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as opened:
        fill(opened)
    return buffer.getvalue()


def outside(opened, how, path):
    group = opened.create_group("layers/conv2d/vars")
    if how == "link":
        group["0"] = h5py.ExternalLink(path, "data")
    elif how == "external":
        group.create_dataset("0", (3,), "f4", external=[(path, 0, 12)])
    elif how == "virtual":
        layout = h5py.VirtualLayout((3,), "f4")
        layout[:] = h5py.VirtualSource(path, "data", (3,))
        group.create_virtual_dataset("0", layout)
    else:
        group.create_dataset("0", (10**12,), "f4", chunks=(10,))


@pytest.mark.parametrize(
    ("how", "says"),
    [("link", "links"), ("external", "other files"), ("virtual", "other files"), ("huge", "4,000,000 MB")],
)
def test_weights_that_lie_in_other_files_or_fill_the_memory_are_refused(file, tmp_path, how, says):
    with h5py.File(tmp_path / "secret.h5", "w") as secret:
        secret["data"] = np.ones(3, "float32")
    weights = h5(lambda opened: outside(opened, how, str(tmp_path / "secret.h5")))
    refused(rewritten(file, weights=weights), says)


def test_other_weights_and_missing_ones_are_named(model, file, tmp_path):
    other = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(5, 3, name="conv")])
    other.save_weights(tmp_path / "other.weights.h5")
    refused(rewritten(file, weights=(tmp_path / "other.weights.h5").read_bytes()), "another model")
    refused(rewritten(file, weights=h5(lambda opened: None)), "another model")


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", "cut off", "no config", "missing"])
def test_what_is_no_keras_file_is_named(file, content):
    damaged = file.with_name("damaged.keras")
    if content == "cut off":
        damaged.write_bytes(file.read_bytes()[:5000])
    elif content == "no config":
        with zipfile.ZipFile(damaged, "w") as archive:
            archive.writestr("metadata.json", "{}")
    elif content != "missing":
        damaged.write_bytes(content)
    refused(damaged, "cut off, or no Keras file at all")


def test_a_config_is_not_changed_by_building(file):
    config = modelfile.read_config(file)
    before = copy.deepcopy(config)
    modelfile.build(config, file)
    assert config == before


def test_a_full_disk_is_no_damage(tmp_path, monkeypatch):
    """Who is told that a good model is damaged deletes it."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    model.save(tmp_path / "good.keras")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(modelfile.shutil, "copyfileobj", full)
    with pytest.raises(UserError, match="good.keras can't be unpacked to .*: the disk is full") as caught:
        modelfile.load_weights(model, tmp_path / "good.keras")
    assert "damaged" not in str(caught.value)
