package write_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/write"
)

func fixed(size int, signed bool) *h5.Type {
	return &h5.Type{Class: h5.ClassFixed, Size: size, Order: h5.LittleEndian, Signed: signed, Precision: 8 * size}
}

func varString() *h5.Type {
	return &h5.Type{Class: h5.ClassVLen, Size: 16, VarString: true, CharSet: h5.UTF8, Base: &h5.Type{Class: h5.ClassString, Size: 1, CharSet: h5.UTF8}}
}

func flat(s ...string) (b []byte) {
	for _, v := range s {
		b = append(binary.LittleEndian.AppendUint64(b, uint64(len(v))), v...)
	}
	return b
}

func TestFirst(t *testing.T) {
	for v := write.V110; v <= write.Earliest; v++ {
		p := filepath.Join("/tmp/wr", "first-"+v.String()+".h5")
		w, err := os.Create(p)
		if err != nil {
			t.Fatal(err)
		}
		f, err := write.Create(w, write.WithVersion(v))
		if err != nil {
			t.Fatal(err)
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		d, err := f.Dataset("/a/b/x", write.Spec{Type: fixed(4, true), Space: write.Shape(10)})
		must(err)
		b := make([]byte, 40)
		for i := range 10 {
			b[4*i] = byte(i)
		}
		must(d.Write(b[:20]))
		s, err := f.Dataset("/a/s", write.Spec{Type: varString(), Space: write.Growing(write.Unknown), ChunkDims: []uint64{4}, Filters: []h5.Filter{{ID: 2}, {ID: 1}}})
		must(err)
		must(s.Write(flat("a", "", "hello", "world", "x", "yy")))
		must(d.Write(b[20:]))
		must(d.Attribute(write.Attribute{Name: "units", Type: varString(), Space: write.Shape(), Data: flat("m/s")}))
		for i := range 20 {
			_, err := f.Group("/g/" + string(rune('a'+i)))
			must(err)
			must(s.Attribute(write.Attribute{Name: "at" + string(rune('a'+i)), Type: fixed(8, true), Space: write.Shape(1), Data: b[:8]}))
		}
		must(f.SoftLink("/g/soft", "/a/b/x"))
		must(f.HardLink("/g/hard", d))
		must(f.Close())
		w.Close()
		r, err := h5.Open(p)
		must(err)
		must(r.Walk(func(o h5.Object) error { t.Log(o.Path()); _, err := o.Attributes(); return err }))
		r.Close()
	}
}
