from collections.abc import Sequence

import keras
from keras import layers


def convolution(x: keras.KerasTensor, channels: int, size: int, stride: int = 1) -> keras.KerasTensor:
    """A convolution and a batch normalization."""
    x = layers.Conv2D(channels, size, strides=stride, padding="same" if size < 7 else "valid")(x)
    return layers.BatchNormalization(epsilon=1.001e-5)(x)


def bottleneck(
    x: keras.KerasTensor, channels: int, stride: int = 1, project: bool = False
) -> keras.KerasTensor:
    """A residual block of ResNet50 (He et al. 2016, figure 5, right): what it learns is *added* to `x`.

    x         (B, rows, cols, any); the output is (B, rows / stride, cols / stride, 4 * channels)
    project   whether a 1 x 1 convolution brings `x` to the shape of the output
    """
    shortcut = convolution(x, 4 * channels, 1, stride) if project else x
    x = layers.Activation("relu")(convolution(x, channels, 1, stride))
    x = layers.Activation("relu")(convolution(x, channels, 3))
    x = convolution(x, 4 * channels, 1)
    return layers.Activation("relu")(layers.Add()([shortcut, x]))


def build_resnet50(
    width: float = 1.0,
    classes: int | None = None,
    input_shape: Sequence[int | None] = (224, 224, 3),
) -> keras.Model:
    """ResNet50 (He et al. 2016, table 1) with each layer `width` times as wide; with 1 it is
    `keras.applications.ResNet50(include_top=False, weights=None)`.

    classes   None: the output is the last feature map, float32 (B, rows/32, cols/32, 2048 * width); else a
              softmax layer on the mean over its positions, float32 (B, classes)
    """
    inputs = keras.Input(input_shape)
    x = convolution(layers.ZeroPadding2D(3)(inputs), round(64 * width), 7, stride=2)
    x = layers.ZeroPadding2D(1)(layers.Activation("relu")(x))
    x = layers.MaxPooling2D(3, strides=2)(x)
    for stage, blocks in enumerate((3, 4, 6, 3)):
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            x = bottleneck(x, round(64 * 2**stage * width), stride, project=not block)
    if classes is not None:
        x = layers.GlobalAveragePooling2D(name="average")(x)
        x = layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(inputs, x, name="resnet50")
