// Package oracle runs the reference implementation in a separate process, so that its crashes and endless loops are
// errors and do not end the tests.
//
// The process is another one of the test binary. A test package that uses an Oracle needs
//
//	func TestMain(m *testing.M) { os.Exit(oracle.Main(m)) }
//
// and the build tag of package libhdf5.
package oracle

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/libhdf5"
)

// variable is set in the environment of the answering process.
const variable = "H5ARROW_TEST_ORACLE"

// memory is how many bytes the answering process may allocate after its start.
const memory = 4 << 30

// Tests is the part of *testing.M that Main needs.
type Tests interface{ Run() int }

// Main runs the tests and returns their exit status. In the answering process it answers questions instead, until the end
// of standard input.
func Main(m Tests) int {
	if os.Getenv(variable) == "" {
		return m.Run()
	}
	if err := limitMemory(memory); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := serve(os.Stdin, os.NewFile(3, "answers")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

type verb uint8

const (
	_ verb = iota
	verbDatasets
	verbDataset
	verbRead
	verbReadFlat
	verbChunks
	verbReadChunk
	verbAttributes
	verbHang  // for this package's tests: never answers
	verbCrash // for this package's tests: dies
)

type question struct {
	Verb       verb
	File, Path string
	A, B       int64
	Coord      []uint64
	Load       bool // plugins are allowed: gob does not distinguish an empty list from nil
	Plugins    []string
	MaxBytes   int64
}

type answer struct {
	Err        *wireError
	Paths      []string
	Info       *libhdf5.Info
	Data       []byte
	Mask       uint32
	Chunks     []libhdf5.ChunkInfo
	Attributes []libhdf5.Attribute
}

// wireError is an h5err.Error whose cause is part of the text.
type wireError struct {
	Kind               h5err.Kind
	File, Object, Text string
	Offset             int64
}

func serve(in io.Reader, out io.Writer) error {
	dec, enc := gob.NewDecoder(in), gob.NewEncoder(out)
	for {
		var q question
		if err := dec.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := enc.Encode(respond(&q)); err != nil {
			return err
		}
	}
}

func respond(q *question) (a answer) {
	if err := a.fill(q); err != nil {
		w := wireError{Kind: h5err.KindOf(err), Text: err.Error(), Offset: h5err.NoOffset}
		var e *h5err.Error
		if errors.As(err, &e) {
			w.File, w.Object, w.Offset, w.Text = e.File, e.Object, e.Offset, e.Msg
			if e.Err != nil {
				w.Text += ": " + e.Err.Error()
			}
		}
		a.Err = &w
	}
	return a
}

func (a *answer) fill(q *question) (err error) {
	switch q.Verb {
	case verbHang:
		select {}
	case verbCrash:
		os.Exit(3)
	}
	opts := []libhdf5.Option{libhdf5.MaxBytes(q.MaxBytes)}
	if q.Load {
		opts = append(opts, libhdf5.Plugins(q.Plugins...))
	}
	f, err := libhdf5.Open(q.File, opts...)
	if err != nil {
		return err
	}
	defer f.Close()
	switch q.Verb {
	case verbDatasets:
		a.Paths, err = f.Datasets()
	case verbDataset:
		a.Info, err = f.Dataset(q.Path)
	case verbRead:
		a.Data, err = f.ReadRows(q.Path, q.A, q.B)
	case verbReadFlat:
		a.Data, err = f.ReadFlatRows(q.Path, q.A, q.B)
	case verbChunks:
		a.Chunks, err = f.Chunks(q.Path)
	case verbReadChunk:
		a.Data, a.Mask, err = f.ReadChunk(q.Path, q.Coord)
	case verbAttributes:
		a.Attributes, err = f.Attributes(q.Path)
	default:
		err = h5err.New(h5err.Argument, "unknown question %d", q.Verb)
	}
	return err
}

// Oracle is the reference implementation in another process. If the process dies, the next question starts a new one.
// Methods may be called concurrently; they run one after the other.
type Oracle struct {
	timeout  time.Duration
	maxBytes int64
	load     bool
	plugins  []string

	mu sync.Mutex
	p  *process
}

// Option changes an Oracle.
type Option func(*Oracle)

// Timeout sets the time limit for an answer; the default is 20 seconds.
func Timeout(d time.Duration) Option { return func(o *Oracle) { o.timeout = d } }

// MaxBytes limits the size of an answer; the default is 256 MiB.
func MaxBytes(n int64) Option { return func(o *Oracle) { o.maxBytes = n } }

// Plugins lets the C library load filter plugins from the folders, or from its default path if none is given.
func Plugins(dirs ...string) Option {
	return func(o *Oracle) { o.load, o.plugins = true, append(o.plugins, dirs...) }
}

// TB is the part of testing.TB that Start uses.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Start returns an Oracle that stops when the test ends. The test fails in builds without the C library.
func Start(tb TB, opts ...Option) *Oracle {
	tb.Helper()
	if !libhdf5.Available {
		tb.Fatalf("the oracle needs the build tag libhdf5")
	}
	o := &Oracle{timeout: 20 * time.Second, maxBytes: 256 << 20}
	for _, opt := range opts {
		opt(o)
	}
	tb.Cleanup(func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.stop(time.Second)
	})
	return o
}

type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *os.File
	enc    *gob.Encoder
	dec    *gob.Decoder
	stderr *head
}

