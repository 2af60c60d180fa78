package plot

import (
	"image/color"
	"io"
	"math"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
)

// Image is a format of images, and their size in points of 1/72 inch.
type Image struct {
	SVG           bool // instead of PNG
	Width, Height int
}

// Bins returns how many bins a drawing of this size has.
func (im Image) Bins() (w, h int) { return max(im.Width/8, 10), max(im.Height/8, 10) }

var fill = color.RGBA{R: 70, G: 130, B: 180, A: 255}

// Write draws bins as an image.
func (b *Bins) Write(w io.Writer, im Image) error {
	p := b.base()
	if b.Y.Name == "" {
		bars := &plotter.Histogram{FillColor: fill}
		for i, n := range b.Counts {
			bars.Bins = append(bars.Bins, plotter.HistogramBin{Min: b.X.at(b.X.Edge(i)), Max: b.X.at(b.X.Edge(i + 1)), Weight: float64(n)})
		}
		bars.Width = bars.Bins[0].Max - bars.Bins[0].Min
		p.Y.Label.Text = "rows"
		p.Add(bars)
		return im.write(w, p)
	}
	heat := plotter.NewHeatMap(density{b}, shades{})
	heat.Min, heat.Max = 0, max(math.Log(float64(b.Max())), 1)
	p.Y.Label.Text = b.Y.title()
	p.Add(heat)
	return im.write(w, p)
}

// title returns the name of an axis, with its unit.
func (a *Axis) title() string {
	if a.Unit != "" {
		return text.Printable(a.Name + " (" + a.Unit + ")")
	}
	return text.Printable(a.Name)
}

// base returns a plot with the title and the x axis.
func (b *Bins) base() *gonum.Plot {
	p := gonum.New()
	p.X.Label.Text = b.X.title()
	if b.X.Dated() {
		p.X.Tick.Marker = gonum.TimeTicks{Format: "2006-01-02\n15:04:05"}
	}
	if b.Y.Name != "" && b.Y.Dated() {
		p.Y.Tick.Marker = gonum.TimeTicks{Format: "2006-01-02\n15:04:05"}
	}
	p.Title.Text = text.Plural(b.Rows-b.Left, "row")
	return p
}

// at is a place on the axis of an image.
func (a *Axis) at(v float64) float64 {
	if a.Dated() {
		return a.seconds(v)
	}
	return v
}

// WriteLabels draws the number of rows of each label as an image.
func WriteLabels(w io.Writer, im Image, name string, labels []Label) error {
	labels = labels[:min(len(labels), shownLabels)]
	p := gonum.New()
	p.X.Label.Text, p.Y.Label.Text = text.Printable(name), "rows"
	values, names := make(plotter.Values, len(labels)), make([]string, len(labels))
	for i, l := range labels {
		values[i], names[i] = float64(l.Count), text.Cut(text.Printable(l.Text), 16)
	}
	if len(labels) > 0 {
		bars, err := plotter.NewBarChart(values, vg.Length(im.Width)/vg.Length(2*len(labels)))
		if err != nil {
			return err
		}
		bars.Color = fill
		p.Add(bars)
		p.NominalX(names...)
		p.X.Tick.Label.Rotation = math.Pi / 4
		p.X.Tick.Label.XAlign = draw.XRight
	}
	return im.write(w, p)
}

func (im Image) write(w io.Writer, p *gonum.Plot) error {
	width, height := vg.Length(im.Width), vg.Length(im.Height)
	if im.SVG {
		c := vgsvg.New(width, height)
		p.Draw(draw.New(c))
		_, err := c.WriteTo(w)
		return err
	}
	c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(96))}
	p.Draw(draw.New(c))
	_, err := c.WriteTo(w)
	return err
}

// shades is a palette of blues, from light to dark.
type shades struct{}

// Colors returns the colors.
func (shades) Colors() []color.Color {
	const n = 64
	out := make([]color.Color, n)
	for i := range out {
		mix := func(light, dark int) uint8 { return uint8(light + (dark-light)*i/(n-1)) }
		out[i] = color.RGBA{R: mix(198, 8), G: mix(219, 48), B: mix(239, 107), A: 255}
	}
	return out
}

// density is the grid of a heat map: the logarithms of the counts, NaN where there is nothing.
type density struct{ *Bins }

// Dims returns the number of bins.
func (d density) Dims() (c, r int) { return d.Bins.X.Bins, d.Bins.Y.Bins }

// X returns the middle of a bin.
func (d density) X(c int) float64 { return d.Bins.X.middle(c) }

// Y returns the middle of a bin.
func (d density) Y(r int) float64 { return d.Bins.Y.middle(r) }

// Z returns the logarithm of a count.
func (d density) Z(c, r int) float64 {
	n := d.Counts[r*d.Bins.X.Bins+c]
	if n == 0 {
		return math.NaN()
	}
	return math.Log(float64(n))
}

func (a *Axis) middle(n int) float64 { return a.at((a.Edge(n) + a.Edge(n+1)) / 2) }
