package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strconv"
	"strings"
)

// A file of a range. Numbers are little-endian.
//
//	8 bytes    "h5cache\x01"
//	32 bytes   SHA-256 of the version of the object
//	8 bytes    offset in the object
//	8 bytes    bytes, n
//	4 bytes    CRC-32C of each 64 KiB of the n bytes; the last may be shorter
//	4 bytes    CRC-32C of what is before
//	n bytes    of the object
const (
	magic  = "h5cache\x01"
	fixed  = len(magic) + 32 + 8 + 8
	piece  = 64 << 10
	sumLen = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errDamaged = errors.New("the file is damaged")

// extent is a range of an object.
type extent struct{ off, n int64 }

func (e extent) end() int64 { return e.off + e.n }

func (e extent) name() string { return fmt.Sprintf("%x-%x", e.off, e.n) }

// parseName returns the range that a file's name says.
func parseName(name string) (extent, bool) {
	a, b, ok := strings.Cut(name, "-")
	off, err := strconv.ParseInt(a, 16, 64)
	n, err2 := strconv.ParseInt(b, 16, 64)
	e := extent{off, n}
	return e, ok && err == nil && err2 == nil && off >= 0 && n > 0 && n <= maxExtent && off <= 1<<62 && e.name() == name
}

func (e extent) headerLen() int { return fixed + (int((e.n-1)/piece)+1)*sumLen + sumLen }

// header returns the bytes before those of the object.
func (e extent) header(key [32]byte, p []byte) []byte {
	b := make([]byte, 0, e.headerLen())
	b = append(b, magic...)
	b = append(b, key[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(e.off))
	b = binary.LittleEndian.AppendUint64(b, uint64(e.n))
	for len(p) > 0 {
		k := min(len(p), piece)
		b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(p[:k], castagnoli))
		p = p[k:]
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// write writes a range to a new file, and gives it its name.
func (e extent) write(root *os.Root, dir string, key [32]byte, p []byte) (err error) {
	name := dir + "/" + temporaryName()
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			root.Remove(name)
		}
	}()
	_, err = f.Write(e.header(key, p))
	if err == nil {
		_, err = f.Write(p)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return root.Rename(name, dir+"/"+e.name())
}

// read fills p with what is at off of the object, all of it within the range.
func (e extent) read(f *os.File, key [32]byte, p []byte, off int64) error {
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() != int64(e.headerLen())+e.n {
		return errDamaged
	}
	head := make([]byte, e.headerLen())
	if _, err := io.ReadFull(f, head); err != nil {
		return errDamaged
	}
	sums := head[fixed:]
	u64 := func(at int) int64 { return int64(binary.LittleEndian.Uint64(head[at:])) }
	if string(head[:len(magic)]) != magic || [32]byte(head[len(magic):]) != key || u64(len(magic)+32) != e.off || u64(len(magic)+40) != e.n ||
		crc32.Checksum(head[:len(head)-sumLen], castagnoli) != binary.LittleEndian.Uint32(head[len(head)-sumLen:]) {
		return errDamaged
	}
	var scratch []byte
	for n := 0; n < len(p); {
		at := off + int64(n) - e.off // in the range
		first := at / piece * piece
		size := min(piece, e.n-first)
		buf := p[n:]
		whole := at == first && int64(len(buf)) >= size
		if !whole {
			if scratch == nil {
				scratch = make([]byte, piece)
			}
			buf = scratch
		}
		buf = buf[:size]
		if _, err := f.ReadAt(buf, int64(len(head))+first); err != nil {
			return errDamaged
		}
		if crc32.Checksum(buf, castagnoli) != binary.LittleEndian.Uint32(sums[first/piece*sumLen:]) {
			return errDamaged
		}
		if whole {
			n += len(buf)
		} else {
			n += copy(p[n:], buf[at-first:])
		}
	}
	return nil
}
