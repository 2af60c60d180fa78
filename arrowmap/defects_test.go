package arrowmap_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/internal/tabletest"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// show prints all rows of a table, a line a column: name, type, values; or the kind of the error.
func show(f *arrowmap.File, table string, datasets ...string) string {
	var t *arrowmap.Table
	var err error
	if len(datasets) > 0 {
		t, err = f.Datasets(datasets...)
	} else {
		t, err = f.Table(table)
	}
	if err == nil {
		var r *arrowmap.Reader
		if r, err = t.Reader(context.Background(), arrowmap.WithBatchRows(1<<20)); err == nil {
			defer r.Release()
			var lines []string
			for r.Next() {
				rec := r.RecordBatch()
				for i, c := range rec.Columns() {
					lines = append(lines, fmt.Sprintf("%s %s %s", rec.ColumnName(i), short(c.DataType()), tabletest.Values(c)))
				}
			}
			if err = r.Err(); err == nil {
				return strings.Join(lines, "\n")
			}
		}
	}
	return h5err.KindOf(err).String() + ": " + err.Error()
}

func short(t arrow.DataType) string {
	s := t.String()
	return strings.NewReplacer(", nullable", "", " nullable", "", "item: ", "").Replace(s)
}

// TestDefects shows the right result for each file that vaex's reader gets wrong, drops something of, or refuses.
func TestDefects(t *testing.T) {
	const masked = "x int32 0 null 20 30 40 null 60 70 80 null 100"
	tests := []struct {
		name, file, table string
		datasets          []string
		want              string // of the columns; of an error, its kind and a part of its text
	}{
		{"01 a mask on chunked data counts", "defects.h5", "/chunked_mask", nil, masked},
		{"02 a bitmap on chunked data counts", "defects.h5", "/chunked_bitmap", nil, masked},
		{"03 a bitmap whose last bits are set", "defects.h5", "/sliced", nil, "x int64 3 4 5 6 7 8 null 10"},
		{"04 big-endian times", "defects.h5", "/big_endian_time", nil,
			"d duration[s] 0s 1s 2s null\nt timestamp[ns] 1970-01-01T00:00:00 1970-01-01T00:00:00.000000001 null 1970-01-01T00:00:01"},
		{"05 UTF-32 ends where the dataset does", "defects.h5", "/utf32", nil, "w utf8 abc é  🙂"},
		{"06 a dictionary index out of range", "defects.h5", "/dictionary_null_index", nil, "corrupt: index -2147483648 into a dictionary of 2"},
		{"06 the same under a mask is null", "defects.h5", "/dictionary_masked_index", nil, "d dictionary<values=utf8, indices=int32, ordered=false> a b null b"},
		{"07 a sparse matrix", "defects.h5", "/csr_matrix", nil,
			`m list<struct<index: int32, value: float64>> [{"index":0,"value":1.5},{"index":2,"value":2.5}] [] [{"index":1,"value":3.5}]`},
		{"08 a user block", "defects_userblock.h5", "", nil, masked},
		{"10 chunked text", "defects.h5", "/chunked_text", nil, "s utf8 null é1 é2 null é4 é5 null é7 é8 null é10"},
		{"12 a mask that is too short", "defects.h5", "/short_mask", nil, "corrupt: a mask of shape [10] for data of shape [11]"},
		{"12 a bitmap that is too short", "defects.h5", "/short_bitmap", nil, "corrupt: a null bitmap of 1 bytes for 11 values"},
		{"13 a group data beside a root dataset", "defects_v1.h5", "/data", nil, "x int32 0 10 20 30 40 50 60 70 80 90 100"},
		{"13 root datasets of unequal lengths", "defects_unequal.h5", "/", nil, "argument: several lengths (a: 3, b: 4)"},
		{"14 enumerations, complex, compound, matrices, fixed text, heap text", "defects.h5", "/kinds", nil, "" +
			"complex struct<r: float32, i: float32> {\"i\":2,\"r\":1} {\"i\":0,\"r\":3} {\"i\":-1,\"r\":-0}\n" +
			"compound struct<a: int16, b: float32> {\"a\":1,\"b\":2.5} {\"a\":3,\"b\":4.5} {\"a\":5,\"b\":6.5}\n" +
			"enum dictionary<values=utf8, indices=int8, ordered=false> red blue red\n" +
			"heap utf8 eins  drei\n" +
			"int_mask uint64 1152921504606846976 null 1152921504606846978\n" +
			"matrix fixed_size_list<int16>[2] [0,1] [2,3] [4,5]\n" +
			"s3 utf8 ab  xyz"},
		{"15 a virtual dataset", "defects_virtual.h5", "", []string{"/v"}, "v int32 0 10 20 30 40 50 60 70 80 90 100 -1 -1"},
		{"1.2 a mask and a bitmap add up", "defects.h5", "/mask_and_bitmap", nil, "x int32 0 null 20 30 40 null 60 70 80 null 100"},
		{"1.4 empty columns", "defects.h5", "/empty", nil, ""},
		{"1.4 a scalar is one row", "defects.h5", "", []string{"/scalar"}, "scalar float64 2.5"},
	}
	for _, tt := range tests {
		for _, how := range []string{"mapped", "read", "io.ReaderAt"} {
			t.Run(tt.name+", "+how, func(t *testing.T) {
				f := tabletest.OpenHow(t, "testdata/"+tt.file, how)
				got := show(f, tt.table, tt.datasets...)
				kind, text, isError := strings.Cut(tt.want, ": ")
				if isError && !strings.Contains(kind, " ") {
					if !strings.HasPrefix(got, kind+": ") || !strings.Contains(got, text) {
						t.Errorf("got  %s\nwant %s", got, tt.want)
					}
					return
				}
				if how == "io.ReaderAt" && strings.HasPrefix(tt.name, "15") {
					if !strings.HasPrefix(got, "unsupported: ") { // there is no folder to look for the source in
						t.Errorf("got %s", got)
					}
					return
				}
				if got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
			})
		}
	}
}
