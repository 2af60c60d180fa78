package session

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// decode reads options as JSON. An empty text stands for the defaults; an option that does not exist is an Argument error.
func decode(text string, to any) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(to)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			return h5err.New(h5err.Argument, "options: more than one value")
		}
		return nil
	}
	if bad, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return h5err.New(h5err.Argument, "option %s is not a %s", bad.Field, bad.Type)
	}
	if e, ok := errors.AsType[*h5err.Error](err); ok {
		return e
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return h5err.New(h5err.Argument, "unknown option %s", name)
	}
	return h5err.New(h5err.Argument, "options: %s", err)
}

// openOptions are the options of a file.
type openOptions struct {
	Strings       string            `json:"strings"`        // utf8, binary or latin1
	Enum          string            `json:"enum"`           // labels or values
	Align         string            `json:"align"`          // copy, keep or refuse
	IO            string            `json:"io"`             // mmap or read
	Convention    string            `json:"convention"`     // look for tables of this one only
	Flatten       bool              `json:"flatten"`        // netCDF variables as rows, one for each cell
	Sorted        []string          `json:"sorted"`         // columns
	NaNAsNull     bool              `json:"nan_as_null"`    //
	Tensor        bool              `json:"tensor"`         //
	NullRows      bool              `json:"null_rows"`      //
	AllowExternal []string          `json:"allow_external"` // folders
	Index         string            `json:"index"`          // a file; "none" for none, "" for the one beside the file if it fits
	Headers       map[string]string `json:"headers"`        // of requests for a URL
}

// choice returns the number of a word among those of an option; the empty word is the first.
func choice(option, word string, words ...string) (int, error) {
	if word == "" {
		return 0, nil
	}
	if i := slices.Index(words, word); i >= 0 {
		return i, nil
	}
	return 0, h5err.New(h5err.Argument, "option %s: %q", option, word).WithHint("it is one of %s", strings.Join(words, ", "))
}

// aligns are the policies in the order of the words of option align: C's consumers want aligned values.
var aligns = []arrowmap.Align{arrowmap.AlignCopy, arrowmap.AlignKeep, arrowmap.AlignRefuse}

// nulls is that of the process: interactive programs open a file again and again.
var nulls = arrowmap.NewNullCache(256)

// parse returns the options of arrowmap, and the policy of alignment.
func (o *openOptions) parse() ([]arrowmap.Option, arrowmap.Align, error) {
	strs, err1 := choice("strings", o.Strings, "utf8", "binary", "latin1")
	enum, err2 := choice("enum", o.Enum, "labels", "values")
	align, err3 := choice("align", o.Align, "copy", "keep", "refuse")
	io, err4 := choice("io", o.IO, "mmap", "read")
	for _, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			return nil, 0, err
		}
	}
	types := dtype.Options{Tensor: o.Tensor, NaNAsNull: o.NaNAsNull, NullRows: o.NullRows, Strings: dtype.Strings(strs), Enum: dtype.Enum(enum)}
	opts := []arrowmap.Option{arrowmap.WithTypes(types), arrowmap.WithConvention(o.Convention), arrowmap.WithAlign(aligns[align]), arrowmap.WithNullCache(nulls)}
	if o.Flatten {
		opts = append(opts, arrowmap.WithFlatten())
	}
	if len(o.Sorted) > 0 {
		opts = append(opts, arrowmap.WithSorted(o.Sorted...))
	}
	if io == 1 {
		opts = append(opts, arrowmap.WithoutMapping())
	}
	if len(o.AllowExternal) > 0 {
		opts = append(opts, arrowmap.WithExternal(h5.External{Dirs: o.AllowExternal}))
	}
	return opts, aligns[align], nil
}

// narrowOptions are the columns and rows of a part of a table.
type narrowOptions struct {
	Columns *[]string  `json:"columns"`
	Rows    *[2]int64  `json:"rows"`
	Where   conditions `json:"where"`
	Absent  bool       `json:"absent"` // conditions may name columns that only other files have: they are null in each row
	Limit   *int64     `json:"limit"`
}

