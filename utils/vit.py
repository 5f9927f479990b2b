from collections.abc import Sequence
from typing import Any

import keras
from keras import layers


class Places(layers.Layer):
    """Adds to each patch sines and cosines of its row and of its column, of falling frequency: float32
    (B, rows, cols, width) to the same."""

    def call(self, patches: Any) -> Any:
        _, rows, columns, width = keras.ops.shape(patches)
        rate = keras.ops.power(10_000.0, -keras.ops.arange(width // 4, dtype="float32") / (width // 4))
        halves = []
        for count, shape in ((rows, (rows, 1, width // 2)), (columns, (1, columns, width // 2))):
            angle = keras.ops.arange(count, dtype="float32")[:, None] * rate
            waves = keras.ops.concatenate([keras.ops.sin(angle), keras.ops.cos(angle)], axis=1)
            halves.append(keras.ops.reshape(waves, shape) * keras.ops.ones((rows, columns, 1)))
        return patches + keras.ops.cast(keras.ops.concatenate(halves, axis=-1), patches.dtype)


def encoder_block(x: keras.KerasTensor, heads: int) -> keras.KerasTensor:
    """Each position asks all others, then thinks for itself: (B, rows, cols, width) to the same."""
    width = x.shape[-1]
    normal = layers.LayerNormalization()(x)
    attend = layers.MultiHeadAttention(heads, width // heads, attention_axes=(1, 2))
    x = layers.Add()([x, attend(normal, normal)])
    inner = layers.Dense(2 * width, activation="gelu")(layers.LayerNormalization()(x))
    return layers.Add()([x, layers.Dense(width)(inner)])


def build_vit(
    classes: int | None = None,
    input_shape: Sequence[int | None] = (224, 224, 3),
    width: int = 96,
    depth: int = 5,
    heads: int = 4,
) -> keras.Model:
    """A small vision transformer (Dosovitskiy et al. 2021), with places as sines and without a class token
    (Beyer et al. 2022): patches of 16 x 16 pixels, `depth` blocks, and the mean of each 2 x 2 positions.

    classes   None: the output is that map, float32 (B, rows/32, cols/32, width); else a softmax layer on the
              mean over its positions, float32 (B, classes)
    """
    inputs = keras.Input(input_shape)
    x = Places()(layers.Conv2D(width, 16, strides=16)(inputs))
    for _ in range(depth):
        x = encoder_block(x, heads)
    x = layers.AveragePooling2D(2)(layers.LayerNormalization()(x))
    if classes is not None:
        x = layers.GlobalAveragePooling2D(name="average")(x)
        x = layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(inputs, x, name="vit")
