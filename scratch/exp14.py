"""usage: exp14.py TAG key=value ... ; trains with the recipe changed and prints dev truth and BLEU"""
def main():
    import os,sys,time,json
    os.environ.setdefault("CAPTION_DATA_DIR","/tmp/w14data"); os.environ["TF_CPP_MIN_LOG_LEVEL"]="3"
    tag=sys.argv[1]; kv=dict(a.split("=") for a in sys.argv[2:])
    os.environ["CAPTION_RUN_DIR"]=f"/tmp/w14runs/{tag}"
    sys.path.insert(0,"/tmp/w14")
    from dataclasses import replace
    import numpy as np
    from utils import session
    from utils.settings import load_settings
    s=load_settings(); r=s.recipe
    seed=int(kv.pop("seed",1)); split=kv.pop("split","dev")
    r=replace(r,**{k:type(getattr(r,k))(float(v)) for k,v in kv.items()}); s=replace(s,recipe=r,seed=seed)
    from utils.datasets import load_dataset
    from utils.encoders import load_encoder
    from utils.features import extract_features
    from utils.runs import train
    from utils.decoding import describe
    from utils.scores import corpus_bleu
    from utils.text import tokenize
    t0=time.time(); d=load_dataset(s); print("dataset",round(time.time()-t0,1)); t0=time.time()
    c=extract_features(d,load_encoder(s.encoder),s.features_dir); print("features",round(time.time()-t0,1)); t0=time.time()
    import contextlib,io
    buf=io.StringIO()
    with contextlib.redirect_stdout(buf):
        dec,h=train(s,d,c)
    t=time.time()-t0
    print(tag,kv,"train",round(t,1),"s; epochs",len(h["dev_loss"]),"dev",[round(x,3) for x in h["dev_loss"]][-3:],"min",round(min(h["dev_loss"]),4),"train",round(h["train_loss"][-1],3), "words",len(dec.vocabulary))
    import tensorflow as tf
    def caps(names,width):
        out=describe(dec,c,names,width) if True else None
        return out
    try:
        sys.path.insert(0,"/tmp/tr"); from truthcopy import truth
    except Exception as e: truth=None
    for sp in ([split] if split!="all" else ["dev","test","novel"]):
        names=list(d.splits[sp])
        for w in (1,3,5):
            got=describe(dec,c,names,beam_width=w)
            got=[got[n] for n in names] if isinstance(got,dict) else got
            hyp=[tokenize(g) for g in got]; refs=[[tokenize(x) for x in d.captions[n]] for n in names]
            b=corpus_bleu(refs,hyp); four=np.mean([corpus_bleu([[y for j,y in enumerate(r) if j!=i] for r in refs],hyp)[3] for i in range(5)])
            line=f"{sp} width {w}: BLEU-4 {b[3]:.3f} four refs {four:.3f} len {np.mean([len(x) for x in hyp]):.1f} distinct {len(set(got))}"
            if truth: line+=" "+str({k:(None if v is None else round(v,3)) for k,v in truth(got,[d.scenes[n] for n in names]).items()})
            print(line)
            if w==1 and sp in("dev","test"):
                blank=describe
        json.dump(dict(zip(names,got)),open(f"/tmp/w14runs/{tag}/{sp}.json","w"))
    if truth: 
        names=list(d.splits["dev"]); print("speakers", {k:(None if v is None else round(v,3)) for k,v in truth([x for n in names for x in d.captions[n]],[d.scenes[n] for n in names for _ in range(5)]).items()})
    

if __name__=='__main__': main()
