package main

import (
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test/written"
	"github.com/h5arrow/h5arrow/h5/write"
)

// A value without a label and text that is not UTF-8 end with status 3, and say what the data has and which flag reads it.
func TestMessagesThatFit(t *testing.T) {
	t.Chdir(t.TempDir())
	u8 := &h5.Type{Class: h5.ClassFixed, Size: 1, Order: h5.LittleEndian, Precision: 8}
	states := &h5.Type{Class: h5.ClassEnum, Size: 1, Base: u8, Names: []string{"off", "on"}, Values: []byte{0, 1}}
	text := &h5.Type{Class: h5.ClassString, Size: 4, Pad: h5.NullPad, CharSet: h5.UTF8}
	written.File(t, "odd.h5", func(f *write.File) error {
		for _, c := range []struct {
			path string
			typ  *h5.Type
			data string
		}{{"/states/s", states, "\x00\x01\x07"}, {"/texts/s", text, "abc\x00K\xf6ln"}} {
			d, err := f.Dataset(c.path, write.Spec{Type: c.typ, Space: write.Shape(uint64(len(c.data) / c.typ.Size)), Storage: h5.StorageCompact})
			if err == nil {
				err = d.Write([]byte(c.data))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	for _, c := range []struct{ table, err, flag, reads string }{
		{"/states", "7 is not a member of the enumeration; read the integers with --enum values", "--enum=values", "uint8\n    0\n    1\n    7\n"},
		{"/texts", "text is not valid UTF-8 (byte 0xF6 at 1); read it as latin1 or binary with --strings", "--strings=latin1", "abc\nKöln\n"},
	} {
		for _, args := range [][]string{{"head", "odd.h5"}, {"stats", "odd.h5"}, {"convert", "odd.h5", "odd.arrow"}} {
			if r := expect(t, exitCorrupt, append(args, "--table", c.table)...); !strings.Contains(r.err, c.err) || !strings.Contains(r.err, c.table) {
				t.Errorf("%q: %s", args, r.err)
			}
		}
		if r := expect(t, 0, "head", "odd.h5", "--table", c.table, c.flag); !strings.Contains(r.out, c.reads) {
			t.Errorf("%s: %s", c.flag, r.out)
		}
	}
}

// inspect shows what can be described, ends with 3 or 4, and says on stderr how much could not be described.
func TestInspectSaysWhatIsBroken(t *testing.T) {
	workplace(t)
	for file, want := range map[string]string{
		"half.h5":    "h5arrow: half.h5: 1 object can't be described\n",
		"halfnew.h5": "h5arrow: halfnew.h5: not all tables were found: halfnew.h5: /later/x: at byte 5272: unsupported: header message type 0xee\n",
	} {
		if r := command(t, "inspect", file); r.err != want || r.out == "" {
			t.Errorf("%s: status %d, %s", file, r.status, r.err)
		}
	}
}
