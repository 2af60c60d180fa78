package flight

import (
	"context"
	"io/fs"
	"runtime"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/ipc/internal/sink"
)

// view is what was chosen of a table.
type view struct {
	h         *handle
	t         *arrowmap.Table // with the chosen columns, all rows
	from, to  int64
	batchRows int64
}

// view opens what is wanted. Release its handle.
func (s *Server) view(ctx context.Context, w *wanted) (v *view, err error) {
	h, err := s.roots.acquire(w.file)
	if err != nil {
		return nil, err
	}
	defer func() {
		if v == nil { // also when it panics
			h.release()
		}
	}()
	if v, err = h.view(w); err != nil {
		return nil, err
	}
	c := callOf(ctx)
	c.File, c.Table = h.name, v.t.Path()
	return v, nil
}

func (h *handle) view(w *wanted) (*view, error) {
	t, err := h.table(w.table)
	if err != nil {
		return nil, err
	}
	return h.chosen(t, w)
}

func (h *handle) chosen(t *arrowmap.Table, w *wanted) (*view, error) {
	var err error
	if w.columns != nil {
		if t, err = t.Select(w.columns...); err != nil {
			return nil, err
		}
	}
	if _, err = t.Slice(w.from, w.to); err != nil { // also of a table that can't be read
		return nil, err
	}
	rows := t.Rows()
	v := &view{h: h, t: t, from: w.from, to: rows, batchRows: w.batchRows}
	if w.to >= 0 {
		v.to = min(w.to, rows)
	}
	return v, nil
}

