package flight

import (
	"cmp"
	"context"
	"io/fs"
	"math"
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
	"github.com/h5arrow/h5arrow/ipc/flight/catalog"
)

// view is a selection of a table.
type view struct {
	h         *catalog.File
	t         *arrowmap.Table // with the selected columns, all rows
	from, to  int64
	batchRows int64
}

// view opens what is wanted. The caller releases its handle.
func (s *Server) view(ctx context.Context, w *wanted) (v *view, err error) {
	h, err := s.catalog.Acquire(w.file)
	if err != nil {
		return nil, err
	}
	defer func() {
		if v == nil { // also after a panic
			h.Release()
		}
	}()
	if v, err = viewOf(h, w); err != nil {
		return nil, err
	}
	c := callOf(ctx)
	c.File, c.Table = h.Name, v.t.Path()
	return v, nil
}

func viewOf(h *catalog.File, w *wanted) (*view, error) {
	t, err := h.Table(w.table)
	if err != nil {
		return nil, err
	}
	return chosen(h, t, w)
}

func chosen(h *catalog.File, t *arrowmap.Table, w *wanted) (*view, error) {
	var err error
	if w.columns != nil {
		if t, err = t.Select(w.columns...); err != nil {
			return nil, err
		}
	}
	if _, err = t.Slice(w.from, w.to); err != nil { // fails for columns that cannot be read, too
		return nil, err
	}
	rows := t.Rows()
	v := &view{h: h, t: t, from: w.from, to: rows, batchRows: w.batchRows}
	if w.to >= 0 {
		v.to = min(w.to, rows)
	}
	return v, nil
}

// busy waits until fewer than the allowed number of calls describe files.
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
	var info *flight.FlightInfo
	err := s.describe(ctx, d, func(v *view, w *wanted) (err error) {
		info, err = s.info(v, w, d)
		return err
	})
	return info, err
}

// GetSchema implements flight.FlightServer.
func (s *Server) GetSchema(ctx context.Context, d *flight.FlightDescriptor) (*flight.SchemaResult, error) {
	if s.isSQL(d) {
		return s.sql.GetSchema(ctx, d)
	}
	var schema *flight.SchemaResult
	err := s.describe(ctx, d, func(v *view, _ *wanted) error {
		schema = &flight.SchemaResult{Schema: flight.SerializeSchema(v.t.Schema(), memory.DefaultAllocator)}
		return nil
	})
	return schema, err
}

// describe calls fn with the view that a descriptor asks for. The view is valid until fn returns.
func (s *Server) describe(ctx context.Context, d *flight.FlightDescriptor, fn func(v *view, w *wanted) error) error {
	w, err := parseDescriptor(d)
	if err != nil {
		return err
	}
	done, err := s.busy(ctx)
	if err != nil {
		return err
	}
	defer done()
	v, err := s.view(ctx, w)
	if err != nil {
		return err
	}
	defer v.h.Release()
	return fn(v, w)
}

// info describes a flight and splits it into endpoints.
func (s *Server) info(v *view, w *wanted, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	schema := v.t.Schema()
	rows := v.to - v.from
	info := &flight.FlightInfo{Schema: flight.SerializeSchema(schema, memory.DefaultAllocator), FlightDescriptor: d,
		TotalRecords: rows, TotalBytes: -1, Ordered: true}
	if foot := v.t.Footprint(); foot.Exact && rows <= math.MaxInt64/foot.Bytes {
		info.TotalBytes = rows * foot.Bytes
	}
	chosen, err := v.t.Slice(v.from, v.to)
	if err != nil {
		return nil, err
	}
	splits, err := chosen.Splits(s.endpoints(w)...)
	if err != nil {
		return nil, err
	}
	expires := s.keys.expiry()
	t := ticket{File: v.h.Name, Table: v.t.Path(), Columns: w.columns, BatchRows: w.batchRows,
		Size: v.h.Size, Time: v.h.Modified.UnixNano(), Growing: v.h.Source.Following()}
	for _, split := range splits {
		t.From, t.To = v.from+split.From, v.from+split.To
		sealed, err := s.keys.seal(t, expires)
		if err != nil {
			return nil, err
		}
		info.Endpoint = append(info.Endpoint, &flight.FlightEndpoint{Ticket: &flight.Ticket{Ticket: sealed}, ExpirationTime: timestamppb.New(expires)})
	}
	return info, nil
}

