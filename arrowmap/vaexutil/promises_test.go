package vaexutil_test

import (
	"context"
	"errors"
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/internal/tabletest"
	"github.com/h5arrow/h5arrow/arrowmap/vaexutil"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// A promise is what the documentation of vaex.hdf5.utils promises of h5mmap and mmap_array, and a test that it is kept.
type promise struct {
	promise string
	keep    func(*testing.T)
}

// TestPromises keeps all promises, on files that are mapped, read, and remote.
func TestPromises(t *testing.T) {
	for _, how := range []string{"mapped", "read", "io.ReaderAt"} {
		f := tabletest.OpenHow(t, "../testdata/defects.h5", how)
		for _, p := range append(valuePromises(f, how), edgePromises(f)...) {
			t.Run(how+"/"+p.promise, p.keep)
		}
	}
}

// is compares a dataset, with what says that values are missing, with its values.
func is(f *arrowmap.File, want, data string, nulls ...string) func(*testing.T) {
	return func(t *testing.T) {
		var sources []vaexutil.NullSource
		for _, n := range nulls {
			sources = append(sources, vaexutil.NullSource{Data: dataset(t, f, n)})
		}
		if got := tabletest.Values(column(t, f, data, sources...)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// valuePromises are about the values of datasets and arrays.
func valuePromises(f *arrowmap.File, how string) []promise {
	is := func(want, data string, nulls ...string) func(*testing.T) { return is(f, want, data, nulls...) }
	raw := func(want string, a vaexutil.RawArray) func(*testing.T) {
		return func(t *testing.T) {
			name, bytes := rawFile(t)
			v, err := vaexutil.MapArray(sources(t, name, bytes)[how], a)
			if err != nil {
				t.Fatal(err)
			}
			got, err := v.Read(context.Background(), 0, v.Len())
			if err != nil {
				t.Fatal(err)
			}
			defer got.Release()
			if tabletest.Values(got) != want {
				t.Errorf("got %s, want %s", tabletest.Values(got), want)
			}
		}
	}
	return []promise{
		{"a masked column for non-contiguous masked data", is(masked, "/chunked_mask/columns/x/data", "/chunked_mask/columns/x/mask")},
		{"supports numpy-style masks", is("0 null 20 30 40 null 60 70 80 null 100", "/mask_and_bitmap/columns/x/data", "/mask_and_bitmap/columns/x/mask")},
		{"supports Arrow-style null bitmaps", is("0 10 20 30 40 null 60 70 80 90 100", "/mask_and_bitmap/columns/x/data", "/mask_and_bitmap/columns/x/null_bitmap")},
		{"supports both at once", is(masked, "/mask_and_bitmap/columns/x/data", "/mask_and_bitmap/columns/x/mask", "/mask_and_bitmap/columns/x/null_bitmap")},
		{"custom stride patterns", raw("1 4 7 10", vaexutil.RawArray{Offset: 9, DType: "<i2", Shape: []int64{4}, Strides: []int64{6}})},
		{"column-major arrays", raw("[0,2,4] [1,3,5]", vaexutil.RawArray{Offset: 7, DType: "<i2", Shape: []int64{2, 3}, Order: vaexutil.OrderFortran})},
		{"arrays of high dimension, from remote files too", raw("[[0,1],[2,3]] [[4,5],[6,7]]", vaexutil.RawArray{Offset: 7, DType: "<i2", Shape: []int64{2, 2, 2}})},
		{"datasets of high dimension, from remote files too", is("[0,1] [2,3] [4,5]", "/kinds/columns/matrix/data")},
		{"chunked datasets with masks", is(masked, "/chunked_bitmap/columns/x/data", "/chunked_bitmap/columns/x/null_bitmap")},
		{"chunked datasets of text", is("null é1 é2 null é4 é5 null é7 é8 null é10", "/chunked_text/columns/s/data", "/chunked_text/columns/s/null_bitmap")},
		{"handles empty arrays", is("", "/empty/columns/x/data")},
		{"handles empty arrays with empty masks", is("", "/empty/columns/x/data", "/empty/columns/x/mask")},
		{"scalars", is("2.5", "/scalar")},
		{"text in the heap", is("eins  drei", "/kinds/columns/heap/data")},
		{"the attribute dtype keeps the byte order", is("1970-01-01T00:00:00 1970-01-01T00:00:00.000000001 null 1970-01-01T00:00:01", "/big_endian_time/columns/t/data")},
		{"the attribute dtype keeps the byte order of chunks", is("0s 1s 2s null", "/big_endian_time/columns/d/data")},
	}
}

// edgePromises are about empty datasets, types and errors.
func edgePromises(f *arrowmap.File) []promise {
	return []promise{
		{"slices of empty arrays are empty, or refused", func(t *testing.T) {
			v, err := vaexutil.MapDataset(f, dataset(t, f, "/empty/columns/x/data"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := v.Read(context.Background(), 0, 3); !h5err.Is(err, h5err.Argument) {
				t.Errorf("three rows of none: %v", err)
			}
			if v.Len() != 0 || v.Bytes() != 0 {
				t.Errorf("%d rows, %d bytes", v.Len(), v.Bytes())
			}
		}},
		{"errors have one type that exists", func(t *testing.T) {
			_, err := vaexutil.MapDataset(f, dataset(t, f, "/short_mask/columns/x/data"), vaexutil.NullSource{Data: dataset(t, f, "/short_mask/columns/x/mask")})
			var e *h5err.Error
			if !errors.As(err, &e) || e.Kind != h5err.Corrupt || e.Object == "" {
				t.Errorf("%#v", err)
			}
		}},
		{"UTF-32 text of the right type and length", func(t *testing.T) {
			is(f, "abc é  🙂", "/utf32/columns/w/data")(t)
			if v, err := vaexutil.MapDataset(f, dataset(t, f, "/utf32/columns/w/data")); err != nil || v.Type() != arrow.BinaryTypes.String || v.Len() != 4 {
				t.Errorf("%v, %d rows: %v", v.Type(), v.Len(), err)
			}
		}},
		{"a mask of another length is an error about its length", func(t *testing.T) {
			_, err := vaexutil.MapDataset(f, dataset(t, f, "/sliced/columns/x/data"), vaexutil.NullSource{Kind: convention.NullMask, Data: dataset(t, f, "/empty/columns/x/mask")})
			if !h5err.Is(err, h5err.Corrupt) {
				t.Errorf("empty mask: %v", err)
			}
		}},
	}
}

// TestPromiseAlignment shows that the caller chooses what happens to mapped values that are not aligned, for datasets and for
// arrays in raw bytes.
func TestPromiseAlignment(t *testing.T) {
	name, bytes := rawFile(t)
	aligned := func(a arrowmap.Align) vaexutil.RawArray {
		return vaexutil.RawArray{Offset: 7, DType: "<i2", Shape: []int64{24}, Align: a}
	}
	src := sources(t, name, bytes)["mapped"]
	for _, tt := range []struct {
		align  arrowmap.Align
		access vaexutil.Access
	}{{arrowmap.AlignKeep, vaexutil.AccessMapped}, {arrowmap.AlignCopy, vaexutil.AccessGathered}} {
		v, err := vaexutil.MapArray(src, aligned(tt.align))
		if err != nil {
			t.Fatal(err)
		}
		if v.Access() != tt.access {
			t.Errorf("%v", v.Access())
		}
		a, err := v.Read(context.Background(), 1, 24)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Release()
		at := uintptr(unsafe.Pointer(unsafe.SliceData(a.Data().Buffers()[1].Bytes())))
		if tt.align == arrowmap.AlignCopy && at%2 != 0 {
			t.Error("copied to an odd address")
		}
		if a.ValueStr(0) != "1" || a.ValueStr(22) != "23" {
			t.Errorf("%v", a)
		}
	}
	if _, err := vaexutil.MapArray(src, aligned(arrowmap.AlignRefuse)); !h5err.Is(err, h5err.Unsupported) {
		t.Errorf("refused: %v", err)
	}
	f, err := arrowmap.Open("../testdata/defects.h5", arrowmap.WithAlign(arrowmap.AlignCopy))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := dataset(t, f, "/sliced/columns/x/data")
	if l, err := d.Layout(); err != nil || l.Storage != h5.StorageContiguous || l.Offset%8 == 0 {
		t.Fatalf("the dataset is aligned: %+v, %v", l, err)
	}
	a := column(t, f, "/sliced/columns/x/data")
	if at := uintptr(unsafe.Pointer(unsafe.SliceData(a.Data().Buffers()[1].Bytes()))); at%8 != 0 {
		t.Errorf("address %#x", at)
	}
}