// head keeps the first bytes that are written to it: a crash reports its reason first.
type head struct{ bytes.Buffer }

func (h *head) Write(p []byte) (int, error) {
	if room := 512 - h.Len(); room > 0 {
		h.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func start() (*process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(exe), out: r, stderr: &head{}}
	p.cmd.Env = append(os.Environ(), variable+"=1")
	p.cmd.ExtraFiles = []*os.File{w}
	p.cmd.Stderr = p.stderr
	p.cmd.WaitDelay = time.Second
	if p.in, err = p.cmd.StdinPipe(); err == nil {
		err = p.cmd.Start()
	}
	w.Close()
	if err != nil {
		r.Close()
		return nil, err
	}
	p.enc, p.dec = gob.NewEncoder(p.in), gob.NewDecoder(r)
	return p, nil
}

// stop ends the process, if there is one, and returns how it ended. It first waits for the process to exit by itself, so
// that a crash can report its reason.
func (o *Oracle) stop(wait time.Duration) string {
	p := o.p
	if p == nil {
		return ""
	}
	o.p = nil
	p.in.Close()
	timer := time.AfterFunc(wait, func() { p.cmd.Process.Kill() })
	err := p.cmd.Wait()
	timer.Stop()
	p.out.Close()
	first, _, _ := bytes.Cut(bytes.TrimSpace(p.stderr.Bytes()), []byte("\n"))
	return fmt.Sprintf("%v: %s", err, first)
}

func (o *Oracle) ask(q question) (*answer, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	q.MaxBytes, q.Load, q.Plugins = o.maxBytes, o.load, o.plugins
	if o.p == nil {
		p, err := start()
		if err != nil {
			return nil, h5err.Wrap(h5err.IO, err, "start the oracle")
		}
		o.p = p
	}
	p := o.p
	timer := time.AfterFunc(o.timeout, func() { p.cmd.Process.Kill() })
	var a answer
	err := p.enc.Encode(q)
	if err == nil {
		err = p.dec.Decode(&a)
	}
	late := !timer.Stop()
	switch {
	case err != nil && late:
		o.stop(0)
		return nil, h5err.In(h5err.New(h5err.IO, "libhdf5 did not answer within %v", o.timeout), q.File, q.Path)
	case err != nil:
		return nil, h5err.In(h5err.New(h5err.IO, "libhdf5 died: %s", o.stop(time.Second)), q.File, q.Path)
	case late:
		o.stop(0) // it was killed just after it answered
	}
	if w := a.Err; w != nil {
		return &a, &h5err.Error{Kind: w.Kind, File: w.File, Object: w.Object, Offset: w.Offset, Msg: w.Text}
	}
	return &a, nil
}

// Datasets is libhdf5.File.Datasets.
func (o *Oracle) Datasets(file string) ([]string, error) {
	a, err := o.ask(question{Verb: verbDatasets, File: file})
	if a == nil {
		return nil, err
	}
	return a.Paths, err
}

// Dataset is libhdf5.File.Dataset. Slices that are empty there may be nil here.
func (o *Oracle) Dataset(file, path string) (*libhdf5.Info, error) {
	a, err := o.ask(question{Verb: verbDataset, File: file, Path: path})
	if err != nil {
		return nil, err
	}
	return a.Info, nil
}

// Read is libhdf5.File.ReadRows.
func (o *Oracle) Read(file, path string, from, to int64) ([]byte, error) {
	a, err := o.ask(question{Verb: verbRead, File: file, Path: path, A: from, B: to})
	if err != nil {
		return nil, err
	}
	return a.Data, nil
}

// ReadFlat is libhdf5.File.ReadFlatRows.
func (o *Oracle) ReadFlat(file, path string, from, to int64) ([]byte, error) {
	a, err := o.ask(question{Verb: verbReadFlat, File: file, Path: path, A: from, B: to})
	if err != nil {
		return nil, err
	}
	return a.Data, nil
}

// Chunks is libhdf5.File.Chunks.
func (o *Oracle) Chunks(file, path string) ([]libhdf5.ChunkInfo, error) {
	a, err := o.ask(question{Verb: verbChunks, File: file, Path: path})
	if err != nil {
		return nil, err
	}
	return a.Chunks, nil
}

// ReadChunk is libhdf5.File.ReadChunk.
func (o *Oracle) ReadChunk(file, path string, coord []uint64) (data []byte, mask uint32, err error) {
	a, err := o.ask(question{Verb: verbReadChunk, File: file, Path: path, Coord: coord})
	if err != nil {
		return nil, 0, err
	}
	return a.Data, a.Mask, nil
}

// Attributes is libhdf5.File.Attributes.
func (o *Oracle) Attributes(file, path string) ([]libhdf5.Attribute, error) {
	a, err := o.ask(question{Verb: verbAttributes, File: file, Path: path})
	if err != nil {
		return nil, err
	}
	return a.Attributes, nil
}
