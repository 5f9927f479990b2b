"""The networks of `keras.applications`: by name and options, with weights and class names of ImageNet.

A name has no upper or lower case, and its options stand after a colon: `MobileNet:alpha=0.5`. Keras
knows where the weights are to be had and what is in them; how they come here is ours (`_our_files`).
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from utils.files import UserError, download
from utils.pictures import INPUT_SIZE
from utils.settings import SLIM_NAMES

# Pictures of 224 x 224 but for these: what the weights of Keras were trained for.
SIZES = {
    **{f"EfficientNetB{i}": size for i, size in enumerate((224, 240, 260, 300, 380, 456, 528, 600))},
    **{f"EfficientNetV2B{i}": size for i, size in enumerate((224, 240, 260, 300))},
    **{f"EfficientNetV2{size}": pixels for size, pixels in (("S", 384), ("M", 480), ("L", 480))},
    **{"InceptionV3": 299, "InceptionResNetV2": 299, "Xception": 299, "NASNetLarge": 331},
}
# What `load_encoder` settles itself, and what is only there for training or for pictures of another range.
_SETTLED = {
    *("include_top", "weights", "input_tensor", "input_shape", "pooling", "classes"),
    *("classifier_activation", "name", "include_preprocessing"),
}
WITHOUT = "Without it:"  # begins the last line of what is said when weights can't be had
_USUAL = {"mobilenet": {"alpha": 0.75}}  # where no options are given


def networks() -> dict[str, Callable]:
    """The functions of Keras that make the networks, by their names in small letters."""
    return {
        name.lower(): network
        for name, network in vars(keras.applications).items()
        if name[0].isupper() and callable(network)
    }


def find(name: str) -> tuple[Callable, dict]:
    """The function that makes the network of that name, and the options that the name gives it.

    Raises UserError that names some networks, or the network's options.
    """
    wanted, _, given = (part.strip() for part in name.partition(":"))
    known = networks()
    network = known.get(wanted.lower())
    if network is None:
        like = difflib.get_close_matches(wanted.lower(), [*known, *SLIM_NAMES]) or ["resnet50"]
        raise UserError(
            f"There is no encoder {name!r}. Did you mean {' or '.join(like)}? There are "
            f"{', '.join(SLIM_NAMES)}, vgg16, mobilenet and every other network of keras.applications "
            "(https://keras.io/api/applications); the path of a .keras file works too."
        )
    if not given:
        return network, _USUAL.get(wanted.lower(), {})
    allowed = sorted(set(inspect.signature(network).parameters) - _SETTLED)
    options = {}
    for part in given.split(","):
        key, _, value = (word.strip() for word in part.partition("="))
        try:
            if key not in allowed:
                raise ValueError
            options[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            has = f"It has {', '.join(allowed)}, as in {allowed[0]}=1" if allowed else "It has no options"
            raise UserError(f"The encoder {name!r}: {part.strip()!r} is no option. {has}.") from None
    return network, options


def full_name(name: str) -> str:
    """The name in small letters, its options in order; one name for what is the same network."""
    network, options = find(name)
    short = network.__name__.lower()
    if options == _USUAL.get(short, {}):
        return short
    return f"{short}:{','.join(f'{key}={value!r}' for key, value in sorted(options.items()))}"


def preprocess_input(name: str) -> Callable:
    """Keras's own preprocessing for that network; it may change the array that it is given."""
    network, _ = find(name)
    return sys.modules[network.__module__].preprocess_input


def build(name: str, include_top: bool, weights: str | None = "default") -> keras.Model:
    """The network for pictures of the size that its weights were trained with; ImageNet's weights, or
    random ones where `weights` is None. With its top it gives probabilities, without a map.

    Raises UserError that names the file when the weights can't be had or read.
    """
    network, options = find(name)
    size = SIZES.get(network.__name__, INPUT_SIZE)
    with _our_files(name) as files, _named(name, files):
        return network(
            include_top=include_top,
            weights=None if weights is None else "imagenet",
            input_shape=(size, size, 3),
            **options,
        )


def class_names(name: str) -> list[str]:
    """What the outputs of the network mean, in their order. Raises UserError as `build` does."""
    decode = keras.applications.imagenet_utils.decode_predictions
    # Keras's own decoding, of a prediction whose probabilities fall from class to class.
    falling = np.linspace(1, 0, 1000, dtype=np.float32)[None]
    with _our_files(name) as files, _named("the list of ImageNet's classes", files):
        try:
            return [words.replace("_", " ") for _, words, _ in decode(falling, top=1000)[0]]
        except Exception:
            decode.__globals__["CLASS_INDEX"] = None  # else Keras keeps what it read of a damaged file
            raise


def models_folder() -> Path:
    """Where Keras keeps downloaded weights: `models/` in `KERAS_HOME`, or in `~/.keras`."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser().absolute() / "models"


@contextlib.contextmanager
def _named(what: str, files: list[Path]) -> Iterator[None]:
    """Turns what Keras raises, many things, into an error that names the file that was read last."""
    try:
        yield
    except (UserError, MemoryError, tf.errors.OpError):
        raise
    except Exception as error:
        if files and files[-1].exists():
            raise UserError(
                f"{files[-1]} is damaged or is not the file that its name says. Delete it, then run this "
                "again to download it, or copy it here again."
            ) from None
        raise UserError(f"{what} can't be made: {' '.join(str(error).split())[:400]}") from None


@contextlib.contextmanager
def _our_files(name: str) -> Iterator[list[Path]]:
    """Inside, the files that Keras asks for come by `_fetch`; gives their paths, as they are asked for.

    Keras's own way removes a file that the reader brought where its digest is another, waits for minutes
    on a network that never answers, and leaves half a file behind when it is killed.
    """
    files: list[Path] = []

    def get_file(fname, origin, *args, file_hash=None, **others):
        files.append(models_folder() / fname)
        _fetch(files[-1], origin, file_hash, name)
        return str(files[-1])

    theirs: Any = sys.modules.get("keras.src.utils.file_utils")
    before = getattr(theirs, "get_file", None)
    if before is None:  # a Keras that looks different inside: then its own way
        yield files
        return
    theirs.get_file = get_file
    try:
        yield files
    finally:
        theirs.get_file = before


def _fetch(path: Path, url: str, digest: str | None, name: str) -> None:
    """See to it that the file is there: used as it is when it is, else downloaded."""
    if path.is_file():
        return
    print(f"{path.name} is downloaded once to {path.parent}", flush=True)
    try:
        download(url, path, digest)
    except OSError as error:
        other = "CAPTION_ENCODER=mobilenet (a file of 8 MB, or 11 MB for recognition) works too, and "
        if full_name(name) == "mobilenet":
            other = ""
        raise UserError(
            f"{path.name} can't be downloaded ({error}).\n"
            f"Fetch it from {url} on a machine with a network and put it in {path.parent}.\n"
            f"{WITHOUT} {other}CAPTION_DATASET=scenes needs no download at all."
        ) from None
