package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// TestOptionFlags holds that the flags and verbs of the table exist.
func TestOptionFlags(t *testing.T) {
	known := map[string]bool{}
	root := (&app{}).root()
	for _, c := range append(root.Commands(), root) {
		known["`h5arrow "+c.Name()+"`"] = true
		take := func(f *pflag.Flag) { known["--"+f.Name] = true }
		c.Flags().VisitAll(take)
		c.PersistentFlags().VisitAll(take)
	}
	for option, flag := range optionFlags {
		name := flag
		if strings.HasPrefix(flag, "--") {
			name, _, _ = strings.Cut(flag, " ")
		}
		if !known[name] {
			t.Errorf("%s: there is no %s", option, name)
		}
	}
}

func TestErrorText(t *testing.T) {
	inner := h5err.New(h5err.Memory, "9 bytes").WithOption("chunk.NewBudget", "allow %s", "more")
	for _, c := range []struct {
		err        error
		text, line string
	}{
		{inner, "9 bytes; allow more with chunk.NewBudget", "9 bytes; allow more with --max-memory"},
		{h5err.In(inner, "a.h5", "/x"), "a.h5: /x: 9 bytes; allow more with chunk.NewBudget", "a.h5: /x: 9 bytes; allow more with --max-memory"},
		{h5err.Wrap(h5err.Memory, inner, "labels"), "labels: 9 bytes; allow more with chunk.NewBudget", "labels: 9 bytes; allow more with --max-memory"},
		{h5err.New(h5err.Argument, "none").WithHint("look").WithOption("h5.File.Walk", "list all").WithOption("arrowmap.File.Table", "take one"),
			"none; look; list all with h5.File.Walk, or take one with arrowmap.File.Table", "none; look; list all with `h5arrow inspect`, or take one with --table"},
		{h5err.New(h5err.Argument, "none").WithOption("no.Flag", "try"), "none; try with no.Flag", "none"},
		{h5err.Wrap(h5err.IO, fmt.Errorf("line: %w", inner), ""), "line: 9 bytes; allow more with chunk.NewBudget", "line: 9 bytes; allow more with chunk.NewBudget"},
		{errors.New("other"), "other", "other"},
	} {
		if got := c.err.Error(); got != c.text {
			t.Errorf("the library says %q, want %q", got, c.text)
		}
		if got := errorText(c.err); got != c.line {
			t.Errorf("the command says %q, want %q", got, c.line)
		}
	}
}
