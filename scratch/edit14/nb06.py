import sys; sys.path.insert(0,'/tmp/edit14')
from nb import NB
n=NB('06_bleu_evaluation.ipynb')
n.sub("- what the number means, beside a blank picture, a copied caption and a person;\n","- what the number means, beside a blank picture, a copied caption and another describer;\n")
n.sub("- four mistakes that change the number, and how much of a difference is chance;\n","- four mistakes that change the number, and how much of a difference is chance;\n- what BLEU does not see, and a *truth score* that does, where the truth is known;\n")
n.sub("from utils.text import decode, tokenize\n","from utils.text import decode, tokenize\n") if False else None
n.sub("from utils.text import decode, tokenize","from utils.text import decode, tokenize\nfrom utils.truth import judge, read, truth")
n.set("And the upper mark: **one person**", """
And a mark from the other side: **another describer**, one who saw the picture too. On the drawn scenes that is one of five *speakers*, on photographs one of five people. Each is scored against the other four. They have one reference fewer than the model, so the model is scored that way too, in the last row. Where a picture has only one caption there are no others, and these two rows are left out.
""")
n.sub('person, same = "one person, others as references", "greedy, the same references"','who = "speaker" if dataset.scenes else "person"\nanother, same = f"one {who}, others as references", "greedy, the same references"')
n.sub("    scores[person] = np.mean(each, axis=0)","    scores[another] = np.mean(each, axis=0)")
n.sub('"persons": person}','f"{who}s": another}')
i=n.find("Two of the first three rows ignore the picture")
n.set("Two of the first three rows ignore the picture", """
Two of the first three rows ignore the picture, the third copies a caption: this is what the model must beat. Articles and prepositions are often right by themselves, so BLEU-1 is far from zero here; BLEU-4 is closer to it.

Then the last two rows. Look which of the two is higher, in BLEU-4 and in CIDEr-D. A model that scores *higher than those it has learned from* is no better describer. Speakers and people each have words of their own, and miss the words of the others; the model takes, at every step, the word that most of them would say, and meets at least one. BLEU pays for agreement with the crowd. CIDEr-D pays for rare words, which the model avoids.
""")
n.set("if settings.standard and dataset.boxes:", """
if settings.standard and dataset.scenes:
    assert scores[same][3] > scores[another][3]
elif settings.standard:
    assert scores[another][4] > scores[same][4]
""")
i=n.find("First come four of the best captions")
new=[("markdown","""
## What BLEU does not see

Take the model's captions and make one kind of fact wrong in all of them: other colors, left for right, big for small, two for three. How much does each score fall?
"""),
("code","""
SWAPS = {
    "colors": {"red": "blue", "green": "yellow", "white": "black", "purple": "pink", "brown": "grey"},
    "sides": {"left": "right"},
    "sizes": {"big": "small", "large": "little", "huge": "tiny"},
    "counts": {"two": "three"},
}
SETTING = ("sky", "clouds", "meadow")  # "a grey sky" names no color of a thing


def swap(words, pairs):
    \"\"\"The words with each of a pair in the other's place.\"\"\"
    other = pairs | {value: key for key, value in pairs.items()}
    follows = [*words[1:], ""]
    return [word if after in SETTING else other.get(word, word) for word, after in zip(words, follows)]
"""),
("code","""
spoiled = {"as they are": greedy}
spoiled |= {f"{what} wrong": [swap(words, pairs) for words in greedy] for what, pairs in SWAPS.items()}
print(*(" ".join(some[0]) for some in spoiled.values()), sep="\\n")
"""),
("markdown","""
The first caption as the model wrote it, then with one kind of fact exchanged; a line stays as it is where it does not say such a fact.

On photographs nobody has written down what is true. Of the drawn scenes everything is known, so there a caption can be held against the *world* instead of other captions: that is the **truth score**, `utils.truth`. It reads a caption, finds the things it names among those in the scene, and checks each fact that is said of them. It knows English words, not the speakers' grammar.
"""),
("code","""
if dataset.scenes:
    scene = dataset.scenes[names[0]]
    for thing in read(captions["greedy"][0]).things:
        print(*sorted(thing.kinds), thing.color, thing.size, thing.count)
    print({part: value for part, value in judge(captions["greedy"][0], scene).items() if value})
"""),
("markdown","""
First the things that are named, with the color, size and number that the caption gives them (`None` where it says nothing); then, for each part, how many facts are right and how many are stated. `invented` would count things that are not in the picture at all: CHAIR (Rohrbach et al., "Object hallucination in image captioning", 2018) asks this of photographs.

Now all scores side by side. `wholly true` is the share of captions without a single wrong fact, the other columns are shares of the facts stated.
"""),
("code","""
PARTS = ("color", "relation", "size", "count", "wholly_true")
table = {}
for what, some in spoiled.items():
    table[what] = score(references, some)[3:5]
    if dataset.scenes:
        found = truth([" ".join(words) for words in some], [dataset.scenes[name] for name in names])
        table[what] += [np.nan if found[part] is None else found[part] for part in PARTS]
"""),
("code","""
columns = ("BLEU-4", "CIDEr-D", *(part.replace("_", " ") for part in PARTS if dataset.scenes))
print(" " * 15 + "".join(f"{name:>13}" for name in columns))
for what, row in table.items():
    print(f"{what:<15}" + "".join(f"{number:13.3f}" for number in row))
"""),
("markdown","""
Read each row against the first. In its own column the truth falls to nearly nothing, whatever the scores say. BLEU falls by as much as there are words of that kind in the captions, and where a fact hangs on a single word of a long caption, that is little: left for right costs hardly anything in BLEU, and everything in truth. On photographs only the first two columns are there, and nobody knows what they did not see.
"""),
("code","""
if dataset.scenes:
    kinds = dict(zip(SWAPS, PARTS))
    for what, part in kinds.items():
        before, after = (table[row][2 + PARTS.index(part)] for row in ("as they are", f"{what} wrong"))
        assert not settings.standard or after < before - 0.3
"""),
("code","""
if dataset.scenes:
    share = {row: {"BLEU-4": numbers[0], "wholly true": numbers[-1]} for row, numbers in table.items()}
    for column in ("BLEU-4", "wholly true"):
        bars = {row: value[column] / share["as they are"][column] for row, value in share.items()}
        _ = plots.show_bars(bars, f"{column}, as a share of what it was", column)
"""),
("markdown","""
Two charts of the same five sets of captions: what BLEU-4 keeps of its value, and what truth keeps.

## How true is the model?

The table of truth: the model's captions, the speakers', and the captions for the split `novel`. Its scenes show combinations that no caption of train, dev or test has described, a purple umbrella or three dogs, though each word and each thing is well known. Does the model put together what it has only seen apart?
"""),
("code","""
def of_split(split, width):
    \"\"\"The truth of the model's captions for a split.\"\"\"
    some = cache.readable(dataset.splits[split])
    return truth(describe(decoder, cache, some, beam_width=width), [dataset.scenes[name] for name in some])


def of_speakers(split):
    some = dataset.splits[split]
    pairs = [(caption, dataset.scenes[name]) for name in some for caption in dataset.captions[name]]
    return truth(*zip(*pairs))
"""),
("code","""
truths = {}
if dataset.scenes:
    truths = {"greedy": of_split("test", 1), "beam": of_split("test", 5), "speakers": of_speakers("test")}
    novel = {"greedy": of_split("novel", 1), "beam": of_split("novel", 5), "speakers": of_speakers("novel")}
    labelled = truths | {f"novel, {row}": values for row, values in novel.items()}
"""),
("code","""
if truths:
    for part in truths["greedy"]:
        shown = "".join(f"{values[part] or 0:17.3f}" for values in labelled.values())
        print(f"{part.replace('_', ' '):<15}{shown}")
    print(" " * 15 + "".join(f"{row:>17}" for row in labelled))
"""),
("markdown","""
`invented` and `not understood` are shares of captions, `left out` is the share of the scene's groups that a caption does not name, `stated` is facts per caption: a model that says less has fewer chances to be wrong, so its truth counts only beside that number. The speakers say nothing untrue; what they leave out is their habit.

Compare the columns of `novel` with those of the test split. Where a number is lower there, the model has learned combinations by heart, not parts.
"""),
]
for k,(kind,text) in enumerate(new):
    c=n.make(kind,text)
    n.cells.insert(i+1+k,c)
