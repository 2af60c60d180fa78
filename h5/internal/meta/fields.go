package meta

import (
	"encoding/binary"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// beyond stands for integers over 64 bits. It is inside no file, so every check against the file's size refuses it.
const beyond = Undefined - 1

// MaxStructure bounds the bytes of one checksummed structure; the largest that are known have some 100 KB.
const MaxStructure = 64 << 20

// Addr decodes the address at the start of p, which must hold at least OffsetSize bytes. It is for records that are
// too many for a Cursor. An address that does not fit 64 bits comes out as one that no file holds.
func (r *Reader) Addr(p []byte) uint64 {
	if r.OffsetSize == 8 {
		return binary.LittleEndian.Uint64(p)
	}
	return wide(p[:r.OffsetSize])
}

// Len decodes the length at the start of p, which must hold at least LengthSize bytes, like Addr.
func (r *Reader) Len(p []byte) uint64 {
	if r.LengthSize == 8 {
		return binary.LittleEndian.Uint64(p)
	}
	return wide(p[:r.LengthSize])
}

// wide decodes an integer of any width of which all bits set is Undefined.
func wide(p []byte) uint64 {
	var v uint64
	ones, over := true, false
	for i, x := range p {
		ones = ones && x == 0xff
		if i < 8 {
			v |= uint64(x) << (8 * i)
		} else {
			over = over || x != 0
		}
	}
	switch {
	case ones:
		return Undefined
	case over || v == Undefined:
		return beyond
	}
	return v
}

// LE decodes an unsigned integer of len(p) bytes, at most 8.
func LE(p []byte) uint64 {
	var v uint64
	for i, x := range p {
		v |= uint64(x) << (8 * i)
	}
	return v
}

// Extent reports a structure of n bytes at an address to OnExtent. The caller has read them: they are inside the file.
func (r *Reader) Extent(addr, n uint64, what string) {
	if r.OnExtent != nil {
		r.OnExtent(r.base+int64(addr), int64(n), what)
	}
}

// PassOver reports whether a walk is to go on without the part that err is about: if so, it has called OnDefect.
func (r *Reader) PassOver(err error) bool {
	if r.OnDefect == nil || !h5err.Is(err, h5err.Corrupt) && !h5err.Is(err, h5err.Unsupported) {
		return false
	}
	r.OnDefect(err)
	return true
}

// Corrupt returns an error about the structure at an address.
func (r *Reader) Corrupt(addr uint64, format string, args ...any) error {
	return h5err.At(h5err.Corrupt, r.place(addr), format, args...)
}

// Unsupported is Corrupt for a sound structure that is not implemented.
func (r *Reader) Unsupported(addr uint64, format string, args ...any) error {
	return h5err.At(h5err.Unsupported, r.place(addr), format, args...)
}

// OverLimit is Corrupt for a structure that is larger than a limit.
func (r *Reader) OverLimit(addr uint64, format string, args ...any) error {
	return h5err.At(h5err.Limit, r.place(addr), format, args...)
}

// TooManyChunks is OverLimit for an index of more chunks than Limits.Chunks.
func (r *Reader) TooManyChunks(addr uint64) error {
	e := h5err.Over("h5.Limits.Chunks", 2*uint64(r.Limits.Chunks), "more than %d chunks", r.Limits.Chunks)
	e.Offset = r.place(addr)
	return e
}

// place is the absolute offset of an address, NoOffset for one that is outside the file.
func (r *Reader) place(addr uint64) int64 {
	if addr > uint64(r.Size()-r.base) {
		return h5err.NoOffset
	}
	return r.base + int64(addr)
}

// Verified returns the n bytes of the structure at an address without the checksum in the last four of them, after
// verifying that and the signature, "" for none. It reports the structure as an extent. The signature goes first: a
// wrong address gives another error than damaged bytes.
func (r *Reader) Verified(addr uint64, n int, sig, what string) ([]byte, error) {
	if n > MaxStructure {
		return nil, r.OverLimit(addr, "%s of %d bytes", what, n)
	}
	p, err := r.Bytes(addr, n)
	if err != nil {
		return nil, err
	}
	if len(p) < len(sig)+4 {
		return nil, r.Corrupt(addr, "%s of %d bytes", what, n)
	}
	if string(p[:len(sig)]) != sig {
		return nil, r.Corrupt(addr, "signature %q of a %s expected, found %q", sig, what, p[:len(sig)])
	}
	body := p[: n-4 : n-4]
	if got, stored := Checksum(body), binary.LittleEndian.Uint32(p[n-4:]); got != stored && !r.AnyChecksum {
		return nil, r.Corrupt(addr, "checksum of the %s is %#08x, stored is %#08x", what, got, stored)
	}
	r.Extent(addr, uint64(n), what)
	return body, nil
}
