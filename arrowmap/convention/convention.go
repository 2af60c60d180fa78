// Package convention knows which objects of an HDF5 file are tables, and how their columns and nulls are spelled.
//
// It describes: which datasets hold a column's values, its nulls, its dictionary, and by which rule. It reads no
// values except small ones (names, attributes); package arrowmap does that by the description.
//
// Conventions are tried from the most specific to the most general, and each says why it claimed an object.
package convention

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// Table describes one table.
type Table struct {
	Path       string // of the group or dataset
	Convention string // name of the convention that claimed it
	Reason     string // why, in words
	Columns    []Column

	Object   h5.Object         // its attributes become the table's metadata; may be nil
	Objects  []h5.Object       // further ones, those of Object winning
	Metadata map[string]string // further metadata for the schema

	// Inner names the objects that belong to the table: they are no tables of their own, nor is what is below them.
	// Nil stands for everything below Path.
	Inner func(path string) bool
}

// Column describes one column. A column that can't be described has Err, and no Values.
type Column struct {
	Name     string
	Values   Values
	Objects  []h5.Object       // whose attributes become the column's metadata, later ones winning
	Metadata map[string]string // further metadata for the field
	Err      error
}

// Values is how a column's values are spelled: one of *Plain, *Strings, *Dictionary, *List, *Cells, *Transposed, *Derived,
// *Empty.
type Values interface {
	// Main is the dataset that stands for the column in a report.
	Main() *h5.Dataset
}

// Plain is the elements of a dataset, or a part of each: a member of a compound type, an item of a row, an item of a
// member. NewPlain makes one of whole elements, NewMember one of a member.
type Plain struct {
	Data   *h5.Dataset
	Member int // number of the member of a compound type, Whole for the whole element
	Item   int // number of the item of a row of several (or of a member of array type), Whole for all of them

	// As, when not nil, is the type that the bytes are read as, and RowDims the shape of its items in a row, instead of
	// the dataset's own: characters in a row as one string, for instance. A row keeps its number of bytes.
	As      *h5.Type
	RowDims []uint64

	// Squeeze drops leading dimensions of 1: a dataset of shape (1, N) has N rows.
	Squeeze bool

	DType      string // the attribute "dtype", "" for none
	HasDLength bool
	DLength    int64

	Zone   string // time zone of timestamps, "" for none
	Bools  bool   // bitfields of 8 bits are booleans
	Times  bool   // the time class is PyTables': seconds, or seconds and microseconds
	Latin1 bool   // text is ISO 8859-1, unless the caller wants bytes
	Nulls  []Null
}

// Whole is the Member or Item of a Plain that takes everything.
const Whole = -1

// Main returns Data.
func (p *Plain) Main() *h5.Dataset { return p.Data }

// NewMember describes a member of a compound dataset.
func NewMember(d *h5.Dataset, member int) *Plain {
	return &Plain{Data: d, Member: member, Item: Whole}
}

// Bounds says what a dataset of offsets counts.
type Bounds uint8

// The spellings of offsets.
const (
	BoundsBoth   Bounds = iota // one more than there are rows: row i is the items [Offsets[i], Offsets[i+1])
	BoundsStarts               // where each row starts; it ends where the next one starts, the last with the items
	BoundsEnds                 // where each row ends; it starts where the one before ends, the first at 0
)

var boundsNames = [...]string{"both", "starts", "ends", "invalid"}

// String returns the spelling's name.
func (b Bounds) String() string { return boundsNames[min(int(b), len(boundsNames)-1)] }

// Strings is text in Arrow's own layout: bytes, and one offset more than there are rows; or nearly so.
type Strings struct {
	Data    *h5.Dataset
	Offsets *h5.Dataset
	Bounds  Bounds
	NulEnds bool // each text ends in a NUL, which is not part of it
	Nulls   []Null
}

// Main returns Data.
func (s *Strings) Main() *h5.Dataset { return s.Data }

