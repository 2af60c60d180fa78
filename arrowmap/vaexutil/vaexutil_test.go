package vaexutil_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/internal/tabletest"
	"github.com/h5arrow/h5arrow/arrowmap/vaexutil"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// rawFile writes 7 odd bytes and then the numbers 0 to 23 as little-endian int16.
func rawFile(t *testing.T) (name string, data []byte) {
	t.Helper()
	data = []byte("header:")
	for i := range 24 {
		data = binary.LittleEndian.AppendUint16(data, uint16(i))
	}
	name = filepath.Join(t.TempDir(), "raw.bin")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return name, data
}

// sources opens a file mapped, by plain reads, and as an io.ReaderAt.
func sources(t *testing.T, name string, data []byte) map[string]*source.Source {
	t.Helper()
	m, err := source.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := source.Open(name, source.WithoutMapping())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Release)
	t.Cleanup(r.Release)
	return map[string]*source.Source{"mapped": m, "read": r, "io.ReaderAt": source.FromReaderAt(bytes.NewReader(data), int64(len(data)), name)}
}

// TestMapArray compares arrays of every order and any strides with what they should hold, on every kind of source.
func TestMapArray(t *testing.T) {
	name, data := rawFile(t)
	tests := []struct {
		what   string
		a      vaexutil.RawArray
		access vaexutil.Access // when mapped
		want   string
	}{
		{"vector", vaexutil.RawArray{Offset: 7, DType: "<i2", Shape: []int64{5}}, vaexutil.AccessMapped, "0 1 2 3 4"},
		{"matrix", vaexutil.RawArray{Offset: 7, DType: "int16", Shape: []int64{2, 3}}, vaexutil.AccessMapped, "[0,1,2] [3,4,5]"},
		{"rank 3", vaexutil.RawArray{Offset: 7, DType: "int16", Shape: []int64{2, 2, 2}}, vaexutil.AccessMapped, "[[0,1],[2,3]] [[4,5],[6,7]]"},
		{"Fortran order", vaexutil.RawArray{Offset: 7, DType: "int16", Shape: []int64{2, 3}, Order: vaexutil.OrderFortran}, vaexutil.AccessGathered, "[0,2,4] [1,3,5]"},
		{"Fortran order, rank 3", vaexutil.RawArray{Offset: 7, DType: "int16", Shape: []int64{2, 3, 4}, Order: vaexutil.OrderFortran}, vaexutil.AccessGathered,
			"[[0,6,12,18],[2,8,14,20],[4,10,16,22]] [[1,7,13,19],[3,9,15,21],[5,11,17,23]]"},
		{"every third", vaexutil.RawArray{Offset: 9, DType: "int16", Shape: []int64{4}, Strides: []int64{6}}, vaexutil.AccessGathered, "1 4 7 10"},
		{"backwards", vaexutil.RawArray{Offset: 7 + 46, DType: "int16", Shape: []int64{3}, Strides: []int64{-2}}, vaexutil.AccessGathered, "23 22 21"},
		{"the same again and again", vaexutil.RawArray{Offset: 11, DType: "int16", Shape: []int64{3}, Strides: []int64{0}}, vaexutil.AccessGathered, "2 2 2"},
		{"rows of a wider matrix", vaexutil.RawArray{Offset: 9, DType: "int16", Shape: []int64{3, 2}, Strides: []int64{8, 2}}, vaexutil.AccessGathered, "[1,2] [5,6] [9,10]"},
		{"other byte order", vaexutil.RawArray{Offset: 7, DType: ">i2", Shape: []int64{3}}, vaexutil.AccessGathered, "0 256 512"},
		{"no rows", vaexutil.RawArray{Offset: 7, DType: "float64", Shape: []int64{0}}, vaexutil.AccessMapped, ""},
		{"scalar", vaexutil.RawArray{Offset: 9, DType: "int16"}, vaexutil.AccessMapped, "1"},
		{"text", vaexutil.RawArray{Offset: 0, DType: "S7", Shape: []int64{1}}, vaexutil.AccessGathered, "header:"},
	}
	for how, src := range sources(t, name, data) {
		for _, tt := range tests {
			t.Run(how+"/"+tt.what, func(t *testing.T) {
				v, err := vaexutil.MapArray(src, tt.a)
				if err != nil {
					t.Fatal(err)
				}
				want := tt.access
				if how != "mapped" {
					want = vaexutil.AccessStreaming
				}
				if v.Access() != want {
					t.Errorf("%v, not %v", v.Access(), want)
				}
				arr, err := v.Read(context.Background(), 0, v.Len())
				if err != nil {
					t.Fatal(err)
				}
				defer arr.Release()
				if got := tabletest.Values(arr); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
				if n, ok := v.NullCount(); !ok || n != 0 {
					t.Errorf("null count %d, known: %t", n, ok)
				}
				if v.Len() > 1 {
					s, err := v.Slice(1, v.Len())
					if err != nil {
						t.Fatal(err)
					}
					tail, err := s.Read(context.Background(), 0, s.Len())
					if err != nil {
						t.Fatal(err)
					}
					defer tail.Release()
					if _, rest, _ := strings.Cut(tt.want, " "); tabletest.Values(tail) != rest {
						t.Errorf("without the first row: %s", tabletest.Values(tail))
					}
				}
			})
		}
	}
}

