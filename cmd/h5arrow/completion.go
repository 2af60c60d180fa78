package main

import (
	"github.com/spf13/cobra"
)

func (a *app) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a completion script for a shell",
		Long: `completion prints a script that completes commands, flags, and the paths and columns inside of files: after
h5arrow head data.h5 --table, for example.`,
		Example:   `  source <(h5arrow completion bash)`,
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		Args:      argCount(1, 1, "a shell: bash, zsh, fish or powershell"),
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.out, true)
			case "zsh":
				return root.GenZshCompletion(a.out)
			case "fish":
				return root.GenFishCompletion(a.out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(a.out)
			}
			return usage("unknown shell %q", args[0]).WithHint("known are bash, zsh, fish and powershell")
		},
	}
}
