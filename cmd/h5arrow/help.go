package main

import (
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) helpCommand() *cobra.Command {
	man := ""
	cmd := &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Explain a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			if man != "" {
				return a.manPages(cmd.Root(), man)
			}
			c, rest, err := cmd.Root().Find(args)
			if err != nil || c == nil || len(rest) > 0 {
				return usage("no help on %q", strings.Join(args, " ")).WithHint("`h5arrow help` lists the commands")
			}
			c.InitDefaultHelpFlag()
			c.InitDefaultVersionFlag()
			return c.Help()
		},
	}
	cmd.Flags().StringVar(&man, "man", "", "write manual pages of all commands to this `DIR`")
	return cmd
}