// TestMapArrayShares shows that a mapped array is the file's bytes.
func TestMapArrayShares(t *testing.T) {
	name, data := rawFile(t)
	src := sources(t, name, data)["mapped"]
	v, err := vaexutil.MapArray(src, vaexutil.RawArray{Offset: 7, DType: "<i2", Shape: []int64{24}})
	if err != nil {
		t.Fatal(err)
	}
	arr, err := v.Read(context.Background(), 3, 9)
	if err != nil {
		t.Fatal(err)
	}
	defer arr.Release()
	whole, _ := src.View(7+6, 12)
	if unsafe.SliceData(arr.Data().Buffers()[1].Bytes()) != unsafe.SliceData(whole) {
		t.Error("the values are not the file's bytes")
	}
}

// TestMapArrayArguments tells apart what is wrong.
func TestMapArrayArguments(t *testing.T) {
	name, data := rawFile(t)
	for how, src := range sources(t, name, data) {
		for what, tt := range map[string]struct {
			a    vaexutil.RawArray
			kind h5err.Kind
		}{
			"overflow":                 {vaexutil.RawArray{DType: "f8", Shape: []int64{1 << 40, 1 << 40}}, h5err.Argument},
			"negative dimension":       {vaexutil.RawArray{DType: "f8", Shape: []int64{-1}}, h5err.Argument},
			"negative offset":          {vaexutil.RawArray{Offset: -1, DType: "i1", Shape: []int64{1}}, h5err.Argument},
			"offset beyond the end":    {vaexutil.RawArray{Offset: 1000, DType: "i1", Shape: []int64{0}}, h5err.Argument},
			"extent beyond the end":    {vaexutil.RawArray{Offset: 7, DType: "i2", Shape: []int64{25}}, h5err.Argument},
			"stride before the start":  {vaexutil.RawArray{Offset: 7, DType: "i2", Shape: []int64{9}, Strides: []int64{-2}}, h5err.Argument},
			"stride beyond the end":    {vaexutil.RawArray{Offset: 7, DType: "i2", Shape: []int64{3}, Strides: []int64{math.MaxInt64}}, h5err.Argument},
			"smallest stride":          {vaexutil.RawArray{Offset: 7, DType: "i2", Shape: []int64{2}, Strides: []int64{math.MinInt64}}, h5err.Argument},
			"strides of another rank":  {vaexutil.RawArray{Offset: 7, DType: "i2", Shape: []int64{3}, Strides: []int64{2, 2}}, h5err.Argument},
			"no type":                  {vaexutil.RawArray{Shape: []int64{1}}, h5err.Argument},
			"unknown type":             {vaexutil.RawArray{DType: "banana", Shape: []int64{1}}, h5err.Unsupported},
			"unit without counterpart": {vaexutil.RawArray{DType: "datetime64[Y]", Shape: []int64{1}}, h5err.Unsupported},
		} {
			if _, err := vaexutil.MapArray(src, tt.a); !h5err.Is(err, tt.kind) {
				t.Errorf("%s, %s: %v", how, what, err)
			}
		}
		v, err := vaexutil.MapArray(src, vaexutil.RawArray{DType: "i1", Shape: []int64{4}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Read(context.Background(), 2, 5); !h5err.Is(err, h5err.Argument) {
			t.Errorf("rows beyond the end: %v", err)
		}
		if _, err := v.Slice(3, 2); !h5err.Is(err, h5err.Argument) {
			t.Errorf("rows backwards: %v", err)
		}
	}
}

const masked = "0 null 20 30 40 null 60 70 80 null 100"

type datasetTest struct {
	what, path, null string
	kind             convention.NullKind
	access           vaexutil.Access // when mapped
	want             string
}

// datasetTests are what vaex.hdf5.utils promises of a dataset, kept here in every case.
var datasetTests = []datasetTest{
	{"contiguous", "/short_mask/columns/x/data", "", 0, vaexutil.AccessMapped, "0 10 20 30 40 50 60 70 80 90 100"},
	{"masked, contiguous", "/mask_and_bitmap/columns/x/data", "/mask_and_bitmap/columns/x/mask", 0, vaexutil.AccessMapped, masked},
	{"with a bitmap, contiguous", "/mask_and_bitmap/columns/x/data", "/mask_and_bitmap/columns/x/null_bitmap", 0, vaexutil.AccessMapped, "0 10 20 30 40 null 60 70 80 90 100"},
	{"masked, chunked", "/chunked_mask/columns/x/data", "/chunked_mask/columns/x/mask", 0, vaexutil.AccessLazy, masked},
	{"with a bitmap, chunked", "/chunked_bitmap/columns/x/data", "/chunked_bitmap/columns/x/null_bitmap", convention.NullBitmap, vaexutil.AccessLazy, masked},
	{"big-endian times", "/big_endian_time/columns/t/data", "", 0, vaexutil.AccessGathered, "1970-01-01T00:00:00 1970-01-01T00:00:00.000000001 null 1970-01-01T00:00:01"},
	{"big-endian durations, chunked", "/big_endian_time/columns/d/data", "", 0, vaexutil.AccessLazy, "0s 1s 2s null"},
	{"UTF-32", "/utf32/columns/w/data", "", 0, vaexutil.AccessGathered, "abc é  🙂"},
	{"text", "/empty/columns/s/data", "", 0, vaexutil.AccessLazy, ""},
	{"chunked text", "/chunked_text/columns/s/data", "/chunked_text/columns/s/null_bitmap", 0, vaexutil.AccessLazy, "null é1 é2 null é4 é5 null é7 é8 null é10"},
	{"empty", "/empty/columns/x/data", "/empty/columns/x/mask", 0, vaexutil.AccessLazy, ""},
	{"scalar", "/scalar", "", 0, vaexutil.AccessMapped, "2.5"},
}

func TestMapDataset(t *testing.T) {
	for _, how := range []string{"mapped", "read", "io.ReaderAt"} {
		f := tabletest.OpenHow(t, "../testdata/defects.h5", how)
		for _, tt := range datasetTests {
			if how != "mapped" && tt.access != vaexutil.AccessLazy {
				tt.access = vaexutil.AccessStreaming
			}
			t.Run(how+"/"+tt.what, func(t *testing.T) { testDataset(t, f, tt) })
		}
	}
}

func testDataset(t *testing.T, f *arrowmap.File, tt datasetTest) {
	var nulls []vaexutil.NullSource
	if tt.null != "" {
		nulls = append(nulls, vaexutil.NullSource{Kind: tt.kind, Data: dataset(t, f, tt.null)})
	}
	v, err := vaexutil.MapDataset(f, dataset(t, f, tt.path), nulls...)
	if err != nil {
		t.Fatal(err)
	}
	if v.Access() != tt.access || v.Masked() != (tt.null != "") {
		t.Errorf("%v, masked: %t; want %v", v.Access(), v.Masked(), tt.access)
	}
	arr, err := v.Read(context.Background(), 0, v.Len())
	if err != nil {
		t.Fatal(err)
	}
	defer arr.Release()
	if got := tabletest.Values(arr); got != tt.want {
		t.Errorf("got %s, want %s", got, tt.want)
	}
	if v.Len() < 4 {
		return
	}
	s, err := v.Slice(1, 4)
	if err != nil {
		t.Fatal(err)
	}
	part, err := s.Read(context.Background(), 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer part.Release()
	if want := strings.Split(tt.want, " "); tabletest.Values(part) != strings.Join(want[2:4], " ") {
		t.Errorf("rows 2 and 3: %s", tabletest.Values(part))
	}
}

// TestMapDatasetRefused gives sources of nulls that do not fit their data.
func TestMapDatasetRefused(t *testing.T) {
	for _, how := range []string{"mapped", "read", "io.ReaderAt"} {
		f := tabletest.OpenHow(t, "../testdata/defects.h5", how)
		for what, tt := range map[string]struct{ path, null string }{
			"a mask that is too short":   {"/short_mask/columns/x/data", "/short_mask/columns/x/mask"},
			"a bitmap that is too short": {"/short_bitmap/columns/x/data", "/short_bitmap/columns/x/null_bitmap"},
			"a mask of floats":           {"/short_mask/columns/x/data", "/empty/columns/x/data"},
		} {
			if _, err := vaexutil.MapDataset(f, dataset(t, f, tt.path), vaexutil.NullSource{Data: dataset(t, f, tt.null)}); !h5err.Is(err, h5err.Corrupt) {
				t.Errorf("%s, %s: %v", how, what, err)
			}
		}
	}
}
