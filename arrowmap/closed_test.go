package arrowmap_test

import (
	"context"
	"errors"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Close has the effect that its comment promises: what was started goes on, and arrays stay valid.
func TestAfterClose(t *testing.T) {
	f, err := arrowmap.Open("testdata/defects.h5")
	if err != nil {
		t.Fatal(err)
	}
	table, err := f.Table("/mask_and_bitmap")
	if err != nil {
		t.Fatal(err)
	}
	all, err := table.ReadAll(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer all.Release()
	r, err := table.Reader(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	for range 2 { // also a second time
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if !r.Next() || r.RecordBatch().NumRows() != 11 || r.Next() || r.Err() != nil {
		t.Errorf("a reader that was started before: %v", r.Err())
	}
	if all.NumRows() != 11 || all.Column(0).NullN() != 3 || all.Column(0).Data().Chunk(0).ValueStr(10) != "100" {
		t.Error("arrays that were read before have changed")
	}
}

// A column can't be selected twice, by its name either.
func TestSelectTwice(t *testing.T) {
	f, err := arrowmap.Open("testdata/defects.h5")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, err := f.Table("/kinds")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := table.Select("enum", "s3", "enum"); !errors.Is(err, h5err.Argument) || err.Error() != "testdata/defects.h5: /kinds: column enum is selected twice" {
		t.Errorf("%v", err)
	}
	if _, err := table.SelectAt(1, 0, 1); !errors.Is(err, h5err.Argument) {
		t.Errorf("%v", err)
	}
	all, err := table.ReadAll(context.Background(), arrowmap.WithMaxMemory(-1))
	if err == nil {
		all.Release()
		t.Error("a wrong option was taken")
	}
	if table.Object() == nil || table.Object().Path() != "/kinds" || len(table.Columns()[0].Objects()) == 0 {
		t.Error("the objects of the table")
	}
}
