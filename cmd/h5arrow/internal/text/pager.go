package text

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
)

// Page writes text to a terminal of so many lines. What has more of them goes through the pager that PAGER names, or less. An
// empty PAGER means no pager, as do 0 lines, which is what Size returns for other writers.
func Page(ctx context.Context, w io.Writer, lines int, b []byte) error {
	pager, set := os.LookupEnv("PAGER")
	if !set {
		pager = "less -FRX"
	}
	words := strings.Fields(pager)
	if lines == 0 || len(words) == 0 || bytes.Count(b, []byte("\n")) < lines {
		_, err := w.Write(b)
		return err
	}
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(b), w, os.Stderr
	cmd.Env = append(os.Environ(), "LESSCHARSET=utf-8")
	if err := cmd.Start(); err != nil { // there is no such program
		_, err := w.Write(b)
		return err
	}
	_ = cmd.Wait() // who quits a pager has seen enough
	return nil
}
