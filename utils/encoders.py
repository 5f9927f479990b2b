"""The networks that see: VGG16, MobileNet, and a slim VGG16 of the project's own.

An encoder turns a picture into a grid of feature vectors (7 x 7 positions), a classifier
turns it into class probabilities. Both want the preprocessing that their weights were
trained with, and each network has its own.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from utils.files import UserError, download
from utils.settings import ROOT

INPUT_SIZE = 224
SLIM_WIDTH = 1 / 8
SLIM_WEIGHTS = ROOT / "data" / "vgg16-slim.weights.h5"

_APPLICATIONS = "https://storage.googleapis.com/tensorflow/keras-applications/"
_VGG16 = _APPLICATIONS + "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels"
_MOBILENET = _APPLICATIONS + "mobilenet/mobilenet_7_5_224_tf"
# What Keras itself downloads: (address, size in MB, MD5 or None where Keras publishes none).
_FILES = {
    "vgg16": (_VGG16 + "_notop.h5", 59, "6d6bbae143d832006294945121d1f1fc"),
    "vgg16 with top": (_VGG16 + ".h5", 553, "64373286793e3c8b2b4e3219cbf3544b"),
    "mobilenet": (_MOBILENET + "_no_top.h5", 8, None),
    "mobilenet with top": (_MOBILENET + ".h5", 11, None),
    "class names": (
        "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json",
        1,
        "c2c37ea517e94d9795004a39431a14cb",
    ),
}


@dataclass(frozen=True)
class Encoder:
    """A network cut off at its last feature map.

    model        preprocessed float32 (B, input_size, input_size, 3) -> float32 (B, *grid, channels)
    preprocess   RGB in [0, 255], shape (..., 3), any number type -> float32 tensor as `model` wants it
    grid         rows and columns of the feature map
    layer        the name of the layer that the features come from
    fingerprint  of the weights: 16 hexadecimal digits, the same for the same numbers
    """

    name: str
    model: keras.Model
    preprocess: Callable
    input_size: int
    grid: tuple[int, int]
    channels: int
    layer: str
    fingerprint: str

    def __call__(self, pictures: np.ndarray) -> tf.Tensor:
        """RGB pictures in [0, 255], (B, input_size, input_size, 3), to features (B, *grid, channels)."""
        return self.model(self.preprocess(pictures), training=False)


def build_vgg16(
    width: float = 1.0,
    classes: int | None = None,
    input_shape: tuple[int | None, int | None, int] = (INPUT_SIZE, INPUT_SIZE, 3),
    kernel_initializer: str = "glorot_uniform",
) -> keras.Model:
    """VGG16's 13 convolutions and 5 poolings (Simonyan and Zisserman 2015, table 1, column D),
    under the layer names of `keras.applications.VGG16`.

    width               of every layer, relative to VGG16; 1 is layer for layer
                        `keras.applications.VGG16(include_top=False, weights=None)`
    classes             None: the output is `block5_pool`, float32 (B, rows/32, cols/32, 512*width);
                        else a softmax layer `predictions` on the mean over positions: float32 (B, classes)
    kernel_initializer  of the convolutions: Keras's default, or `he_normal` to train from scratch
    """
    inputs = x = keras.Input(input_shape)
    for block, (convs, channels) in enumerate([(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)], 1):
        for conv in range(1, convs + 1):
            x = keras.layers.Conv2D(
                round(channels * width),
                (3, 3),
                activation="relu",
                padding="same",
                kernel_initializer=kernel_initializer,
                name=f"block{block}_conv{conv}",
            )(x)
        x = keras.layers.MaxPooling2D((2, 2), strides=(2, 2), name=f"block{block}_pool")(x)
    if classes is not None:
        x = keras.layers.GlobalAveragePooling2D(name="average")(x)
        x = keras.layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(inputs, x, name="vgg16" if width == 1 else "vgg16-slim")


# Keras changes a float NumPy array in place; a tensor of our own keeps the caller's picture as it is.
def _preprocess_vgg16(pictures):
    """RGB to BGR, minus the ImageNet mean of each channel."""
    return keras.applications.vgg16.preprocess_input(keras.ops.convert_to_tensor(pictures, "float32"))


def _preprocess_slim(pictures):
    """As VGG16, then divided by 64: values about as large as 1, so that training from scratch starts well."""
    return _preprocess_vgg16(pictures) / 64


def _preprocess_mobilenet(pictures):
    """To [-1, 1]."""
    return keras.applications.mobilenet.preprocess_input(keras.ops.convert_to_tensor(pictures, "float32"))


PREPROCESS = {"vgg16": _preprocess_vgg16, "vgg16-slim": _preprocess_slim, "mobilenet": _preprocess_mobilenet}
"""What each network does to RGB in [0, 255] first: array or tensor (..., 3) -> float32 tensor (..., 3)."""


def load_encoder(name: str, weights: str | None = "default") -> Encoder:
    """The encoder `vgg16`, `mobilenet` (both ImageNet) or `vgg16-slim` (drawn objects).

    weights  `default`: the trained ones, from a file that is there or is downloaded;
             None: random ones (`keras.utils.set_random_seed` makes them repeatable)

    Raises UserError that names the file when the weights can't be had or read.
    """
    if name == "vgg16-slim":
        layer = "block5_pool"
        model = build_vgg16(SLIM_WIDTH) if weights is None else _slim(weights)
        model = keras.Model(model.input, model.get_layer(layer).output, name=name)
    else:
        model = _imagenet(name, include_top=False, weights=weights)
        layer = model.layers[-1].name
    _, rows, cols, channels = model.output.shape
    return Encoder(
        name=name,
        model=model,
        preprocess=PREPROCESS[name],
        input_size=INPUT_SIZE,
        grid=(rows, cols),
        channels=channels,
        layer=layer,
        fingerprint=weights_fingerprint(model),
    )


def load_classifier(name: str, weights: str | None = "default") -> tuple[keras.Model, list[str]]:
    """The whole network, for recognition, and its class names in the order of its outputs.

    The model takes preprocessed pictures (`PREPROCESS[name]`), float32 (B, 224, 224, 3), and gives
    probabilities, float32 (B, classes). `weights` and errors as in `load_encoder`.
    """
    if name == "vgg16-slim":
        from utils.datasets.drawing import LABELS

        return _slim(weights), list(LABELS)
    model = _imagenet(name, include_top=True, weights=weights)
    path = _fetch("class names")
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        return model, [index[str(i)][1].replace("_", " ") for i in range(len(index))]
    except (ValueError, KeyError, IndexError, TypeError):
        raise _damaged(path) from None


def weights_fingerprint(model: keras.Model) -> str:
    """16 hexadecimal digits of the SHA-256 of the names, shapes and numbers of the model's weights."""
    digest = hashlib.sha256()
    for weight in model.weights:
        digest.update(f"{weight.path} {weight.shape} {weight.dtype}\n".encode())
        digest.update(weight.value.numpy().tobytes())
    return digest.hexdigest()[:16]


