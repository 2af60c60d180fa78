// Package format has the table of output formats. Suffixes of file names, the words of --format and --compression, help
// texts and messages follow from it: a new format is a new row.
package format

import (
	"context"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc"
	"github.com/h5arrow/h5arrow/ipc/parquet"
)

// Format is one way to store record batches.
type Format struct {
	Names []string // as --format takes them; with a dot before them they are the suffixes of file names

	title  string   // in lists and messages
	about  string   // more for the list in help texts
	codecs []string // as --compression takes them
	codec  string   // that is used by default
	read   bool     // head reads it, too

	// buffers is set if encoding needs as much memory as reading, whatever the codec.
	buffers bool
	// batchBytes returns the approximate size of batches for a table with so many columns; nil leaves it to the reader.
	batchBytes func(memory int64, columns int) int64
	// conversions lists the columns whose types the format lacks; nil: it has all types.
	conversions func(*arrow.Schema, parquet.Compat) ([]string, error)

	write func(context.Context, io.Writer, array.RecordReader, *Encoder) (ipc.Stats, error)
}

var (
	file = &Format{
		Names: []string{"arrow", "feather"}, title: "Arrow IPC file", read: true,
		codecs: []string{"none", "lz4", "zstd"}, codec: "none", write: writeIPC(ipc.File),
	}
	// Stream is the format of stdout, pipes and devices, unless their names say otherwise.
	Stream = &Format{
		Names: []string{"arrows"}, title: "Arrow IPC stream", about: "; also for - (stdout), and for FIFOs and devices of any other name", read: true,
		codecs: []string{"none", "lz4", "zstd"}, codec: "none", write: writeIPC(ipc.Stream),
	}
	parquetFile = &Format{
		Names: []string{"parquet"}, title: "Parquet file", about: "; types that Parquet lacks are converted and named on stderr",
		codecs: []string{"none", "lz4", "zstd", "snappy"}, codec: "zstd", buffers: true,
		batchBytes: parquetBatch, conversions: parquetConversions, write: writeParquet,
	}
)

// formats is the table.
var formats = []*Format{file, Stream, parquetFile}

// Names returns the words of --format.
func Names() (names []string) {
	for _, f := range formats {
		names = append(names, f.Names...)
	}
	return names
}

// Codecs returns the words of --compression.
func Codecs() (codecs []string) {
	for _, f := range formats {
		for _, c := range f.codecs {
			if !slices.Contains(codecs, c) {
				codecs = append(codecs, c)
			}
		}
	}
	return codecs
}

// CodecHelp describes --compression: what all formats have is in the flag's type and its default.
func CodecHelp() string {
	help := "compression codec"
	for _, f := range formats[1:] {
		var own []string
		for _, c := range f.codecs {
			if !slices.Contains(formats[0].codecs, c) {
				own = append(own, c)
			}
		}
		var parts []string
		if len(own) > 0 {
			parts = append(parts, "also has "+list(own, "and"))
		}
		if f.codec != formats[0].codec {
			parts = append(parts, "uses "+f.codec+" by default")
		}
		if len(parts) > 0 {
			help += "; ." + f.Names[0] + " " + list(parts, "and")
		}
	}
	return help
}

// Suffixes returns the suffixes of file names as a list.
func Suffixes(conjunction string) string { return list(suffixes(Names()), conjunction) }

// Readable returns the suffixes of files that ipc.Open reads, as a list.
func Readable(conjunction string) string {
	var names []string
	for _, f := range formats {
		if f.read {
			names = append(names, f.Names...)
		}
	}
	return list(suffixes(names), conjunction)
}

func suffixes(names []string) (out []string) {
	for _, n := range names {
		out = append(out, "."+n)
	}
	return out
}

// list joins words by commas and a conjunction.
func list(words []string, conjunction string) string {
	if n := len(words) - 1; n > 0 {
		return strings.Join(words[:n], ", ") + " " + conjunction + " " + words[n]
	}
	return strings.Join(words, "")
}

// Help lists the formats, a line each.
func Help() string {
	var b strings.Builder
	width := 0
	for _, f := range formats {
		width = max(width, len(strings.Join(suffixes(f.Names), ", ")))
	}
	for _, f := range formats {
		names := strings.Join(suffixes(f.Names), ", ")
		b.WriteString("  " + names + strings.Repeat(" ", width-len(names)+2) + f.title + f.about + "\n")
	}
	return b.String()
}

// named returns the format of a word of --format, nil for other words.
func named(word string) *Format {
	i := slices.IndexFunc(formats, func(f *Format) bool { return slices.Contains(f.Names, word) })
	if i < 0 {
		return nil
	}
	return formats[i]
}

// bySuffix returns the format of a file name, nil for other suffixes.
func bySuffix(name string) *Format {
	return named(strings.TrimPrefix(strings.ToLower(filepath.Ext(name)), "."))
}

// IsReadable reports whether ipc.Open reads files of this name.
func IsReadable(name string) bool {
	f := bySuffix(name)
	return f != nil && f.read
}

