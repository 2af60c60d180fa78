package flight

import (
	"bytes"
	"encoding/json"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/flight"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// maxEndpoints is how many endpoints a flight can have.
const maxEndpoints = 10_000

// wanted is what a descriptor asks for.
type wanted struct {
	file, table string // an empty table means the file's only one
	columns     []string
	from, to    int64 // to is -1 for all rows
	endpoints   int   // 0: the server decides
	batchRows   int64 // 0: the server decides
}

// command is the JSON form of a descriptor.
type command struct {
	File      string   `json:"file"`
	Table     string   `json:"table"`
	Columns   []string `json:"columns"`
	Rows      string   `json:"rows"`
	Endpoints int      `json:"endpoints"`
	BatchRows int64    `json:"batch_rows"`
}

// parseDescriptor reads a descriptor: a path of one or two parts, or a command in JSON.
func parseDescriptor(d *flight.FlightDescriptor) (*wanted, error) {
	switch d.GetType() {
	case flight.DescriptorPATH:
		switch p := d.GetPath(); len(p) {
		case 1:
			return &wanted{file: p[0], to: -1}, nil
		case 2:
			return &wanted{file: p[0], table: p[1], to: -1}, nil
		default:
			return nil, h5err.New(h5err.Argument, "a path of %d parts", len(p)).WithHint("a path is a file and a table")
		}
	case flight.DescriptorCMD:
		return parseCommand(d.GetCmd())
	}
	return nil, h5err.New(h5err.Argument, "a descriptor that is neither a path nor a command")
}

func parseCommand(b []byte) (*wanted, error) {
	var c command
	if err := strictJSON(b, &c); err != nil {
		return nil, err
	}
	w := &wanted{file: c.File, table: c.Table, columns: c.Columns, to: -1, endpoints: c.Endpoints, batchRows: c.BatchRows}
	switch {
	case c.File == "":
		return nil, h5err.New(h5err.Argument, `the command names no "file"`)
	case c.Columns != nil && len(c.Columns) == 0:
		return nil, h5err.New(h5err.Argument, `"columns" names no column`)
	case c.Endpoints < 0 || c.Endpoints > maxEndpoints:
		return nil, h5err.New(h5err.Argument, `"endpoints" must be from 1 to %d`, maxEndpoints)
	case c.BatchRows < 0:
		return nil, h5err.New(h5err.Argument, `"batch_rows" must be at least 1`)
	}
	if c.Rows != "" {
		var err error
		if w.from, w.to, err = parseRows(c.Rows); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// strictJSON decodes one JSON object whose fields are all in v.
func strictJSON(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			return h5err.New(h5err.Argument, "the command continues after its JSON object")
		}
		return nil
	}
	return h5err.Wrap(h5err.Argument, err, "the command is not a JSON object of the known fields")
}

// parseRows reads A:B, where either may be left out.
func parseRows(s string) (a, b int64, err error) {
	fail := func() (int64, int64, error) {
		return 0, 0, h5err.New(h5err.Argument, `rows %q are not of the form "100:200", "100:" or ":200"`, s)
	}
	from, to, ok := strings.Cut(s, ":")
	if !ok {
		return fail()
	}
	b = -1
	if from != "" {
		if a, err = strconv.ParseInt(from, 10, 64); err != nil || a < 0 {
			return fail()
		}
	}
	if to != "" {
		if b, err = strconv.ParseInt(to, 10, 64); err != nil || b < a {
			return fail()
		}
	}
	return a, b, nil
}

// criteria choose flights to list.
type criteria struct {
	File  string `json:"file"`
	Table string `json:"table"`
}

// parseCriteria reads the criteria of ListFlights: nothing, a pattern of file names, or patterns in JSON.
func parseCriteria(b []byte) (c criteria, err error) {
	if trimmed := bytes.TrimSpace(b); len(trimmed) > 0 && trimmed[0] == '{' {
		err = strictJSON(trimmed, &c)
	} else {
		c.File = string(b)
	}
	for _, p := range []string{c.File, c.Table} {
		if _, e := path.Match(p, ""); e != nil && err == nil {
			err = h5err.New(h5err.Argument, "invalid pattern %q", p)
		}
	}
	return c, err
}

func (c criteria) takesFile(name string) bool   { return takes(c.File, name) }
func (c criteria) takesTable(table string) bool { return takes(c.Table, table) }

// takes reports whether a name matches a pattern: one of path.Match, or a prefix that ends with a slash.
func takes(pattern, name string) bool {
	if pattern == "" || strings.HasSuffix(pattern, "/") && strings.HasPrefix(name, pattern) {
		return true
	}
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}