def _slim(weights: str | None) -> keras.Model:
    from utils.datasets.drawing import LABELS

    model = build_vgg16(SLIM_WIDTH, classes=len(LABELS))
    if weights is None:
        return model
    again = "Train it again (python -m utils.pretrain) or take it from the repository (git checkout data)."
    if not SLIM_WEIGHTS.is_file():
        raise UserError(f"{SLIM_WEIGHTS} is missing. {again}")
    try:
        model.load_weights(SLIM_WEIGHTS)
    except (OSError, ValueError, KeyError):
        raise UserError(f"{SLIM_WEIGHTS} does not hold this network's weights. {again}") from None
    return model


def _imagenet(name: str, include_top: bool, weights: str | None) -> keras.Model:
    shape = (INPUT_SIZE, INPUT_SIZE, 3)
    if name == "vgg16":
        model = keras.applications.VGG16(include_top=include_top, weights=None, input_shape=shape)
    elif name == "mobilenet":
        model = keras.applications.MobileNet(
            alpha=0.75, include_top=include_top, weights=None, input_shape=shape
        )
    else:
        raise UserError(f"There is no encoder {name!r}: choose one of {', '.join(PREPROCESS)}.")
    if weights is None:
        return model
    path = _fetch(f"{name} with top" if include_top else name)
    try:
        model.load_weights(path)
    except (OSError, ValueError, KeyError):
        raise _damaged(path) from None
    return model


def _damaged(path: Path) -> UserError:
    return UserError(
        f"{path} is damaged or is not the file that its name says. Delete it, then run this again to "
        "download it, or copy it here again."
    )


def models_folder() -> Path:
    """Where Keras keeps downloaded weights: `models/` in `KERAS_HOME`, or in `~/.keras`."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser().absolute() / "models"


def _fetch(what: str) -> Path:
    """The path of one of `_FILES`: used as it is when it is there, else downloaded."""
    url, megabytes, md5 = _FILES[what]
    path = models_folder() / url.rsplit("/", 1)[1]
    if path.is_file():
        return path
    print(f"{path.name} ({megabytes} MB) is downloaded once to {path.parent}", flush=True)
    try:
        download(url, path, md5)
    except OSError as error:
        others = {
            "vgg16": "CAPTION_ENCODER=mobilenet (a file of 8 MB, or 11 MB for recognition) works too, and ",
            "mobilenet": "",
            "class names": "",
        }[what.removesuffix(" with top")]
        raise UserError(
            f"{path.name} can't be downloaded ({error}).\n"
            f"Fetch it from {url} on a machine with a network and put it in {path.parent}.\n"
            f"Without it: {others}CAPTION_DATASET=scenes needs no download at all."
        ) from None
    return path
