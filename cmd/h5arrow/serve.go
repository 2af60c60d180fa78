package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"path"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/far"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/flags"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/garbage"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/memory"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/service"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/ipc/flight"
	"github.com/h5arrow/h5arrow/ipc/flight/catalog"
)

// serveFlags are the flags of serve.
type serveFlags struct {
	selection
	listen, socketMode     string
	socket                 string      // the path in listen, "" for TCP
	mode                   fs.FileMode // socketMode
	cert, key, clientCA    string
	tokens, ticketKey      string
	ticketLife             time.Duration
	streams, clientStreams flags.Positive
	connections            flags.Positive
	addressConnections     flags.Positive
	firstCall, sqlTimeout  time.Duration
	include, exclude       []string
	clientMemory           flags.Size
	sendTimeout, drain     time.Duration
	endpoints              flags.Positive
	endpointBytes          flags.Size
	trust, sql             bool
	sqlProcesses           flags.Positive
	metrics                string
	writable               string
	overwrite              bool
	maxPut                 flags.Size
	log                    *flags.Choice
}

func (a *app) serveCommand() *cobra.Command {
	o := &serveFlags{}
	cmd := &cobra.Command{
		Use:   "serve FILE|DIR...",
		Short: "Serve tables by Arrow Flight",
		Long: `serve answers Arrow Flight clients. Every table of the files, and of the HDF5 files in the directories, is a flight. Its
descriptor is the path [FILE, TABLE], or a command in JSON that can select columns and rows:

  {"file": "a.h5", "table": "/events", "columns": ["time"], "rows": "0:1000", "endpoints": 4, "batch_rows": 65536}

The rows are split into endpoints at chunk borders, which clients can read in parallel. Nothing outside the files and
directories is served, whatever a file, a link or a ticket asks for; external storage only where --allow-external names its
directory. Hidden files, backups and what is not HDF5 are left out of directories. The first line on stdout is
` + "`listening on grpc://HOST:PORT`" + ` (grpc+tls with --tls-cert, grpc+unix:///PATH for a socket). After SIGTERM or SIGINT, running calls may finish within
the time of --drain. SIGHUP reads the tokens and the certificates again.

--writable DIR takes tables that clients send by DoPut, each as a new file in DIR, which is served as well. The descriptor is the
path [FILE] or [FILE, TABLE]. A file appears when its client has sent all of it.

Without --token-file, everyone who can reach the address can read everything, and write into --writable.`,
		Example: `  h5arrow serve data.h5
  h5arrow serve runs/ --listen 0.0.0.0:8815 --tls-cert cert.pem --tls-key key.pem --token-file tokens
  h5arrow serve data.h5 --listen unix:/run/h5arrow.sock --socket-mode 660
  h5arrow serve data.h5 --sql --metrics 127.0.0.1:9090 --log json
  h5arrow serve --writable incoming/ --token-file tokens`,
		Args: func(cmd *cobra.Command, args []string) error {
			if o.writable != "" {
				return nil
			}
			return argCount(1, -1, "a file or a directory")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.serve(cmd, o, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8815", "the address to listen on (`HOST:PORT`; port 0 picks one; or unix:PATH, a Unix-domain socket)")
	f.StringVar(&o.socketMode, "socket-mode", "600", "permissions of the Unix-domain socket (`OCTAL`)")
	f.StringVar(&o.cert, "tls-cert", "", "encrypt, with the certificates in this `FILE` (PEM), read again when it changes")
	f.StringVar(&o.key, "tls-key", "", "the key of --tls-cert (`FILE`, PEM)")
	f.StringVar(&o.clientCA, "client-ca", "", "accept only clients with certificates signed by these authorities (`FILE`, PEM)")
	f.StringVar(&o.tokens, "token-file", "", "accept only calls with a bearer token that is a line of this `FILE`, read again when it changes")
	f.BoolVar(&o.sql, "sql", false, "answer Flight SQL")
	f.DurationVar(&o.sqlTimeout, "sql-timeout", 0, "how long a statement may run, its result being read included (default: no limit)")
	f.Var(&o.sqlProcesses, "sql-processes", "statements at a time, each in a process with its share of the memory (default: one for each processor, at least 4)")
	f.StringArrayVar(&o.include, "include", nil, "serve only what matches this `PATTERN` in directories, hidden files too (repeatable)")
	f.StringArrayVar(&o.exclude, "exclude", nil, "leave out what matches this `PATTERN` in directories (repeatable)")
	f.Var(&o.streams, "max-streams", fmt.Sprintf("maximum number of streams at a time (default %d)", flight.DefaultMaxStreams))
	f.Var(&o.clientStreams, "max-client-streams", "maximum number of streams of one client, which is a token, else a certificate, else an address")
	f.Var(&o.clientMemory, "max-client-memory", "maximum memory for the streams of one client")
	f.Var(&o.connections, "max-connections", "maximum number of connections (default 2048)")
	f.Var(&o.addressConnections, "max-address-connections", "maximum number of connections from one address (default: a quarter of --max-connections)")
	f.DurationVar(&o.firstCall, "first-call", flight.DefaultFirstCall, "how long a connection may exist without an admitted call")
	f.DurationVar(&o.sendTimeout, "send-timeout", flight.DefaultSendTimeout, "how long a client may stop reading, or sending, before its stream is ended")
	f.DurationVar(&o.drain, "drain", 10*time.Second, "how long calls may continue after SIGTERM or SIGINT")
	f.DurationVar(&o.ticketLife, "ticket-life", flight.DefaultTicketLife, "how long a ticket is valid")
	f.StringVar(&o.ticketKey, "ticket-key-file", "", "sign tickets with the key in this `FILE`, so that several servers accept them (default: a random key)")
	f.Var(&o.endpoints, "endpoints", "endpoints of each flight (default: one for each 128 MiB)")
	f.Var(&o.endpointBytes, "endpoint-bytes", "approximate bytes of an endpoint")
	f.BoolVar(&o.trust, "trust-input", false, "send mapped data without copying it first: only for files that do not change")
	f.StringVar(&o.writable, "writable", "", "take tables that clients send, as files in this `DIR`")
	f.BoolVar(&o.overwrite, "overwrite", false, "let clients replace files in the directory of --writable")
	f.Var(&o.maxPut, "max-put", "maximum size of a table that a client sends (default: 16 GiB)")
	f.StringVar(&o.metrics, "metrics", "", "serve Prometheus metrics at http://`HOST:PORT`/metrics")
	o.log = flags.Choose(cmd, "log", "log each call on stderr", "none", "text", "json")
	o.selection.add(cmd)
	o.addSorted(cmd)
	f.Lookup("table").Usage = "serve the tables at this `PATH` only"
	f.Lookup("stack").Usage = "serve only the tables of all groups whose paths match this `PATTERN`, as one table"
	f.Lookup("batch-rows").Usage = "rows in a message (default: as many as fit in about 2 MiB)"
	// It fails only for a flag that does not exist.
	_ = f.MarkHidden("filename")
	return cmd
}

// minServing is the smallest --max-memory for a server.
const minServing = 64 << 20

func (a *app) serve(cmd *cobra.Command, o *serveFlags, args []string) (err error) {
	if err := o.check(cmd); err != nil {
		return err
	}
	if share := os.Getenv(sqlMemory); share != "" {
		return a.answerSQL(o, args, share)
	}
	limit := a.maxMemory(o.memory)
	if limit < minServing {
		return usage("--max-memory %d: a server needs at least %dMiB", limit, minServing>>20)
	}
	defer memory.Limit(limit / 8 * 7)()
	// Each message allocates a little, which is soon garbage: the collector only needs to keep to the limit.
	defer garbage.SetPercent(garbage.SetPercent(400))
	// The rest is for metadata and for garbage that has not been collected yet.
	streams := limit / 2
	if o.sql {
		streams = limit / 4
	}
	m := service.NewMonitor(o.log.String(), a.err, errorText)
	opts, reload, err := o.serverOptions(streams, m)
	if err != nil {
		return err
	}
	defer onHangup(reload)()
	ctx, cancel := context.WithCancel(context.WithoutCancel(a.ctx)) // calls go on after an interrupt
	defer cancel()
	if o.writable != "" {
		folder, err := service.OpenFolder(o.writable, o.overwrite)
		if err != nil {
			return err
		}
		defer folder.Close() // nothing is written to it itself
		opts = append(opts, flight.WithPut(folder.Put, cmp.Or(int64(o.maxPut), defaultPut)))
		args = withFolder(args, o.writable)
	}
	files, err := a.catalog(ctx, o, args, m)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, files.Close()) }()
	if err := files.Check(); err != nil {
		return err
	}
	if o.sql {
		pool, err := a.startSQL(o, limit/2)
		if err != nil {
			return err
		}
		defer pool.Close()
		o.say(a, pool.Notes())
		opts = append(opts, flight.WithSQL(pool, pool.Tables()...))
	}
	s, err := flight.New(files, append(opts, flight.WithObserver(m.Observe))...)
	if err != nil {
		return err
	}
	if o.metrics != "" {
		stop, err := m.Serve(o.metrics, s)
		if err != nil {
			return err
		}
		defer stop()
	}
	return a.listenAndServe(o, s, m)
}

// defaultPut is the default of --max-put.
const defaultPut = 16 << 30

// withFolder adds a directory to what is served, unless it is served already.
func withFolder(args []string, dir string) []string {
	for _, arg := range args {
		a, err := os.Stat(arg)
		b, err2 := os.Stat(dir)
		if err == nil && err2 == nil && os.SameFile(a, b) {
			return args
		}
	}
	return append(slices.Clip(args), dir)
}

// check refuses flags that contradict each other.
func (o *serveFlags) check(cmd *cobra.Command) error {
	switch {
	case (o.cert == "") != (o.key == ""):
		return usage("--tls-cert and --tls-key go together")
	case o.clientCA != "" && o.cert == "":
		return usage("--client-ca needs --tls-cert")
	case o.filename:
		return usage("--filename is not for serve: flights have the names of their files")
	case o.union != "":
		return usage("--union is not for serve: each file has flights of its own")
	case o.sqlTimeout < 0:
		return usage("--sql-timeout %v is negative", o.sqlTimeout)
	case o.sqlTimeout > 0 && !o.sql:
		return usage("--sql-timeout needs --sql")
	case o.writable == "" && (o.overwrite || o.maxPut > 0):
		return usage("--overwrite and --max-put need --writable")
	case o.drain < 0:
		return usage("--drain %v is negative", o.drain)
	}
	if err := o.checkSocket(cmd.Flags().Changed("socket-mode")); err != nil {
		return err
	}
	return o.selection.check(cmd)
}

// checkSocket finds out whether to listen on a Unix-domain socket, and which permissions it gets.
func (o *serveFlags) checkSocket(modeGiven bool) (err error) {
	if o.socket, err = service.Socket(o.listen); err != nil {
		return usage("--listen %s: no path of a socket", o.listen)
	}
	mode, err := strconv.ParseUint(o.socketMode, 8, 32)
	switch {
	case o.socket == "" && modeGiven:
		return usage("--socket-mode needs --listen unix:PATH")
	case o.socket != "" && o.cert != "":
		return usage("--tls-cert is not for sockets: what they carry stays on this machine")
	case err != nil || mode > 0o777:
		return usage("--socket-mode %s: permissions are octal numbers up to 777", o.socketMode)
	}
	o.mode = fs.FileMode(mode)
	return nil
}

// onHangup calls the functions at each SIGHUP, until stop is called.
func onHangup(reload []func()) (stop func()) {
	signals := make(chan os.Signal, 1)
	notifyHangup(signals)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-signals:
				for _, fn := range reload {
					fn()
				}
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
	}
}

