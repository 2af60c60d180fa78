// Package kept saves the metadata of a file that is far away, so that whoever opens it later needs one read of what was saved.
//
// A Recorder notes which bytes of a file are read as metadata while something describes the file: opens its objects, their attributes, the
// indexes of their chunks. Its Index has copies of these bytes. Over makes a Backend that finds them there. Nothing depends on
// the Index having all that is asked for: the rest is read from the file.
//
// An Index belongs to one version of a file, by its length and source.Source's Version.
//
// Numbers of its form in a file are varints as encoding/binary has them:
//
//	8 bytes    "h5idx\x00\x03\n"
//	uvarint    size of the file
//	uvarint    length of the version, and its bytes
//	uvarint    number of ranges; of each, in their order:
//	             uvarint bytes between it and the one before, uvarint its bytes
//	uvarint    bytes that are known of values
//	n bytes    a Zstandard frame: the bytes of all ranges, and what is known of values
//	32 bytes   SHA-256 of what is before
package kept

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"slices"
	"sort"

	"github.com/klauspost/compress/zstd"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

const (
	// Max is the largest size of an Index in a file, in bytes.
	Max = 160 << 20

	maxWindow = 8 << 20
	maxBytes  = 128 << 20 // of all ranges and what is known of values
	magic     = "h5idx\x00\x03\n"
)

// Index holds the metadata of one version of a file. It is not changed after it was made.
type Index struct {
	size    int64
	version string
	ranges  []source.Range // sorted, with bytes between them
	starts  []int64        // of each range, in data
	data    []byte
	values  []byte
}

// Is reports whether b starts as an encoded Index.
func Is(b []byte) bool { return bytes.HasPrefix(b, []byte(magic)) }

// Size returns the number of bytes of the file.
func (x *Index) Size() int64 { return x.size }

// Version returns the version of the file.
func (x *Index) Version() string { return x.version }

// Values returns what WithValues added, which is not to be changed. It is nil if nothing was.
func (x *Index) Values() []byte { return x.values }

// WithValues returns an Index that has b too, which says something about the file's values. This package does not look at it.
func (x *Index) WithValues(b []byte) *Index {
	y := *x
	y.values = b
	return &y
}

// Encode returns the form of the index in a file.
func (x *Index) Encode() ([]byte, error) {
	b := []byte(magic)
	b = binary.AppendUvarint(b, uint64(x.size))
	b = binary.AppendUvarint(b, uint64(len(x.version)))
	b = append(b, x.version...)
	b = binary.AppendUvarint(b, uint64(len(x.ranges)))
	end := int64(0)
	for _, r := range x.ranges {
		b = binary.AppendUvarint(b, uint64(r.Off-end))
		b = binary.AppendUvarint(b, uint64(r.Size))
		end = r.Off + r.Size
	}
	if len(x.data)+len(x.values) > maxBytes {
		return nil, h5err.New(h5err.Limit, "an index of %d bytes, the limit is %d", len(x.data)+len(x.values), maxBytes)
	}
	b = binary.AppendUvarint(b, uint64(len(x.values)))
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(maxWindow))
	if err != nil {
		return nil, h5err.Wrap(h5err.IO, err, "the compression of the index")
	}
	b = e.EncodeAll(slices.Concat(x.data, x.values), b)
	sum := sha256.Sum256(b)
	if b = append(b, sum[:]...); len(b) > Max {
		return nil, h5err.New(h5err.Limit, "the index would have %d bytes, the limit is %d", len(b), Max)
	}
	return b, nil
}

// Decode returns the index in a file. One that contradicts itself is a Corrupt error.
func Decode(b []byte) (*Index, error) {
	if !Is(b) || len(b) < len(magic)+sha256.Size || len(b) > Max {
		return nil, h5err.New(h5err.Corrupt, "not an index of this version")
	}
	body, want := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], want) {
		return nil, h5err.New(h5err.Corrupt, "the checksum of the index is wrong")
	}
	x, total, more, rest := decodeRanges(body[len(magic):])
	if x == nil {
		return nil, h5err.New(h5err.Corrupt, "the index contradicts itself")
	}
	d, err := zstd.NewReader(bytes.NewReader(rest), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, h5err.Wrap(h5err.IO, err, "the decompression of the index")
	}
	defer d.Close()
	// Memory grows with what is decoded, not with what the index says that it is.
	all, err := io.ReadAll(io.LimitReader(d, total+more+1))
	if err != nil || int64(len(all)) != total+more {
		return nil, h5err.New(h5err.Corrupt, "the ranges of the index are not complete")
	}
	x.data = all[:total:total]
	if more > 0 {
		x.values = all[total:]
	}
	return x, nil
}

// decodeRanges returns an index without data, the numbers of bytes of its ranges and of what is known of values, and what comes after them;
// nil if something is wrong.
func decodeRanges(b []byte) (x *Index, total, values int64, rest []byte) {
	failed := false
	number := func(limit int64) int64 {
		v, n := binary.Uvarint(b)
		if failed = failed || n <= 0 || v > uint64(limit); failed {
			return 0
		}
		b = b[n:]
		return int64(v)
	}
	x = &Index{size: number(1 << 62)}
	n := number(int64(len(b)))
	if failed || n > int64(len(b)) {
		return nil, 0, 0, nil
	}
	x.version, b = string(b[:n]), b[n:]
	end := int64(0)
	for i := range number(int64(len(b)) / 2) {
		r := source.Range{Off: end + number(x.size-end)}
		r.Size = number(x.size - r.Off)
		if failed || r.Size == 0 || i > 0 && r.Off == end || r.Size > maxBytes-total {
			return nil, 0, 0, nil
		}
		x.ranges, x.starts = append(x.ranges, r), append(x.starts, total)
		total, end = total+r.Size, r.Off+r.Size
	}
	if values = number(maxBytes - total); failed {
		return nil, 0, 0, nil
	}
	return x, total, values, b
}

// at returns the range that holds the byte at an offset, -1 if none does.
func (x *Index) at(off int64) int {
	i := sort.Search(len(x.ranges), func(i int) bool { return x.ranges[i].Off > off }) - 1
	if i < 0 || off >= x.ranges[i].Off+x.ranges[i].Size {
		return -1
	}
	return i
}

// copy fills p with the bytes at an offset if the index has all of them.
func (x *Index) copy(p []byte, off int64) bool {
	i := x.at(off)
	if i < 0 || int64(len(p)) > x.ranges[i].Off+x.ranges[i].Size-off {
		return false
	}
	copy(p, x.data[x.starts[i]+off-x.ranges[i].Off:])
	return true
}
