"""Decoders without attention: the picture becomes one vector, and an LSTM begins with it.

They differ in how the grid of features becomes that vector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from utils.decoders.base import Decoder
from utils.decoders.gru import DeepOutput, PictureReader


@keras.saving.register_keras_serializable("captioning")
class ShowAndTell(Decoder):
    """An LSTM that is told once of the picture, as the mean over its positions (Vinyals et al. 2015).

    Both of the LSTM's tensors begin with the picture's vector; in the article it is the first input.

    embedding_dim  of a word vector
    units          of the LSTM's state
    dropout        share of word vectors, states and outputs zeroed in training; of channels, half
    """

    reader_kind: type[PictureReader] = PictureReader

    def __init__(
        self,
        vocabulary: Sequence[str],
        encoder: Mapping[str, Any],
        longest: int,
        embedding_dim: int = 256,
        units: int = 512,
        dropout: float = 0.4,
        **kwargs: Any,
    ) -> None:
        super().__init__(vocabulary, encoder, longest, **kwargs)
        self.embedding_dim, self.units, self.rate = embedding_dim, units, dropout
        dtype, sizes = self.dtype_policy, (len(vocabulary), embedding_dim)
        start = keras.initializers.RandomNormal(stddev=embedding_dim**-0.5)  # of length about 1
        self.embedding = keras.layers.Embedding(*sizes, embeddings_initializer=start, dtype=dtype)
        self.reader = self.reader_kind(encoder["grid"], self.channels, units, dropout / 2, dtype=dtype)
        self.lstm = keras.layers.LSTM(units, return_sequences=True, dtype=dtype)
        self.score_words = DeepOutput(self.embedding, dropout, attends=False, dtype=dtype)
        self.dropout = keras.layers.Dropout(dropout, dtype=dtype)

    def read(self, features: tf.Tensor, training: bool = False) -> tuple[tuple, list]:
        _, first = self.reader(features, training=training)
        return (), [first, first]

    def step(self, tokens: tf.Tensor, state: list, memory: tuple) -> tuple[tf.Tensor, list]:
        word = self.embedding(tokens)
        output, state = self.lstm.cell(word, state)
        return self.score_words(word, output), state

    def call(self, inputs: tuple[tf.Tensor, tf.Tensor], training: bool = False) -> tf.Tensor:
        features, tokens = inputs
        _, state = self.read(features, training)
        words = self.dropout(self.embedding(tokens), training=training)
        outputs = self.lstm(words, initial_state=state)
        return self.score_words(words, outputs, training=training)

    def get_config(self) -> dict[str, Any]:
        sizes = {"embedding_dim": self.embedding_dim, "units": self.units, "dropout": self.rate}
        return {**super().get_config(), **sizes}


class LongVectorReader(PictureReader):
    """The values of all positions, one behind the other: no position is averaged away."""

    def summarize(self, values: tf.Tensor) -> tf.Tensor:
        _, positions, size = values.shape
        return keras.ops.reshape(values, (-1, positions * size))


@keras.saving.register_keras_serializable("captioning")
class LongVector(ShowAndTell):
    """`ShowAndTell` with the whole grid as one long vector in place of the mean."""

    reader_kind = LongVectorReader


class SweepReader(PictureReader):
    """The last outputs of two LSTMs that read the positions row by row, one forward and one backward."""

    def __init__(self, grid: Sequence[int], channels: int, units: int, dropout: float, **kwargs: Any) -> None:
        super().__init__(grid, channels, units, dropout, **kwargs)
        dtype = self.dtype_policy
        self.sweep = keras.layers.Bidirectional(keras.layers.LSTM(units // 2, dtype=dtype), dtype=dtype)

    def summarize(self, values: tf.Tensor) -> tf.Tensor:
        return self.sweep(values)


@keras.saving.register_keras_serializable("captioning")
class Bidirectional(ShowAndTell):
    """`ShowAndTell` with a bidirectional LSTM over the grid (Schuster and Paliwal 1997), not the mean."""

    reader_kind = SweepReader
