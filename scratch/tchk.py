import sys,json,collections,time,os
os.environ["TF_CPP_MIN_LOG_LEVEL"]="3"
sys.path.insert(0,"/tmp/w14")
from utils import truth as T
S=json.load(open("/tmp/w14_scenes.json"))
caps=[(c,s) for s in S for c in s["captions"]]
t=time.time(); R=[(T.judge(c,s),c,s) for c,s in caps]; print("s per 1000",(time.time()-t)/len(caps)*1000)
unk=collections.Counter(u for c,s in caps for u in T.read(c).unknown)
print("unknown",len(unk),unk.most_common(200))
bad=[(j,c,s) for j,c,s in R if not j["wholly_true"] and not j["unknown"]]
print("not wholly true but understood",len(bad),"of",len(caps))
k=collections.Counter()
ex={}
for j,c,s in bad:
    for p in T.PARTS:
        if j[p][0]<j[p][1]: k[p]+=1; ex.setdefault(p,[]).append((c,s))
    if j["invented"]: k["invented"]+=1; ex.setdefault("invented",[]).append((c,s))
print(k)
n=int(sys.argv[1]) if len(sys.argv)>1 else 8
for p,l in ex.items():
    for c,s in l[::max(1,len(l)//n)][:n]: print(p,"|",c,"|",[(g["kind"],g["color"],g["count"],g["size"],g["relation"]) for g in s["groups"]],s["place"],s["sky"])
print("stated",sum(j["stated"] for j,_,_ in R)/len(R), "per speaker",[round(sum(j["stated"] for j,_,_ in R[i::5])/len(R[i::5]),2) for i in range(5)])
for c,s in caps:
    u=T.read(c).unknown
    if u: print(u,"|",c)
