package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/far"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/flags"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/memory"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/spool"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/plugins"
)

// reading has the flags about reading files.
type reading struct {
	io, align, strings, enum *flags.Choice
	nan, tensor, nullRows    bool
	plugins, untrusted       bool
	flatten                  bool
	external                 []string
	sorted                   []string // of addSorted
	convention               string
	memory                   flags.Size
	limits                   flags.Limits
	quiet                    bool
	spool                    flags.Size // 0: what is not a regular file is refused
	kept                     map[string]*spool.File
	far                      *far.Opener
	cmd                      *cobra.Command
}

func (r *reading) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&r.convention, "convention", "", "find only tables of this convention (`NAME`)")
	f.BoolVar(&r.flatten, "flatten", false, "netCDF variables as rows, one for each cell, with their coordinates as columns")
	r.strings = flags.Choose(cmd, "strings", "how text is read: as utf8 (other bytes are an error), binary or latin1", "utf8", "binary", "latin1")
	r.enum = flags.Choose(cmd, "enum", "how enumerations are read: as labels or as values", "labels", "values")
	f.BoolVar(&r.nan, "nan-as-null", false, "NaN is null")
	f.BoolVar(&r.tensor, "tensor", false, "rows of several dimensions are read as arrow.fixed_shape_tensor")
	f.BoolVar(&r.nullRows, "null-rows", false, "a row of several items is null if one of its items is")
	r.io = flags.Choose(cmd, "io", "map the file, or read it without mapping", "mmap", "read")
	r.align = flags.Choose(cmd, "align", "mapped values that are not aligned: keep, copy or refuse them", "keep", "copy", "refuse")
	f.StringArrayVar(&r.external, "allow-external", nil, "also follow links and external data to this `DIR`, a path or, for URLs, a URL (may be repeated)")
	f.BoolVar(&r.untrusted, "untrusted", false, "strict rules for files of unknown origin: nothing outside the file, lower limits (default for URLs)")
	f.BoolVar(&r.plugins, "plugins", false, "decode other filters with libhdf5, if it is installed, and its plugins")
	f.Var(&r.limits, "limit", "change a limit on what a file may ask for (`NAME=N`; may be repeated)")
	f.Var(&r.memory, "max-memory", "maximum memory, such as 512MiB (default: a quarter of the available memory)")
	f.BoolVar(&r.quiet, "quiet", false, "print errors only")
	f.Var(&r.spool, "spool", "copy stdin (-) and FIFOs to a temporary file (TMPDIR) of at most `SIZE` first (--spool alone: 16GiB)")
	f.Lookup("spool").NoOptDefVal = "16GiB"
	r.far = far.New(cmd)
	r.cmd = cmd
	// Both fail only for a flag that does not exist.
	_ = cmd.MarkFlagDirname("allow-external")
	_ = cmd.RegisterFlagCompletionFunc("convention", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var names []string
		for _, c := range arrowmap.Conventions() {
			names = append(names, c.Name+"\t"+c.Description)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
}

// addSorted adds the flag of verbs that take conditions.
func (r *reading) addSorted(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&r.sorted, "sorted", nil, "these columns are sorted: conditions on them search rows instead of reading all (`a,b`; may be repeated)")
}

func (r *reading) options() ([]arrowmap.Option, error) {
	if r.plugins && !plugins.Available {
		return nil, h5err.New(h5err.Unsupported, "--plugins: this build can't open libhdf5").WithHint("build with cgo on Linux, macOS or FreeBSD")
	}
	if r.untrusted && (r.plugins || len(r.external) > 0) {
		return nil, usage("--untrusted excludes --plugins and --allow-external")
	}
	types := dtype.Options{Tensor: r.tensor, NaNAsNull: r.nan, NullRows: r.nullRows,
		Strings: dtype.Strings(r.strings.Index()),
		Enum:    dtype.Enum(r.enum.Index())}
	opts := []arrowmap.Option{arrowmap.WithTypes(types), arrowmap.WithConvention(r.convention),
		arrowmap.WithAlign(arrowmap.Align(r.align.Index()))}
	if r.flatten {
		opts = append(opts, arrowmap.WithFlatten())
	}
	if len(r.sorted) > 0 {
		opts = append(opts, arrowmap.WithSorted(r.sorted...))
	}
	if r.io.String() == "read" {
		opts = append(opts, arrowmap.WithoutMapping())
	}
	if r.untrusted {
		opts = append(opts, r.strictly()...)
	} else if r.limits.Given() {
		opts = append(opts, arrowmap.WithLimits(r.limits.Onto(h5.Limits{})))
	}
	if r.plugins {
		opts = append(opts, arrowmap.WithPlugins(plugins.Read))
	}
	if dirs := slices.DeleteFunc(slices.Clone(r.external), far.IsURL); len(dirs) > 0 {
		opts = append(opts, arrowmap.WithExternal(h5.External{Dirs: dirs}))
	}
	return opts, nil
}

