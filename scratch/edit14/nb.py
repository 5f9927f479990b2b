import json, uuid
from pathlib import Path
ROOT=Path('/tmp/w14/notebooks')
class NB:
    def __init__(self, name):
        self.file=ROOT/name; self.nb=json.loads(self.file.read_text())
        self.cells=self.nb['cells']
    def src(self,i): return ''.join(self.cells[i]['source'])
    def find(self, start, kind=None):
        hits=[i for i,c in enumerate(self.cells) if ''.join(c['source']).startswith(start) and (kind is None or c['cell_type']==kind)]
        assert len(hits)==1,(start,hits)
        return hits[0]
    def set(self, start, text):
        i=self.find(start); self.cells[i]['source']=text.strip('\n').splitlines(keepends=True); return i
    def sub(self, old, new, count=1):
        n=0
        for c in self.cells:
            s=''.join(c['source'])
            if old in s:
                n+=s.count(old); c['source']=s.replace(old,new).splitlines(keepends=True)
        assert n==count or count is None,(old,n)
    def make(self, kind, text, tags=()):
        c={'cell_type':kind,'id':uuid.uuid4().hex[:8],'metadata':{'tags':list(tags)} if tags else {},'source':text.strip('\n').splitlines(keepends=True)}
        if kind=='code': c.update(execution_count=None,outputs=[])
        return c
    def after(self, start, *new):
        i=self.find(start)
        for k,(kind,text) in enumerate(new): self.cells.insert(i+1+k,self.make(kind,text))
    def drop(self,start):
        del self.cells[self.find(start)]
    def save(self):
        self.file.write_text(json.dumps(self.nb,indent=1,ensure_ascii=False)+'\n')
