package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/flags"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/memory"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/cmd/internal/output"
)

// verbs are the commands. A new one is one file, and one line here.
var verbs = []func(*app) *cobra.Command{
	(*app).inspectCommand,
	(*app).headCommand,
	(*app).tailCommand,
	(*app).statsCommand,
	(*app).plotCommand,
	(*app).convertCommand,
	(*app).repackCommand,
	(*app).queryCommand,
	(*app).indexCommand,
	(*app).serveCommand,
	(*app).checkCommand,
	(*app).importCommand,
	(*app).planCommand,
	(*app).completionCommand,
}

// streams are the standard streams of a command.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// app is one run of the command.
type app struct {
	streams
	args    []string // of the command line
	ctx     context.Context
	started bool         // a verb has started: what fails before that is wrong usage
	status  int          // exit status of a run without an error
	drain   atomic.Int64 // nanoseconds that an interrupted verb may take beyond grace
	outputs output.Set
	version bool  // --version was given
	memory  int64 // what --max-memory is, or what it is by default, for messages; 0 before it is known
}

// maxMemory returns the memory that a verb may use.
func (a *app) maxMemory(asked flags.Size) int64 {
	a.memory = memory.Max(int64(asked))
	return a.memory
}

// grace is how long an interrupted verb may take to return. It is stuck when it waits for a pipe that nobody reads.
const grace = 2 * time.Second

// run runs one command line and returns the exit status.
func run(ctx context.Context, args []string, s streams) int {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	a := &app{streams: s, args: args, ctx: ctx}
	root := a.root()
	root.SetArgs(append([]string{}, args...)) // nil would mean the arguments of the process
	ended := make(chan error, 1)
	go func() { ended <- root.ExecuteContext(ctx) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		select {
		case err = <-ended:
		case <-time.After(grace + time.Duration(a.drain.Load())):
			err = ctx.Err()
		}
		a.outputs.GiveUp()
	}
	return a.exit(err)
}

// exit prints the one line of an error and returns the exit status.
func (a *app) exit(err error) int {
	if err == nil {
		return a.status
	}
	if errors.Is(err, context.Canceled) {
		a.note("interrupted")
		return exitInterrupted
	}
	a.note("%s", withMemory(errorText(suggestFile(err)), a.memory))
	return exitStatus(err, a.started)
}

// note prints one line on stderr.
func (a *app) note(format string, args ...any) {
	line := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
	_ = text.WriteLine(a.err, "h5arrow: "+line) // there is nowhere to report the error
}

// leftOut notes a column or table that --skip-unsupported leaves out.
func (a *app) leftOut(err error) { a.note("left out: %s", errorText(err)) }

// print prints one line on stdout.
func (a *app) print(line string) error { return text.WriteLine(a.out, line) }

// root returns the command tree.
func (a *app) root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "h5arrow",
		Short: "Provide HDF5 files as Apache Arrow",
		Long: `h5arrow provides the tables of HDF5 files as Apache Arrow.

Columns that are stored as plain bytes are mapped, not copied. Chunked and compressed ones are decoded by all processors.
Tables are recognized by the conventions of the programs that wrote them (--list-conventions lists them).

Exit status: 0 done; 1 failed while running; 2 wrong usage; 3 the input is corrupt; 4 the input is sound but asks for
something unsupported; 130 interrupted.`,
		Example: `  h5arrow inspect data.h5
  h5arrow convert data.h5 data.arrow`,
		Args:          cobra.ArbitraryArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.version {
				_, err := io.WriteString(a.out, version())
				return err
			}
			if len(args) == 0 {
				return usage("no command was given").WithHint("`h5arrow help` lists the commands")
			}
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				return usage("unknown command %q", args[0]).WithHint("did you mean %s?", strings.Join(near, " or "))
			}
			return usage("unknown command %q", args[0]).WithHint("`h5arrow help` lists the commands")
		},
		SuggestionsMinimumDistance: 2,
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	cmd.SetIn(a.in)
	cmd.SetOut(a.out)
	cmd.SetErr(a.err)
	cmd.SetFlagErrorFunc(unknownFlag)
	// Not cobra's own: a program with templates keeps all methods of all its types, a sixth of its size.
	cmd.Flags().BoolVarP(&a.version, "version", "v", false, "version for h5arrow")
	var list bool
	cmd.PersistentFlags().BoolVar(&list, "list-conventions", false, "list the known conventions and exit")
	for _, verb := range verbs {
		cmd.AddCommand(verb(a))
	}
	cmd.SetHelpCommand(a.helpCommand())
	for _, c := range append(cmd.Commands(), cmd) {
		a.wrap(c, &list)
	}
	return cmd
}

// wrap makes a command list the conventions and return at --list-conventions, before its arguments are checked. It also
// records that the command has started.
func (a *app) wrap(cmd *cobra.Command, list *bool) {
	args, work := cmd.Args, cmd.RunE
	cmd.DisableFlagsInUseLine = true
	cmd.Args = func(cmd *cobra.Command, s []string) error {
		if *list || args == nil {
			return nil
		}
		return args(cmd, s)
	}
	cmd.RunE = func(cmd *cobra.Command, s []string) error {
		if *list {
			return a.listConventions()
		}
		a.started = true
		return work(cmd, s)
	}
	cmd.Flags().SortFlags = false
}

// argCount checks the number of arguments, and its messages say what is missing. A maximum of -1 is any number.
func argCount(min, max int, want string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < min:
			return usage("%s needs %s", cmd.Name(), want).WithHint("see `%s --help`", cmd.CommandPath())
		case max >= 0 && len(args) > max:
			return usage("%s takes %s, not also %q", cmd.Name(), want, args[max]).WithHint("see `%s --help`", cmd.CommandPath())
		}
		return nil
	}
}

// listConventions lists the conventions, a line each.
func (a *app) listConventions() error {
	list := arrowmap.Conventions()
	width := 0
	for _, c := range list {
		width = max(width, len(c.Name))
	}
	for _, c := range list {
		if err := a.print(fmt.Sprintf("%-*s%s", width+2, c.Name, c.Description)); err != nil {
			return err
		}
	}
	return nil
}
