package ipc_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/h5arrow/h5arrow/ipc"
)

const benchBytes = 512 << 20

// output makes a new file for each round, so that freeing the pages of the last round is not measured.
func output(b *testing.B, write func(*os.File) error) {
	path := filepath.Join(b.TempDir(), "out")
	b.SetBytes(benchBytes)
	for b.Loop() {
		b.StopTimer()
		os.Remove(path)
		f, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := write(f); err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}

// BenchmarkMapped writes mapped columns to an Arrow file, and its twins the same mapping without Arrow around it: in
// pieces of the same size, and with a single write. Run it with -count 10 and compare the best of each.
func BenchmarkMapped(b *testing.B) {
	_, src, rr := mapped(b, benchBytes, 32)
	all, _ := src.View(0, benchBytes)
	b.Run("arrow", func(b *testing.B) {
		output(b, func(w *os.File) error {
			_, err := ipc.Write(context.Background(), w, ipc.File, rr())
			return err
		})
	})
	b.Run("twin=pieces", func(b *testing.B) {
		output(b, func(w *os.File) error {
			for p := all; len(p) > 0; {
				n, err := w.Write(p[:min(len(p), 1<<20)])
				if err != nil {
					return err
				}
				p = p[n:]
			}
			return nil
		})
	})
	b.Run("twin=whole", func(b *testing.B) {
		output(b, func(w *os.File) error {
			_, err := w.Write(all)
			return err
		})
	})
}

// BenchmarkCompressed compresses with all processors and with one.
func BenchmarkCompressed(b *testing.B) {
	_, _, rr := mapped(b, benchBytes, 16)
	for _, c := range compressions[1:] {
		for name, opts := range map[string][]ipc.Option{"all": nil, "one": {ipc.WithWorkers(1)}} {
			b.Run(c.String()+"/workers="+name, func(b *testing.B) {
				b.SetBytes(benchBytes)
				for b.Loop() {
					if _, err := ipc.Write(context.Background(), io.Discard, ipc.Stream, rr(), append(opts, ipc.WithCompression(c))...); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
