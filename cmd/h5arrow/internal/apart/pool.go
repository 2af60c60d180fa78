package apart

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc/flight"
)

// Pool is the processes of a server. It implements flight.SQL.
type Pool struct {
	command func() (*exec.Cmd, error)
	memory  int64
	offer   Offer // of the first process

	mu      sync.Mutex
	max     int // statements at a time
	share   int // of one client
	running int
	clients map[string]int
	idle    []*process
	changed chan struct{} // closed when a statement has ended
	closed  bool
}

// Start returns a Pool of at most n processes, which command makes, and starts the first. memory is how much each may use,
// for messages.
func Start(n int, memory int64, command func() (*exec.Cmd, error)) (*Pool, error) {
	p := &Pool{command: command, memory: memory, max: n, share: max(1, n-1), clients: map[string]int{}, changed: make(chan struct{})}
	first, offer, err := p.start()
	if err != nil {
		return nil, err
	}
	p.offer, p.idle = *offer, []*process{first}
	return p, nil
}

// Tables returns the tables that the first process has.
func (p *Pool) Tables() []flight.SQLTable { return p.offer.Tables }

// Notes returns what the first process had to say.
func (p *Pool) Notes() []string { return p.offer.Notes }

// Close ends all processes.
func (p *Pool) Close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, c := range idle {
		c.kill()
	}
}

// process is a running process.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.Reader
	stderr *tail
	waited sync.Once
	ended  error
}

// start starts a process and reads its tables.
func (p *Pool) start() (*process, *Offer, error) {
	cmd, err := p.command()
	if err != nil {
		return nil, nil, err
	}
	apartFrom(cmd)
	c := &process{cmd: cmd, stderr: &tail{}}
	cmd.Stderr = c.stderr
	if c.in, err = cmd.StdinPipe(); err == nil {
		if c.out, err = cmd.StdoutPipe(); err == nil {
			err = cmd.Start()
		}
	}
	if err != nil {
		return nil, nil, h5err.Wrap(h5err.IO, err, "can't start a process for SQL")
	}
	kind, payload, err := readFrame(c.out)
	var list tableList
	if err == nil && kind == frameTables {
		err = json.Unmarshal(payload, &list)
	}
	if err != nil || kind != frameTables {
		return nil, nil, p.died(c)
	}
	if list.Err != nil {
		c.kill()
		return nil, nil, list.Err.error()
	}
	offer := &Offer{Notes: list.Notes}
	for _, t := range list.Tables {
		r, err := ipc.NewReader(bytes.NewReader(t.Schema))
		if err != nil {
			c.kill()
			return nil, nil, h5err.Wrap(h5err.IO, err, "the tables of a process for SQL")
		}
		offer.Tables = append(offer.Tables, flight.SQLTable{Names: t.Names, Schema: r.Schema()})
		r.Release()
	}
	return c, offer, nil
}

// kill ends a process.
func (c *process) kill() error {
	c.waited.Do(func() {
		_ = c.cmd.Process.Kill() // it may have ended
		c.in.Close()
		c.ended = c.cmd.Wait()
	})
	return c.ended
}

// died ends a process that does not answer any more, and returns why.
func (p *Pool) died(c *process) error {
	how := c.kill()
	said := c.stderr.first()
	if said == "" && how != nil {
		said = how.Error()
	}
	return h5err.New(h5err.Memory, "the process of the statement ended (%s): it may need more than %d bytes", said, p.memory).
		WithOption("engine.Options.MaxMemory", "allow more")
}

