package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc/flight"
)

// serveFlags are the flags of serve.
type serveFlags struct {
	selection
	listen                 string
	cert, key, clientCA    string
	tokens, ticketKey      string
	ticketLife             time.Duration
	streams, clientStreams positive
	connections            positive
	clientMemory           size
	sendTimeout, drain     time.Duration
	endpoints              positive
	endpointBytes          size
	trust, sql             bool
	metrics                string
	log                    *choice
}

func (a *app) serveCommand() *cobra.Command {
	o := &serveFlags{}
	cmd := &cobra.Command{
		Use:   "serve FILE|DIR...",
		Short: "Serve tables by Arrow Flight",
		Long: `serve answers Arrow Flight clients. Every table of the files, and of the HDF5 files in the directories, is a flight: its
descriptor is the path [FILE, TABLE], or a command in JSON that may choose columns and rows:

  {"file": "a.h5", "table": "/events", "columns": ["time"], "rows": "0:1000", "endpoints": 4, "batch_rows": 65536}

The rows are split into endpoints at chunk borders, for many clients to read in parallel. Nothing outside the files and
directories is served, whatever a file, a link or a ticket says. The first line on stdout is
` + "`listening on grpc://HOST:PORT`" + ` (grpc+tls with --tls-cert). SIGTERM and SIGINT let running calls end, for --drain at most.

Without --token-file everyone who reaches the address can read everything.`,
		Example: `  h5arrow serve data.h5
  h5arrow serve runs/ --listen 0.0.0.0:8815 --tls-cert cert.pem --tls-key key.pem --token-file tokens
  h5arrow serve data.h5 --sql --metrics 127.0.0.1:9090 --log json`,
		Args: atLeast(1, -1, "a file or a directory"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.serve(cmd, o, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8815", "the address to listen on (`HOST:PORT`; port 0 picks one)")
	f.StringVar(&o.cert, "tls-cert", "", "encrypt, with the certificates in this `FILE` (PEM), read again when it changes")
	f.StringVar(&o.key, "tls-key", "", "the key of --tls-cert (`FILE`, PEM)")
	f.StringVar(&o.clientCA, "client-ca", "", "take clients only whose certificates these authorities signed (`FILE`, PEM)")
	f.StringVar(&o.tokens, "token-file", "", "take calls only with a bearer token that is a line of this `FILE`")
	f.BoolVar(&o.sql, "sql", false, "answer Flight SQL")
	f.Var(&o.streams, "max-streams", fmt.Sprintf("streams of record batches at a time (default %d)", flight.DefaultMaxStreams))
	f.Var(&o.clientStreams, "max-client-streams", "streams of one client at a time: of a token, else a certificate, else an address")
	f.Var(&o.clientMemory, "max-client-memory", "memory for one client's streams")
	f.Var(&o.connections, "max-connections", "connections at a time (default 2048)")
	f.DurationVar(&o.sendTimeout, "send-timeout", flight.DefaultSendTimeout, "how long a client may not read before its stream ends")
	f.DurationVar(&o.drain, "drain", 10*time.Second, "how long calls may go on after SIGTERM or SIGINT")
	f.DurationVar(&o.ticketLife, "ticket-life", flight.DefaultTicketLife, "how long a ticket is good")
	f.StringVar(&o.ticketKey, "ticket-key-file", "", "sign tickets with what is in this `FILE`, for servers that share them (default: a random key)")
	f.Var(&o.endpoints, "endpoints", "endpoints of each flight (default: one for each 128 MiB)")
	f.Var(&o.endpointBytes, "endpoint-bytes", "bytes of an endpoint, about")
	f.BoolVar(&o.trust, "trust-input", false, "copy nothing that is mapped before it is encrypted and sent: for files that nobody changes")
	f.StringVar(&o.metrics, "metrics", "", "serve Prometheus metrics at http://`HOST:PORT`/metrics")
	o.log = choose(cmd, "log", "log each call on stderr", "none", "text", "json")
	o.selection.add(cmd)
	f.Lookup("table").Usage = "serve the tables at this `PATH` only"
	f.Lookup("batch-rows").Usage = "rows of a message (default: about 2 MiB)"
	// It fails only for a flag that does not exist.
	_ = f.MarkHidden("filename")
	return cmd
}

// leastServing is the smallest --max-memory that a server can do with.
const leastServing = 64 << 20

func (a *app) serve(cmd *cobra.Command, o *serveFlags, args []string) (err error) {
	if err := o.check(cmd); err != nil {
		return err
	}
	memory := maxMemory(o.memory)
	if memory < leastServing {
		return usage("--max-memory %d: a server needs %d at least", memory, leastServing)
	}
	defer limitMemory(memory / 8 * 7)()
	// Little is allocated but for each message, and next to nothing of it lives: the limit is what the collector needs to keep to.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	// What is left is for metadata, and for what the collector has not found yet.
	streams := memory / 2
	if o.sql {
		streams = memory / 4
	}
	m := newMonitor(o.log.value, a.err)
	opts, err := o.serverOptions(streams, m)
	if err != nil {
		return err
	}
	roots, err := a.roots(o, args)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, roots.Close()) }()
	if err := roots.Check(); err != nil {
		return err
	}
	if o.sql {
		opt, done, err := a.serveSQL(o, roots, memory/2)
		if err != nil {
			return err
		}
		defer done()
		opts = append(opts, opt)
	}
	s, err := flight.New(roots, append(opts, flight.WithObserver(m.observe))...)
	if err != nil {
		return err
	}
	if o.metrics != "" {
		stop, err := m.serve(o.metrics, s)
		if err != nil {
			return err
		}
		defer stop()
	}
	return a.listenAndServe(o, s, m)
}

// check refuses what contradicts itself.
func (o *serveFlags) check(cmd *cobra.Command) error {
	switch {
	case (o.cert == "") != (o.key == ""):
		return usage("--tls-cert and --tls-key go together")
	case o.clientCA != "" && o.cert == "":
		return usage("--client-ca needs --tls-cert")
	case o.filename:
		return usage("--filename is not for serve: flights are named by their files")
	case o.drain < 0:
		return usage("--drain %v is below 0", o.drain)
	}
	return o.selection.check(cmd)
}

func (o *serveFlags) serverOptions(streams int64, m *monitor) ([]flight.Option, error) {
	opts := []flight.Option{flight.WithMaxMemory(streams), flight.WithSendTimeout(o.sendTimeout), flight.WithTicketLife(o.ticketLife)}
	if o.streams > 0 {
		opts = append(opts, flight.WithMaxStreams(int(o.streams)))
	}
	if o.clientStreams > 0 {
		opts = append(opts, flight.WithClientStreams(int(o.clientStreams)))
	}
	if o.connections > 0 {
		opts = append(opts, flight.WithMaxConnections(int(o.connections)))
	}
	if o.clientMemory > 0 {
		opts = append(opts, flight.WithClientMemory(int64(o.clientMemory)))
	}
	if o.batchRows > 0 {
		opts = append(opts, flight.WithBatchRows(int64(o.batchRows)))
	}
	if o.batchBytes > 0 {
		opts = append(opts, flight.WithBatchBytes(int64(o.batchBytes)))
	}
	if o.endpoints > 0 {
		opts = append(opts, flight.WithEndpoints(int(o.endpoints)))
	}
	if o.endpointBytes > 0 {
		opts = append(opts, flight.WithEndpointBytes(int64(o.endpointBytes)))
	}
	if o.workers > 0 {
		opts = append(opts, flight.WithWorkers(int(o.workers)))
	}
	if o.trust {
		opts = append(opts, flight.WithTrustedInput())
	}
	if o.tokens != "" {
		tokens, err := readTokens(o.tokens)
		if err != nil {
			return nil, err
		}
		opts = append(opts, flight.WithTokens(tokens...))
	}
	if o.ticketKey != "" {
		key, err := readInput(o.ticketKey)
		if err != nil {
			return nil, err
		}
		if len(key) < 32 {
			return nil, usageAt(o.ticketKey, "a ticket key must have 32 bytes at least")
		}
		opts = append(opts, flight.WithTicketKey(key))
	}
	if o.cert != "" {
		config, err := o.tlsConfig(m)
		if err != nil {
			return nil, err
		}
		opts = append(opts, flight.WithTLS(config))
	}
	return opts, nil
}

// readInput reads a small file whole.
func readInput(name string) ([]byte, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, h5err.In(h5err.Wrap(h5err.IO, bare(err), "can't read"), name, "")
	}
	return b, nil
}

