// Package flags has the types of the command's flags.
package flags

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

// Choice is a flag that takes one of a list of words. It is a pflag.Value, as the other types are.
type Choice struct {
	value string
	words []string
}

func (c *Choice) String() string { return c.value }

// Type returns the words.
func (c *Choice) Type() string { return strings.Join(c.words, "|") }

// Set sets the word.
func (c *Choice) Set(s string) error {
	if !slices.Contains(c.words, s) {
		return fmt.Errorf("known are %s", strings.Join(c.words, ", "))
	}
	c.value = s
	return nil
}

// Index returns the position of the chosen word in the list.
func (c *Choice) Index() int { return slices.Index(c.words, c.value) }

// Choose adds a choice to a command. The first word is the default.
func Choose(cmd *cobra.Command, name, help string, words ...string) *Choice {
	c := &Choice{value: words[0], words: words}
	cmd.Flags().Var(c, name, help)
	// It fails only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// Size is a flag that takes a number of bytes: 1000000, 64MiB, 1G. Without B the units are powers of 1024. 0 means that
// it was not given.
type Size int64

var units = map[string]float64{"": 1, "b": 1,
	"k": 1 << 10, "kib": 1 << 10, "kb": 1e3,
	"m": 1 << 20, "mib": 1 << 20, "mb": 1e6,
	"g": 1 << 30, "gib": 1 << 30, "gb": 1e9,
	"t": 1 << 40, "tib": 1 << 40, "tb": 1e12,
}

func (s *Size) String() string {
	if *s == 0 {
		return ""
	}
	return strconv.FormatInt(int64(*s), 10)
}

// Type returns the form of the argument.
func (s *Size) Type() string { return "SIZE" }

// Set parses the argument.
func (s *Size) Set(text string) error {
	i := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if i < 0 {
		i = len(text)
	}
	unit, known := units[strings.ToLower(strings.TrimSpace(text[i:]))]
	n, err := strconv.ParseFloat(text[:i], 64)
	if err != nil || !known {
		return fmt.Errorf("a size is like 64MiB, 1.5G or 1000000")
	}
	if n *= unit; n < 1 || n >= math.MaxInt64 {
		return fmt.Errorf("a size is at least one byte and below 8 EiB")
	}
	*s = Size(n)
	return nil
}

// Positive is a flag that takes a number from 1 on. 0 means that it was not given.
type Positive int64

func (p *Positive) String() string {
	if *p == 0 {
		return ""
	}
	return strconv.FormatInt(int64(*p), 10)
}

// Type returns the form of the argument.
func (p *Positive) Type() string { return "N" }

// Set parses the argument.
func (p *Positive) Set(text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return fmt.Errorf("it takes a number from 1 on")
	}
	*p = Positive(n)
	return nil
}

// Rows is the flag --rows A:B: the rows from A up to, but without, B. Either may be left out.
type Rows struct {
	A, B int64 // B is -1 for the end; an A below 0 counts from the end
	text string
}

// Of returns the range of a table of so many rows, as Table.Slice takes it.
func (r *Rows) Of(total int64) (a, b int64) {
	if r.A < 0 {
		return max(0, total+r.A), r.B
	}
	return r.A, r.B
}

// Given reports whether the flag was given.
func (r *Rows) Given() bool { return r.text != "" }

func (r *Rows) String() string { return r.text }

// Type returns the form of the argument.
func (r *Rows) Type() string { return "A:B" }

// Set parses the argument.
func (r *Rows) Set(text string) error {
	from, to, ok := strings.Cut(text, ":")
	a, b := int64(0), int64(-1)
	var err error
	if ok && from != "" {
		a, err = strconv.ParseInt(from, 10, 64)
	}
	if ok && to != "" && err == nil {
		b, err = rowNumber(to)
	}
	switch {
	case !ok || err != nil || a == math.MinInt64:
		return fmt.Errorf("rows are like 100:200, 100:, :200 or -5: (the last five)")
	case b >= 0 && a > b:
		return fmt.Errorf("the rows end before they start")
	}
	*r = Rows{a, b, text}
	return nil
}

func rowNumber(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil && n < 0 {
		err = strconv.ErrRange
	}
	return n, err
}
