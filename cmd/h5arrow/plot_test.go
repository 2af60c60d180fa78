package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5test"
)

// numpy counts the same in the same bins.
func TestPlotAsNumpy(t *testing.T) {
	py := h5test.Python(t, "numpy", "pyarrow", "pandas")
	if py == "" {
		t.Skip("no Python with numpy and pyarrow: see make venv")
	}
	script := filepath.Join(h5test.Root(t), "cmd", "h5arrow", "testdata", "numpy_bins.py")
	workplace(t)
	expect(t, 0, "convert", "sample.h5", "x.arrow")
	var drawings strings.Builder
	list := []string{"fare", "pickup", "tip", "rating", "shared", "meter", "passengers", "pickup,fare", "fare,tip", "rating,vendor", "shared,tip"}
	for _, columns := range list {
		drawings.WriteString(columns + "\t" + expect(t, 0, "plot", "sample.h5", "-c", columns, "--json").out)
	}
	cmd := exec.Command(py, "-B", script, "x.arrow")
	cmd.Stdin = strings.NewReader(drawings.String())
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "11 drawings\n" {
		t.Errorf("%v\n%s", err, out)
	}
}

// Images have the size that is asked for, something is drawn, and they appear under their names only when they are complete.
func TestPlotImages(t *testing.T) {
	dir := workplace(t)
	before := listing(t, dir)
	for _, columns := range []string{"fare", "pickup,fare", "zone", "shared"} {
		expect(t, 0, "plot", "sample.h5", "-c", columns, "-o", "x.png", "--size", "300x150", "--force")
		img, err := png.Decode(bytes.NewReader(readFile(t, "x.png")))
		if err != nil {
			t.Fatal(err)
		}
		if b := img.Bounds(); b.Dx() != 400 || b.Dy() != 200 { // at 96 dots per inch
			t.Errorf("%s: %v", columns, b)
		}
		blue := 0
		for x := range 400 {
			for y := range 200 {
				if r, _, b, _ := img.At(x, y).RGBA(); b > r+0x1000 {
					blue++
				}
			}
		}
		if blue < 100 {
			t.Errorf("%s: %d points are blue", columns, blue)
		}
		expect(t, 0, "plot", "sample.h5", "-c", columns, "-o", "x.svg", "--force")
		for d := xml.NewDecoder(bytes.NewReader(readFile(t, "x.svg"))); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(columns, err)
			}
		}
	}
	for _, args := range [][]string{{"-o", "x.png"}, {"-o", "x.gif"}, {"-o", "y.png", "--size", "1x1"}, {"-o", "y.png", "--size", "300x150z"}, {"-o", "sample.h5", "--force"}, {"-c", "pickup,fare,tip"}, {"--json", "-o", "y.png"}} {
		expect(t, exitUsage, append([]string{"plot", "sample.h5", "-c", "fare"}, args...)...)
	}
	expect(t, exitCorrupt, "plot", "broken.h5", "-c", "sums", "-o", "y.png")
	onlyNew(t, dir, before, "x.png", "x.svg")
}

// What can't be drawn is an error that says why.
func TestPlotJSON(t *testing.T) {
	workplace(t)
	var labels struct {
		Rows   int64
		Labels []struct {
			Label string
			Rows  int64
		}
	}
	if err := json.Unmarshal([]byte(expect(t, 0, "plot", "sample.h5", "-c", "note", "--json").out), &labels); err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	for _, l := range labels.Labels {
		sum += l.Rows
	}
	if labels.Rows != 50000 || len(labels.Labels) != 5 || sum != 50000-30264 {
		t.Errorf("%+v", labels)
	}
	if r := expect(t, exitUsage, "plot", "sample.h5", "-c", "fare,zone"); !strings.Contains(r.err, "column zone has type utf8: only numbers and times have an axis") {
		t.Error(r.err)
	}
}