// bare is what the system said, without the path.
func bare(err error) error {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return pe.Err
	}
	return err
}

// readTokens reads the tokens of a file: one in a line. Empty lines, and those that begin with #, are none.
func readTokens(name string) ([]string, error) {
	b, err := readInput(name)
	if err != nil {
		return nil, err
	}
	var tokens []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			tokens = append(tokens, line)
		}
	}
	if len(tokens) == 0 {
		return nil, usageAt(name, "there is no token in it")
	}
	return tokens, nil
}

func (o *serveFlags) tlsConfig(m *monitor) (*tls.Config, error) {
	id := &identity{cert: o.cert, key: o.key, note: m.event}
	if err := id.load(); err != nil {
		return nil, err
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: id.get}
	if o.clientCA != "" {
		ca, err := readInput(o.clientCA)
		if err != nil {
			return nil, err
		}
		c.ClientCAs = x509.NewCertPool()
		if !c.ClientCAs.AppendCertsFromPEM(ca) {
			return nil, usageAt(o.clientCA, "there is no certificate in it")
		}
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return c, nil
}

func (a *app) roots(o *serveFlags, args []string) (*flight.Roots, error) {
	names, err := expand(args)
	if err != nil {
		return nil, err
	}
	opts, err := o.options()
	if err != nil {
		return nil, err
	}
	ropts := []flight.RootOption{flight.WithFileOptions(opts...), flight.WithExternal(o.external...), flight.WithTables(a.served(o))}
	if o.io.value == "read" {
		ropts = append(ropts, flight.WithoutMapping())
	}
	return flight.OpenRoots(names, ropts...)
}

// served returns a function that returns what is served of a file. Where not all tables were found, those that were are
// served, and why is printed once.
func (a *app) served(o *serveFlags) func(*arrowmap.File) ([]*arrowmap.Table, error) {
	var printed sync.Map
	return func(f *arrowmap.File) ([]*arrowmap.Table, error) {
		tables, err := o.tables(f)
		if err != nil && len(tables) > 0 {
			if _, again := printed.LoadOrStore(errorText(err), true); !again {
				a.note("not all tables were found: %s", errorText(err))
			}
			err = nil
		}
		if err != nil {
			return nil, err
		}
		return o.chosen(tables)
	}
}

// tables returns the tables of a file, or the one that was chosen.
func (o *serveFlags) tables(f *arrowmap.File) ([]*arrowmap.Table, error) {
	if o.table == "" && len(o.datasets) == 0 {
		return f.Tables()
	}
	t, err := o.one(f)
	if err != nil {
		return nil, err
	}
	return []*arrowmap.Table{t}, nil
}

// chosen returns what was chosen of each table. Of several tables, those without it are left out.
func (o *serveFlags) chosen(tables []*arrowmap.Table) ([]*arrowmap.Table, error) {
	var err error
	var out []*arrowmap.Table
	for _, t := range tables {
		if len(o.columns) > 0 {
			if t, err = t.Select(o.columns...); err != nil {
				if len(tables) == 1 {
					return nil, err
				}
				continue
			}
		}
		if o.skip {
			t, _ = t.SkipUnsupported()
		}
		if o.rows.text != "" {
			if t, err = t.Slice(o.rows.a, o.rows.b); err != nil {
				if len(tables) == 1 {
					return nil, err
				}
				continue
			}
		}
		out = append(out, t)
	}
	return out, nil
}

// listenAndServe serves until the process is told to end, and lets running calls end then.
func (a *app) listenAndServe(o *serveFlags, s *flight.Server, m *monitor) error {
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		if oe, ok := errors.AsType[*net.OpError](err); ok {
			err = oe.Err
		}
		return h5err.Wrap(h5err.IO, err, "can't listen on %s", o.listen)
	}
	scheme := "grpc"
	if o.cert != "" {
		scheme = "grpc+tls"
	}
	if _, err := io.WriteString(a.out, "listening on "+scheme+"://"+l.Addr().String()+"\n"); err != nil {
		l.Close() // nobody was served
		return h5err.In(h5err.Wrap(h5err.IO, bare(err), "can't write"), "stdout", "")
	}
	a.drain.Store(int64(o.drain) + int64(grace))
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	select {
	case err := <-served:
		return errors.Join(err, s.Close())
	case <-a.ctx.Done():
	}
	m.event("draining", "streams", s.Stats().Streams)
	ctx, cancel := context.WithTimeout(context.Background(), o.drain)
	defer cancel()
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM) // one more ends the waiting
	defer stop()
	left := s.Shutdown(ctx)
	if err := <-served; err != nil {
		return err
	}
	if left != nil {
		return h5err.Wrap(h5err.IO, nil, "calls were cut off after %v", o.drain).WithHint("allow more with --drain")
	}
	return nil
}
