// Package zones holds what is known of the values of columns, for each zone of a table's rows, and its form in a file.
//
// All numbers in a file are little-endian, or varints as encoding/binary has them:
//
//	8 bytes    "h5idx\x00\x01\n"
//	varints    size of the HDF5 file, and its time of modification (nanoseconds since 1970), or else a hash of its version
//	text       how values were read
//	uvarint    tables; of each:
//	             text path, varint rows, varint rows of a zone, uvarint columns; of each:
//	               text name, text type, 32 bytes of hash, 1 byte form (0 numbers, 1 text); of each zone:
//	                 uvarint nulls; if that is not all rows: varint least and greatest key, or text first and last
//	32 bytes   SHA-256 of what is before
//
// A text is its length as a uvarint and its bytes.
package zones

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"

	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Index is what is known of the tables of a file.
type Index struct {
	Size, Time int64  // of the file
	Options    string // how values were read
	Tables     []Table
}

// Table is what is known of a table.
type Table struct {
	Path    string
	Rows    int64
	Step    int64 // rows of a zone; the last may have fewer
	Columns []Column

	meters []*predicate.Meter // one for each column while they are measured
}

// Column is what is known of a column.
type Column struct {
	Name, Type string
	Hash       [32]byte // of where its values are stored
	Text       bool     // its zones have First and Last, else Low and High
	Zones      []predicate.Stats
}

// Zones returns the number of zones.
func (t *Table) Zones() int64 {
	if t.Rows == 0 {
		return 0
	}
	return (t.Rows-1)/t.Step + 1
}

const magic = "h5idx\x00\x01\n"

// Encode returns the form of an index in a file.
func (x *Index) Encode() []byte {
	b := []byte(magic)
	b = binary.AppendVarint(b, x.Size)
	b = binary.AppendVarint(b, x.Time)
	b = appendText(b, x.Options)
	b = binary.AppendUvarint(b, uint64(len(x.Tables)))
	for _, t := range x.Tables {
		b = appendText(b, t.Path)
		b = binary.AppendVarint(b, t.Rows)
		b = binary.AppendVarint(b, t.Step)
		b = binary.AppendUvarint(b, uint64(len(t.Columns)))
		for _, c := range t.Columns {
			b = c.append(b)
		}
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

func (c *Column) append(b []byte) []byte {
	b = appendText(b, c.Name)
	b = appendText(b, c.Type)
	b = append(b, c.Hash[:]...)
	form := byte(0)
	if c.Text {
		form = 1
	}
	b = append(b, form)
	for _, z := range c.Zones {
		b = binary.AppendUvarint(b, uint64(z.Nulls))
		switch {
		case z.Nulls == z.Rows:
		case c.Text:
			b = appendText(appendText(b, z.First), z.Last)
		default:
			b = binary.AppendVarint(binary.AppendVarint(b, z.Low), z.High)
		}
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Decode returns the index in a file. One that contradicts itself is a Corrupt error.
func Decode(b []byte) (*Index, error) {
	if !bytes.HasPrefix(b, []byte(magic)) || len(b) < len(magic)+sha256.Size {
		return nil, h5err.New(h5err.Corrupt, "not an index of this version")
	}
	body, want := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], want) {
		return nil, h5err.New(h5err.Corrupt, "the checksum of the index is wrong")
	}
	d := decoder{b: body[len(magic):]}
	x := &Index{Size: d.varint(), Time: d.varint(), Options: d.text()}
	for range d.count() {
		if d.failed {
			break
		}
		t := Table{Path: d.text(), Rows: d.varint(), Step: d.varint()}
		if t.Rows < 0 || t.Step < 1 {
			d.failed = true
		}
		for range d.count() {
			if d.failed {
				break
			}
			t.Columns = append(t.Columns, d.column(&t))
		}
		x.Tables = append(x.Tables, t)
	}
	if d.failed || len(d.b) > 0 {
		return nil, h5err.New(h5err.Corrupt, "the index contradicts itself")
	}
	return x, nil
}

// decoder reads from b. After a failure it returns zeros.
type decoder struct {
	b      []byte
	failed bool
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if d.failed = d.failed || n <= 0; d.failed {
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if d.failed = d.failed || n <= 0; d.failed {
		return 0
	}
	d.b = d.b[n:]
	return v
}

// bytes returns the next n bytes, which share memory with b.
func (d *decoder) bytes(n uint64) []byte {
	if d.failed = d.failed || n > uint64(len(d.b)); d.failed {
		return nil
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) text() string { return string(d.bytes(d.uvarint())) }

// count returns a number of things that take at least a byte each.
func (d *decoder) count() uint64 {
	n := d.uvarint()
	if d.failed = d.failed || n > uint64(len(d.b)); d.failed {
		return 0
	}
	return n
}

func (d *decoder) column(t *Table) Column {
	c := Column{Name: d.text(), Type: d.text()}
	copy(c.Hash[:], d.bytes(uint64(len(c.Hash))))
	form := d.bytes(1)
	n := t.Zones()
	if d.failed = d.failed || form[0] > 1 || n > int64(len(d.b)); d.failed { // a zone takes a byte at least
		return c
	}
	c.Text = form[0] == 1
	c.Zones = make([]predicate.Stats, n)
	for i := range c.Zones {
		z := &c.Zones[i]
		z.Rows = min(t.Step, t.Rows-int64(i)*t.Step)
		nulls := d.uvarint()
		if d.failed = d.failed || nulls > uint64(z.Rows); d.failed {
			return c
		}
		z.Nulls = int64(nulls)
		switch {
		case z.Nulls == z.Rows:
		case c.Text:
			z.First, z.Last = d.text(), d.text()
		default:
			z.Low, z.High = d.varint(), d.varint()
		}
	}
	return c
}
