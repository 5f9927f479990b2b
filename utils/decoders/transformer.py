"""The Transformer decoder (Vaswani et al. 2017), which keeps the keys and values of the words so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from utils.decoders.base import Decoder
from utils.decoders.gru import DeepOutput, PictureReader
from utils.decoders.multihead import Block, Pair


@keras.saving.register_keras_serializable("captioning")
class TransformerDecoder(Decoder):
    """A Transformer decoder over image features; the contract is that of `Decoder`.

    In the state are the time, int (B,), and the keys and values of the words so far, of each layer
    (B, longest + 1, heads, units / heads): a word is read once, as in a recurrent decoder.

    embedding_dim  of a word vector
    units          numbers for each word between the layers, a multiple of `heads`
    dropout        share of word vectors, of what each part adds and of outputs zeroed in training; of
                   channels, half
    layers, heads  how many blocks, and how many attentions side by side in each
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        encoder: Mapping[str, Any],
        longest: int,
        embedding_dim: int = 256,
        units: int = 512,
        dropout: float = 0.4,
        layers: int = 2,
        heads: int = 4,
        **kwargs: Any,
    ) -> None:
        super().__init__(vocabulary, encoder, longest, **kwargs)
        self.embedding_dim, self.units, self.rate = embedding_dim, units, dropout
        self.depth, self.heads, dtype = layers, heads, self.dtype_policy
        if units % heads:
            raise ValueError(f"{units} units can't be shared out among {heads} heads")
        start = keras.initializers.RandomNormal(stddev=embedding_dim**-0.5)  # of length about 1
        sizes = len(vocabulary), embedding_dim
        self.embedding = keras.layers.Embedding(*sizes, embeddings_initializer=start, dtype=dtype)
        self.place = keras.layers.Embedding(self.longest + 1, units, dtype=dtype)
        self.widen = keras.layers.Dense(units, dtype=dtype)
        self.reader = PictureReader(encoder["grid"], self.channels, units, dropout / 2, dtype=dtype)
        self.blocks = [Block(units, heads, dropout, dtype=dtype) for _ in range(layers)]
        self.norm = keras.layers.LayerNormalization(dtype=dtype)
        self.score_words = DeepOutput(self.embedding, dropout, attends=False, dtype=dtype)
        self.dropout = keras.layers.Dropout(dropout, dtype=dtype)

    def read(self, features: tf.Tensor, training: bool = False) -> tuple[list, tuple]:
        values = self.reader.values(features, training)
        count, each = tf.shape(features)[0], self.units // self.heads
        empty = tf.zeros((count, self.longest + 1, self.heads, each), self.compute_dtype)
        said = [(empty, empty) for _ in self.blocks]
        return [block.picture.project(values) for block in self.blocks], (tf.zeros(count, tf.int32), said)

    def step(self, tokens: tf.Tensor, state: tuple, memory: list) -> tuple[tf.Tensor, tuple]:
        time, said = state
        word, places = self.embedding(tokens)[:, None], tf.range(self.longest + 1)
        x, said = self.widen(word) + self.place(time)[:, None], list(said)
        now, until = (places == time[:, None])[:, :, None, None], (places <= time[:, None])[:, None, None]
        for i, block in enumerate(self.blocks):
            said[i] = tuple(tf.where(now, new, old) for new, old in zip(block.project(x), said[i]))
            x, _ = block(x, said[i], memory[i], until)
        return self.score_words(word, self.norm(x))[:, 0], (time + 1, said)

    def call(self, inputs: tuple[tf.Tensor, tf.Tensor], training: bool = False) -> tf.Tensor:
        features, tokens = inputs
        words = self.dropout(self.embedding(tokens), training=training)
        return self.score_words(words, self._all(features, words, training)[0], training=training)

    def attention(self, features: tf.Tensor, tokens: tf.Tensor) -> tf.Tensor:
        """Of the last block, the mean over its heads."""
        _, weights = self._all(features, self.embedding(tokens))
        return keras.ops.cast(keras.ops.mean(weights, axis=1), "float32")

    def _all(self, features: tf.Tensor, words: tf.Tensor, training: bool = False) -> Pair:
        """All words of whole captions at once, each looking at itself and at those before it."""
        memory, _ = self.read(features, training)
        places = tf.range(tf.shape(words)[1])
        x, mask = self.widen(words) + self.place(places), places[None] <= places[:, None]
        for block, seen in zip(self.blocks, memory):
            x, weights = block(x, block.project(x), seen, mask, training=training)
        return self.norm(x), weights

    def get_config(self) -> dict[str, Any]:
        sizes = {"embedding_dim": self.embedding_dim, "units": self.units, "dropout": self.rate}
        return {**super().get_config(), **sizes, "layers": self.depth, "heads": self.heads}