// busy takes one of the few places for calls that describe files.
func (s *Server) busy(ctx context.Context) (done func(), err error) {
	select {
	case s.work <- struct{}{}:
		return func() { <-s.work }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// GetFlightInfo implements flight.FlightServer.
func (s *Server) GetFlightInfo(ctx context.Context, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	if s.isSQL(d) {
		return s.sql.GetFlightInfo(ctx, d)
	}
	w, err := parseDescriptor(d)
	if err != nil {
		return nil, err
	}
	done, err := s.busy(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	v, err := s.view(ctx, w)
	if err != nil {
		return nil, err
	}
	defer v.h.release()
	return s.info(v, w, d)
}

// GetSchema implements flight.FlightServer.
func (s *Server) GetSchema(ctx context.Context, d *flight.FlightDescriptor) (*flight.SchemaResult, error) {
	if s.isSQL(d) {
		return s.sql.GetSchema(ctx, d)
	}
	w, err := parseDescriptor(d)
	if err != nil {
		return nil, err
	}
	done, err := s.busy(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	v, err := s.view(ctx, w)
	if err != nil {
		return nil, err
	}
	defer v.h.release()
	return &flight.SchemaResult{Schema: flight.SerializeSchema(v.t.Schema(), memory.DefaultAllocator)}, nil
}

// info describes a flight and splits it into endpoints.
func (s *Server) info(v *view, w *wanted, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	schema := v.t.Schema()
	rows := v.to - v.from
	bytes, exact := rowBytes(v.t)
	info := &flight.FlightInfo{Schema: flight.SerializeSchema(schema, memory.DefaultAllocator), FlightDescriptor: d,
		TotalRecords: rows, TotalBytes: -1, Ordered: true}
	if exact {
		info.TotalBytes = rows * bytes
	}
	n := int64(w.endpoints)
	if n == 0 {
		n = int64(s.o.endpoints)
	}
	if n == 0 {
		n = min((rows*bytes+s.o.endpointBytes-1)/s.o.endpointBytes, maxEndpoints)
	}
	expires := s.keys.expiry()
	t := ticket{File: v.h.name, Table: v.t.Path(), Columns: w.columns, BatchRows: w.batchRows,
		Size: v.h.size, Time: v.h.mtime.UnixNano()}
	for _, part := range split(v.from, v.to, n, v.chunkRows()) {
		t.From, t.To = part[0], part[1]
		sealed, err := s.keys.seal(t, expires)
		if err != nil {
			return nil, err
		}
		info.Endpoint = append(info.Endpoint, &flight.FlightEndpoint{Ticket: &flight.Ticket{Ticket: sealed}, ExpirationTime: timestamppb.New(expires)})
	}
	return info, nil
}

// split cuts the rows [a,b) into n parts or fewer, at multiples of step where it is not 0, else at multiples of 64. No
// rows are one part.
func split(a, b, n, step int64) [][2]int64 {
	if step <= 0 {
		step = 64
	}
	n = max(n, 1)
	size := max((b-a+n-1)/n, 1)
	if size > step {
		size = (size + step - 1) / step * step
	} else {
		size = step
	}
	var parts [][2]int64
	for a < b {
		end := b
		if b-a > size { // then a+size is no overflow
			end = (a + size) / step * step
		}
		parts = append(parts, [2]int64{a, end})
		a = end
	}
	if parts == nil {
		parts = append(parts, [2]int64{a, b})
	}
	return parts
}

// chunks calls fn for each chunked dataset of the view's columns that has a row for each of the table's.
func (v *view) chunks(fn func(l *h5.Layout)) {
	rows := uint64(v.t.Rows())
	for _, c := range v.t.Columns() {
		if c.Storage != h5.StorageChunked || len(c.Shape) == 0 || c.Shape[0] != rows {
			continue
		}
		o, err := v.h.file.H5().Lookup(c.Path)
		if err != nil {
			continue
		}
		if d, ok := o.(*h5.Dataset); ok {
			if l, err := d.Layout(); err == nil && len(l.ChunkDims) > 0 {
				fn(l)
			}
		}
	}
}

// chunkRows is the rows of the highest chunk of the columns, 0 when they have none.
func (v *view) chunkRows() int64 {
	rows := int64(0)
	v.chunks(func(l *h5.Layout) { rows = max(rows, int64(min(l.ChunkDims[0], 1<<40))) })
	return rows
}

// rowBytes is the bytes of a row, and whether that is exact.
func rowBytes(t *arrowmap.Table) (bytes int64, exact bool) {
	exact = true
	for _, c := range t.Columns() {
		if c.Err != nil {
			continue
		}
		n, ok := typeBytes(c.Type)
		if !ok && len(c.Shape) > 0 && t.Rows() > 0 { // text in one piece: its length is known
			if id := c.Type.ID(); (id == arrow.STRING || id == arrow.LARGE_STRING) && c.Storage == h5.StorageContiguous {
				n = 4 + int64(c.Shape[0])/t.Rows()
			}
		}
		bytes += n
		exact = exact && ok && c.Nulls == nil
	}
	return max(bytes, 1), exact
}

// typeBytes is the bytes of a value, a guess where values differ.
func typeBytes(t arrow.DataType) (n int64, exact bool) {
	switch t := t.(type) {
	case *arrow.BooleanType:
		return 1, false
	case *arrow.DictionaryType:
		n, _ = typeBytes(t.IndexType)
		return n, false
	case *arrow.FixedSizeListType:
		n, exact = typeBytes(t.Elem())
		return n * int64(t.Len()), exact
	case *arrow.StructType:
		exact = true
		for _, f := range t.Fields() {
			m, ok := typeBytes(f.Type)
			n, exact = n+m, exact && ok
		}
		return n, exact
	case arrow.ExtensionType:
		return typeBytes(t.StorageType())
	case arrow.FixedWidthDataType:
		return int64(t.Bytes()), true
	case arrow.ListLikeType:
		n, _ = typeBytes(t.Elem())
		return 4 + 4*n, false
	}
	return 24, false
}

// ListFlights implements flight.FlightServer. What can't be read is left out: GetFlightInfo tells why.
func (s *Server) ListFlights(c *flight.Criteria, stream flight.FlightService_ListFlightsServer) error {
	want, err := parseCriteria(c.GetExpression())
	if err != nil {
		return err
	}
	ctx := stream.Context()
	return s.roots.names(func(name string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !want.takesFile(name) || !utf8.ValidString(name) {
			return nil
		}
		infos, err := s.listFile(ctx, name, want)
		if err != nil {
			return err
		}
		for _, info := range infos {
			if err := stream.Send(info); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Server) listFile(ctx context.Context, name string, want criteria) ([]*flight.FlightInfo, error) {
	done, err := s.busy(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	h, err := s.roots.acquire(name)
	if err != nil {
		return nil, nil
	}
	defer h.release()
	tables, err := h.list()
	if err != nil {
		return nil, nil
	}
	var infos []*flight.FlightInfo
	for _, t := range tables {
		if !want.takesTable(t.Path()) || !utf8.ValidString(t.Path()) {
			continue
		}
		w := &wanted{file: name, table: t.Path(), to: -1}
		v, err := h.chosen(t, w)
		if err != nil {
			continue
		}
		info, err := s.info(v, w, &flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: []string{name, t.Path()}})
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// DoGet implements flight.FlightServer.
func (s *Server) DoGet(tkt *flight.Ticket, stream flight.FlightService_DoGetServer) error {
	b := tkt.GetTicket()
	if s.sql != nil && !isTicket(b) {
		return s.doGetSQL(tkt, stream)
	}
	t, err := s.keys.open(b)
	if err != nil {
		return err
	}
	if t.SQL != "" {
		return s.doStatement(t.SQL, stream)
	}
	if !fs.ValidPath(t.File) || t.From < 0 || t.To < t.From {
		return status.Error(codes.PermissionDenied, "the ticket names nothing that is served")
	}
	ctx := stream.Context()
	g, err := s.limits.stream(callOf(ctx).Client)
	if err != nil {
		return err
	}
	defer g.release()
	v, err := s.view(ctx, &wanted{file: t.File, table: t.Table, columns: t.Columns, from: t.From, to: t.To, batchRows: t.BatchRows})
	if err != nil {
		return err
	}
	defer v.h.release()
	if v.h.size != t.Size || v.h.mtime.UnixNano() != t.Time {
		return status.Error(codes.FailedPrecondition, "the file was changed since the ticket was issued; GetFlightInfo gives a new one")
	}
	return s.doTable(ctx, v, g, stream)
}

// doTable sends the rows of a view.
func (s *Server) doTable(ctx context.Context, v *view, g *grant, stream flight.FlightService_DoGetServer) error {
	p := s.plan(v)
	if err := g.reserve(ctx, p.memory); err != nil {
		return err
	}
	t, err := v.t.Slice(v.from, v.to)
	if err != nil {
		return err
	}
	r, err := t.Reader(ctx, arrowmap.WithMaxMemory(p.reader), arrowmap.WithWorkers(s.o.workers),
		arrowmap.WithBatchRows(p.readRows), arrowmap.WithBatchBytes(p.readBytes))
	if err != nil {
		return err
	}
	defer r.Release()
	return s.sendAll(r, p.rows, p.most, v.h.file.H5().Source().Changed, g, stream)
}

// plan is how a table is sent within which memory.
type plan struct {
	rows      int64 // of a message
	most      int64 // bytes of a message
	readRows  int64 // of a batch that is read, 0: by bytes
	readBytes int64
	reader    int64 // bytes that the reader may use
	memory    int64 // bytes in all
}

// The memory of a stream that decodes: enough for a few batches at a time, not more than what there is for all.
const (
	leastReader = 16 << 20
	mostReader  = 256 << 20
)

// The bytes of a batch that is read. Where most of it is mapped, and only looked through for nulls, it should still be in a
// cache when it is sent.
const (
	mostRead = 64 << 20
	mostSeen = 8 << 20
)

// messageRows is the rows of a message of a table with rows of so many bytes, and the bytes that it should not exceed.
func (s *Server) messageRows(asked, row int64) (rows, most int64) {
	if asked == 0 {
		asked = s.o.batchRows
	}
	if asked > 0 {
		most = max(s.o.batchBytes, min(s.limits.most()/8, 256<<20))
		return max(1, min(asked, most/row)), most
	}
	rows = max(1, s.o.batchBytes/row)
	if rows > 64 {
		rows -= rows % 64
	}
	return rows, s.o.batchBytes
}

func (s *Server) plan(v *view) plan {
	row, _ := rowBytes(v.t)
	var p plan
	p.rows, p.most = s.messageRows(v.batchRows, row)
	message := min(p.rows, v.to-v.from) * row
	made := int64(0) // bytes of a row that are not mapped
	for _, c := range v.t.Columns() {
		n, _ := typeBytes(c.Type)
		switch {
		case c.Delivery != dtype.Mapped:
			made += n
		case c.Nulls != nil && c.Nulls.Delivery != dtype.Mapped:
			made++
		}
	}
	if made == 0 {
		p.readBytes = mostRead
		p.reader = leastReader // for what turns out otherwise
		p.memory = 3*message + 1<<20
		return p.exact(v.batchRows > 0 || s.o.batchRows > 0, row)
	}
	chunks := int64(0) // decoded side by side
	v.chunks(func(l *h5.Layout) { chunks += l.ChunkBytes })
	workers := int64(s.o.workers)
	if workers == 0 {
		workers = int64(runtime.GOMAXPROCS(0))
	}
	p.reader = min(max(leastReader, 8*message, 2*(workers+1)*chunks), mostReader, max(s.limits.most()*3/4, 1<<20))
	p.readBytes = min(max(p.reader/8, message)/made*row, mostRead)
	if made < row/2 {
		p.readBytes = min(p.readBytes, max(mostSeen, message))
	}
	p.memory = p.reader + 3*message
	if made < row { // most of what is read costs nothing
		p.memory = p.reader + 3*max(message, p.readBytes/row*made)
	}
	return p.exact(v.batchRows > 0 || s.o.batchRows > 0, row)
}

// exact makes the batches that are read a multiple of the messages, where that matters.
func (p plan) exact(matters bool, row int64) plan {
	if matters {
		p.readRows = p.rows * max(1, p.readBytes/row/p.rows)
	}
	return p
}

// sendAll sends all that a reader gives, in messages of so many rows. Before each it asks changed.
func (s *Server) sendAll(r array.RecordReader, rows, most int64, changed func() error, g *grant, stream flight.FlightService_DoGetServer) error {
	c := callOf(stream.Context())
	w := &sender{stream: stream, conn: c.conn, pool: s.pool, grant: g, trust: s.o.trust, most: int(most)}
	w.sent = func(m *message) {
		c.Bytes += int64(m.size)
		c.Rows += m.rows
		if m.rows > 0 {
			c.Batches++
		}
	}
	err := func() error {
		defer w.stop()
		w.start(r.Schema())
		return w.all(r, rows, changed)
	}()
	if err == nil {
		err = w.wait(stream.Context(), s.o.sendTimeout)
	}
	if err == errSlow {
		// grpc keeps what the client did not read until it reads, or until the connection ends.
		time.AfterFunc(s.o.sendTimeout, func() {
			if c.conn.waiting(g) {
				c.conn.close()
			}
		})
	}
	return err
}

// all sends all batches, in parts of so many rows, as long as nothing has changed.
func (s *sender) all(r array.RecordReader, rows int64, changed func() error) error {
	for r.Next() {
		rec := r.RecordBatch()
		n := rec.NumRows()
		for a := int64(0); a < max(n, 1); a += rows {
			if err := changed(); err != nil {
				return err
			}
			part, err := sink.Rows(rec, a, min(n, a+rows))
			if err != nil {
				return err
			}
			err = s.write(part)
			part.Release()
			if err != nil {
				return err
			}
		}
	}
	if err := r.Err(); err != nil {
		return err
	}
	return s.finish()
}