// take waits for a process for a client.
func (p *Pool) take(ctx context.Context, client string) (*process, error) {
	for {
		p.mu.Lock()
		switch {
		case p.closed:
			p.mu.Unlock()
			return nil, h5err.New(h5err.IO, "the server is closing")
		case p.running < p.max && p.clients[client] < p.share:
			p.running++
			p.clients[client]++
			var c *process
			if n := len(p.idle); n > 0 {
				c, p.idle = p.idle[n-1], p.idle[:n-1]
			}
			p.mu.Unlock()
			if c != nil {
				return c, nil
			}
			c, _, err := p.start()
			if err != nil {
				p.give(nil, client)
			}
			return c, err
		}
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// give takes a process back, nil if it has ended.
func (p *Pool) give(c *process, client string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running--
	if p.clients[client]--; p.clients[client] == 0 {
		delete(p.clients, client)
	}
	if c != nil && p.closed {
		c.kill()
	} else if c != nil {
		p.idle = append(p.idle, c)
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

// Schema implements flight.SQL.
func (p *Pool) Schema(ctx context.Context, statement string, values arrow.RecordBatch) (result, parameters *arrow.Schema, err error) {
	a, err := p.ask(ctx, request{Statement: statement, Describe: true}, values)
	if err != nil {
		return nil, nil, err
	}
	defer a.close()
	for _, s := range []**arrow.Schema{&result, &parameters} {
		r, err := ipc.NewReader(a)
		if err != nil {
			return nil, nil, a.error(err)
		}
		*s = r.Schema()
		for r.Next() { // up to the end of the stream
		}
		r.Release()
	}
	return result, parameters, nil
}

// Query implements flight.SQL.
func (p *Pool) Query(ctx context.Context, statement string, values arrow.RecordBatch) (array.RecordReader, error) {
	a, err := p.ask(ctx, request{Statement: statement}, values)
	if err != nil {
		return nil, err
	}
	r, err := ipc.NewReader(a)
	if err != nil {
		err = a.error(err)
		a.close()
		return nil, err
	}
	out := &rows{Reader: r, a: a}
	out.refs.Store(1)
	return out, nil
}

// ask sends a request to a process.
func (p *Pool) ask(ctx context.Context, r request, values arrow.RecordBatch) (*asked, error) {
	if values != nil {
		var err error
		if r.Values, err = encode(values.Schema(), values); err != nil {
			return nil, err
		}
	}
	client := flight.Client(ctx)
	for tries := 0; ; tries++ {
		c, err := p.take(ctx, client)
		if err != nil {
			return nil, err
		}
		err = writeJSON(c.in, frameRequest, r)
		if err == nil {
			a := &asked{p: p, c: c, ctx: ctx, client: client}
			a.stop = context.AfterFunc(ctx, a.cancel)
			return a, nil
		}
		if h5err.Is(err, h5err.Limit) {
			p.give(c, client)
			return nil, err
		}
		err = p.died(c) // while nobody used it: another one may answer
		p.give(nil, client)
		if tries > p.max {
			return nil, err
		}
	}
}

// patience is how long the engine may take to end a statement before its process is killed.
const patience = time.Second

// asked is the answer to a request: an io.Reader of the stream, whose errors are those of the statement.
type asked struct {
	p      *Pool
	c      *process
	ctx    context.Context
	client string
	stop   func() bool
	left   []byte
	err    error // io.EOF at the end
	dead   bool

	mu    sync.Mutex
	over  bool
	timer *time.Timer
}

// cancel asks the process to end the statement, and kills it if it does not.
func (a *asked) cancel() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over || a.timer != nil {
		return
	}
	a.timer = time.AfterFunc(patience, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if !a.over {
			_ = a.c.cmd.Process.Kill() // the reader meets the end of its output
		}
	})
	_ = writeFrame(a.c.in, frameCancel, nil) // else it is killed
}

// Read implements io.Reader.
func (a *asked) Read(b []byte) (int, error) {
	for len(a.left) == 0 {
		if a.err != nil {
			return 0, a.err
		}
		kind, payload, err := readFrame(a.c.out)
		switch {
		case err != nil || kind != frameData && kind != frameEnd:
			a.dead = true
			a.err = a.p.died(a.c)
		case kind == frameData:
			a.left = payload
		case len(payload) == 0:
			a.err = io.EOF
		default:
			var f failure
			if err := json.Unmarshal(payload, &f); err != nil {
				f.Kind, f.Msg = h5err.IO, "the process of the statement ends with an error that can't be read"
			}
			a.err = f.error()
		}
	}
	n := copy(b, a.left)
	a.left = a.left[n:]
	return n, nil
}

// error returns the error of the statement for an error of its stream.
func (a *asked) error(err error) error {
	switch {
	case a.ctx.Err() != nil:
		return a.ctx.Err()
	case a.err != nil && a.err != io.EOF:
		return a.err
	}
	if _, ok := errors.AsType[*h5err.Error](err); ok {
		return err
	}
	return h5err.Wrap(h5err.IO, err, "the result of a statement")
}

// close ends the statement and gives its process back.
func (a *asked) close() {
	if a.err == nil {
		a.cancel()
		_, _ = io.Copy(io.Discard, a) // up to its end, whatever that is
	}
	a.stop()
	a.mu.Lock()
	a.over = true
	if a.timer != nil {
		a.timer.Stop()
	}
	a.mu.Unlock()
	if a.dead {
		a.p.give(nil, a.client)
	} else {
		a.p.give(a.c, a.client)
	}
}
