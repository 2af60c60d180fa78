//go:build duckdb_arrow && cgo

package engine

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/naming"
)

// listing are words of statements that may list tables, or whose effects on names are not known here.
var listing = []string{"show", "describe", "schema", "duckdb_", "pg_", "sqlite_", "pragma", "query"}

// ordering is DESC after what rows are ordered by, and not the start of a statement.
var ordering = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`([\w)\]"']\s+)desc\b`) })

// lists reports whether a statement may list tables.
func lists(sql string) bool {
	sql = naming.Fold(sql)
	if !strings.Contains(sql, "--") { // whose text could come before DESC, the short form of DESCRIBE
		sql = ordering().ReplaceAllString(sql, "$1")
	}
	return strings.Contains(sql, "desc") || slices.ContainsFunc(listing, func(w string) bool { return strings.Contains(sql, w) })
}

// quoted is what may hold semicolons that end no statement: text, quoted names and comments.
var quoted = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`'[^']*'|"[^"]*"|--[^\n]*|/\*[^*]*\*/`) })

// pivots reports whether the statements that the engine made of a text are one PIVOT: it finds the values that become
// columns by statements that create temporary types.
func pivots(sql string) bool {
	if !strings.Contains(naming.Fold(sql), "pivot") {
		return false
	}
	if !strings.ContainsAny(sql, `\$`) { // else there may be text of other forms
		sql = quoted().ReplaceAllString(sql, " ")
	}
	return !strings.Contains(strings.TrimRight(sql, "; \t\r\n"), ";")
}
