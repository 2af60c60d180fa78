// Package service has what the serve command adds to a Flight server: a log and metrics of its calls, certificates that are
// renewed while it runs, and files of tokens.
package service

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc/flight"
)

// Monitor logs and counts a server's calls.
type Monitor struct {
	log                  *slog.Logger // nil: nothing is logged
	errorText            func(error) string
	registry             *prometheus.Registry
	calls                *prometheus.CounterVec
	seconds              *prometheus.HistogramVec
	rows, batches, bytes prometheus.Counter
}

// NewMonitor returns a monitor that logs to w: as "text", as "json", or not at all. errorText returns the text of an error.
func NewMonitor(log string, w io.Writer, errorText func(error) string) *Monitor {
	m := &Monitor{registry: prometheus.NewRegistry(), errorText: errorText}
	switch log {
	case "text":
		m.log = slog.New(slog.NewTextHandler(w, nil))
	case "json":
		m.log = slog.New(slog.NewJSONHandler(w, nil))
	}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "h5arrow", Subsystem: "flight", Name: name, Help: help})
		m.registry.MustRegister(c)
		return c
	}
	m.calls = prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "h5arrow", Subsystem: "flight", Name: "calls_total",
		Help: "Finished calls."}, []string{"method", "status"})
	m.seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "h5arrow", Subsystem: "flight", Name: "call_seconds",
		Help: "How long calls took.", Buckets: prometheus.ExponentialBuckets(0.001, 4, 9)}, []string{"method"})
	m.registry.MustRegister(m.calls, m.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.rows = counter("rows_total", "Rows sent.")
	m.batches = counter("batches_total", "Record batches sent.")
	m.bytes = counter("bytes_total", "Bytes of messages sent.")
	return m
}

// Observe logs and counts a call.
func (m *Monitor) Observe(c flight.Call) {
	m.calls.WithLabelValues(c.Method, c.Status).Inc()
	m.seconds.WithLabelValues(c.Method).Observe(c.Duration.Seconds())
	m.rows.Add(float64(c.Rows))
	m.batches.Add(float64(c.Batches))
	m.bytes.Add(float64(c.Bytes))
	if m.log == nil {
		return
	}
	args := []any{"method", c.Method, "status", c.Status, "peer", c.Peer, "client", c.Client, "seconds", c.Duration.Seconds()}
	add := func(key, value string) {
		if value != "" {
			args = append(args, key, value)
		}
	}
	add("file", c.File)
	add("table", c.Table)
	add("sql", c.SQL)
	if c.Method == "DoGet" {
		args = append(args, "rows", c.Rows, "batches", c.Batches, "bytes", c.Bytes)
	}
	if c.Err != nil {
		m.log.Warn("call", append(args, "error", m.errorText(c.Err))...)
		return
	}
	m.log.Info("call", args...)
}

// Event logs something other than a call.
func (m *Monitor) Event(what string, args ...any) {
	if m.log != nil {
		m.log.Info(what, args...)
	}
}

// LeftOut logs a file that is not served.
func (m *Monitor) LeftOut(name, reason string) { m.Event("left out", "file", name, "reason", reason) }

// Serve answers Prometheus at an address until stop is called.
func (m *Monitor) Serve(address string, s *flight.Server) (stop func(), err error) {
	gauge := func(name, help string, value func(flight.Stats) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "h5arrow", Subsystem: "flight", Name: name, Help: help},
			func() float64 { return value(s.Stats()) }))
	}
	gauge("connections", "Open connections.", func(s flight.Stats) float64 { return float64(s.Connections) })
	gauge("streams", "Streams of record batches.", func(s flight.Stats) float64 { return float64(s.Streams) })
	gauge("streams_waiting", "Streams that wait for memory.", func(s flight.Stats) float64 { return float64(s.Waiting) })
	gauge("memory_bytes", "Memory granted to streams.", func(s flight.Stats) float64 { return float64(s.Memory) })
	gauge("open_files", "Open HDF5 files.", func(s flight.Stats) float64 { return float64(s.Files) })
	l, err := Listen(address)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	m.Event("metrics", "url", "http://"+l.Addr().String()+"/metrics")
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // it returns when stop is called; a broken listener stops only the metrics
	}()
	return func() {
		server.Close() // open requests are for metrics only
		<-done
	}, nil
}

// Listen listens on a TCP address. An IPv4 address, 0.0.0.0 among them, means IPv4 only; no host means all addresses.
func Listen(address string) (net.Listener, error) {
	network := "tcp"
	if host, _, err := net.SplitHostPort(address); err == nil {
		if ip, err := netip.ParseAddr(host); err == nil && ip.Is4() {
			network = "tcp4"
		}
	}
	l, err := net.Listen(network, address)
	if err != nil {
		if oe, ok := errors.AsType[*net.OpError](err); ok {
			err = oe.Err
		}
		return nil, h5err.Wrap(h5err.IO, err, "can't listen on %s", address)
	}
	return l, nil
}
