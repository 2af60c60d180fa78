package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// manPages writes a manual page of each command to a directory, which is created if needed.
func (a *app) manPages(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return about(dir, h5err.Wrap(h5err.IO, h5err.Cause(err), "can't create the directory"))
	}
	for _, cmd := range append(root.Commands(), root) {
		if cmd.Hidden {
			continue
		}
		var page strings.Builder
		manPage(&page, root, cmd)
		name := filepath.Join(dir, strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1")
		if err := os.WriteFile(name, []byte(page.String()), 0o666); err != nil {
			return about(name, h5err.Wrap(h5err.IO, h5err.Cause(err), "can't write"))
		}
	}
	return nil
}

// roff returns text as roff shows it, word for word.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "`", "\\(ga", "'", `\(aq`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

// manPage writes the manual page of a command (man(7)).
func manPage(w io.Writer, root, cmd *cobra.Command) {
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
	long := cmd.Long
	if long == "" {
		long = cmd.Short + "."
	}
	use := cmd.UseLine()
	if cmd == root {
		use += " COMMAND"
	}
	fmt.Fprintf(w, ".TH %s 1\n.SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.B %s\n", strings.ToUpper(roff(name)), roff(name), roff(cmd.Short), roff(use))
	fmt.Fprint(w, ".SH DESCRIPTION\n")
	for i, paragraph := range strings.Split(long, "\n\n") {
		switch {
		case strings.HasPrefix(paragraph, "  "): // a list
			fmt.Fprintf(w, ".PP\n.nf\n%s\n.fi\n", roff(paragraph))
		case i > 0:
			fmt.Fprintf(w, ".PP\n%s\n", roff(paragraph))
		default:
			fmt.Fprintf(w, "%s\n", roff(paragraph))
		}
	}
	if cmd == root {
		fmt.Fprint(w, ".SH COMMANDS\n")
		for _, c := range cmd.Commands() {
			fmt.Fprintf(w, ".TP\n.B %s\n%s\n", roff(c.Name()), roff(c.Short))
		}
	}
	fmt.Fprint(w, ".SH OPTIONS\n")
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	flag := func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		short := ""
		if f.Shorthand != "" {
			short = "-" + f.Shorthand + ", "
		}
		value, help := pflag.UnquoteUsage(f)
		fmt.Fprintf(w, ".TP\n.B %s\n%s\n", roff(strings.TrimSpace(short+"--"+f.Name+" "+value)), roff(help))
	}
	cmd.LocalFlags().VisitAll(flag)
	cmd.InheritedFlags().VisitAll(flag)
	if cmd.Example != "" {
		fmt.Fprintf(w, ".SH EXAMPLES\n.nf\n%s\n.fi\n", roff(cmd.Example))
	}
	if cmd != root {
		fmt.Fprint(w, ".SH SEE ALSO\n.BR h5arrow (1)\n")
	}
}