// inputs are the open input files.
type inputs struct {
	names   []string
	files   []*arrowmap.File
	missing []error // why tables of a file were not found, nil for most files
	unused  []error // why indexes beside the files are not used
}

// tables returns the tables of file i. If some were not found, it returns the others and keeps the reason. It may be called for several
// files at a time.
func (in *inputs) tables(i int) ([]*arrowmap.Table, error) {
	tables, err := in.files[i].Tables()
	if err != nil && len(tables) > 0 {
		in.missing[i], err = err, nil
	}
	return tables, err
}

// incomplete prints why not all tables of the inputs were found, and sets the exit status. It also prints why indexes are not
// used.
func (a *app) incomplete(in *inputs) {
	for _, err := range in.unused {
		a.note("the index is not used: %s", errorText(err))
	}
	for _, err := range in.missing {
		if err != nil {
			a.note("not all tables were found: %s", errorText(err))
			a.worsen(err)
		}
	}
}

// worsen sets the exit status of a run that has results in spite of an error. That of corrupt input is kept.
func (a *app) worsen(err error) {
	if status := exitStatus(err, true); a.status != exitCorrupt {
		a.status = status
	}
}

// expand replaces patterns with the files or objects that match. An argument that names a file is not a pattern.
func (r *reading) expand(ctx context.Context, args []string) ([]string, error) {
	var out []string
	for _, arg := range args {
		find := expandPath
		if far.IsURL(arg) {
			find = func(url string) ([]string, error) { return r.far.Expand(ctx, url) }
		}
		found, err := find(arg)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// expandPath returns the files that match a pattern, or the argument if it is not a pattern or nothing matches.
func expandPath(arg string) ([]string, error) {
	if strings.ContainsAny(arg, "*?[") {
		if _, err := os.Lstat(arg); err != nil {
			found, err := filepath.Glob(arg) // sorted
			if err != nil {
				return nil, about(arg, usage("the pattern is malformed"))
			}
			if len(found) > 0 {
				return found, nil
			}
		}
	}
	return []string{arg}, nil
}

// open opens the inputs. Reads of URLs end with ctx.
func (r *reading) open(ctx context.Context, names []string) (*inputs, error) {
	opts, err := r.options()
	if err != nil {
		return nil, err
	}
	in := &inputs{names: make([]string, len(names)), files: make([]*arrowmap.File, len(names)), missing: make([]error, len(names))}
	open := func(i int) (err error) {
		in.names[i] = far.Name(names[i])
		in.files[i], err = r.openFile(ctx, names[i], opts)
		return err
	}
	for i, name := range names { // a writer may fill one stream after the other
		if stream, _ := r.stream(name); stream && err == nil {
			err = open(i)
		}
	}
	if err == nil {
		err = each(len(names), filesAtOnce, func(i int) error {
			if in.files[i] != nil {
				return nil
			}
			return open(i)
		})
	}
	if err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

// openFile opens a file or a URL.
func (r *reading) openFile(ctx context.Context, name string, opts []arrowmap.Option) (*arrowmap.File, error) {
	if stream, stdin := r.stream(name); stream {
		return r.openStream(ctx, name, stdin, opts)
	}
	if !far.IsURL(name) {
		f, err := arrowmap.Open(name, opts...)
		if err != nil && isManifest(name) {
			err = about(name, usage("a manifest stands for all files: it is the only input"))
		}
		return f, err
	}
	if r.plugins {
		return nil, about(far.Name(name), usage("--plugins is for local files"))
	}
	src, err := r.far.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	opts = append(slices.Clone(opts), r.ofURLs()...)
	if near := r.urls(); len(near) > 0 {
		opts = append(opts, arrowmap.WithExternal(h5.External{Open: r.far.Near(ctx, near)}))
	}
	f, err := arrowmap.NewFile(src, opts...)
	if err != nil {
		src.Release()
		return nil, err
	}
	return f, nil
}

// stream reports whether a name is that of what can be read only once, as a whole: stdin, a FIFO.
func (r *reading) stream(name string) (stream, stdin bool) {
	if far.IsURL(name) {
		return false, false
	}
	info, err := os.Stat(name)
	if err != nil {
		stdin = name == "-" && errors.Is(err, fs.ErrNotExist)
		return stdin, stdin
	}
	return info.Mode()&fs.ModeNamedPipe != 0, false
}

// openStream opens a temporary copy of a stream.
func (r *reading) openStream(ctx context.Context, name string, stdin bool, opts []arrowmap.Option) (*arrowmap.File, error) {
	if r.spool == 0 {
		const hint = "copy it to a temporary file first with --spool"
		if stdin {
			return nil, usage("stdin can't be read: parts of a file are read in any order").WithHint(hint)
		}
		return nil, about(name, h5err.New(h5err.IO, "can't open: it is a FIFO, and parts of a file are read in any order").WithHint(hint))
	}
	f := r.kept[name]
	if f == nil {
		var err error
		if f, err = r.copied(ctx, name, stdin); err != nil {
			return nil, h5err.In(err, name, "")
		}
		if r.kept == nil {
			defer f.Release()
		} else {
			r.kept[name] = f
		}
	}
	src := f.Source(name)
	out, err := arrowmap.NewFile(src, opts...)
	if err != nil {
		src.Release()
	}
	return out, err
}

// copied copies a stream to a temporary file.
func (r *reading) copied(ctx context.Context, name string, stdin bool) (*spool.File, error) {
	in := io.NopCloser(r.cmd.InOrStdin())
	if !stdin {
		f, err := os.Open(name)
		if err != nil {
			return nil, h5err.Wrap(h5err.IO, h5err.Cause(err), "can't open")
		}
		in = f
	}
	return spool.Copy(ctx, in, int64(r.spool))
}

// keep lets streams be opened several times, until the function that it returns is called.
func (r *reading) keep() (release func()) {
	r.kept = map[string]*spool.File{}
	return func() {
		for _, f := range r.kept {
			f.Release()
		}
	}
}

// urls returns the URLs among the directories of --allow-external.
func (r *reading) urls() (out []string) {
	for _, dir := range r.external {
		if far.IsURL(dir) {
			out = append(out, dir)
		}
	}
	return out
}

// strict reports whether a file is opened by the strict rules for files of unknown origin.
func (r *reading) strict(name string) bool {
	return r.untrusted || far.IsURL(name) && !r.cmd.Flags().Changed("untrusted")
}

// ofURLs returns the options of files that come by URL, beside those of all files: they are trusted only if a flag allows it.
func (r *reading) ofURLs() []arrowmap.Option {
	if r.cmd.Flags().Changed("untrusted") {
		return nil
	}
	return r.strictly()
}

// objectMemory is how much memory describing an object takes at most, in columns of many objects.
const objectMemory = 16 << 10

// strictly returns the options of the strict rules, with no more objects than the memory suffices for.
func (r *reading) strictly() []arrowmap.Option {
	l := h5.UntrustedLimits()
	objects := int(min(int64(l.Links), max(memory.Max(int64(r.memory))/objectMemory, 1)))
	l.Links, l.HeapObjects = objects, min(l.HeapObjects, objects)
	return []arrowmap.Option{arrowmap.WithUntrusted(), arrowmap.WithLimits(r.limits.Onto(l))}
}

func (in *inputs) close() {
	for _, f := range in.files {
		if f != nil {
			f.Close() // read only: there is nothing to lose
		}
	}
}

// unchanged returns an error if an input has changed while it was read.
func (in *inputs) unchanged() error {
	for _, f := range in.files {
		if err := f.H5().Source().Changed(context.Background()); err != nil {
			return err
		}
	}
	return nil
}
