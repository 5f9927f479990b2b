"""Multi-head attention and a block of it (Vaswani et al. 2017, "Attention is all you need")."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

Pair = tuple[tf.Tensor, tf.Tensor]  # keys and values


class MultiHeadAttention(keras.layers.Layer):
    """`keras.layers.MultiHeadAttention`, which does not give out its keys and values.

    size   of what goes in and comes out, (B, T, size); each of the `heads` has size / heads of it
    """

    def __init__(self, size: int, heads: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.heads, dtype = heads, self.dtype_policy
        self.query, self.value, self.mix = (keras.layers.Dense(size, dtype=dtype) for _ in range(3))
        # A bias of the keys would add the same to all scores of a query, which softmax does not see.
        self.key = keras.layers.Dense(size, use_bias=False, dtype=dtype)

    def split(self, x: tf.Tensor) -> tf.Tensor:
        return keras.ops.reshape(x, (-1, tf.shape(x)[1], self.heads, x.shape[2] // self.heads))

    def project(self, x: tf.Tensor) -> Pair:
        """Keys and values of what is looked at: (B, T, size) -> twice (B, T, heads, size / heads)."""
        return self.split(self.key(x)), self.split(self.value(x))

    def call(self, x: tf.Tensor, keys: tf.Tensor, values: tf.Tensor, mask: tf.Tensor | None = None) -> Pair:
        """Who asks, (B, Q, size), and keys and values -> (B, Q, size) and the weights (B, heads, Q, T), which
        are 0 where the mask, bool and of that shape or one that fits it, says no."""
        queries = self.split(self.query(x))
        scores = tf.einsum("bqhd,bkhd->bhqk", queries, keys) * queries.shape[3] ** -0.5
        if mask is not None:
            scores = tf.where(mask, scores, tf.constant(-1e9, scores.dtype))
        weights = tf.nn.softmax(scores)
        heads = tf.einsum("bhqk,bkhd->bqhd", weights, values)
        return self.mix(keras.ops.reshape(heads, (-1, tf.shape(x)[1], x.shape[2]))), weights


class Block(keras.layers.Layer):
    """Words look at the words before them, then at the picture; then each goes through two dense layers.

    Each of the three is added to what came in, and normalizes it first (Xiong et al. 2020).
    """

    def __init__(self, size: int, heads: int, dropout: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        dtype = self.dtype_policy
        self.words, self.picture = (MultiHeadAttention(size, heads, dtype=dtype) for _ in range(2))
        self.norms = [keras.layers.LayerNormalization(dtype=dtype) for _ in range(3)]
        self.widen = keras.layers.Dense(4 * size, activation="relu", dtype=dtype)
        self.narrow = keras.layers.Dense(size, dtype=dtype)
        self.dropout = keras.layers.Dropout(dropout, dtype=dtype)

    def project(self, x: tf.Tensor) -> Pair:
        return self.words.project(self.norms[0](x))

    def call(self, x: tf.Tensor, said: Pair, seen: Pair, mask: tf.Tensor, training: bool = False) -> Pair:
        """x (B, T, size), keys and values of words and of picture -> x, weights (B, heads, T, L)."""
        x = x + self.dropout(self.words(self.norms[0](x), *said, mask)[0], training=training)
        looked, weights = self.picture(self.norms[1](x), *seen)
        x = x + self.dropout(looked, training=training)
        return x + self.dropout(self.narrow(self.widen(self.norms[2](x))), training=training), weights
