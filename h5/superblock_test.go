package h5

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/internal/hextest"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

func TestSuperblockOldBytes(t *testing.T) {
	f := openBytes(t, hextest.Load(t, "superblock_v1").Bytes)
	want := Superblock{Version: 1, OffsetSize: 4, LengthSize: 4, EndOfFile: 0xa0, root: 0x60, extension: meta.Undefined}
	if f.Superblock() != want {
		t.Errorf("superblock is %+v, want %+v", f.Superblock(), want)
	}
	if links, err := f.Root().Links(); err != nil || len(links) != 0 {
		t.Errorf("links are %v, %v", links, err)
	}
}

// TestSuperblockCut cuts a file at each byte: an error names what is missing, and no part passes as a file.
func TestSuperblockCut(t *testing.T) {
	whole := hextest.Load(t, "superblock_v1").Bytes
	for n := range whole {
		_, err := tryBytes(whole[:n])
		if n < 8 {
			needError(t, err, h5err.Corrupt, "no HDF5 signature", 0)
		} else {
			needError(t, err, h5err.Corrupt, "", -1)
		}
	}
	_, err := tryBytes(whole[:len(whole)-1])
	needError(t, err, h5err.Corrupt, "the file has 159 bytes, its superblock says 160: it was cut short", 159)
}

// TestSuperblockSizes reads a chain of all structures whose layout depends on the sizes of addresses and lengths.
func TestSuperblockSizes(t *testing.T) {
	for _, osize := range []int{2, 4, 8, 16, 32} {
		for _, lsize := range []int{2, 4, 8, 16, 32} {
			for version := range 4 {
				t.Run(fmt.Sprintf("%d_%d_%d", osize, lsize, version), func(t *testing.T) {
					w := newBuilderOf(osize, lsize)
					b := w.superblock(version, w.oldGroup([]string{"a", "itself"}, []uint64{w.header1(), meta.Undefined}))
					f := openBytes(t, b)
					s := f.Superblock()
					if s.Version != version || s.OffsetSize != osize || s.LengthSize != lsize || s.EndOfFile != int64(len(b)) || f.OffsetSize() != osize {
						t.Errorf("superblock is %+v", s)
					}
					links, err := f.Root().Links()
					if err != nil || len(links) != 2 || links[0].Name != "a" || links[1].Address != meta.Undefined {
						t.Fatalf("links are %v, %v", links, err)
					}
					if _, err := f.Lookup("/a"); err != nil {
						t.Error(err)
					}
					_, err = f.Lookup("/itself")
					needError(t, err, h5err.Corrupt, "/itself: corrupt: undefined object address", -1)
				})
			}
		}
	}
}

// superblock puts a superblock of any version in front.
func (w *builder) superblock(version int, root uint64) []byte {
	if version >= 2 {
		w.file(root)
		w.b[newVersion] = byte(version)
		copy(w.b, sum(w.b[:12+4*w.osize:12+4*w.osize]))
		return w.b
	}
	s := cat([]byte(signature), []byte{byte(version)}, hx("00**4"), []byte{byte(w.osize), byte(w.lsize)}, hx("00 04 00 10 00 00**4"))
	if version == 1 {
		s = append(s, hx("20 00 00 00")...)
	}
	s = cat(s, w.addr(0), w.addr(meta.Undefined), w.addr(uint64(len(w.b))), w.addr(meta.Undefined), w.len(0), w.addr(root), hx("00**24"))
	if len(s) > 256 {
		panic("a test's superblock")
	}
	copy(w.b, s)
	return w.b
}

// TestSizesFixtures opens files that libhdf5 wrote with unusual sizes.
func TestSizesFixtures(t *testing.T) {
	for _, c := range [][2]int{{2, 2}, {4, 4}, {4, 8}, {8, 2}, {8, 4}} {
		b, want := indexFixture(t, fmt.Sprintf("sizes_%d_%d", c[0], c[1]))
		f := openBytes(t, b)
		if s := f.Superblock(); s.OffsetSize != c[0] || s.LengthSize != c[1] {
			t.Errorf("sizes %v: superblock is %+v", c, s)
		}
		links, err := f.Root().Links()
		if err != nil || len(links) != len(want.Links) {
			t.Fatalf("sizes %v: %d links, want %d; %v", c, len(links), len(want.Links), err)
		}
		for _, l := range links {
			if a, ok := want.Links[l.Name].(float64); ok && uint64(a) != l.Address {
				t.Errorf("sizes %v: link %q leads to %d, want %v", c, l.Name, l.Address, a)
			}
		}
		if err := f.walk(func(_ Object, _ string, err error) error { return err }); err != nil {
			t.Errorf("sizes %v: %v", c, err)
		}
	}
}

