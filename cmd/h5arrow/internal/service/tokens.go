package service

import (
	"strings"
	"sync/atomic"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc/flight"
)

// Tokens are the bearer tokens of a file: one in each line. Empty lines, and those that start with #, are skipped. The file is
// read again when it has changed; one without tokens, or that can't be read, does not replace the earlier ones.
type Tokens struct {
	name string
	*files
	list atomic.Pointer[flight.Tokens]
}

// ReadTokens reads the tokens of a file.
func ReadTokens(name string, m *Monitor) (*Tokens, error) {
	t := &Tokens{name: name}
	var err error
	t.files, err = watch(m, "tokens", t.read, name)
	return t, err
}

func (t *Tokens) read() error {
	b, err := ReadFile(t.name)
	if err != nil {
		return err
	}
	var tokens []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			tokens = append(tokens, line)
		}
	}
	if len(tokens) == 0 {
		return h5err.In(h5err.New(h5err.Argument, "it has no token"), t.name, "")
	}
	list, err := flight.NewTokens(tokens...)
	if err != nil {
		return h5err.In(err, t.name, "")
	}
	t.list.Store(list)
	return nil
}

// Has reports whether a token is in the file now.
func (t *Tokens) Has(token string) bool {
	t.look()
	return t.list.Load().Has(token)
}

// Reload reads the file again.
func (t *Tokens) Reload() { t.reload() }
