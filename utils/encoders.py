"""The networks that see: VGG16, any other of `keras.applications`, our slim ones, several, or a file.

An encoder turns a picture into a grid of feature vectors (7 x 7 positions for most), a classifier turns
it into class probabilities. Both want the preprocessing that their weights were trained with, and each
network has its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from utils import imagenet, modelfile
from utils.files import UserError
from utils.pictures import INPUT_SIZE
from utils.resnet import build_resnet50
from utils.settings import ROOT, SLIM_NAMES, label
from utils.vit import build_vit

SLIM_WIDTH = (1 / 8, 1 / 8, 1 / 8, 1 / 8, 1 / 4)  # of each block; the last one is all that a decoder sees
SLIM_FOLDER = ROOT / "data"  # their weights are <name>.weights.h5


@dataclass(frozen=True)
class Encoder:
    """A network cut off at its last feature map.

    model        preprocessed float32 (B, input_size, input_size, 3) -> float32 (B, *grid, channels)
    preprocess   RGB in [0, 255], shape (..., 3), any number type -> float32 tensor as `model` wants it
    grid         rows and columns of the feature map
    fingerprint  of the weights: 16 hexadecimal digits, the same for the same numbers
    """

    name: str
    model: keras.Model
    preprocess: Callable
    input_size: int
    grid: tuple[int, int]
    channels: int
    fingerprint: str

    @property
    def identity(self) -> dict:
        """What the features depend on, in types of JSON: encoders of one identity give the same."""
        return {
            "name": self.name,
            "weights": self.fingerprint,
            "input_size": self.input_size,
            "grid": list(self.grid),
            "channels": self.channels,
        }

    def __call__(self, pictures: np.ndarray) -> tf.Tensor:
        """RGB pictures in [0, 255], (B, input_size, input_size, 3), to features (B, *grid, channels)."""
        return self.model(self.preprocess(pictures), training=False)


def build_vgg16(
    width: float | Sequence[float] = 1.0,
    classes: int | None = None,
    input_shape: tuple[int | None, int | None, int] = (INPUT_SIZE, INPUT_SIZE, 3),
    kernel_initializer: str = "glorot_uniform",
) -> keras.Model:
    """VGG16's 13 convolutions and 5 poolings (Simonyan and Zisserman 2015, table 1, column D),
    under the layer names of `keras.applications.VGG16`.

    width               of every layer, or of the layers of each block, relative to VGG16; 1 is layer for
                        layer `keras.applications.VGG16(include_top=False, weights=None)`
    classes             None: the output is `block5_pool`, float32 (B, rows/32, cols/32,
                        512 * the last width);
                        else a softmax layer `predictions` on the mean over positions: float32 (B, classes)
    kernel_initializer  of the convolutions: Keras's default, or `he_normal` to train from scratch
    """
    widths = [width] * 5 if isinstance(width, (int, float)) else width
    inputs = x = keras.Input(input_shape)
    for block, (convs, channels) in enumerate([(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)], 1):
        for conv in range(1, convs + 1):
            x = keras.layers.Conv2D(
                round(channels * widths[block - 1]),
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
    return keras.Model(inputs, x, name="vgg16" if set(widths) == {1} else "vgg16-slim")


_BUILDERS = (
    partial(build_vgg16, SLIM_WIDTH, kernel_initializer="he_normal"),
    partial(build_resnet50, 1 / 8),
    build_vit,
)
SLIM: dict[str, Callable[..., keras.Model]] = dict(zip(SLIM_NAMES, _BUILDERS, strict=True))
"""Our own small networks: the functions that make them, given `classes` and `input_shape`."""


def load_encoder(name: str, weights: str | None = "default") -> Encoder:
    """The encoder of that name.

    name     one of `SLIM` (drawn objects); a network of `keras.applications` (ImageNet), without regard to
             case and with its options after a colon, as in `MobileNet:alpha=0.5` (`mobilenet` alone has an
             alpha of 0.75); several of these with `+` between them: their maps side by side, at each
             position the channels of all; or the path of a `.keras` file that takes RGB in [0, 255],
             float32 (B, size, size, 3), and gives a map, float32 (B, rows, cols, channels)
    weights  `default`: the trained ones, from a file that is there or is downloaded;
             None: random ones (`keras.utils.set_random_seed` makes them repeatable)

    Raises UserError that names the file when the weights can't be had or read, one that names some networks
    when there is none of that name, and one that says what grids they give when several do not fit.
    """
    description = ""
    if name.endswith(".keras"):
        config = modelfile.read_config(Path(name))
        name, model = label(name), _from_file(config, Path(name), weights)
        preprocess, description = _as_it_is, modelfile.description(config)
    elif "+" in name:
        parts = [load_encoder(part, weights) for part in _names(name)]
        name, model = _side_by_side(parts)
        preprocess, description = preprocessing(name), " ".join(part.fingerprint for part in parts)
    elif (slim := name.strip().lower()) in SLIM:
        whole = _slim(slim, weights)
        name, model = slim, keras.Model(whole.input, whole.get_layer("average").input)
        preprocess = preprocessing(name)
    else:
        model = imagenet.build(name, include_top=False, weights=weights)
        preprocess, name = preprocessing(name), imagenet.full_name(name)
    _, size, _, _ = model.input.shape
    _, rows, cols, channels = model.output.shape
    return Encoder(
        name=name,
        model=model,
        preprocess=preprocess,
        input_size=size,
        grid=(rows, cols),
        channels=channels,
        fingerprint=weights_fingerprint(model, description),
    )


def load_classifier(name: str, weights: str | None = "default") -> tuple[keras.Model, list[str]]:
    """The whole network, for recognition, and its class names in the order of its outputs.

    The model takes preprocessed pictures (`preprocessing(name)`), float32 (B, size, size, 3), and gives
    probabilities, float32 (B, classes). `name`, `weights` and errors as in `load_encoder`; a `.keras`
    file has no class names and is refused.
    """
    if (slim := name.strip().lower()) in SLIM:
        from utils.datasets.drawing import LABELS

        return _slim(slim, weights), list(LABELS)
    if name.endswith(".keras"):
        raise UserError(f"{name} is a file without class names: recognition needs a network by its name.")
    if "+" in name:
        raise UserError(f"{name} is more than one network: recognition needs one of them.")
    return imagenet.build(name, include_top=True, weights=weights), imagenet.class_names(name)


def preprocessing(name: str) -> Callable:
    """What the network of that name does to RGB in [0, 255] first: array or tensor (..., 3), any number
    type -> float32 tensor (..., 3), of several networks one behind the other. Names and errors as in
    `load_encoder`."""
    if name.endswith(".keras"):
        return _as_it_is
    if "+" in name:
        each = [preprocessing(part) for part in _names(name)]
        return lambda pictures: tf.concat([prepare(pictures) for prepare in each], axis=-1)
    if name.strip().lower() in SLIM:
        # As VGG16, then divided by 64: values about as large as 1, so that training from scratch starts well.
        return lambda pictures: preprocessing("vgg16")(pictures) / 64
    own = imagenet.preprocess_input(name)
    # Keras changes a float NumPy array in place; a tensor of our own keeps the caller's picture as it is.
    return lambda pictures: own(_as_it_is(pictures))


def _names(name: str) -> list[str]:
    """The names between the `+`. Raises UserError where there is none, or a file."""
    names = [part.strip() for part in name.split("+")]
    if not all(names) or any(part.endswith(".keras") for part in names):
        raise UserError(f"{name}: put names of networks before and behind a +; files go one by one.")
    return names


def _as_it_is(pictures: np.ndarray) -> tf.Tensor:
    return keras.ops.convert_to_tensor(pictures, "float32")


def weights_fingerprint(model: keras.Model, description: str = "") -> str:
    """16 hexadecimal digits of the SHA-256 of the model's weights: shapes, types and numbers, in order.

    Not of their names, which depend on what else was built before in the same session. `description` says
    what the network does beside: strides, scaling and activations have no weights.
    """
    digest = hashlib.sha256(description.encode())
    for position, weight in enumerate(model.weights):
        digest.update(f"{position} {tuple(weight.shape)} {weight.dtype}\n".encode())
        digest.update(weight.value.numpy().tobytes())
    return digest.hexdigest()[:16]


def _side_by_side(parts: Sequence[Encoder]) -> tuple[str, keras.Model]:
    """Name and network of encoders whose maps are put together, channels behind channels; it takes what
    each of them wants, one behind the other: (B, size, size, 3 * parts)."""
    first, name = parts[0], "+".join(part.name for part in parts)
    if any((part.input_size, part.grid) != (first.input_size, first.grid) for part in parts):
        sizes = ", ".join(f"{p.name} {p.grid[0]} x {p.grid[1]} of {p.input_size} pixels" for p in parts)
        raise UserError(
            f"{name}: side by side they need one size of grid and picture, but they have {sizes}."
        )
    inputs = keras.Input((first.input_size, first.input_size, 3 * len(parts)))
    maps = []
    for i, part in enumerate(parts):
        # The same network may be there twice, but a model has each name once.
        network = keras.Model(part.model.inputs[0], part.model.outputs[0], name=f"part{i}")
        maps.append(network(inputs[..., 3 * i : 3 * i + 3]))
    return name, keras.Model(inputs, keras.layers.Concatenate()(maps))


def _from_file(config: dict, file: Path, weights: str | None) -> keras.Model:
    model = modelfile.build(config, file)
    if weights is not None:
        modelfile.load_weights(model, file)
    ins, outs = [tuple(t.shape) for t in model.inputs], [tuple(t.shape) for t in model.outputs]
    fits = len(ins) == len(outs) == 1 and len(ins[0]) == len(outs[0]) == 4
    if not fits or None in ins[0][1:] + outs[0][1:] or ins[0][1] != ins[0][2] or ins[0][3] != 3:
        raise UserError(
            f"{file} is no encoder: it takes {ins} and gives {outs}. An encoder takes pictures of one size, "
            "(None, size, size, 3), and gives one map, (None, rows, columns, channels)."
        )
    return keras.Model(model.inputs[0], model.outputs[0], name=label(str(file)))


def _slim(name: str, weights: str | None) -> keras.Model:
    from utils.datasets.drawing import LABELS

    model, file = SLIM[name](classes=len(LABELS)), SLIM_FOLDER / f"{name}.weights.h5"
    if weights is None:
        return model
    again = f"Train it again (make encoder NAME={name}) or take it from the repository (git checkout data)."
    if not file.is_file():
        raise UserError(f"{file} is missing. {again}")
    try:
        model.load_weights(file)
    except (OSError, ValueError, KeyError):
        raise UserError(f"{file} does not hold this network's weights. {again}") from None
    return model