// Dictionary is labels, and for each row the number of its label.
type Dictionary struct {
	Indices Values // a *Plain of integers
	Labels  Values // all of them are one dictionary
	Ordered bool
	Dense   bool // every row gets its label; the column has the labels' type, and no dictionary
}

// Main returns the dataset of the indices.
func (d *Dictionary) Main() *h5.Dataset { return d.Indices.Main() }

// List is a list per row: a run of Items, told by Offsets. Several Items make a struct.
type List struct {
	Offsets *h5.Dataset // of integers; as many as Bounds says
	Bounds  Bounds
	Items   []Column
}

// Main returns the dataset of the first items.
func (l *List) Main() *h5.Dataset { return l.Items[0].Values.Main() }

// Cells is a value per row, each in a dataset of its own: what a list of references points to, for instance.
type Cells struct {
	Data   *h5.Dataset // stands for the column; nothing is read from it
	Rows   []Cell
	Type   *h5.Type // of the elements of all cells; of the size of those in the file
	Single bool     // a row is one element, not a list of elements
}

// Cell is the place of a row's values.
type Cell struct {
	Address uint64 // of the dataset
	Items   int64  // its elements, NoItems for null
}

// NoItems is the number of items of a Cell that is null.
const NoItems = -1

// Main returns Data.
func (c *Cells) Main() *h5.Dataset { return c.Data }

// Transposed is the elements of a dataset whose last dimension counts the rows, all dimensions being reversed, as
// column-major writers leave them.
type Transposed struct {
	Data  *h5.Dataset
	As    *h5.Type // as in Plain
	DType string
	Nulls []Null
}

// Main returns Data.
func (t *Transposed) Main() *h5.Dataset { return t.Data }

// Derived is what a function makes of other values, array by array.
type Derived struct {
	Of     Values
	Type   arrow.DataType
	Reason string // what is done, in words, for the report

	// Compute makes an array of Type, of the length of in, which it does not keep. Its errors count rows from row0.
	// It may be called by several goroutines at once.
	Compute func(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error)
}

// Main returns the main dataset of what it is derived from.
func (d *Derived) Main() *h5.Dataset { return d.Of.Main() }

// Empty is a column without rows, whatever its dataset holds.
type Empty struct {
	Data *h5.Dataset
	Type arrow.DataType
}

// Main returns Data.
func (e *Empty) Main() *h5.Dataset { return e.Data }

// NullKind is the kind of a source of nulls.
type NullKind uint8

// The sources of nulls.
const (
	_          NullKind = iota
	NullMask            // a dataset of integers or booleans, non-zero where a value is missing
	NullBitmap          // a dataset of bytes, a bit a value, by default 0 (least significant first) where it is missing
	NullRule            // a rule over the stored values themselves
)

var nullKindNames = [...]string{"invalid", "mask", "bitmap", "rule"}

// String returns the kind's name.
func (k NullKind) String() string { return nullKindNames[min(int(k), len(nullKindNames)-1)] }

// Null is one source of nulls. A value is null when any of its sources says so.
type Null struct {
	Kind NullKind
	Data *h5.Dataset     // Mask, Bitmap
	Part *h5.Member      // Mask: the member of a compound Data that it is; nil for whole elements
	Rule nullbitmap.Rule // Rule, over stored bytes; Mask, over its entries: the zero Rule is "not zero is missing"
	Text string          // Rule, in words

	Bits nullbitmap.BitOrder // Bitmap: which bit of a byte comes first; 0 is the least significant
	Set  nullbitmap.Polarity // Bitmap: what a 1 means; 0 is that the value is there
}

// Convention recognises one kind of table.
type Convention struct {
	Name        string
	Description string

	// Detect returns the tables that the convention makes of an object, none when it does not claim it. An error is
	// for an object that says it is of this convention, and is broken; tables beside it only say by Inner what belongs
	// to the object.
	Detect func(o h5.Object) ([]*Table, error)

	// Part, when not nil, tells of an object that belongs to another one, such as an index of a table: nothing in it is
	// looked for.
	Part func(o h5.Object) bool
}

