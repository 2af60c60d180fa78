package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/h5/h5test"
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
