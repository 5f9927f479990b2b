import sys,json,re,collections,os
os.environ["KERAS_BACKEND"]="tensorflow"; os.environ["TF_CPP_MIN_LOG_LEVEL"]="3"
sys.path.insert(0,"/tmp/w14")
import numpy as np
from utils.text import tokenize
S=json.load(open("/tmp/w14_scenes.json"))
by=lambda sp:[s for s in S if s["split"]==sp]
T=by("train")
cnt=collections.Counter(w for s in T for c in s["captions"] for w in tokenize(c))
print("words",len(cnt),"<10:",sum(v<10 for v in cnt.values())/len(cnt),"<5",sum(v<5 for v in cnt.values())/len(cnt), "<3",sum(v<3 for v in cnt.values()))
L=[len(tokenize(c)) for s in T for c in s["captions"]]; print("length",np.mean(L),min(L),max(L),np.percentile(L,[5,50,95]))
print("per speaker",[round(np.mean([len(tokenize(s["captions"][i])) for s in T]),1) for i in range(5)])
from utils.datasets import words
drop=set(); 
for b in (words.NOUNS,words.COLOR_WORDS,words.COUNT_WORDS):
    for v in b.values():
        for o in v.split("|"): drop|=set(o.split())
drop-= {"a","of","some"}; drop|={"two","three","pair","couple","trio","group"}
def sing(w): return w
from utils.datasets.speakers import plural
drop|={plural(w) for w in drop}
sk=collections.Counter(" ".join(w for w in tokenize(c) if w not in drop) for s in T for c in s["captions"])
n=sum(sk.values()); print("skeletons",len(sk),[(k,round(v/n*100,2)) for k,v in sk.most_common(5)])
import importlib
from utils.scores import corpus_bleu
te=by("test")
for i in range(5):
    hyp=[tokenize(s["captions"][i]) for s in te]; refs=[[tokenize(c) for j,c in enumerate(s["captions"]) if j!=i] for s in te]
    try: r=corpus_bleu(refs,hyp)
    except Exception as e: r=corpus_bleu(hyp,refs)
    print("speaker",i,np.round(r,3))
print("missing in train (dev/test)",len({w for s in by("dev")+te for c in s["captions"] for w in tokenize(c)}-set(cnt)))
