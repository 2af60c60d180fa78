package fileset

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/internal/scalar"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// A manifest is lines of JSON: a header, and an entry for each file.

// MaxManifest is the largest size of a manifest, in bytes.
const MaxManifest = 1 << 30

const manifestFormat = "h5arrow files 1"

type header struct {
	Format     string   `json:"format"`
	Table      string   `json:"table"` // as Options.Path
	Union      bool     `json:"union,omitempty"`
	Attributes []string `json:"attributes,omitempty"`
	Schemas    []int    `json:"schemas"` // for each schema, the number of the first file that has it
	Files      int      `json:"files"`
}

type entry struct {
	Name       string         `json:"name"` // relative to the manifest's folder, or absolute, or a URL
	Rows       int64          `json:"rows"`
	Schema     int            `json:"schema,omitempty"`
	RowBytes   int64          `json:"row_bytes"`
	ChunkRows  int64          `json:"chunk_rows,omitempty"`
	Attributes []scalar.Value `json:"attributes,omitempty"`
}

// Manifest returns what is known of the files, for OpenManifest: their names, rows, schemas and attributes. Names of files in the folder
// dir, where the manifest is to be, or below it become relative. It opens all files, unless that was done.
func (t *Table) Manifest(ctx context.Context, dir string) ([]byte, error) {
	s := t.set
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	h := header{Format: manifestFormat, Table: s.o.Path, Union: s.o.Union, Attributes: s.o.Attributes, Files: len(s.names)}
	for _, k := range s.kinds {
		h.Schemas = append(h.Schemas, k.first)
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(h); err != nil {
		return nil, err
	}
	for i, k := range s.files {
		if err := e.Encode(entry{relative(s.names[i], dir), s.rows(i), k.kind, k.bytes, k.chunkRows, k.attrs}); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

func isURL(name string) bool { return strings.Contains(name, "://") }

// relative returns the name of a file as a manifest in dir has it.
func relative(name, dir string) string {
	if isURL(name) {
		return name
	}
	name, err := filepath.Abs(name)
	if dir, err2 := filepath.Abs(dir); err == nil && err2 == nil {
		if r, err := filepath.Rel(dir, name); err == nil && filepath.IsLocal(r) {
			return filepath.ToSlash(r)
		}
	}
	return name
}

// OpenManifest returns the table of the files of a manifest in the folder dir. It opens the first file of each schema, and no other until
// that is read. Options.Path, Union and Attributes are the manifest's. With Options.Inside, a manifest that names files outside of dir is
// refused; links inside of it are followed. A file that has another schema or other rows than the manifest says
// is an error of kind IO when it is read; files that are not in the manifest are not looked for. A manifest that makes no sense is Corrupt.
func OpenManifest(ctx context.Context, b []byte, dir string, o Options) (*Table, error) {
	m, err := parse(b, dir, o.Inside)
	if err != nil {
		return nil, err
	}
	o.Path, o.Union, o.Attributes = m.Table, m.Union, m.header.Attributes
	s, err := newSet(m.names, o)
	if err != nil {
		return nil, err
	}
	s.files = m.files
	if err := s.representatives(ctx, m.Schemas, m.attrs); err != nil {
		return nil, err
	}
	s.looked.Store(true)
	return s.table(), nil
}

// ManifestFiles returns the names of the files of a manifest in the folder dir, and o with its Path, Union and Attributes.
func ManifestFiles(b []byte, dir string, o Options) ([]string, Options, error) {
	m, err := parse(b, dir, o.Inside)
	if err != nil {
		return nil, Options{}, err
	}
	o.Path, o.Union, o.Attributes = m.Table, m.Union, m.header.Attributes
	return m.names, o, nil
}

// IsManifest reports whether a file that starts with b, of at least 64 bytes unless the file has fewer, may be a manifest.
func IsManifest(b []byte) bool {
	return bytes.HasPrefix(b, []byte(`{"format":"`+manifestFormat+`"`))
}

// ReadManifest returns the bytes of a manifest. One that is larger than MaxManifest is an error of kind Limit.
func ReadManifest(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err == nil && info.Size() > MaxManifest {
		err = h5err.New(h5err.Limit, "a manifest of %d bytes", info.Size())
	}
	if err != nil {
		return nil, h5err.In(err, name, "")
	}
	b, err := os.ReadFile(name)
	return b, h5err.In(err, name, "")
}

// manifest is what a manifest says.
type manifest struct {
	header
	names []string
	files []known
	attrs []scalar.Kind
}

func parse(b []byte, dir string, inside bool) (*manifest, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	var h header
	if err := d.Decode(&h); err != nil || h.Format != manifestFormat {
		return nil, h5err.New(h5err.Corrupt, "not a manifest of files")
	}
	if h.Files < 1 || h.Files > len(b) || len(h.Schemas) == 0 || len(h.Schemas) > h.Files {
		return nil, h5err.New(h5err.Corrupt, "a manifest of %d files and %d schemas", h.Files, len(h.Schemas))
	}
	m := &manifest{h, make([]string, 0, h.Files), make([]known, 0, h.Files), make([]scalar.Kind, len(h.Attributes))}
	rows := int64(0)
	for i := range h.Files {
		var e entry
		err := d.Decode(&e)
		if err != nil || e.Name == "" || e.Rows < 0 || e.Rows > math.MaxInt64-rows || e.Schema < 0 || e.Schema >= len(h.Schemas) || e.RowBytes < 1 ||
			e.ChunkRows < 0 || len(e.Attributes) != len(m.attrs) {
			return nil, h5err.New(h5err.Corrupt, "entry %d of the manifest makes no sense", i+1)
		}
		if inside && (isURL(e.Name) || !filepath.IsLocal(filepath.FromSlash(e.Name))) {
			return nil, h5err.Refuse(h5err.RuleManifest, "the manifest names %q, which is not in its folder", e.Name)
		}
		rows += e.Rows
		for k, v := range e.Attributes {
			m.attrs[k] = m.attrs[k].Join(v.Kind)
		}
		m.names = append(m.names, absolute(e.Name, dir))
		m.files = append(m.files, known{rows, e.Schema, e.RowBytes, e.ChunkRows, e.Attributes})
	}
	return m, nil
}

// absolute returns the name of a file that a manifest in dir has.
func absolute(name, dir string) string {
	if isURL(name) || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, filepath.FromSlash(name))
}

// representatives looks at the first file of each schema.
func (s *set) representatives(ctx context.Context, firsts []int, attrs []scalar.Kind) error {
	var kinds []*kind
	for k, i := range firsts {
		if i < 0 || i >= len(s.names) || s.files[i].kind != k {
			return h5err.New(h5err.Corrupt, "schema %d of the manifest is that of no file", k)
		}
		o, err := s.open(ctx, i)
		if err != nil {
			return err
		}
		fields := o.fields
		rows := o.table.Rows()
		o.close()
		if rows != s.rows(i) {
			return s.changed(i, rows)
		}
		kinds = append(kinds, &kind{key: keyOf(fields), fields: fields, first: i})
	}
	return s.settle(ctx, kinds, attrs)
}
