import os,sys,time
sys.path.insert(0,"/tmp/w14")
os.environ["TF_CPP_MIN_LOG_LEVEL"]="3"
import numpy as np
def main():
    N,HELD,EPOCHS,RATE=int(sys.argv[1]),300,int(sys.argv[2]),float(sys.argv[3])
    import keras,tensorflow as tf
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context
    from utils.datasets.scattered import scattered
    from utils.datasets.drawing import LABELS,PLACES,SKY,SIZE
    from utils.encoders import build_vgg16,SLIM_WIDTH,SLIM_WEIGHTS,preprocessing
    t=time.time()
    fn=f"/tmp/w14enc/pics{N}.npz"; os.makedirs("/tmp/w14enc",exist_ok=True)
    if not os.path.exists(fn):
        pics=np.zeros((N+HELD,224,224,3),np.uint8); lab=np.zeros((N+HELD,7,7),np.int64); cen=np.zeros((N+HELD,7,7),np.float32); ps=np.zeros((N+HELD,2),np.int64)
        with ProcessPoolExecutor(2,mp_context=get_context("spawn")) as pool:
            for i,(p,labels,boxes,pl,sk) in enumerate(pool.map(scattered,(np.random.default_rng([3,i]) for i in range(N+HELD)),chunksize=50)):
                pics[i]=p; ps[i]=PLACES.index(pl),list(SKY).index(sk)
                c=(np.arange(7)+.5)*32
                for l,(x0,y0,x1,y1) in zip(labels,boxes):
                    inside=np.outer((c>y0)&(c<y1),(c>x0)&(c<x1)); 
                    cy,cx=int((y0+y1)/2//32),int((x0+x1)/2//32); inside[min(cy,6),min(cx,6)]=True
                    lab[i][inside]=l+1; cen[i,min(cy,6),min(cx,6)]=1
        np.savez(fn,pics=pics,lab=lab,cen=cen,ps=ps); print("drawn",time.time()-t,flush=True)
    z=np.load(fn); pics,lab,cen,ps=z["pics"],z["lab"],z["cen"],z["ps"]
    keras.utils.set_random_seed(0)
    m=build_vgg16(SLIM_WIDTH,classes=len(LABELS),input_shape=(None,None,3)); m.load_weights(SLIM_WEIGHTS)
    f=m.get_layer("block5_pool").output; a=m.get_layer("average").output
    heads={"thing":keras.layers.Conv2D(len(LABELS)+1,1,activation="softmax",name="thing")(f),"centre":keras.layers.Conv2D(1,1,activation="sigmoid",name="centre")(f),
     "place":keras.layers.Dense(len(PLACES),activation="softmax",name="place")(a),"sky":keras.layers.Dense(len(SKY),activation="softmax",name="sky")(a)}
    net=keras.Model(m.input,heads)
    bs=32; steps=N//bs*EPOCHS
    rate=keras.optimizers.schedules.CosineDecay(RATE/20,steps-steps//20,warmup_target=RATE,warmup_steps=steps//20)
    net.compile(keras.optimizers.AdamW(rate,weight_decay=1e-4,global_clipnorm=1.0),loss={"thing":"sparse_categorical_crossentropy","centre":"binary_crossentropy","place":"sparse_categorical_crossentropy","sky":"sparse_categorical_crossentropy"},loss_weights={"thing":1.0,"centre":1.0,"place":.1,"sky":.1},metrics={"thing":"accuracy","place":"accuracy","sky":"accuracy"})
    pre=preprocessing("vgg16-slim")
    class Seq(keras.utils.PyDataset):
        def __init__(s): super().__init__(); s.rng=np.random.default_rng(1); s.o=s.rng.permutation(N)
        def __len__(s): return N//bs
        def on_epoch_end(s): s.o=s.rng.permutation(N)
        def __getitem__(s,b):
            i=np.sort(s.o[b*bs:(b+1)*bs]); x=pics[i]; l,c=lab[i],cen[i]
            if s.rng.random()<.5: x,l,c=x[:,:,::-1],l[:,:,::-1],c[:,:,::-1]
            return np.asarray(pre(x)),{"thing":l,"centre":c[...,None],"place":ps[i,0],"sky":ps[i,1]}
    vx=np.asarray(pre(pics[N:])); vy={"thing":lab[N:],"centre":cen[N:,...,None],"place":ps[N:,0],"sky":ps[N:,1]}
    def report():
        p=net.predict(vx,verbose=0,batch_size=64); th=p["thing"].argmax(-1); on=lab[N:]>0
        print("thing right where there is one",(th==lab[N:])[on].mean().round(3),"nothing right",(th==lab[N:])[~on].mean().round(3),"place",(p["place"].argmax(-1)==ps[N:,0]).mean(),"sky",(p["sky"].argmax(-1)==ps[N:,1]).mean(), "centre recall",(p["centre"][...,0]>.5)[cen[N:]>0].mean().round(3),"false",(p["centre"][...,0]>.5)[cen[N:]==0].mean().round(4),flush=True)
    report()
    for e in range(EPOCHS):
        t=time.time(); h=net.fit(Seq(),epochs=e+1,initial_epoch=e,verbose=0); print(e+1,round(time.time()-t),{k:round(v[0],3) for k,v in h.history.items()},flush=True); report()
        m.save_weights(f"/tmp/w14enc/{sys.argv[4]}.weights.h5")
if __name__=="__main__": main()
