package tablewriter

import (
	"math"
	"path"
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Layout is how tables are stored. The zero value is the default.
type Layout uint8

// The layouts.
const (
	Vaex    Layout = iota // groups as vaex has them, which map again
	Plain                 // a dataset for each column
	Pandas                // a table of pandas' HDFStore
	NetCDF                // a group of netCDF variables, by the CF conventions
	AnnData               // the obs of an AnnData object
)

var layoutNames = [...]string{"vaex", "plain", "pandas", "netcdf", "anndata"}

// String returns the layout's name.
func (l Layout) String() string {
	if int(l) < len(layoutNames) {
		return layoutNames[l]
	}
	return "invalid"
}

// Nulls is how nulls are stored. The zero value is the default.
type Nulls uint8

// The ways to store nulls. Columns that have no other way than one use that: text in the layout Vaex has bitmaps, rows of several
// items have masks, and what has no value to spare for Sentinel has what Auto gives.
const (
	Auto     Nulls = iota // Bitmap in the layout Vaex, Mask in the layout Plain
	Bitmap                // a bit for each value, 0 where it is null
	Mask                  // a boolean for each value, true where it is null
	Sentinel              // a value: NaN, NaT, the least signed and the greatest unsigned integer
)

var nullsNames = [...]string{"auto", "bitmap", "mask", "sentinel"}

// Options are the choices in writing. The zero value is the documented default of each.
type Options struct {
	Path   string // of the table's group; "": /table, or the root in the layouts that are whole files elsewhere, from NetCDF on
	Layout Layout
	Nulls  Nulls

	// ChunkRows is the number of rows of a chunk. 0 is contiguous storage or, if there are Filters, about 64 Ki rows.
	ChunkRows int64
	Filters   func(elementSize int) []h5.Filter // filters of chunked datasets of elements of a size in bytes; nil: none

	Rows     int64       // the number of all rows, if it is known; else 0
	SpoolDir string      // directory of temporary files; "": that of os.TempDir
	Progress func(int64) // called with the number of rows written so far
}

// defaultChunk is the number of rows of a chunk where only filters were asked for.
const defaultChunk = 64 << 10

// check returns an error of kind Argument for options out of range, and fills in defaults.
func (o *Options) check() error {
	bad := func(format string, args ...any) *h5err.Error { return h5err.New(h5err.Argument, format, args...) }
	switch {
	case o.Layout > AnnData:
		return bad("layout %d", o.Layout)
	case o.Nulls > Sentinel:
		return bad("nulls of kind %d", o.Nulls)
	case o.ChunkRows < 0 || o.ChunkRows > math.MaxInt32:
		return bad("chunks of %d rows", o.ChunkRows)
	case o.Rows < 0:
		return bad("%d rows", o.Rows)
	case o.Path == "" && o.Layout >= NetCDF:
		o.Path = "/"
	case o.Path == "":
		o.Path = "/table"
	case strings.IndexByte(o.Path, 0) >= 0:
		return bad("the path %q", o.Path)
	}
	o.Path = path.Clean("/" + o.Path)
	if (o.Layout == Vaex || o.Layout == Pandas) && o.Path == "/" {
		return bad("the layout %s has tables in a group, not in the root", o.Layout).WithOption("tablewriter.Options.Path", "name one")
	}
	if o.Nulls != Auto && wholes[o.Layout] != nil {
		return bad("the layout %s has its own way to store nulls, not %s", o.Layout, nullsNames[o.Nulls])
	}
	if o.ChunkRows == 0 && o.Filters != nil && o.Layout != Pandas {
		o.ChunkRows = defaultChunk
	}
	return nil
}