func TestSuperblockRefused(t *testing.T) {
	first, second := hextest.Load(t, "superblock_v1"), hextest.Load(t, "file_v2")
	change := func(field string, v ...byte) []byte { return first.Patch(t, "superblock: "+field, v...) }
	for _, c := range []struct {
		name string
		b    []byte
		kind h5err.Kind
		text string
		off  int64
	}{
		{"empty", nil, h5err.Corrupt, "no HDF5 signature", 0},
		{"netCDF-3", []byte("CDF\x01 and so on, but no HDF5"), h5err.Corrupt, "this is a netCDF-3 file", 0},
		{"version", change("version", 4), h5err.Unsupported, "superblock version 4", 9},
		{"offsets of 3 bytes", change("size of addresses", 3), h5err.Corrupt, "size of offsets or lengths is 3", -1},
		{"lengths of 0 bytes", change("size of lengths", 0), h5err.Corrupt, "size of offsets or lengths is 0", -1},
		{"end before base", change("base address", 0, 1), h5err.Corrupt, "end-of-file address 0xa0", 0},
		{"root outside", change("root object header", 0, 1), h5err.Corrupt, "not inside the file", -1},
		{"root undefined", change("root object header", 0xff, 0xff, 0xff, 0xff), h5err.Corrupt, "undefined object address", -1},
		{"root is not a header", change("root object header", 0x10), h5err.Corrupt, "not an object header (version 4)", 0x10},
		{"driver outside", change("driver information", 0, 2), h5err.Corrupt, "not inside the file", -1},
		{"checksum", second.Patch(t, "superblock: checksum", 0), h5err.Corrupt, "checksum of the superblock is", -1},
		{"undefined end", second.Patch(t, "superblock: end of file", hx("ff**8")...), h5err.Corrupt, "end-of-file address", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := tryBytes(c.b)
			needError(t, err, c.kind, c.text, c.off)
		})
	}
	dataset := newBuilder()
	_, err := tryBytes(dataset.file(dataset.dataset(scalar)))
	needError(t, err, h5err.Corrupt, "the root object is not a group", -1)
}

// TestSuperblockMoved puts user blocks of all sizes in front; addresses are relative to the superblock. The base address
// that the file names is that of before it was moved.
func TestSuperblockMoved(t *testing.T) {
	for _, at := range []int64{512, 1024, 2048, 4096, 1 << 16} {
		for _, base := range []uint64{0, uint64(at), 512, 99} {
			w := newBuilder()
			root := w.single(w.hard("a", w.dataset(simple(4), contiguous(w, hx("01**16")))))
			head := cat([]byte(signature), hx("02 08 08 00"), le(base, 8), le(meta.Undefined, 8), le(base+uint64(len(root)), 8), root[newRoot:newSum])
			copy(root, sum(head))
			f := openBytes(t, cat(make([]byte, at), root))
			if s := f.Superblock(); s.Offset != at || s.EndOfFile != at+int64(len(root)) {
				t.Errorf("user block of %d, base %d: superblock is %+v", at, base, s)
			}
			l, err := lookup[*Dataset](t, f, "/a").Layout()
			if err != nil || l.Offset != at+256 {
				t.Errorf("user block of %d, base %d: data at %d; %v", at, base, l.Offset, err)
			}
		}
	}
	for _, at := range []int{8, 256, 513, 1536} { // where no signature is looked for
		w := newBuilder()
		_, err := tryBytes(cat(make([]byte, at), w.single()))
		needError(t, err, h5err.Corrupt, "no HDF5 signature", 0)
	}
}

// Offsets in superblocks of versions 0 and 1, and of versions 2 and 3, with addresses and lengths of 8 bytes.
const (
	oldFlags   = 20
	oldDriver  = 48 // in version 1 after four bytes more
	newVersion = 8
	newFlags   = 11
	newRoot    = 36
	newSum     = 44
)

func TestConsistencyFlags(t *testing.T) {
	for version := range 4 {
		w := newBuilder()
		b := w.superblock(version, w.group())
		if version >= 2 {
			b[newFlags] = 5
			copy(b, sum(b[:newSum:newSum]))
		} else {
			b[oldFlags] = 5
		}
		s := openBytes(t, b).Superblock()
		if s.Flags != 5 || s.OpenForWriting() != (version == 3) {
			t.Errorf("version %d: flags %d, open for writing: %v", version, s.Flags, s.OpenForWriting())
		}
	}
}

