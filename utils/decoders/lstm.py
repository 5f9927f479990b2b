"""Relatives of the GRU decoder: an LSTM with attention, and a GRU that always gets the mean vector."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from utils.decoders.gru import GRUDecoder


@keras.saving.register_keras_serializable("captioning")
class LSTMDecoder(GRUDecoder):
    """The GRU decoder with an LSTM as its cell, as in Xu et al. 2015 ("Show, attend and tell").

    The state is a pair of tensors; both begin with what the picture gives.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.cell = keras.layers.LSTMCell(self.units, dtype=self.dtype_policy)

    def read(self, features: tf.Tensor, training: bool = False) -> tuple[tuple, list]:
        memory, [first] = super().read(features, training)
        return memory, [first, first]


class EvenAttention(keras.layers.Layer):
    """In the place of `BahdanauAttention`: the same weight for every position, whatever is asked."""

    def project(self, values: tf.Tensor) -> tf.Tensor:
        return keras.ops.mean(values, axis=1)

    def call(self, query: tf.Tensor, values: tf.Tensor, keys: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return keys, keras.ops.full_like(values[:, :, 0], 1 / values.shape[1])


@keras.saving.register_keras_serializable("captioning")
class MeanVector(GRUDecoder):
    """The GRU decoder without attention: its context is the mean over the positions, for every word.

    What attention adds is what this one lacks; everything else is the same.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.attend = EvenAttention(dtype=self.dtype_policy)

    def attention(self, features: tf.Tensor, tokens: tf.Tensor) -> None:
        return None
