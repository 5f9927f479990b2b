"""Image captioning with Keras, one notebook at a time: from recognizing a picture to describing it.

In the order in which data flows; a module imports only from those above it.

files         errors with a message, writing whole or not at all, taking turns, downloading, unzipping
settings      what tells one run from another, read from the environment
session       the first line of every notebook: TensorFlow, its devices, the seed
modelfile     `.keras` files, read without running anything that they name
pictures      picture files: read, turned upright, resized, ahead of need
datasets      pictures with captions: drawn scenes and their speakers, photographs, your own
imagenet      the networks of `keras.applications`, by name
resnet        a residual network; written in notebook 8
vit           a vision transformer; written in notebook 8
encoders      the networks that see, with their preprocessing and their identity
featurefile   the files of the feature cache, safe from whatever stops a program
features      the feature cache: each picture goes through the encoder once, ever
characters    of any script: which of them make a word
text          words and their numbers; written in notebook 3
vocabulary    its file, and whether it is worth learning
decoders      the networks that write: their contract (base), the GRU of notebook 3, six others, ensembles
training      batches, loss, step and optimizer; written in notebook 4
runfolder     whose files are in a run's folder, and where those of other settings are kept
runs          training runs of any decoder: epochs, the best model, going on after a stop
decoding      greedy search, beam search, sampling, attention maps; written in notebook 5
scores        BLEU, CIDEr-D and ROUGE-L; written in notebook 6
lexicon       what the words of a caption mean in the world of the drawn scenes
truth         which facts of a caption hold in a drawn scene
judging       where facts stand, lies, agreement, AUROC; written in notebook 7
mistakes      three classic mistakes of captioning programs; written in notebook 4
clinic        sick captioners, made by small changes; written in notebook 7
checks        that find out what is wrong with a captioner; written in notebook 7
studies       command: what needs more time than a notebook may take, stored as a table
fonts         that have the characters of a caption, where the machine has any
plots         figures in one house style
charts        what is taken for what, words that are wrong, one measure against another
annotated     pictures with captions and references, boxes and points
diagrams      drawings of ideas: the model, a search
parts         drawings of a decoder's parts
schemes       drawings of decoders: what they keep of the picture, an LSTM, a Transformer's masks
caption       command: captions for picture files
captioner     command: train, measure and store the captioner for photographs
notebooks     command: run, store and publish the notebooks
pretrain      command: teach a slim network to see
"""

__version__ = "0.1.0"