// All returns the conventions in the order in which they are tried.
func All() []Convention {
	return []Convention{
		{Name: "vaex", Description: "groups that vaex writes: a group `columns` with a group per column (data, mask, null_bitmap, indices)", Detect: detectVaex},
		{Name: "vaex-v1", Description: "older vaex files: datasets in a group with the attribute column_order", Detect: detectVaex1},
		{Name: "pandas", Description: "frames and series of pandas' HDFStore, in its table and its fixed format", Detect: detectPandas},
		{Name: "pytables", Description: "tables of PyTables: booleans, times, enumerations, nested columns", Detect: detectPyTables, Part: isIndexOfTable},
		{Name: "astropy", Description: "tables of astropy: a compound dataset beside its __table_column_meta__, with masked columns and units", Detect: detectAstropy, Part: isAstropyMeta},
		{Name: "anndata", Description: "elements of AnnData files: data frames with categories and masks, sparse matrices", Detect: detectAnndata},
		{Name: "matlab", Description: "MATLAB 7.3: structs, arrays of structs, cells, text, and variables of one height, with their dimensions reversed", Detect: detectMatlab, Part: isMatlabPart},
		{Name: "10x", Description: "10x Genomics: a barcode's counts as a list, and the table of features", Detect: detectTenx},
		{Name: "loom", Description: "Loom: attributes of rows and columns, the matrix and its layers by rows", Detect: detectLoom},
		{Name: "alabaster", Description: "data frames of Bioconductor's alabaster: factors, missing-value-placeholder", Detect: detectAlabaster},
		{Name: "hdmf", Description: "dynamic tables of HDMF and NWB: ragged columns by their index, the order of colnames", Detect: detectHdmf},
		{Name: "arkouda", Description: "Arkouda: arrays, strings, segmented arrays, categoricals of one length", Detect: detectArkouda},
		{Name: "gadget", Description: "Gadget, SWIFT: particles by type, positions and velocities as x, y, z and vx, vy, vz", Detect: detectGadget},
		{Name: "amuse", Description: "AMUSE: sets of particles with their keys", Detect: detectAmuse},
		{Name: "gwosc", Description: "LIGO and GWOSC: strain, and a boolean column for each bit of data quality", Detect: detectGwosc},
		{Name: "nexus", Description: "NeXus: data with its axes, logs, events and their pulses", Detect: detectNexus},
		{Name: "openpmd", Description: "openPMD: particle species, with a column for each component of a record", Detect: detectOpenpmd},
		{Name: "hdfeos", Description: "HDF-EOS5: the fields of swaths, grids and zonal averages by their first dimension", Detect: detectHdfeos},
		{Name: "netcdf", Description: "netCDF-4 and CF: variables that share their leading dimension, fills, packing, times", Detect: detectNetcdf},
		{Name: "compound", Description: "a one-dimensional dataset of a compound type: its members are the columns", Detect: detectCompound},
		{Name: "group", Description: "a group whose datasets have one length", Detect: detectGroup},
	}
}

// Find returns the convention of that name.
func Find(name string) (Convention, error) {
	for _, c := range All() {
		if c.Name == name {
			return c, nil
		}
	}
	return Convention{}, h5err.New(h5err.Argument, "no convention %q", name).WithOption("arrowmap.Conventions", "list them")
}

// Detect returns what the first convention that claims an object makes of it. A name restricts it to one convention.
// Tables beside an error are of no use but for their Inner.
func Detect(o h5.Object, name string) ([]*Table, error) {
	list := All()
	if name != "" {
		c, err := Find(name)
		if err != nil {
			return nil, err
		}
		list = []Convention{c}
	}
	for _, c := range list {
		tables, err := c.Detect(o)
		if err != nil {
			return tables, err
		}
		for _, t := range tables {
			t.Convention = c.Name
			for i := range t.Columns {
				if t.Columns[i].Err != nil {
					t.Columns[i].Values = nil // it may be a nil pointer
				}
			}
		}
		if len(tables) > 0 {
			return tables, nil
		}
	}
	return nil, nil
}

