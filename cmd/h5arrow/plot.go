package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/memory"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/plot"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/cmd/internal/output"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// plotFlags are the flags of plot.
type plotFlags struct {
	selection
	display
	out   string
	size  string
	force bool
	json  bool
}

func (a *app) plotCommand() *cobra.Command {
	o := &plotFlags{}
	cmd := &cobra.Command{
		Use:   "plot FILE... -c X[,Y]",
		Short: "Draw a histogram of a column, or the density of two",
		Long: `plot draws a histogram of a column of numbers or times, the number of rows of each label of a column of text, or, with two
columns, how many rows are where. Rows are counted in bins as they are read, so that there may be any number of them; shades
of a density grow with the logarithm of the count. Nulls, NaN and infinite values are left out.

The drawing is text, or an image with --output FILE.png or FILE.svg.`,
		Example: `  h5arrow plot data.h5 -c fare
  h5arrow plot data.h5 --table /events -c time,energy -o events.png
  h5arrow plot data.h5 -c fare,tip --json | jq .counts`,
		Args: argCount(1, -1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.plot(cmd, o, args) },
	}
	f := cmd.Flags()
	o.selection.add(cmd)
	o.addAttributes(cmd)
	f.Lookup("columns").Usage = "the column to draw, or the columns of the two axes (`x,y`)"
	f.StringVarP(&o.out, "output", "o", "", "write an image to this `FILE` (.png or .svg)")
	f.StringVar(&o.size, "size", "640x400", "size of the image in points (`WxH`)")
	f.BoolVar(&o.force, "force", false, "overwrite the file of --output")
	f.BoolVar(&o.json, "json", false, "print the edges of the bins and their counts as JSON")
	o.display.add(cmd)
	for _, name := range []string{"filename", "batch-rows", "skip-unsupported"} {
		_ = f.MarkHidden(name) // it fails only for a flag that does not exist
	}
	return cmd
}

// image returns the image that is asked for.
func (o *plotFlags) image() (im plot.Image, err error) {
	switch ext := strings.ToLower(filepath.Ext(o.out)); {
	case o.out == "" || ext == ".png":
	case ext == ".svg":
		im.SVG = true
	default:
		return im, about(o.out, usage("unknown suffix %q", ext).WithHint("known are .png and .svg"))
	}
	var rest string
	if n, _ := fmt.Sscanf(o.size+" ", "%dx%d%s", &im.Width, &im.Height, &rest); n != 2 ||
		im.Width < 100 || im.Height < 100 || im.Width > 10000 || im.Height > 10000 {
		return im, usage("--size %s: a size is like 640x400, from 100 to 10000", o.size)
	}
	return im, nil
}

func (a *app) plot(cmd *cobra.Command, o *plotFlags, args []string) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	switch {
	case len(o.columns) == 0 || len(o.columns) > 2:
		return usage("plot draws one column or two").WithHint("name them with -c x or -c x,y")
	case o.json && o.out != "":
		return usage("--json and --output exclude each other")
	case o.filename || o.skip:
		return usage("--filename and --skip-unsupported are not for plot")
	}
	im, err := o.image()
	if err != nil {
		return err
	}
	limit := a.maxMemory(o.memory)
	defer memory.Limit(limit)()
	names, err := o.expand(a.ctx, args)
	if err != nil {
		return err
	}
	var to output.Target
	if o.out != "" {
		if to, err = o.far.Target(o.out, o.force, names); err != nil {
			return err
		}
	}
	in, t, err := o.openTable(a, names)
	if err != nil {
		return err
	}
	defer in.close()
	d, err := a.drawing(o, t, im, o.readOptions(min(limit/2, 64<<20)))
	if err == nil {
		err = in.unchanged()
	}
	if err != nil {
		return err
	}
	switch {
	case o.out != "":
		return a.outputs.Write(a.ctx, to, func(w io.Writer) error { return d.write(w, im) })
	case o.json:
		e := json.NewEncoder(text.Safe(a.out))
		e.SetEscapeHTML(false)
		return h5err.In(e.Encode(d.summary()), "stdout", "")
	}
	return h5err.In(d.show(), "stdout", "")
}

// drawing is what is drawn: as text, as an image, or as numbers.
type drawing struct {
	show    func() error
	write   func(w io.Writer, im plot.Image) error
	summary func() any
}

func (a *app) drawing(o *plotFlags, t *chosen, im plot.Image, opts []arrowmap.ReadOption) (*drawing, error) {
	s := a.screen(&o.display)
	if c := t.Columns()[0]; len(t.Columns()) == 1 && c.Err == nil && plot.IsText(c.Type) {
		labels, nulls, err := plot.Labels(a.ctx, t.Table, opts...)
		return &drawing{
			show:    func() error { return plot.ShowLabels(s, c.Name, t.Rows(), nulls, labels) },
			write:   func(w io.Writer, im plot.Image) error { return plot.WriteLabels(w, im, c.Name, labels) },
			summary: func() any { return labelSummary{t.Rows(), nulls, labels} },
		}, err
	}
	w, h := plot.Columns(s), plot.Height
	if o.out != "" || o.json {
		w, h = im.Bins()
	}
	b, err := plot.Count(a.ctx, t.Table, w, h, opts...)
	return &drawing{
		show:    func() error { return b.Show(s) },
		write:   b.Write,
		summary: func() any { return binSummary(b) },
	}, err
}

type labelSummary struct {
	Rows   int64        `json:"rows"`
	Nulls  int64        `json:"nulls"`
	Labels []plot.Label `json:"labels"`
}

// binSummary returns what --json prints of bins: the counts of a density are one array for each bin of y, from the lowest.
func binSummary(b *plot.Bins) any {
	edges := func(a *plot.Axis) []float64 {
		out := make([]float64, a.Bins+1)
		for i := range out {
			out[i] = a.Edge(i)
		}
		return out
	}
	sum := struct {
		Rows   int64     `json:"rows"`
		Left   int64     `json:"left_out"`
		X      []float64 `json:"x"`
		Y      []float64 `json:"y,omitempty"`
		Counts any       `json:"counts"`
	}{Rows: b.Rows, Left: b.Left, X: edges(&b.X), Counts: b.Counts}
	if b.Y.Name != "" {
		sum.Y = edges(&b.Y)
		var lines [][]int64
		for i := range b.Y.Bins {
			lines = append(lines, b.Counts[i*b.X.Bins:][:b.X.Bins])
		}
		sum.Counts = lines
	}
	return sum
}
