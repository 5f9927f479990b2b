import sys; sys.path.insert(0,'/tmp/edit14')
from nb import NB
n=NB('01_vgg16_features.ipynb')
n.sub("On first use the 1,200 pictures of the dataset are drawn.","On first use the 2,700 pictures of the dataset are drawn, which takes half a minute more.")
n.set("## A picture is numbers","""
## A picture is numbers

The dataset has parts, called splits: pictures to learn from (*train*), pictures to make choices on (*dev*), and pictures that nothing is learned from or chosen on (*test*): the scores at the end are theirs. The drawn scenes have a fourth, *novel*, with things together that no other split shows together.
""")
i=n.find("Some of them. To the computer each is an array")
n.cells.insert(i,n.make("markdown","""
> **The drawn scenes, and what carries over to photographs.** Unless `CAPTION_DATASET` says otherwise, these pictures are drawn by a program, and five *speakers* describe them: small grammars, each with words, an order and omissions of its own, that know what was drawn and say nothing untrue. So the truth about every picture is known, which no collection of photographs can offer. The network that reads them, `vgg16-slim`, was trained on the same drawings: on single things in their colors, with two more outputs for the place and the weather, so that its features keep the background. That is an easier world than ours. The methods, their mistakes and the ways to measure them carry over to photographs. The numbers do not: recognition is nearly perfect here, attention is sharper, and a vocabulary of some hundred words is soon learned.
"""))
n.save()
n=NB('03_attention_decoder.ipynb')
n.set("## From captions to numbers","""
## From captions to numbers

One picture, described five times: by five people, or on the drawn scenes by five *speakers* (see the box in notebook 1). They agree on what is there, choose their own words for it, and leave out different things.
""")
n.set("On both axes each step is ten times the one before.","""
On both axes each step is ten times the one before. The line falls from thousands of uses of the commonest word to a single use of the rarest: a few words do most of the work, and behind them comes a long tail. A model cannot learn a word from one example, so words rarer than `min_count` become `<unk>`.

Three more tokens are not words at all: `<start>` and `<end>` mark where a caption begins and stops, and `<pad>` fills short captions up so that a batch is a rectangle. `<pad>` has number 0.
""")
n.save()
