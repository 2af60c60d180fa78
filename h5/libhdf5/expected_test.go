//go:build libhdf5 && cgo

package libhdf5_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// TestDescriptions compares descriptions of datasets with those of h5py's own, newer C library, from when the test files were
// written.
func TestDescriptions(t *testing.T) {
	indexes := map[string]h5.ChunkIndex{
		"": 0, "btree-v1": h5.IndexBTree1, "single": h5.IndexSingle, "implicit": h5.IndexImplicit,
		"fixed-array": h5.IndexFixedArray, "extensible-array": h5.IndexExtensibleArray, "btree-v2": h5.IndexBTree2,
	}
	compared := 0
	for _, file := range h5test.Fixtures(t) {
		name := strings.TrimSuffix(filepath.Base(file), ".h5")
		text, err := os.ReadFile(filepath.Join(filepath.Dir(file), "expected", name+".json"))
		if os.IsNotExist(err) {
			continue // not every test file has a description
		}
		must(t, err)
		var want struct {
			Objects map[string]struct {
				Kind, Type, Layout, Index string
				Shape, MaxShape           []int64
				Chunks                    []uint64
				Filters                   []uint16
				Fill                      any
			}
		}
		must(t, json.Unmarshal(text, &want))
		f := open(t, file)
		sets, err := f.Datasets()
		if err != nil {
			t.Logf("%s: %v", name, err)
		}
		for _, path := range sets {
			w, ok := want.Objects[path]
			if !ok {
				continue // known under another of its names
			}
			info, err := f.Dataset(path)
			if err != nil {
				t.Logf("%v", err) // newer than this C library
				continue
			}
			compared++
			at := name + path
			check(t, at+" type", info.Type.String(), w.Type)
			check(t, at+" shape", fmt.Sprint(info.Space.Dims), fmt.Sprint(w.Shape))
			check(t, at+" layout", info.Storage.String(), w.Layout)
			check(t, at+" chunks", fmt.Sprint(info.ChunkDims), fmt.Sprint(w.Chunks))
			check(t, at+" index", info.Index, indexes[w.Index])
			var filters []uint16
			for _, x := range info.Filters {
				filters = append(filters, x.ID)
			}
			check(t, at+" filters", fmt.Sprint(filters), fmt.Sprint(w.Filters))
			for i, m := range w.MaxShape {
				limit := uint64(m)
				if m < 0 {
					limit = h5.Unlimited
				}
				check(t, at+" limit", info.Space.Max[i], limit)
			}
		}
	}
	if compared < 200 {
		t.Errorf("%d datasets compared", compared)
	}
}