// endpoints returns how a flight is split: into the number of endpoints that the client or an option asks for, else by bytes.
func (s *Server) endpoints(w *wanted) []arrowmap.SplitOption {
	if n := cmp.Or(w.endpoints, s.o.endpoints); n > 0 {
		return []arrowmap.SplitOption{arrowmap.WithSplitCount(n)}
	}
	return []arrowmap.SplitOption{arrowmap.WithSplitCount(maxEndpoints), arrowmap.WithSplitBytes(s.o.endpointBytes)}
}

// ListFlights implements flight.FlightServer. It omits what cannot be read: GetFlightInfo returns the reason.
func (s *Server) ListFlights(c *flight.Criteria, stream flight.FlightService_ListFlightsServer) error {
	want, err := parseCriteria(c.GetExpression())
	if err != nil {
		return err
	}
	ctx := stream.Context()
	return s.catalog.Names(func(name string) error {
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
	h, err := s.catalog.Acquire(name)
	if err != nil {
		return nil, nil
	}
	defer h.Release()
	tables, err := h.List()
	if err != nil {
		return nil, nil
	}
	var infos []*flight.FlightInfo
	for _, t := range tables {
		if !want.takesTable(t.Path()) || !utf8.ValidString(t.Path()) {
			continue
		}
		w := &wanted{file: name, table: t.Path(), to: -1}
		v, err := chosen(h, t, w)
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
	ctx := stream.Context()
	var err error
	if callOf(ctx).coding, err = codingOf(ctx); err != nil {
		return err
	}
	b := tkt.GetTicket()
	if s.sql != nil && !isTicket(b) {
		return s.doGetSQL(tkt, stream)
	}
	t, err := s.keys.open(b)
	if err != nil {
		return err
	}
	if t.SQL != "" {
		return s.doStatement(t, stream)
	}
	if !fs.ValidPath(t.File) || t.From < 0 || t.To < t.From {
		return status.Error(codes.PermissionDenied, "the ticket names nothing that is served")
	}
	g, err := s.limits.stream(callOf(ctx).Client)
	if err != nil {
		return err
	}
	defer g.release()
	v, err := s.view(ctx, &wanted{file: t.File, table: t.Table, columns: t.Columns, from: t.From, to: t.To, batchRows: t.BatchRows})
	if err != nil {
		return err
	}
	defer v.h.Release()
	same := v.h.Size == t.Size && v.h.Modified.UnixNano() == t.Time
	if !same && !(t.Growing && v.h.Size >= t.Size && v.to == t.To) {
		return status.Error(codes.FailedPrecondition, "the file was changed since the ticket was issued; GetFlightInfo returns a new one")
	}
	return s.doTable(ctx, v, g, stream)
}

// doTable sends the rows of a view.
func (s *Server) doTable(ctx context.Context, v *view, g *grant, stream flight.FlightService_DoGetServer) error {
	p := s.plan(v)
	if err := g.reserve(ctx, p.memory+callOf(ctx).coding.memory()); err != nil {
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
	changed := func() error { return v.h.Source.Changed(ctx) }
	rows := func(rec arrow.RecordBatch) int64 { return evenRows(rec.NumRows(), p.rows) }
	if p.readRows > 0 {
		rows = func(arrow.RecordBatch) int64 { return p.rows }
	}
	return s.sendAll(r, messages{rows: rows, maxBytes: p.maxBytes, changed: changed}, g, stream)
}

// plan is how a table is sent, and with how much memory.
type plan struct {
	rows      int64 // of a message
	maxBytes  int64 // of a message
	readRows  int64 // of a batch that is read, 0 to use readBytes
	readBytes int64
	reader    int64 // bytes that the reader may use
	memory    int64 // bytes in total
}

// Bytes that the reader of a stream may use for decoding.
const (
	minReader = 16 << 20
	maxReader = 256 << 20
)

// Bytes of a batch that is read. A batch that is mostly mapped, and only searched for nulls, should still be in a cache when
// it is sent: maxSeen applies.
const (
	maxRead = 64 << 20
	maxSeen = 8 << 20
)

// messageRows returns the rows of a message for rows of the given bytes, and the bytes that it should not exceed.
func (s *Server) messageRows(asked, row int64) (rows, maxBytes int64) {
	if asked == 0 {
		asked = s.o.batchRows
	}
	if asked > 0 {
		maxBytes = max(s.o.batchBytes, min(s.limits.maxGrant()/8, 256<<20))
		return max(1, min(asked, maxBytes/row)), maxBytes
	}
	rows = max(1, s.o.batchBytes/row)
	if rows > 64 {
		rows -= rows % 64
	}
	return rows, s.o.batchBytes
}

func (s *Server) plan(v *view) plan {
	foot := v.t.Footprint()
	row, made := foot.Bytes, foot.Copied
	var p plan
	p.rows, p.maxBytes = s.messageRows(v.batchRows, row)
	exact := v.batchRows > 0 || s.o.batchRows > 0
	message := min(p.rows, v.to-v.from)
	if !exact {
		message = min(message+message/8, v.to-v.from) // see evenRows
	}
	message *= row
	if made == 0 {
		p.readBytes = maxRead
		p.reader = minReader // in case something has to be decoded after all, such as chunks that are not there
		if exact {
			p.readBytes, p.reader = max(maxSeen, message), max(minReader, 2*message)
		}
		p.memory = 3*message + 1<<20
		if foot.ChunkBytes > 0 {
			p.memory += p.reader
		}
		return p.exact(exact, row)
	}
	workers := int64(s.o.workers)
	if workers == 0 {
		workers = int64(runtime.GOMAXPROCS(0))
	}
	p.reader = min(max(minReader, 8*message, 2*(workers+1)*foot.ChunkBytes), maxReader, max(s.limits.maxGrant()*3/4, 1<<20))
	p.readBytes = min(max(p.reader/8, message)/made*row, maxRead)
	if made < row/2 {
		p.readBytes = min(p.readBytes, max(maxSeen, message))
	}
	p.memory = p.reader + 3*message
	if made < row { // most of what is read is not copied
		p.memory = p.reader + 3*max(message, p.readBytes/row*made)
	}
	return p.exact(exact, row)
}

// exact makes the rows of batches that are read a multiple of those of messages, if that matters.
func (p plan) exact(matters bool, row int64) plan {
	if matters {
		p.readRows = p.rows * max(1, p.readBytes/row/p.rows)
	}
	return p
}

// evenRows returns the rows of each message of a batch of n rows, so that none is much smaller than the others: about as many
// as asked for, at most an eighth more.
func evenRows(n, asked int64) int64 {
	if n <= asked {
		return max(n, 1)
	}
	maxRows := asked + asked/8
	parts := (n + maxRows - 1) / maxRows
	rows := (n + parts - 1) / parts
	if aligned := (rows + 63) / 64 * 64; aligned <= maxRows && 2*(n-(parts-1)*aligned) >= aligned {
		return aligned // null bitmaps start at a whole word
	}
	return rows
}

// messages is how record batches are divided into messages.
type messages struct {
	rows     func(rec arrow.RecordBatch) int64 // of a message of rec
	maxBytes int64                             // of a message, about
	changed  func() error                      // called before each message; an error ends the stream
}

// sendAll sends all batches of a reader.
func (s *Server) sendAll(r array.RecordReader, how messages, g *grant, stream flight.FlightService_DoGetServer) error {
	c := callOf(stream.Context())
	w := &sender{stream: stream, conn: c.conn, pool: s.pool, grant: g, trust: s.o.trust, coding: c.coding, maxBytes: int(how.maxBytes)}
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
		return w.all(r, how)
	}()
	if err == nil {
		err = w.wait(stream.Context(), s.o.sendTimeout)
	}
	if err != nil {
		// grpc keeps messages until the client reads them or the connection ends, whatever the stream ended with.
		time.AfterFunc(s.o.sendTimeout, func() {
			if c.conn.waiting(g) {
				c.conn.close()
			}
		})
	}
	return err
}

// all sends all batches, unless the input has changed.
func (s *sender) all(r array.RecordReader, how messages) error {
	for r.Next() {
		rec := r.RecordBatch()
		n, rows := rec.NumRows(), how.rows(rec)
		for a := int64(0); a < max(n, 1); a += rows {
			if err := how.changed(); err != nil {
				return err
			}
			if err := s.write(rec, a, min(n, a+rows)); err != nil {
				return err
			}
		}
	}
	if err := r.Err(); err != nil {
		return err
	}
	return s.finish()
}
