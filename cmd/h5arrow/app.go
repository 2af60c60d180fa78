package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// The exit statuses.
const (
	exitFailed      = 1 // while running: no such file, I/O, disk full, memory
	exitUsage       = 2
	exitCorrupt     = 3
	exitUnsupported = 4
	exitInterrupted = 130
)

// streams are what a command reads and writes, besides files.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// app is one run of the command.
type app struct {
	streams
	ctx     context.Context
	started bool         // a verb's work began: what failed before is wrong usage
	status  int          // where it is not told by an error
	drain   atomic.Int64 // nanoseconds that an interrupted verb may take beyond grace

	mu       sync.Mutex
	cleanups map[*output]bool // partial outputs to remove when the run is given up
}

// grace is how long an interrupted verb may take to end by itself. It is stuck when it waits for a pipe that nobody reads.
const grace = 2 * time.Second

// run runs one command line and returns the exit status.
func run(ctx context.Context, args []string, s streams) int {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	a := &app{streams: s, ctx: ctx, cleanups: map[*output]bool{}}
	root := a.root()
	root.SetArgs(append([]string{}, args...)) // nil would stand for those of the process
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
		a.giveUp()
	}
	return a.exit(err)
}

// exit prints the one line of an error and returns the exit status.
func (a *app) exit(err error) int {
	if err == nil {
		return a.status
	}
	status, msg := exitFailed, errorText(err)
	var e *h5err.Error
	switch {
	case errors.Is(err, context.Canceled):
		status, msg = exitInterrupted, "interrupted"
	case errors.As(err, &e):
		status = kindStatus(e.Kind)
	case !a.started:
		status = exitUsage
	}
	a.note("%s", msg)
	return status
}

func kindStatus(k h5err.Kind) int {
	switch k {
	case h5err.Argument, h5err.NotFound:
		return exitUsage
	case h5err.Corrupt:
		return exitCorrupt
	case h5err.Unsupported, h5err.Limit:
		return exitUnsupported
	}
	return exitFailed
}

// note prints one line on stderr.
func (a *app) note(format string, args ...any) {
	msg := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
	fmt.Fprintf(a.err, "h5arrow: %s\n", msg)
}

// giveUp removes what a verb that does not end would leave behind.
func (a *app) giveUp() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for o := range a.cleanups {
		o.remove()
	}
}

func usage(format string, args ...any) *h5err.Error {
	return h5err.New(h5err.Argument, format, args...)
}

// root is the command tree.
func (a *app) root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "h5arrow",
		Short: "Hand out HDF5 files as Apache Arrow",
		Long: `h5arrow hands out the tables of HDF5 files as Apache Arrow.

Columns that stand in the file as plain bytes are mapped and not copied; chunked and compressed ones are decoded by all
processors. Tables are recognised by the conventions of the programs that wrote them (--list-conventions names them).

Exit status: 0 done; 1 failed while running; 2 wrong usage; 3 the input is corrupt; 4 the input is sound but asks for
something unsupported; 130 interrupted.`,
		Example: `  h5arrow inspect data.h5
  h5arrow convert data.h5 data.arrow`,
		Args:          cobra.ArbitraryArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("no command was given").WithHint("`h5arrow help` lists the commands")
			}
			return usage("unknown command %q", args[0]).WithHint("`h5arrow help` lists the commands")
		},
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	cmd.SetIn(a.in)
	cmd.SetOut(a.out)
	cmd.SetErr(a.err)
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("%s", err).WithHint("see `%s --help`", cmd.CommandPath())
	})
	cmd.Version = version()
	cmd.SetVersionTemplate("{{.Version}}")
	var list bool
	cmd.PersistentFlags().BoolVar(&list, "list-conventions", false, "list the conventions that are known and end")
	cmd.AddCommand(a.inspectCommand(), a.headCommand(), a.convertCommand(), a.queryCommand(), a.serveCommand(), a.checkCommand(), a.completionCommand(cmd))
	cmd.SetHelpCommand(a.helpCommand(cmd))
	for _, c := range append(cmd.Commands(), cmd) {
		a.wrap(c, &list)
	}
	return cmd
}

// wrap lets a command end at --list-conventions, before its arguments are looked at, and notes when its work begins.
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

// atLeast is an argument check with a message that says what is missing.
func atLeast(n, most int, want string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < n:
			return usage("%s needs %s", cmd.Name(), want).WithHint("see `%s --help`", cmd.CommandPath())
		case most >= 0 && len(args) > most:
			return usage("%s takes %s, not also %q", cmd.Name(), want, args[most]).WithHint("see `%s --help`", cmd.CommandPath())
		}
		return nil
	}
}

func (a *app) helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Explain a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil || c == nil || len(rest) > 0 {
				return usage("no help on %q", strings.Join(args, " ")).WithHint("`h5arrow help` lists the commands")
			}
			c.InitDefaultHelpFlag()
			c.InitDefaultVersionFlag()
			return c.Help()
		},
	}
}

func (a *app) completionCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:       "completion bash|zsh|fish",
		Short:     "Print a completion script for a shell",
		Example:   `  source <(h5arrow completion bash)`,
		ValidArgs: []string{"bash", "zsh", "fish"},
		Args:      atLeast(1, 1, "a shell: bash, zsh or fish"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.out, true)
			case "zsh":
				return root.GenZshCompletion(a.out)
			case "fish":
				return root.GenFishCompletion(a.out, true)
			}
			return usage("unknown shell %q", args[0]).WithHint("known are bash, zsh and fish")
		},
	}
}
