package h5

import (
	"fmt"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/hextest"
)

// TestGolden reads small files of which every byte is known.
func TestGolden(t *testing.T) {
	for _, name := range []string{"superblock_v1", "group_v1", "file_v2"} {
		g := hextest.Load(t, name)
		g.Check(t, dump(t, openBytes(t, g.Bytes)))
	}
}

// dump prints what a file is made of.
func dump(t *testing.T, f *File) string {
	t.Helper()
	var out strings.Builder
	s := f.Superblock()
	fmt.Fprintf(&out, "superblock of version %d at %d: addresses of %d bytes, lengths of %d, end at %#x, flags %d, root at %#x\n",
		s.Version, s.Offset, s.OffsetSize, s.LengthSize, s.EndOfFile, s.Flags, s.root)
	if err := f.Walk(func(o Object) error {
		h := headerOf(o)
		fmt.Fprintf(&out, "%s at %#x: %T, header of version %d, %d bytes, %d links\n", o.Path(), o.Address(), o, h.version, h.bytes, h.links)
		for _, m := range h.messages {
			fmt.Fprintf(&out, "  message %#02x, flags %d, at %#x: % x\n", m.typ, m.flags, m.at, m.body)
		}
		switch o := o.(type) {
		case *Group:
			links, err := o.Links()
			for _, l := range links {
				to := l.Target
				if l.Kind == LinkHard {
					to = fmt.Sprintf("%#x", l.Address)
				}
				fmt.Fprintf(&out, "  %s link %s to %s\n", l.Kind, l.Name, to)
			}
			return err
		case *Dataset:
			l, err := o.Layout()
			if err != nil {
				return err
			}
			fmt.Fprintf(&out, "  %s %v, %s: %d bytes at %#x\n", o.Type(), o.Dims(), l.Storage, l.Size, l.Offset)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	return out.String()
}

// TestGoldenDamage changes fields of these files, checksums made right.
func TestGoldenDamage(t *testing.T) {
	for _, c := range []struct {
		file, field string
		value       byte
		kind        h5err.Kind
		text        string
	}{
		{"group_v1", "root: version", 3, h5err.Corrupt, "not an object header (version 3)"},
		{"group_v1", "root: address of the next block", 0x60, h5err.Corrupt, "leads back to itself"},
		{"group_v1", "root: size of the next block", 0x17, h5err.Corrupt, "16 bytes are needed, 15 are left"},
		{"group_v1", "tree: signature", 'X', h5err.Corrupt, `signature "TREE" expected, found "XREE"`},
		{"group_v1", "tree: node type", 1, h5err.Corrupt, "B-tree node of type 1, 0 expected"},
		{"group_v1", "node: signature", 'X', h5err.Corrupt, `signature "SNOD" expected, found "XNOD"`},
		{"group_v1", "node: version", 2, h5err.Unsupported, "symbol table node of version 2"},
		{"group_v1", "heap: version", 1, h5err.Unsupported, "local heap of version 1"},
		{"group_v1", "heap: size of the data", 9, h5err.Corrupt, "a name in the local heap has no end"},
		{"file_v2", "root: version", 3, h5err.Unsupported, "object header version 3"},
		{"file_v2", "root: checksum", 0, h5err.Corrupt, "checksum of the object header is"},
		{"file_v2", "root: size of the next block", 0x14, h5err.Corrupt, "checksum of the object header continuation is"},
		{"file_v2", "root's second block: signature", 'X', h5err.Corrupt, `signature "OCHK" expected, found "XCHK"`},
		{"file_v2", "a: address of the data", 0xcc, h5err.Corrupt, "8 bytes at address 0xcc are not inside the file"},
	} {
		f, err := tryBytes(hextest.Load(t, c.file).Patch(t, c.field, c.value))
		if err == nil {
			_, err = f.Root().Links()
		}
		if err == nil {
			err = f.Walk(func(o Object) error {
				d, ok := o.(*Dataset)
				if !ok {
					return nil
				}
				_, err := d.Layout()
				return err
			})
		}
		t.Run(c.field, func(t *testing.T) { needError(t, err, c.kind, c.text, -1) })
	}
}
