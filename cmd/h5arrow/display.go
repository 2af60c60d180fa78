package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/flags"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
)

// display has the flags about how text for people looks.
type display struct {
	wide  bool
	width flags.Positive
	color *flags.Choice
}

func (d *display) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&d.wide, "wide", false, "do not fit lines to the terminal")
	f.Var(&d.width, "width", "fit lines to so many columns of a terminal (default: those of the terminal; without one, any)")
	d.color = flags.Choose(cmd, "color", "colors: auto is on a terminal, unless NO_COLOR is set", "auto", "always", "never")
}

// screen returns the screen that stdout is.
func (a *app) screen(d *display) *text.Screen {
	columns, _ := text.Size(a.out)
	s := &text.Screen{W: a.out, Width: columns}
	switch d.color.String() {
	case "always":
		s.Color = true
	case "auto":
		s.Color = columns > 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	if d.width > 0 {
		s.Width = int(d.width)
	}
	if d.wide {
		s.Width = 0
	}
	return s
}
