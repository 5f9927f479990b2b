import os,sys
os.environ["TF_CPP_MIN_LOG_LEVEL"]="3"; sys.path.insert(0,"/tmp/w14")
import numpy as np, keras
from PIL import Image
from utils.encoders import build_vgg16,SLIM_WIDTH,preprocessing
from utils.datasets.drawing import LABELS
def main():
    m=build_vgg16(SLIM_WIDTH,classes=len(LABELS)); m.load_weights(f"/tmp/w14enc/{sys.argv[1]}.weights.h5")
    e=keras.Model(m.input,m.get_layer("block5_pool").output); pre=preprocessing("vgg16-slim")
    import json
    S=json.load(open("/tmp/w14data/scenes/scenes.json"))["scenes"]; out=[]
    for i in range(0,len(S),100):
        x=np.stack([np.asarray(Image.open("/tmp/w14data/scenes/images/"+s["image"])) for s in S[i:i+100]]).astype("f")
        out.append(e.predict_on_batch(np.asarray(pre(x))).astype(np.float16))
    a=np.concatenate(out); a=a.reshape(len(a),-1,a.shape[-1]); np.save(f"/tmp/w14enc/{sys.argv[1]}.npy",a); print(a.shape,a.min(),a.max())
main()