// Scan finds the tables of a file, in the order of a walk from the root. Objects that can't be read are passed over;
// the first error is returned beside what was found.
func Scan(f *h5.File, name string) ([]*Table, error) {
	s := scan{name: name, seen: map[uint64]bool{}}
	s.visit(f.Root(), 0)
	return s.tables, s.err
}

type scan struct {
	name   string
	seen   map[uint64]bool
	tables []*Table
	err    error
}

func (s *scan) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

func (s *scan) visit(o h5.Object, depth int) {
	if s.seen[o.Address()] {
		return
	}
	s.seen[o.Address()] = true
	limits := o.File().Limits()
	if len(s.seen) > limits.Links || depth > limits.Nesting*4 {
		s.fail(h5err.In(h5err.New(h5err.Limit, "too many objects to look for tables in"), o.File().Name(), o.Path()))
		return
	}
	if part(o) {
		return
	}
	found, err := Detect(o, s.name)
	if err == nil {
		s.tables = append(s.tables, found...)
	} else if !h5err.Is(err, h5err.Argument) {
		s.fail(err)
	}
	g, ok := o.(*h5.Group)
	if !ok {
		return
	}
	links, err := g.Links()
	if err != nil {
		s.fail(err)
		return
	}
	for _, l := range links {
		if l.Kind != h5.LinkHard || s.seen[l.Address] || inner(found, child(g, l.Name)) {
			continue
		}
		c, err := g.OpenLink(l)
		if err != nil {
			s.fail(err)
			continue
		}
		s.visit(c, depth+1)
	}
}

// part tells whether some convention knows an object as a part of another.
func part(o h5.Object) bool {
	for _, c := range All() {
		if c.Part != nil && c.Part(o) {
			return true
		}
	}
	return false
}

func inner(tables []*Table, path string) bool {
	for _, t := range tables {
		if t.Inner == nil || t.Inner(path) {
			return true
		}
	}
	return false
}

func child(g *h5.Group, name string) string {
	if g.Path() == "/" {
		return "/" + name
	}
	return g.Path() + "/" + name
}

// corrupt is an error about an object.
func corrupt(o h5.Object, format string, args ...any) error {
	return h5err.In(h5err.New(h5err.Corrupt, format, args...), o.File().Name(), o.Path())
}

func unsupported(o h5.Object, format string, args ...any) error {
	return h5err.In(h5err.New(h5err.Unsupported, format, args...), o.File().Name(), o.Path())
}

// text returns the text of an attribute, "" when it has none.
func text(o h5.Object, name string) string {
	a, err := o.Attribute(name)
	if err != nil || a == nil {
		return ""
	}
	s, _ := a.Text()
	return s
}

// NewPlain describes a dataset with the attributes that give its elements a meaning: `dtype` and `dlength`.
func NewPlain(d *h5.Dataset) (*Plain, error) {
	p := &Plain{Data: d, Member: Whole, Item: Whole}
	a, err := d.Attribute("dtype")
	if err != nil || a == nil {
		return p, err
	}
	var ok bool
	if p.DType, ok = a.Text(); !ok {
		return nil, corrupt(d, "the attribute dtype is no text")
	}
	if strings.Contains(p.DType, "datetime64") {
		p.Zone = text(d, dtype.ZoneAttribute)
	}
	if a, err = d.Attribute("dlength"); err != nil || a == nil {
		return p, err
	}
	if p.DLength, p.HasDLength = a.Int(); !p.HasDLength && p.DType == "utf32" {
		return nil, corrupt(d, "the attribute dlength is no integer")
	}
	return p, nil
}
