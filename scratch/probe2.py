import os,sys,json
os.environ["TF_CPP_MIN_LOG_LEVEL"]="3"
import numpy as np, keras
X=np.load(sys.argv[1]).astype("f"); S=json.load(open("/tmp/w14data/scenes/scenes.json"))["scenes"]
sp=np.array([s["split"] for s in S]); tr,dv=sp=="train",(sp=="dev")|(sp=="test")
X=(X-X[tr].mean((0,1)))/(X[tr].std((0,1))+1e-3)
L=sorted({f"{g['color']} {g['kind']}" for s in S for g in s["groups"]})
Y=np.zeros((len(S),len(L)),"f")
for i,s in enumerate(S):
    for g in s["groups"]: Y[i,L.index(f"{g['color']} {g['kind']}")]=1
keras.utils.set_random_seed(0)
i=x=keras.Input(X.shape[1:]); x=keras.layers.SpatialDropout1D(.1)(x); x=keras.layers.Dense(192,activation="relu")(x); x=keras.layers.Dense(len(L))(x); x=keras.layers.GlobalMaxPooling1D()(x)
m=keras.Model(i,x); m.compile(keras.optimizers.Adam(2e-3),keras.losses.BinaryCrossentropy(from_logits=True))
m.fit(X[tr],Y[tr],epochs=40,batch_size=32,verbose=0)
p=m.predict(X[dv],verbose=0); D=[s for s,k in zip(S,dv) if k]
r={0:[],1:[],2:[]}
for q,s in zip(p,D):
    top=set(np.argsort(-q)[:len(s["groups"])])
    for k,g in enumerate(s["groups"]): r[k].append(L.index(f"{g['color']} {g['kind']}") in top)
print({k:round(float(np.mean(v)),3) for k,v in r.items()})
