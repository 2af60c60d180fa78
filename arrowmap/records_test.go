package arrowmap_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test/written"
	"github.com/h5arrow/h5arrow/h5/write"
)

// recordType returns a compound type of members of all widths, in either byte order, and of text, with bytes between some of them.
func recordType(r *rand.Rand) *h5.Type {
	truth := &h5.Type{Class: h5.ClassEnum, Size: 1, Base: &h5.Type{Class: h5.ClassFixed, Size: 1, Order: h5.LittleEndian, Precision: 8, Signed: true},
		Names: []string{"FALSE", "TRUE"}, Values: []byte{0, 1}}
	c := &h5.Type{Class: h5.ClassCompound, Size: r.IntN(3)}
	for i := range 3 + r.IntN(14) {
		m := h5.Member{Name: fmt.Sprint("m", i), Offset: c.Size, Type: truth}
		switch size := 1 << r.IntN(4); r.IntN(6) {
		case 0:
		case 1:
			m.Type = &h5.Type{Class: h5.ClassString, Size: 1 + r.IntN(20), Pad: h5.StringPad(r.IntN(3))}
		default:
			m.Type = &h5.Type{Class: h5.ClassFixed, Size: size, Order: h5.LittleEndian, Precision: 8 * size, Signed: r.IntN(2) == 0}
			if r.IntN(3) == 0 {
				m.Type.Order = h5.BigEndian
			}
		}
		c.Members = append(c.Members, m)
		c.Size += m.Type.Size
		if r.IntN(4) == 0 {
			c.Size += r.IntN(5)
		}
	}
	return c
}

// recordFile writes a dataset of records, and returns them.
func recordFile(t *testing.T, r *rand.Rand, name string, typ *h5.Type, rows int, spec write.Spec) []byte {
	data := make([]byte, rows*typ.Size)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	for _, m := range typ.Members {
		for i := range rows {
			value := data[i*typ.Size+m.Offset:][:m.Type.Size]
			switch m.Type.Class {
			case h5.ClassEnum:
				value[0] &= 1
			case h5.ClassString:
				for k := range value {
					value[k] = "ab  \x00\x00"[r.IntN(6)]
				}
			}
		}
	}
	spec.Type, spec.Space = typ, h5.Space{Class: h5.SpaceSimple, Dims: []uint64{uint64(rows)}}
	written.File(t, name, func(f *write.File) error {
		d, err := f.Dataset("/records", spec)
		if err != nil {
			return err
		}
		return d.Write(data)
	})
	return data
}

// cellText is the text in a cell. That of a cell padded with spaces may end in NULs, too.
func cellText(cell []byte, pad h5.StringPad) string {
	switch pad {
	case h5.NullTerm:
		text, _, _ := strings.Cut(string(cell), "\x00")
		return text
	case h5.SpacePad:
		return strings.TrimRight(strings.TrimRight(string(cell), "\x00"), " ")
	}
	return strings.TrimRight(string(cell), "\x00")
}

// sameValues compares a column of rows from row a on with a member of records, a byte at a time.
func sameValues(t *testing.T, what string, col arrow.Array, m *h5.Member, records []byte, stride, a int) {
	t.Helper()
	w := m.Type.Size
	for i := range col.Len() {
		at := (a+i)*stride + m.Offset
		want := slices.Clone(records[at : at+w])
		if m.Type.Order == h5.BigEndian {
			slices.Reverse(want)
		}
		switch col := col.(type) {
		case *array.Boolean:
			if col.Value(i) != (want[0] == 1) {
				t.Fatalf("%s: %s, row %d: %v", what, m.Name, a+i, col.Value(i))
			}
			continue
		case *array.String:
			if got, want := col.Value(i), cellText(want, m.Type.Pad); got != want {
				t.Fatalf("%s: %s, row %d: %q instead of %q", what, m.Name, a+i, got, want)
			}
			continue
		}
		at = (i + col.Data().Offset()) * w
		if got := col.Data().Buffers()[1].Bytes()[at : at+w]; !bytes.Equal(got, want) {
			t.Fatalf("%s: %s, row %d: %x instead of %x", what, m.Name, a+i, got, want)
		}
	}
}

// TestRecords reads random records of both byte orders, contiguous and in chunks, whole and in parts, and compares every
// value with the bytes that were written.
func TestRecords(t *testing.T) {
	for seed := range uint64(24) {
		r := rand.New(rand.NewPCG(seed, 17))
		typ, rows := recordType(r), 1+r.IntN(3000)
		spec := write.Spec{}
		if seed%2 == 1 {
			spec = write.Spec{Storage: h5.StorageChunked, ChunkDims: []uint64{uint64(1 + r.IntN(700))}, Filters: []h5.Filter{{ID: 2}, {ID: 1}}[r.IntN(2):]}
		}
		name := filepath.Join(t.TempDir(), "records.h5")
		data := recordFile(t, r, name, typ, rows, spec)
		f, err := arrowmap.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		tab := table(t, f, "/records")
		from := r.IntN(rows)
		for _, c := range []struct {
			tab  *arrowmap.Table
			from int
			opts []arrowmap.ReadOption
		}{
			{tab, 0, nil},
			{tab, 0, []arrowmap.ReadOption{arrowmap.WithBatchRows(int64(1 + r.IntN(900))), arrowmap.WithWorkers(3)}},
			{sliced(t, tab, int64(from), int64(from+r.IntN(rows-from)+1)), from, nil},
		} {
			what := fmt.Sprintf("seed %d, %d rows from %d, %s", seed, c.tab.Rows(), c.from, typ)
			rd, err := c.tab.Reader(context.Background(), c.opts...)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			at := c.from
			for rd.Next() {
				rec := rd.RecordBatch()
				for i := range typ.Members {
					sameValues(t, what, rec.Column(i), &typ.Members[i], data, typ.Size, at)
				}
				at += int(rec.NumRows())
			}
			if rd.Err() != nil || int64(at-c.from) != c.tab.Rows() {
				t.Errorf("%s: %d rows: %v", what, at-c.from, rd.Err())
			}
			rd.Release()
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}
