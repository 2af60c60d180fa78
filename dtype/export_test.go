package dtype

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// EachBackCase calls f for every case of the way back, and slices of it: the plan, the array, and what reading is to give.
func EachBackCase(t *testing.T, f func(t *testing.T, p *BackPlan, in, want arrow.Array)) {
	for _, c := range backCases() {
		a := arrayOf(t, c.typ, c.rows)
		p, err := Back(arrow.Field{Name: "x", Type: c.typ, Metadata: arrow.MetadataFrom(c.md)}, c.opt)
		if err != nil {
			t.Fatal(err)
		}
		want := a
		if c.want != "" {
			want = arrayOf(t, p.Arrow, c.want)
		}
		n := int64(a.Len())
		for _, r := range [][2]int64{{0, n}, {1, n}, {min(2, n), min(2, n)}} {
			t.Run(c.name+"/"+c.typ.String(), func(t *testing.T) {
				f(t, p, array.NewSlice(a, r[0], r[1]), array.NewSlice(want, r[0], r[1]))
			})
		}
	}
}

// Shown spells an array's values and nulls.
func Shown(a arrow.Array) string { return shown(a) }
