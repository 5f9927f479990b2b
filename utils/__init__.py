"""Image captioning with Keras, one notebook at a time: from recognising a picture to describing it

Modules:

- `utils.encoders`: The networks that see: VGG16, MobileNet, and a slim VGG16 of the project's own.
- `utils.features`: The feature cache: each picture goes through the encoder once, ever.
- `utils.notebooks`: Run the six notebooks from the command line: `python -m utils.notebooks run`, `store` or `badges`.
- `utils.pretrain`: Teach the slim VGG16 to see: `python -m utils.pretrain` writes data/vgg16-slim.weights.h5.
- `utils.scenes`: The drawn dataset: 1,200 little pictures with captions, and the true box of every object.
- `utils.settings`: Settings: read from the environment once, shown in each notebook's first output."""

__version__ = "0.0.1"