func TestSeveralFiles(t *testing.T) {
	for _, c := range []struct {
		id, text string
		kind     h5err.Kind
	}{
		{"NCSAfami", "the family file driver", h5err.Unsupported},
		{"NCSAmult", "the multi file driver", h5err.Unsupported},
		{"OTHERdrv", "", 0},
	} {
		for version := range 4 {
			w := newBuilder()
			body := cat([]byte(c.id), hx("08 00"), hx("00**8"))
			if version >= 2 {
				w.extension = w.header2(msg{typ: msgDriver, body: cat([]byte{0}, body)})
			}
			info := w.put(cat([]byte{0, 0, 0, 0, 10, 0, 0, 0}, body))
			b := w.superblock(version, w.group())
			switch version {
			case 0:
				copy(b[oldDriver:], le(info, 8))
			case 1:
				copy(b[oldDriver+4:], le(info, 8))
			}
			_, err := tryBytes(b)
			if c.kind == 0 {
				if err != nil {
					t.Errorf("driver %s: %v", c.id, err)
				}
				continue
			}
			needError(t, err, c.kind, c.text, -1)
		}
	}
	// The first file of a family is shorter than the whole: the error is about the family, not about a cut file.
	w := newBuilder()
	w.extension = w.header2(msg{typ: msgDriver, body: cat([]byte{0}, []byte("NCSAfami"), hx("08 00"), hx("00**8"))})
	root := w.group()
	w.b = append(w.b, make([]byte, 1000)...)
	b := w.file(root)
	_, err := tryBytes(b[:len(b)-1000])
	needError(t, err, h5err.Unsupported, "the family file driver", -1)
	w = newBuilder()
	w.extension = 1 << 20
	_, err = tryBytes(w.single())
	needError(t, err, h5err.Corrupt, "not inside the file", -1)
}

func TestCacheImage(t *testing.T) {
	for _, c := range []struct {
		addr, size uint64
		kind       h5err.Kind
	}{{256, 64, h5err.Unsupported}, {meta.Undefined, 0, 0}, {256, 0, 0}} {
		w := newBuilder()
		w.extension = w.header2(msg{typ: msgCacheImage, body: cat([]byte{0}, w.addr(c.addr), w.len(c.size))})
		_, err := tryBytes(w.single())
		if c.kind == 0 && err != nil {
			t.Errorf("image of %d bytes at %#x: %v", c.size, c.addr, err)
		}
		if c.kind != 0 {
			needError(t, err, c.kind, "a metadata cache image", 270)
		}
	}
}

// TestUserBlockFixture reads a file with a user block, and the same file without it and with another one.
func TestUserBlockFixture(t *testing.T) {
	b, err := os.ReadFile(h5test.Fixture(t, "userblock.h5"))
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{0, 512, 1024, 8192} {
		p := filepath.Join(t.TempDir(), "moved.h5")
		if err := os.WriteFile(p, cat(make([]byte, at), b[1024:]), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Open(p)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		l, err := lookup[*Dataset](t, f, "/contiguous").Layout()
		if err != nil {
			t.Fatal(err)
		}
		var got [160]byte
		if _, err := f.Source().ReadAt(got[:], l.Offset); err != nil || got[8] != 1 || got[152] != 19 {
			t.Errorf("moved to %d: data are %v, %v", at, got, err)
		}
		chunks, err := lookup[*Dataset](t, f, "/chunked").Chunks()
		if err != nil || len(chunks) != 3 {
			t.Errorf("moved to %d: chunks are %v, %v", at, chunks, err)
		}
	}
}

// contiguous is a layout message for data that it appends.
func contiguous(w *builder, data []byte) msg {
	return msg{typ: msgLayout, body: cat(hx("03 01"), w.addr(w.put(data)), w.len(uint64(len(data))))}
}

// A file of another format is named for what it is.
func TestOtherFormats(t *testing.T) {
	for content, want := range map[string]string{
		"":                         "no HDF5 signature: the file is empty",
		"\x1f\x8b\x08\x00":         "no HDF5 signature: this is gzip data; decompress it first",
		"ARROW1\x00\x00":           "no HDF5 signature: this is an Arrow IPC file",
		"\xff\xff\xff\xff\x10":     "no HDF5 signature: this is an Arrow IPC stream",
		"PAR1":                     "no HDF5 signature: this is a Parquet file",
		"PK\x03\x04":               "no HDF5 signature: this is a zip archive",
		"CDF\x02 and more of this": "no HDF5 signature: this is a netCDF-3 file",
		"a,b\n1,2\n":               "no HDF5 signature: this is not an HDF5 file",
		"A":                        "no HDF5 signature: this is not an HDF5 file",
	} {
		name := filepath.Join(t.TempDir(), "x.h5")
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Open(name)
		if !h5err.Is(err, h5err.Corrupt) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
	}
}
