"""Keras files (`.keras`) read without running or importing anything that they name.

`keras.saving.load_model` trusts a file more than it should: until Keras 3.9 it imports whatever module
the file's `config.json` names (CVE-2025-1550), and other ways around its safe mode were found later.
Here a model is built from the config by classes of Keras's own public namespaces only, all of them
checked before Keras sees any, and the weights are loaded after that.
"""

from __future__ import annotations

import errno
import inspect
import json
import shutil
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import tensorflow as tf

from utils.files import UserError

_LARGEST = {"config.json": 50_000_000, "model.weights.h5": 4_000_000_000}  # bytes
# Where classes may come from, and what they must be.
_NAMESPACES = {
    "keras.layers": (keras.layers, keras.layers.Layer),
    "keras.initializers": (keras.initializers, keras.initializers.Initializer),
    "keras.regularizers": (keras.regularizers, keras.regularizers.Regularizer),
    "keras.constraints": (keras.constraints, keras.constraints.Constraint),
    "keras.dtype_policies": (keras.dtype_policies, keras.dtype_policies.DTypePolicy),
    "keras": (keras, keras.dtype_policies.DTypePolicy),
}
# Layers that run code of the file's, open other files, or hand over to another library.
_REFUSED = {
    *("Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper"),
    *("IndexLookup", "StringLookup", "IntegerLookup", "TextVectorization"),
}
_MODELS = {"Functional": keras.Model, "Model": keras.Model, "Sequential": keras.Sequential}
_MODEL_KEYS = {"name", "trainable", "layers", "input_layers", "output_layers", "build_input_shape"}
# Keys that a newer Keras writes, with the value that stands for "as before"; None and False always do.
_AS_BEFORE = {"renorm_momentum": 0.99}


def read_config(file: Path) -> dict:
    """What `config.json` in a Keras file says, parsed and not acted upon.

    Raises UserError that names the file when it is missing, cut off or no Keras file.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            with archive.open(_member(archive, "config.json")) as stream:
                config = json.loads(stream.read(_LARGEST["config.json"]))  # a header may lie about the size
        if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
            raise ValueError("config.json describes no model")
    except Exception as error:  # a damaged zip raises anything at all
        raise _unreadable(file, error) from None
    return config


def description(config: dict) -> str:
    """What a config (of `read_config`) says of layers and their order, without names, which depend on what
    else was built in the same session, and without notes of Keras's own."""
    numbers = {layer.get("name"): str(number) for number, layer in enumerate(config["config"]["layers"])}
    left_out = ("name", "shared_object_id", "build_config", "compile_config", "registered_name", "module")

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items() if key not in left_out}
        if isinstance(value, list):
            return [plain(item) for item in value]
        return numbers.get(value, value) if isinstance(value, str) else value

    return json.dumps(plain(config["config"]), sort_keys=True)


def load_weights(model: keras.Model, file: Path) -> None:
    """Load the weights in a Keras file into `model`, which must be built; where the model is compiled
    and its optimizer built, the optimizer's variables as well.

    Raises UserError that names the file when they are missing, damaged or of other shapes; the model
    may hold part of them then.
    """
    try:
        with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(file) as archive:
            weights = Path(folder) / "model.weights.h5"
            with archive.open(_member(archive, weights.name)) as packed, weights.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked)
            with h5py.File(weights) as opened:
                _refuse_links(opened, set())
            with warnings.catch_warnings():
                # Keras only warns of these, and goes on with an optimizer or layers that start anew.
                for part in ("variable loading for optimizer", "nested container"):
                    warnings.filterwarnings("error", message=f"Skipping {part}")
                model.load_weights(weights)
    except (MemoryError, tf.errors.ResourceExhaustedError):
        raise UserError(f"{file} can't be loaded for want of memory: close other programs.") from None
    except Exception as error:
        if getattr(error, "errno", None) == errno.ENOSPC:  # nothing is wrong with the file
            where = tempfile.gettempdir()
            raise UserError(f"{file} can't be unpacked to {where}: the disk is full.") from None
        raise _unreadable(file, error, "its weights are damaged, or of another model") from None


def build(config: dict, file: Path) -> keras.Model:
    """The Functional or Sequential model that `config` (of `read_config`) describes, with random weights.

    Its layers, initializers, regularizers, constraints and dtype policies are Keras's own; Lambda layers,
    layers that open other files, functions and classes from elsewhere are refused. What a newer Keras
    wrote is left out where it stands for "as before".

    Raises UserError that names the file, and the layer where it is about one.
    """
    model_class = _MODELS.get(config.get("class_name", ""))
    if model_class is None:
        raise UserError(
            f"{file} holds a {config.get('class_name')}: only Functional and Sequential models are loaded."
        )
    checked = _model_config(config["config"], file)
    try:
        model = model_class.from_config(checked)
    except Exception as error:  # Keras raises many kinds
        raise _unreadable(file, error, "Keras can't build its model") from None
    if not model.built:
        raise UserError(f"{file} does not say the shape of its input: save it with an Input layer.")
    return model


