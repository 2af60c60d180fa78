package naming_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/naming"
)

// Columns that SQL takes for one have other names, all of them, and no others do.
func TestDistinct(t *testing.T) {
	for in, want := range map[string]string{
		"a b":            "a b",
		"A a b":          "A_1 a_2 b",
		"A a a_1":        "A_2 a_3 a_1",
		"a A_1 A a_1":    "a_2 A_1_1 A_3 a_1_2",
		"É é":            "É é",
		"x\x00 X":        "x_1 X_2",
		"\x00 column0":   "column0_1 column0_2",
		"ſ s K k \u212a": "ſ s K_1 k_2 \u212a",
	} {
		if got := strings.Join(naming.Distinct(strings.Fields(in)), " "); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	names := make([]string, 400000)
	for i := range names {
		names[i] = [...]string{"same", "SAME"}[i%2]
	}
	start := time.Now()
	seen := map[string]bool{}
	for _, n := range naming.Distinct(names) {
		seen[naming.Fold(n)] = true
	}
	if len(seen) != len(names) || time.Since(start) > 10*time.Second {
		t.Errorf("%d names after %v", len(seen), time.Since(start))
	}
}

// No name is that of two tables.
func TestTables(t *testing.T) {
	for _, c := range []struct {
		wanted  [][]string
		names   string
		unclear string
	}{
		{[][]string{{"/a", "a"}, {"/b", "b"}}, "[[/a a] [/b b]]", "map[]"},
		{[][]string{{"/x/t", "t"}, {"/y/T", "T"}}, "[[/x/t] [/y/T]]", "map[t:[/x/t /y/T]]"},
		{[][]string{{"/Run", "Run"}, {"/run", "run"}, {"/run_1", "run_1"}}, "[[/Run_2] [/run_3] [/run_1 run_1]]", "map[/run:[/Run_2 /run_3] run:[/Run_2 /run_3]]"},
		{[][]string{{"/", "a"}, {"a", ""}}, "[[/] [a]]", "map[]"},
		{[][]string{{"/table", "table"}, {"/table_", "table_"}, {"/x/Order", "Order"}}, "[[/table table table__] [/table_ table_] [/x/Order Order Order_]]", "map[]"},
		{[][]string{{"", "x"}, {"a\x00"}}, "[[x] []]", "map[]"},
	} {
		g := naming.Tables(c.wanted)
		if names, unclear := fmt.Sprint(g.Names), fmt.Sprint(g.Unclear); names != c.names || unclear != c.unclear {
			t.Errorf("%v: %s, %s", c.wanted, names, unclear)
		}
	}
	if got := naming.Keywords(`select * from table where Table = "order"`, func(w string) bool { return w != "where" }); !slices.Equal(got, []string{"select", "from", "table", "Table"}) {
		t.Errorf("%q", got)
	}
}