// serverOptions returns the options of the server, and functions that read files of theirs again.
func (o *serveFlags) serverOptions(streams int64, m *service.Monitor) (opts []flight.Option, reload []func(), err error) {
	opts = append(o.limits(), flight.WithMaxMemory(streams), flight.WithSendTimeout(o.sendTimeout), flight.WithFirstCall(o.firstCall),
		flight.WithTicketLife(o.ticketLife))
	if o.trust {
		opts = append(opts, flight.WithTrustedInput())
	}
	if o.tokens != "" {
		tokens, err := service.ReadTokens(o.tokens, m)
		if err != nil {
			return nil, nil, err
		}
		opts, reload = append(opts, flight.WithTokenCheck(tokens.Has)), append(reload, tokens.Reload)
	}
	if o.ticketKey != "" {
		key, err := service.ReadFile(o.ticketKey)
		if err != nil {
			return nil, nil, err
		}
		if len(key) < 32 {
			return nil, nil, about(o.ticketKey, usage("a ticket key must have at least 32 bytes"))
		}
		opts = append(opts, flight.WithTicketKey(key))
	}
	if o.cert != "" {
		config, again, err := service.TLS(o.cert, o.key, o.clientCA, m)
		if err != nil {
			return nil, nil, err
		}
		opts, reload = append(opts, flight.WithTLS(config)), append(reload, again)
	}
	return opts, reload, nil
}

