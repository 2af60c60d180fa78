package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/written"
	"github.com/h5arrow/h5arrow/h5/write"
)

// A table of 300 columns stays readable: some columns have a line, and the types of the others are counted.
func TestInspectWide(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("wide.h5", h5test.Wide(300), 0o644); err != nil {
		t.Fatal(err)
	}
	r := expect(t, 0, "inspect", "wide.h5", "--width", "80")
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	if len(lines) > 80 || !strings.Contains(r.out, "240 columns: 240 double, more (--all lists them)") {
		t.Errorf("%d lines:\n%s", len(lines), r.out)
	}
	for _, line := range lines {
		if text.Width(line) > 80 {
			t.Errorf("%d columns: %q", text.Width(line), line)
		}
	}
	if r := expect(t, 0, "inspect", "wide.h5", "--all"); strings.Count(r.out, " double ") != 300 {
		t.Errorf("%d columns of all", strings.Count(r.out, " double "))
	}
}

// A null dataspace has no shape; a scalar has one of no dimensions.
func TestInspectNullSpace(t *testing.T) {
	var got struct {
		Datasets []struct {
			Path  string
			Shape *[]int
		}
	}
	r := expect(t, 0, "inspect", h5test.Fixture(t, "old.h5"), "--json")
	if err := json.Unmarshal([]byte(r.out), &got); err != nil {
		t.Fatal(err)
	}
	nulls := 0
	for _, d := range got.Datasets {
		if d.Shape == nil {
			nulls++
		}
	}
	if nulls == 0 || nulls == len(got.Datasets) {
		t.Errorf("%d of %d datasets have no shape", nulls, len(got.Datasets))
	}
}

// Groups that are rows of a table, and too many for tables of their own, are counted, but for the first.
func TestInspectManyGroups(t *testing.T) {
	t.Chdir(t.TempDir())
	groups(t, "many.h5", 1100)
	r := expect(t, 0, "inspect", "many.h5")
	for _, want := range []string{"1,099 groups as rows of /data/read_*", "read_0000/", "1,099 groups more as rows of read_* (--all lists them)"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("no %q in\n%s", want, r.out)
		}
	}
	if strings.Contains(r.out, "read_0001") || strings.Count(r.out, "\n") > 40 {
		t.Errorf("groups are listed:\n%s", r.out)
	}
	if r := expect(t, 0, "inspect", "many.h5", "--all"); !strings.Contains(r.out, "read_1099/") || strings.Contains(r.out, "as rows of") {
		t.Errorf("%d lines of all", strings.Count(r.out, "\n"))
	}
	var got struct{ Datasets []struct{ Path string } }
	if err := json.Unmarshal([]byte(expect(t, 0, "inspect", "many.h5", "--json").out), &got); err != nil || len(got.Datasets) != 1100 {
		t.Errorf("%d datasets, %v", len(got.Datasets), err)
	}
}

// groups writes a file of groups with the same members.
func groups(t *testing.T, name string, n int) {
	t.Helper()
	u8 := &h5.Type{Class: h5.ClassFixed, Size: 1, Order: h5.LittleEndian, Precision: 8}
	written.File(t, name, func(f *write.File) error {
		for i := range n {
			d, err := f.Dataset(fmt.Sprintf("/data/read_%04d/x", i), write.Spec{Type: u8, Space: write.Shape(2), Storage: h5.StorageCompact})
			if err == nil {
				err = d.Write([]byte{byte(i), byte(i >> 8)})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
