package main

import (
	"encoding/json"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/far"
	"github.com/h5arrow/h5arrow/h5/check"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// The profiles of check: the usual rules, and those for files of unknown origin.
const (
	usual     = "default"
	untrusted = "untrusted"
)

// report is a line of check --json.
type report struct {
	Schema    int                       `json:"schema_version"`
	File      string                    `json:"file"`
	Verdicts  map[string]check.Decision `json:"verdicts"` // by profile
	Findings  []*finding                `json:"findings"`
	Truncated bool                      `json:"truncated"` // there are more findings
	Counts    *check.Counts             `json:"counts"`    // null if the file could not be opened
}

// finding is an error that was found.
type finding struct {
	Code     string   `json:"code"`
	Profiles []string `json:"profiles"` // by whose rules it is an error
	File     string   `json:"file,omitempty"`
	Object   string   `json:"object,omitempty"`
	Offset   *int64   `json:"offset,omitempty"`
	Message  string   `json:"message"`
}

func newFinding(err error, code, profile string) *finding {
	e := h5err.In(err, "", "").(*h5err.Error)
	f := &finding{Code: code, Profiles: []string{profile}, File: e.File, Object: e.Object}
	if e.Offset >= 0 {
		f.Offset = &e.Offset
	}
	bare := *e
	bare.File, bare.Object, bare.Offset = "", "", h5err.NoOffset
	f.Message = flagText(&bare)
	return f
}

// by records that a finding is an error by the rules of a profile, too.
func (f *finding) by(profile string) {
	if f.Profiles[len(f.Profiles)-1] != profile {
		f.Profiles = append(f.Profiles, profile)
	}
}

// start accepts the file by a profile until something is found.
func (r *report) start(profile string) {
	if r.Verdicts == nil {
		r.Verdicts = map[string]check.Decision{}
	}
	r.Verdicts[profile] = check.Accept
}

func (r *report) decide(profile string, d check.Decision) {
	r.Verdicts[profile] = check.Worse(r.Verdicts[profile], d)
}

// printReport prints the line of JSON of a file.
func (c *checking) printReport(name string) error {
	c.report.Schema, c.report.File = 1, far.Name(name)
	if c.report.Findings == nil {
		c.report.Findings = []*finding{}
	}
	b, err := json.Marshal(&c.report)
	if err == nil {
		err = c.print(string(b))
	}
	return h5err.In(err, "stdout", "")
}