for start in ("columns = (\"BLEU-4\"","if truths:\n    for part","spoiled = {","if dataset.scenes:\n    scene ="):
    n.cells[n.find(start)]['metadata']={'tags':['nbval-ignore-output']}
j=n.find("results = ") if False else None
n.set('measures = ("bleu1"', '''
measures = ("bleu1", "bleu2", "bleu3", "bleu4", "cider", "rouge")
rows = {**kept, "blank": "blank picture", f"{who}s": another}
each = np.mean([len(some) for some in references])
results = {"split": "test", "images": len(names), "references_per_image": each}
results |= {key: dict(zip(measures, scores[row])) for key, row in rows.items() if row in scores}
results["beam"] = {"width": 5, **results["beam"]}
write_text(settings.run_dir / "bleu.json", json.dumps(results, indent=1) + "\\n")
''')
i=n.find('measures = ("bleu1"')
n.cells.insert(i+1,n.make("code",'''
if truths:
    results = {"split": "test", "images": len(names), **truths}
    results["novel"] = {"split": "novel", "images": len(dataset.splits["novel"]), **novel}
    write_text(settings.run_dir / "truth.json", json.dumps(results, indent=1) + "\\n")
'''))
n.sub("Captions and scores go to the run folder, for other programs to read: greedy search","Captions, scores and, on the drawn scenes, truth go to the run folder, for other programs to read: greedy search")
n.set("assert not (settings.standard and dataset.boxes) or scores","""
if settings.standard and truths:
    assert scores["greedy"][3] >= 0.30 and truths["greedy"]["wholly_true"] >= 0.5
    assert truths["speakers"]["wholly_true"] == 1
""")
n.sub("- A score needs marks to stand between: a blank picture and a copied caption below, a person beside them.","- A score needs marks to stand between: a blank picture and a copied caption below, another describer beside them.\n- N-gram scores see wording. Whether a caption is *true* is another question, and where the world is known it has an answer.")
n.save()