// limits returns the options that are numbers, where they were given.
func (o *serveFlags) limits() (opts []flight.Option) {
	for _, l := range []struct {
		n      int
		option func(int) flight.Option
	}{
		{int(o.streams), flight.WithMaxStreams}, {int(o.clientStreams), flight.WithClientStreams}, {int(o.connections), flight.WithMaxConnections},
		{int(o.addressConnections), flight.WithAddressConnections}, {int(o.endpoints), flight.WithEndpoints}, {int(o.workers), flight.WithWorkers},
	} {
		if l.n > 0 {
			opts = append(opts, l.option(l.n))
		}
	}
	for _, l := range []struct {
		n      int64
		option func(int64) flight.Option
	}{
		{int64(o.clientMemory), flight.WithClientMemory}, {int64(o.batchRows), flight.WithBatchRows}, {int64(o.batchBytes), flight.WithBatchBytes},
		{int64(o.endpointBytes), flight.WithEndpointBytes},
	} {
		if l.n > 0 {
			opts = append(opts, l.option(l.n))
		}
	}
	if o.sqlTimeout > 0 {
		opts = append(opts, flight.WithSQLTimeout(o.sqlTimeout))
	}
	return opts
}

// catalog opens what is served. Reads of URLs end with ctx.
func (a *app) catalog(ctx context.Context, o *serveFlags, args []string, m *service.Monitor) (*catalog.Catalog, error) {
	names, err := o.expand(ctx, args)
	if err != nil {
		return nil, err
	}
	opts, err := o.options()
	if err != nil {
		return nil, err
	}
	copts := []catalog.Option{catalog.WithFileOptions(opts...), catalog.WithExternal(o.external...), catalog.WithTables(a.served(o)),
		catalog.WithInclude(o.include...), catalog.WithExclude(o.exclude...), catalog.WithLeftOut(m.LeftOut)}
	var paths []string
	for _, name := range names {
		if !far.IsURL(name) {
			paths = append(paths, name)
			continue
		}
		shown := far.Name(name)
		copts = append(copts, catalog.WithSource(path.Base(shown), shown, func() (*source.Source, error) { return o.far.Open(ctx, name) }, o.ofURLs()...))
	}
	if o.io.String() == "read" {
		copts = append(copts, catalog.WithoutMapping())
	}
	return catalog.Open(paths, copts...)
}

