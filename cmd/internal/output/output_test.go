package output

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Where the system has no files without names, the output has a hidden name until it is complete.
func TestNamedOutput(t *testing.T) {
	for _, replace := range []bool{false, true} {
		for _, finish := range []string{"commit", "close", "give up", "other came"} {
			dir := t.TempDir()
			s := &Set{}
			path := filepath.Join(dir, "x.arrow")
			if replace {
				if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			o := &file{set: s, path: path, replace: replace, temp: tempName(path)}
			s.add(o)
			var err error
			if o.File, err = os.OpenFile(o.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := o.WriteString("new"); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(filepath.Base(o.temp), ".x.arrow.") || filepath.Dir(o.temp) != dir {
				t.Errorf("the hidden name is %s", o.temp)
			}
			want := "new"
			switch finish {
			case "commit":
				if err := o.commit(t.Context()); err != nil {
					t.Fatal(err)
				}
			case "give up":
				s.GiveUp()
				want = ""
			case "close":
				want = ""
			case "other came":
				if err := os.WriteFile(path, []byte("other"), 0o644); err != nil {
					t.Fatal(err)
				}
				if err := o.commit(t.Context()); (err == nil) != replace {
					t.Errorf("replace %v: %v", replace, err)
				}
				if !replace {
					want = "other"
				}
			}
			if err := o.close(); err != nil {
				t.Fatal(err)
			}
			if want == "" && replace {
				want = "old"
			}
			got, _ := os.ReadFile(path)
			entries, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != want || len(entries) != min(1, len(want)) {
				t.Errorf("replace %v, %s: %q in %v", replace, finish, got, entries)
			}
		}
	}
}
