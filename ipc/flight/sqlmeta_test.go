package flight

import (
	"context"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
)

// lines reads a result and returns a line of its values for each row.
func lines(t *testing.T, cl *flightsql.Client, info *flight.FlightInfo, err error) (all []string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range info.Endpoint {
		r, err := cl.DoGet(context.Background(), e.Ticket)
		if err != nil {
			t.Fatal(err)
		}
		for r.Next() {
			rec := r.RecordBatch()
			for i := range int(rec.NumRows()) {
				var line []string
				for _, c := range rec.Columns() {
					line = append(line, c.ValueStr(i))
				}
				all = append(all, strings.Join(line, " "))
			}
		}
		if r.Err() != nil {
			t.Fatal(r.Err())
		}
		r.Release()
	}
	return all
}

// Every value of SqlInfo that the specification knows is there, with the type that it says.
func TestSQLInfo(t *testing.T) {
	leaks(t)
	cl := serveSQL(t).sqlClient(t)
	ctx := context.Background()
	var all []flightsql.SqlInfo
	for id := flightsql.SqlInfo(0); id <= 576; id++ {
		if id <= 5 || id >= 8 && id <= 11 || id == 100 || id == 101 || id >= 500 {
			all = append(all, id)
		}
	}
	const text, yesNo, number, set, list, table = 0, 1, 2, 3, 4, 5 // the codes of the union
	want := map[flightsql.SqlInfo]int8{0: text, 1: text, 2: text, 8: set, 100: set, 101: set, 503: set, 504: text, 505: set, 507: set,
		513: text, 514: text, 517: table, 522: set, 525: set, 526: set, 528: set, 529: text, 530: text, 531: text, 533: set, 534: set, 535: set,
		538: set, 540: set, 562: number, 564: set, 567: set, 568: set, 569: set, 570: set, 571: set}
	for id := flightsql.SqlInfo(508); id <= 512; id++ {
		want[id] = list
	}
	for id := flightsql.SqlInfo(541); id <= 561; id++ {
		want[id] = number
	}
	want[556] = yesNo
	info, err := cl.GetSqlInfo(ctx, all)
	if err != nil {
		t.Fatal(err)
	}
	r, err := cl.DoGet(ctx, info.Endpoint[0].Ticket)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	seen := 0
	for r.Next() {
		ids, values := r.RecordBatch().Column(0).(*array.Uint32), r.RecordBatch().Column(1).(*array.DenseUnion)
		for i := range ids.Len() {
			id := flightsql.SqlInfo(ids.Value(i))
			w, ok := want[id]
			if !ok {
				w = yesNo
			}
			if got := values.TypeCode(i); got != w {
				t.Errorf("%s (%d): %s of type %d, want %d", id, id, values.ValueStr(i), got, w)
			}
			seen++
		}
	}
	if r.Err() != nil || seen != len(all) {
		t.Errorf("%d of %d values, %v", seen, len(all), r.Err())
	}
	if n := len(lines(t, cl, must(cl.GetSqlInfo(ctx, nil)), nil)); n != len(all) {
		t.Errorf("%d values without being asked for one, of %d", n, len(all))
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Names lead to tables as they do in statements, in the only catalog there is; keys are none.
func TestSQLNames(t *testing.T) {
	leaks(t)
	cl := serveSQL(t).sqlClient(t)
	ctx := context.Background()
	for pattern, want := range map[string]string{
		"": "memory main a/b TABLE,memory main f/t_1 TABLE", "%": "memory main a/b TABLE,memory main f/t_1 TABLE",
		"t_1": "memory main t_1 TABLE", "T_1": "memory main T_1 TABLE", `t\_1`: "memory main t_1 TABLE", "/t%": "memory main /t_1 TABLE",
		"f/t_1": "memory main f/t_1 TABLE", "f/%": "memory main f/t_1 TABLE", "x": "", `a\_b`: "", "a_b": "memory main a/b TABLE",
	} {
		opts := &flightsql.GetTablesOpts{TableNameFilterPattern: &pattern}
		if pattern == "" {
			opts = &flightsql.GetTablesOpts{}
		}
		info, err := cl.GetTables(ctx, opts)
		if got := strings.Join(lines(t, cl, info, err), ","); got != want {
			t.Errorf("%q: %s, want %s", pattern, got, want)
		}
	}
	info, err := cl.GetCatalogs(ctx)
	if got := lines(t, cl, info, err); len(got) != 1 || got[0] != "memory" {
		t.Errorf("catalogs %q", got)
	}
	info, err = cl.GetDBSchemas(ctx, &flightsql.GetDBSchemasOpts{})
	if got := lines(t, cl, info, err); len(got) != 1 || got[0] != "memory main" {
		t.Errorf("schemas %q", got)
	}
	ref := flightsql.TableRef{Table: "t_1"}
	for what, keys := range map[string]func() (*flight.FlightInfo, error){
		"primary keys":    func() (*flight.FlightInfo, error) { return cl.GetPrimaryKeys(ctx, ref) },
		"exported keys":   func() (*flight.FlightInfo, error) { return cl.GetExportedKeys(ctx, ref) },
		"imported keys":   func() (*flight.FlightInfo, error) { return cl.GetImportedKeys(ctx, ref) },
		"cross reference": func() (*flight.FlightInfo, error) { return cl.GetCrossReference(ctx, ref, ref) },
	} {
		info, err := keys()
		if got := lines(t, cl, info, err); len(got) != 0 {
			t.Errorf("%s: %q", what, got)
		}
	}
	info, err = cl.GetXdbcTypeInfo(ctx, nil)
	if got := lines(t, cl, info, err); len(got) != 18 || !strings.HasPrefix(got[0], "BOOLEAN -7 1 ") {
		t.Errorf("types %q", got)
	}
	bigint := int32(-5)
	info, err = cl.GetXdbcTypeInfo(ctx, &bigint)
	if got := lines(t, cl, info, err); len(got) != 2 || !strings.HasPrefix(got[1], "UBIGINT -5 20") {
		t.Errorf("types of 64 bits: %q", got)
	}
}

// A session has the catalog and the schema that there are, and takes no others.
func TestSQLSession(t *testing.T) {
	leaks(t)
	cl := serveSQL(t).sqlClient(t)
	ctx := context.Background()
	got, err := cl.GetSessionOptions(ctx, &flight.GetSessionOptionsRequest{})
	if err != nil || got.SessionOptions["catalog"].GetStringValue() != "memory" || got.SessionOptions["schema"].GetStringValue() != "main" {
		t.Errorf("%v, %v", got, err)
	}
	options := must(flight.NewSessionOptionValues(map[string]any{"catalog": "memory", "schema": "x", "color": "red"}))
	set, err := cl.SetSessionOptions(ctx, &flight.SetSessionOptionsRequest{SessionOptions: options})
	if err != nil || len(set.Errors) != 2 || set.Errors["schema"].GetValue() != flight.SetSessionOptionsResultErrorInvalidValue ||
		set.Errors["color"].GetValue() != flight.SetSessionOptionsResultErrorInvalidName {
		t.Errorf("%v, %v", set, err)
	}
	if closed, err := cl.CloseSession(ctx, &flight.CloseSessionRequest{}); err != nil || closed.Status != flight.CloseSessionResultClosed {
		t.Errorf("%v, %v", closed, err)
	}
}