// served returns a function that returns the tables of a file that are served. What is left out is printed, once: tables
// that were not found, columns of --skip-unsupported, and tables that are not listed because not all of their columns can
// be read.
func (a *app) served(o *serveFlags) func(*arrowmap.File) ([]*arrowmap.Table, error) {
	var printed sync.Map
	note := func(format, msg string) {
		if _, again := printed.LoadOrStore(msg, true); !again && !o.quiet {
			a.note(format, msg)
		}
	}
	return func(f *arrowmap.File) ([]*arrowmap.Table, error) {
		tables, err := o.tables(f)
		if err != nil && len(tables) > 0 {
			note("not all tables were found: %s", errorText(err))
			err = nil
		}
		if err != nil {
			return nil, err
		}
		return o.chosen(tables, func(err error) { note("left out: %s", errorText(err)) })
	}
}

// tables returns the tables of a file, or only the selected one.
func (o *serveFlags) tables(f *arrowmap.File) ([]*arrowmap.Table, error) {
	if !o.named() {
		return f.Tables()
	}
	t, err := o.one(f)
	if err != nil {
		return nil, err
	}
	return []*arrowmap.Table{t}, nil
}

// chosen returns the selected part of each table. If there are several tables, those without it are left out. leftOut is
// called for what will not be listed.
func (o *serveFlags) chosen(tables []*arrowmap.Table, leftOut func(error)) ([]*arrowmap.Table, error) {
	var err error
	var out []*arrowmap.Table
	for _, t := range tables {
		if len(o.columns) > 0 {
			if t, err = t.Select(o.columns...); err != nil {
				if len(tables) == 1 {
					return nil, err
				}
				leftOut(err)
				continue
			}
		}
		if o.skip {
			var skipped []error
			t, skipped = t.SkipUnsupported()
			for _, err := range skipped {
				leftOut(err)
			}
		}
		if o.rows.Given() {
			if t, err = t.Slice(o.rows.Of(t.Rows())); err != nil {
				if len(tables) == 1 {
					return nil, err
				}
				leftOut(err)
				continue
			}
		}
		if _, err := t.Slice(0, 0); err != nil {
			leftOut(err)
		}
		out = append(out, t)
	}
	return out, nil
}