// Named returns the format of a word of --format.
func Named(word string) (*Format, error) {
	if f := named(word); f != nil {
		return f, nil
	}
	return nil, h5err.New(h5err.Argument, "unknown format %q", word).WithHint("known formats are %s", list(Names(), "and"))
}

// Of returns the format that the name of an output asks for. special is that it is not a regular file.
func Of(name string, special bool) (*Format, error) {
	switch f := bySuffix(name); {
	case f != nil:
		return f, nil
	case special:
		return Stream, nil
	}
	err := h5err.New(h5err.Argument, "the suffix does not name a format").
		WithHint("known suffixes are %s; - is a stream on stdout", Suffixes("and"))
	return nil, h5err.In(err, name, "")
}

// BatchBytes returns the approximate size of batches for a table with so many columns, 0 for the reader's own.
func (f *Format) BatchBytes(memory int64, columns int) int64 {
	if f.batchBytes == nil {
		return 0
	}
	return f.batchBytes(memory, columns)
}

// Encoder writes record batches in a format.
type Encoder struct {
	*Format
	Workers  int   // 0: one for each processor
	Rows     int64 // of a row group; 0: by bytes
	Bytes    int64 // of a row group, approximately; 0: the format's default
	Memory   int64 // for what is being encoded; 0: no bound
	Progress func(ipc.Stats)
	Parquet  Parquet

	codec string
	asked bool // for the codec
}

// Parquet is what only Parquet files have.
type Parquet struct {
	Compat parquet.Compat
	Blooms []string // columns with Bloom filters
}

// Converts lists the columns of a schema whose types the format lacks, and what they become.
func (e *Encoder) Converts(schema *arrow.Schema) ([]string, error) {
	if e.conversions == nil {
		return nil, nil
	}
	return e.conversions(schema, e.Parquet.Compat)
}

// Encoder returns an encoder with a codec, "" for the format's default.
func (f *Format) Encoder(codec string) (*Encoder, error) {
	asked := codec != ""
	if !asked {
		codec = f.codec
	}
	if !slices.Contains(f.codecs, codec) {
		return nil, h5err.New(h5err.Argument, "--compression %s is not for .%s", codec, f.Names[0]).WithHint("it has %s", list(f.codecs, "and"))
	}
	return &Encoder{Format: f, codec: codec, asked: asked}, nil
}

// Budget returns how much of the memory reading may use. The reader does not count batches that are being
// encoded, and nothing counts what they are encoded to.
func (e *Encoder) Budget(memory int64) int64 {
	switch {
	case e.buffers:
		return memory / 4
	case e.codec != "none":
		return memory / 2
	}
	return memory - memory/4
}

// Write writes all batches. Row groups count as batches in formats that have them.
func (e *Encoder) Write(ctx context.Context, w io.Writer, rr array.RecordReader) (ipc.Stats, error) {
	o := *e
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	return e.write(ctx, w, rr, &o)
}

func writeIPC(kind ipc.Format) func(context.Context, io.Writer, array.RecordReader, *Encoder) (ipc.Stats, error) {
	return func(ctx context.Context, w io.Writer, rr array.RecordReader, e *Encoder) (ipc.Stats, error) {
		codec, err := ipc.ParseCompression(e.codec)
		if err != nil {
			return ipc.Stats{}, err
		}
		return ipc.Write(ctx, w, kind, rr, ipc.WithCompression(codec), ipc.WithWorkers(e.Workers), ipc.WithProgress(e.Progress))
	}
}

func writeParquet(ctx context.Context, w io.Writer, rr array.RecordReader, e *Encoder) (ipc.Stats, error) {
	codec, err := parquet.ParseCompression(e.codec)
	if err != nil {
		return ipc.Stats{}, err
	}
	opts := []parquet.Option{parquet.WithWorkers(e.Workers), parquet.WithGroupRows(e.Rows), parquet.WithGroupBytes(e.Bytes),
		parquet.WithMaxMemory(e.Memory), parquet.WithProgress(e.Progress), parquet.WithCompat(e.Parquet.Compat),
		parquet.WithBloomFilters(e.Parquet.Blooms...)}
	if e.asked { // the default depends on Compat
		opts = append(opts, parquet.WithCompression(codec))
	}
	return parquet.Write(ctx, w, rr, opts...)
}

// parquetBatch must not depend on the number of workers. A column of a batch takes about 1 KiB besides its values, so
// batches of many columns are larger.
func parquetBatch(memory int64, columns int) int64 {
	wide := min(int64(columns)*4<<10, memory/8) // the reader's budget is twice that
	return max(512<<10, min(8<<20, max(memory/64, wide)))
}

func parquetConversions(schema *arrow.Schema, compat parquet.Compat) ([]string, error) {
	list, err := parquet.Conversions(schema, parquet.WithCompat(compat))
	var out []string
	for _, c := range list {
		out = append(out, c.String())
	}
	return out, err
}
