import sys,time,re,collections,json
sys.path.insert(0,"/tmp/w14")
from utils.datasets import scenes
t=time.time(); S=scenes._compose(0); print("compose",time.time()-t)
json.dump(S,open("/tmp/w14_scenes.json","w"),default=int)
