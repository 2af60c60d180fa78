package arrowmap_test

import (
	"path/filepath"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// Tables returns what it found and why that is not all. A table that may not be the only one is not taken for it.
func TestIncompleteTables(t *testing.T) {
	f, err := arrowmap.Open(filepath.Join(h5test.Root(t), "cmd", "h5arrow", "testdata", "half.h5"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tables, err := f.Tables()
	if len(tables) != 1 || tables[0].Path() != "/good" || h5err.KindOf(err) != h5err.Corrupt {
		t.Errorf("%d tables, %v", len(tables), err)
	}
	if tab, err := f.Table(""); !h5err.Is(err, h5err.Corrupt) {
		t.Errorf("the only table: %v, %v", tab, err)
	}
	if tab, err := f.Table("/good"); err != nil || tab.Rows() != 5 {
		t.Errorf("/good: %v, %v", tab, err)
	}
}
