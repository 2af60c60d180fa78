package meta

import (
	"context"
	"encoding/binary"
	"io"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// growing is a file that is being written: the first readings of a byte find it torn, and it becomes longer.
type growing struct {
	b    []byte
	size int64
	torn int
}

func (g *growing) ReadAt(p []byte, off int64) (int, error) {
	if off >= g.size {
		return 0, io.EOF
	}
	n := copy(p, g.b[off:g.size])
	if g.torn > 0 && n > 0 {
		g.torn--
		p[0] ^= 0xff
	}
	return n, nil
}

func (g *growing) Grow(context.Context) (int64, error) { return g.size, nil }

// checked returns n bytes whose last four are the checksum of those before.
func checked(n int) []byte {
	b := make([]byte, n)
	for i := range b[:n-4] {
		b[i] = byte(i)
	}
	binary.LittleEndian.PutUint32(b[n-4:], Checksum(b[:n-4]))
	return b
}

func TestFollow(t *testing.T) {
	g := &growing{b: checked(100), size: 100}
	r := NewReader(g, 100, Limits{})
	g.torn = 1
	if c := r.Checked(0, 100, "structure"); !h5err.Is(c.Err(), h5err.Corrupt) {
		t.Errorf("a torn structure of a file that is not written: %v", c.Err())
	}
	r = NewReader(g, 100, Limits{})
	r.Follow()
	g.torn = 3
	if c := r.Checked(0, 100, "structure"); c.Err() != nil || c.Len() != 96 || c.U8() != 0 || c.U8() != 1 {
		t.Errorf("a structure that is torn three times: %v", c.Err())
	}
	g.torn = 1 << 30
	if c := r.Checked(0, 100, "structure"); !h5err.Is(c.Err(), h5err.Corrupt) {
		t.Errorf("a structure that stays torn: %v", c.Err())
	}
	tries := 1<<30 - g.torn
	if tries != maxTries+1 {
		t.Errorf("it was read %d times", tries)
	}
	for range maxPatience { // a file with many broken structures is given up soon
		r.Checked(0, 100, "structure")
	}
	g.torn = 1 << 30
	if r.Checked(0, 100, "structure"); g.torn != 1<<30-1 {
		t.Errorf("a broken file is read %d times without end", 1<<30-g.torn)
	}
}

func TestFollowGrowth(t *testing.T) {
	g := &growing{b: checked(300), size: 200}
	r := NewReader(g, 200, Limits{})
	if _, err := r.Bytes(150, 100); !h5err.Is(err, h5err.Corrupt) {
		t.Errorf("bytes after the end: %v", err)
	}
	r.Follow()
	if _, err := r.Bytes(150, 100); !h5err.Is(err, h5err.Corrupt) {
		t.Errorf("bytes after the end that is still the same: %v", err)
	}
	g.size = 300
	b, err := r.Bytes(150, 100)
	if err != nil || b[0] != 150 || r.Size() != 300 {
		t.Errorf("bytes of the part that was appended: %v, size %d", err, r.Size())
	}
	g.b[10] = 99 // nothing is kept
	var p [20]byte
	if err := r.Read(p[:], 0); err != nil || p[10] != 99 {
		t.Errorf("a byte that was rewritten: %v, %v", p[10], err)
	}
}
