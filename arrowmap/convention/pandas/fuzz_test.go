package pandas

import (
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap/convention/pandas/label"
	"github.com/h5arrow/h5arrow/arrowmap/convention/pickle"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// FuzzLabels: whatever comes in, nothing panics, and what comes out can be named.
func FuzzLabels(f *testing.F) {
	for _, s := range []string{"(dp0\nVa\np1\n(lp2\nI1\naF0.5\nasg0\n.", "\x80\x02]q\x00(K\x01\x88X\x01\x00\x00\x00ae.", "cdatetime\ntimedelta\n(I0\nI0\nI0\ntR.",
		"cos\nsystem\n(Vx\ntR.", "(lp0\ng0\na.", "S'\\x41'\n.", "\x8a\x09\x01\x02\x03\x04\x05\x06\x07\x08\x09."} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		if l, err := pickle.DecodeLoose(p); err == nil {
			label.String(l)
			label.Key(l)
			label.TypeOf(l)
		}
		n := 0
		pickle.ReadArray(p, func(pickle.Shape) error { return nil }, func(i int, v pickle.Value) error {
			if i != n {
				t.Fatalf("value %d after %d", i, n)
			}
			n++
			return nil
		})
		pickle.ReadObjects(p)
		v, err := pickle.Decode(p)
		if err != nil {
			if k := h5err.KindOf(err); v != nil || k != h5err.Corrupt && k != h5err.Unsupported && k != h5err.Limit {
				t.Fatalf("%v, %v", v, err)
			}
			return
		}
		label.String(v)
		label.Frequency(v)
		label.Zone(v)
		items, _ := itemsOf(v)
		labelLevels(items, []labelLevel{{name: v}}, true)
		if d, ok := v.(*pickle.Dict); ok {
			d.Get("a")
		}
	})
}
