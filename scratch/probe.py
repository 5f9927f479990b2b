import os,sys,json
os.environ["TF_CPP_MIN_LOG_LEVEL"]="3"
import numpy as np, keras
feat=sys.argv[1] if len(sys.argv)>1 else "/tmp/w14data/features/scenes-vgg16-slim/features.npy"
X=np.load(feat).astype("f"); S=json.load(open("/tmp/w14data/scenes/scenes.json"))["scenes"]
X=X.reshape(len(X),7,7,-1)
sp=np.array([s["split"] for s in S]); tr,dv=sp=="train",(sp=="dev")|(sp=="test")
X=(X-X[tr].mean((0,1,2)))/(X[tr].std((0,1,2))+1e-3)
def ix(v): 
    u=sorted(set(v)); return np.array([u.index(x) for x in v]),len(u)
T={"relation":[s["groups"][1]["relation"] for s in S],"kind1":[s["groups"][0]["kind"] for s in S],"color1":[s["groups"][0]["color"] for s in S],"size1":[s["groups"][0]["size"] for s in S],"count1":[s["groups"][0]["count"] for s in S],
"kind2":[s["groups"][1]["kind"] for s in S],"color2":[s["groups"][1]["color"] for s in S],"count2":[s["groups"][1]["count"] for s in S],"place":[s["place"] for s in S],"sky":[s["sky"] for s in S]}
keras.utils.set_random_seed(0)
i=x=keras.Input(X.shape[1:]); x=keras.layers.SpatialDropout2D(.1)(x)
x=keras.layers.Conv2D(128,1,activation="relu")(x); x=keras.layers.Conv2D(128,3,activation="relu",padding="same")(x); x=keras.layers.Flatten()(x); x=keras.layers.Dropout(.4)(x); x=keras.layers.Dense(256,activation="relu")(x); x=keras.layers.Dropout(.3)(x)
Y={k:ix(v) for k,v in T.items()}
m=keras.Model(i,{k:keras.layers.Dense(n,activation="softmax",name=k)(x) for k,(y,n) in Y.items()})
m.compile("adam",loss={k:"sparse_categorical_crossentropy" for k in Y},metrics={k:"accuracy" for k in Y})
m.fit(X[tr],{k:y[tr] for k,(y,n) in Y.items()},epochs=30,batch_size=32,verbose=0)
r=m.evaluate(X[dv],{k:y[dv] for k,(y,n) in Y.items()},verbose=0,return_dict=True)
print({k:round(r[k+"_accuracy"],3) for k in Y})