// open listens, and returns the URL for clients.
func (o *serveFlags) open() (l net.Listener, url string, err error) {
	if o.socket != "" {
		l, err = service.ListenSocket(o.socket, o.mode)
		return l, service.SocketURL(o.socket), err
	}
	if l, err = service.Listen(o.listen); err != nil {
		return nil, "", err
	}
	scheme := "grpc"
	if o.cert != "" {
		scheme = "grpc+tls"
	}
	return l, scheme + "://" + l.Addr().String(), nil
}

// listenAndServe serves until the process is interrupted, and then lets running calls finish.
func (a *app) listenAndServe(o *serveFlags, s *flight.Server, m *service.Monitor) error {
	l, url, err := o.open()
	if err != nil {
		return err
	}
	a.warnOpen(o, l.Addr())
	if err := a.print("listening on " + url); err != nil {
		l.Close() // nobody was served
		return about("stdout", h5err.Wrap(h5err.IO, h5err.Cause(err), "can't write"))
	}
	a.drain.Store(int64(o.drain) + int64(grace))
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	select {
	case err := <-served:
		return errors.Join(err, s.Close())
	case <-a.ctx.Done():
	}
	m.Event("draining", "streams", s.Stats().Streams)
	ctx, cancel := context.WithTimeout(context.Background(), o.drain)
	defer cancel()
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM) // another one ends the waiting
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

// warnOpen says on stderr what an address that other machines reach is exposed to.
func (a *app) warnOpen(o *serveFlags, address net.Addr) {
	if t, ok := address.(*net.TCPAddr); !ok || t.IP.IsLoopback() {
		return
	}
	switch {
	case o.tokens == "" && o.clientCA == "":
		can := "read everything"
		if o.writable != "" {
			can += " and write to " + text.Printable(o.writable)
		}
		a.note("everyone who can reach %s can %s: --token-file or --client-ca limits who can", address, can)
	case o.cert == "":
		a.note("tokens and data are sent unencrypted: --tls-cert encrypts them")
	}
}