def _unreadable(file: Path, error: Exception, what: str = "cut off, or no Keras file at all") -> UserError:
    if isinstance(error, UserError):
        return UserError(f"{file} can't be loaded: {error}")
    why = getattr(error, "strerror", None) or str(error).strip("'\"") or type(error).__name__
    why = " ".join(why.split())[:300].rstrip(".")
    return UserError(f"{file} can't be loaded ({what}): {why}.")


def _member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    member = archive.getinfo(name)
    if member.file_size > _LARGEST[name]:
        raise UserError(f"its {name} would take {member.file_size / 1e6:,.0f} MB.")
    return member


def _refuse_links(group: h5py.Group, seen: set) -> int:
    """Walk through an HDF5 group; raises UserError for what would open another file. Returns bytes."""
    total = 0
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise UserError("its weights are links to other places.")
        item = group[name]
        address = h5py.h5o.get_info(item.id).addr
        if address in seen:
            continue
        seen.add(address)
        if isinstance(item, h5py.Group):
            total += _refuse_links(item, seen)
        elif isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise UserError("its weights lie in other files.")
            total += item.size * item.dtype.itemsize
        if total > _LARGEST["model.weights.h5"]:
            raise UserError(f"its weights would take {total / 1e6:,.0f} MB.")
    return total


def _model_config(config: dict, file: Path) -> dict:
    config = {key: value for key, value in config.items() if key != "dtype"}  # each layer has its own
    config = _without_unknown(config, _MODEL_KEYS, str(config.get("name")), file)
    return _checked(config, str(config.get("name")), file)


def _checked(value: Any, layer: str, file: Path) -> Any:
    """A copy of part of a config in which every object is Keras's own; `layer` is the one it belongs to."""
    if isinstance(value, list):
        return [_checked(item, layer, file) for item in value]
    if not isinstance(value, dict):
        return value
    if "class_name" not in value:
        return {key: _checked(item, layer, file) for key, item in value.items()}
    name, module, config = value["class_name"], value.get("module"), value.get("config")
    if name == "__keras_tensor__":  # which output of which layer goes in; not an object
        return {"class_name": name, "config": _checked(config, layer, file)}
    layer = str(value.get("name", layer))
    if name in _MODELS and str(module).partition(".")[0] == "keras" and isinstance(config, dict):
        module, name = "keras", "Sequential" if name == "Sequential" else "Model"
        config = _model_config(config, file)
    else:
        found = _find(module, name)
        if found is None or not isinstance(config, dict):
            raise UserError(
                f"{file} is not loaded: its layer {layer!r} names {module}.{name}, and only layers of "
                "keras.layers that bring no code and open no file are built from a model file."
            )
        config = _checked(_without_unknown(config, _keys(found), layer, file), layer, file)
    # Nothing else of the object is handed on: not registered_name, build_config, compile_config.
    checked = {"module": module, "class_name": name, "config": config, "registered_name": None}
    return checked | {
        key: _checked(value[key], layer, file) for key in ("name", "inbound_nodes") if key in value
    }


def _find(module: Any, name: Any) -> type | None:
    """The class of that name, if a model file may name it."""
    if module not in _NAMESPACES or not isinstance(name, str):
        return None
    namespace, kind = _NAMESPACES[module]
    found = getattr(namespace, name, None)
    if not isinstance(found, type) or not issubclass(found, kind):
        return None
    return None if any(base.__name__ in _REFUSED for base in found.__mro__) else found


def _keys(found: type) -> set[str]:
    """The keyword arguments that a class of Keras takes, its parents' included where it hands them on."""
    keys: set[str] = set()
    for base in found.__mro__:
        if "__init__" in vars(base):
            parameters = inspect.signature(vars(base)["__init__"]).parameters
            keys.update(parameters)
            if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters.values()):
                break
    return keys


def _without_unknown(config: dict, keys: set[str], layer: str, file: Path) -> dict:
    """The config without keys that this Keras does not know; raises UserError where one says something."""
    for key, value in config.items():
        if key not in keys and value is not None and value is not False and _AS_BEFORE.get(key) != value:
            raise UserError(
                f"{file} was saved by a newer Keras: its layer {layer!r} has {key}={value!r}, which Keras "
                f"{keras.__version__} does not know. Update Keras: pip install --upgrade keras."
            )
    return {key: value for key, value in config.items() if key in keys}
