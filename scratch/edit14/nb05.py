import sys; sys.path.insert(0,'/tmp/edit14')
from nb import NB
n=NB('05_attention_maps.ipynb')
n.sub('''def names_it(word, kind):
    """Whether the word names this kind of thing, alone or in the plural."""
    return word in (kind, kind + "s", kind + "es")''','''def names_it(word, kind):
    """Whether the word names this kind of thing, in the plural or as "cottage" or "kitten" as well."""
    return any(kind in thing.kinds for thing in read(word).things)''')
n.sub('''found = {"attention": [], "middle of the picture": [], "random point": []}
''','''found = {"attention": [], "attention, 0 pixels": [], "middle of the picture": [], "random point": []}
''')
n.sub('''            found["attention"].append(near.ravel()[smooth.argmax()])
''','''            found["attention"].append(near.ravel()[smooth.argmax()])
            found["attention, 0 pixels"].append(exact.ravel()[smooth.argmax()])
''')
n.sub('''As in that paper, a point up to 15 pixels outside counts as inside. (Photographs''','''As in that paper, a point up to 15 pixels outside counts as inside; since our things are small, the count without those 15 pixels stands beside it. What a word names is looked up in the lexicon of `utils.truth`, which notebook 6 explains. (Photographs''')
i=n.find("read = np.insert(tokens")
n.sub("read = np.insert(tokens[:count, :-1], 0","before = np.insert(tokens[:count, :-1], 0")
n.sub("decoder((features, read))","decoder((features, before))")
n.sub("from utils.text import tokenize","from utils.text import tokenize\nfrom utils.truth import read",1)
n.save()