// narrowing reads narrowOptions, and takes away the conditions on columns that a table lacks, if it may. Where one of these can't hold,
// the limit is 0.
func narrowing(options string, lacks func(column string) bool) (o narrowOptions, err error) {
	if err := decode(options, &o); err != nil || !o.Absent {
		return o, err
	}
	o.Where = slices.DeleteFunc(o.Where, func(c predicate.Condition) bool {
		absent := lacks(c.Column)
		if absent && c.Op != predicate.IsNull {
			o.Limit = new(int64)
		}
		return absent
	})
	return o, nil
}

// splitOptions are the number of splits, or the bytes of one.
type splitOptions struct {
	Count int   `json:"count"`
	Bytes int64 `json:"bytes"`
}

// readOptions are the options of reading a table.
type readOptions struct {
	BatchRows  int64 `json:"batch_rows"`
	BatchBytes int64 `json:"batch_bytes"`
	MaxMemory  int64 `json:"max_memory"`
	Workers    int   `json:"workers"`
	SlowStart  bool  `json:"slow_start"`
	Copy       bool  `json:"copy"` // mapped values too
}

func (o *readOptions) parse() []arrowmap.ReadOption {
	opts := []arrowmap.ReadOption{arrowmap.WithBatchRows(o.BatchRows), arrowmap.WithBatchBytes(o.BatchBytes),
		arrowmap.WithMaxMemory(o.MaxMemory), arrowmap.WithWorkers(o.Workers)}
	if o.SlowStart {
		opts = append(opts, arrowmap.WithSlowStart())
	}
	return opts
}

// conditions is a filter as JSON: a text as predicate.Parse takes it, or a list of [column, operator, value...].
type conditions []predicate.Condition

// UnmarshalJSON reads a filter.
func (c *conditions) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		f, err := predicate.Parse(text)
		*c = f
		return err
	}
	var list [][]json.RawMessage
	if err := json.Unmarshal(b, &list); err != nil {
		return h5err.New(h5err.Argument, "a filter is a text, or a list of lists of a column, an operator and values")
	}
	for _, item := range list {
		more, err := conditionOf(item)
		if err != nil {
			return err
		}
		*c = append(*c, more...)
	}
	return nil
}

func conditionOf(item []json.RawMessage) ([]predicate.Condition, error) {
	var column, op string
	if len(item) < 2 || json.Unmarshal(item[0], &column) != nil || json.Unmarshal(item[1], &op) != nil {
		return nil, h5err.New(h5err.Argument, "a condition is a list of a column, an operator and values")
	}
	values := item[2:]
	var several []json.RawMessage
	if len(values) == 1 && json.Unmarshal(values[0], &several) == nil && several != nil {
		values = several
	}
	var constants []predicate.Value
	for _, v := range values {
		one, err := valueOf(v)
		if err != nil {
			return nil, h5err.New(h5err.Argument, "condition on %s: %s", column, err)
		}
		constants = append(constants, one)
	}
	out, err := predicate.Conditions(column, op, constants...)
	if e, ok := errors.AsType[*h5err.Error](err); ok {
		located := *e
		located.Msg = "condition on " + column + ": " + e.Msg
		return nil, &located
	}
	return out, err
}

// valueOf returns a constant. Numbers are as exact as their text.
func valueOf(b json.RawMessage) (predicate.Value, error) {
	b = bytes.TrimSpace(b)
	var text string
	switch {
	case json.Unmarshal(b, &text) == nil && b[0] == '"':
		return predicate.Text(text), nil
	case string(b) == "true" || string(b) == "false":
		return predicate.Bool(string(b) == "true"), nil
	case len(b) > 0 && (b[0] == '-' || b[0] >= '0' && b[0] <= '9'):
		return predicate.Text(string(b)), nil
	}
	return predicate.Value{}, h5err.New(h5err.Argument, "%s is not a number, text or boolean", b)
}
