"""What the study of choices changes: decoders that differ in one thing, and features of other layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import tensorflow as tf

from utils.decoders.base import Decoder
from utils.decoders.gru import GRUDecoder, position_vectors
from utils.encoders import Encoder
from utils.text import SPECIAL, UNKNOWN

FIRST = "the recipe"
WORDS_DROPPED, DECAY = 0.1, 0.05


class WordDropout(GRUDecoder):
    """One in ten of the words that it reads in training is `<unk>` (Bowman et al. 2016, section 3.1)."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.words = keras.layers.Dropout(WORDS_DROPPED)

    def call(self, inputs: tuple[tf.Tensor, tf.Tensor], training: bool = False) -> tf.Tensor:
        features, tokens = inputs
        kept = self.words(tf.ones(tf.shape(tokens)), training=training) > 0
        unknown = self.vocabulary.index(UNKNOWN)
        tokens = tf.where(kept | (tokens < len(SPECIAL)), tokens, unknown)
        return super().call((features, tokens), training=training)


class WeightDecay(GRUDecoder):
    """Trained by AdamW in place of Adam (Loshchilov and Hutter 2019)."""

    def compile(self, optimizer: keras.optimizers.Optimizer, **named: Any) -> None:
        optimizer.weight_decay = DECAY
        super().compile(optimizer, **named)


class WideValues(GRUDecoder):
    """Attention over the channels as the encoder gives them, however many they are."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        rows, cols = self.encoder["grid"]
        start = keras.initializers.Constant(position_vectors(rows, cols, self.channels))
        position = keras.layers.Embedding(self.positions, self.channels, embeddings_initializer=start)
        for name, layer in (("narrow", keras.layers.Identity()), ("position", position)):
            delattr(self.reader, name)
            setattr(self.reader, name, layer)


@dataclass(frozen=True)
class Change:
    """What a row changes.

    recipe  fields of the recipe
    kind    the decoder's class
    layers  of MobileNet, whose maps are put side by side, on the grid of the smallest
    """

    recipe: Mapping[str, Any] = field(default_factory=dict)
    kind: type[Decoder] = GRUDecoder
    layers: Sequence[str] = ()


ROWS = {
    FIRST: Change(),
    "14 x 14 positions (conv_pw_11)": Change(layers=("conv_pw_11_relu",)),
    "two layers (conv_pw_11, conv_pw_13)": Change(layers=("conv_pw_11_relu", "conv_pw_13_relu")),
    "values as wide as the features": Change(kind=WideValues),
    "dropout 0.3": Change({"dropout": 0.3}),
    "dropout 0.5": Change({"dropout": 0.5}),
    "units 768": Change({"units": 768}),
    "no label smoothing": Change({"label_smoothing": 0.0}),
    "word dropout 0.1": Change(kind=WordDropout),
    "weight decay 0.05": Change(kind=WeightDecay),
}


def cut(encoder: Encoder, layers: Sequence[str]) -> Encoder:
    """The encoder up to some of its layers: their maps side by side, on the grid of the smallest."""
    maps = [encoder.model.get_layer(name).output for name in layers]
    rows = min(each.shape[1] for each in maps)
    pooled = [each if each.shape[1] == rows else keras.layers.AveragePooling2D(each.shape[1] // rows)(each)
              for each in maps]  # fmt: skip
    together = pooled[0] if len(pooled) == 1 else keras.layers.Concatenate()(pooled)
    model = keras.Model(encoder.model.input, together)
    name = f"{encoder.name}-{'-'.join(layers)}"
    return replace(
        encoder, name=name, model=model, grid=tuple(together.shape[1:3]), channels=together.shape[3]
    )
