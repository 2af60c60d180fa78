package flight

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// asking returns a context of calls that ask for these codecs.
func asking(codecs ...string) context.Context {
	ctx := context.Background()
	for _, c := range codecs {
		ctx = metadata.AppendToOutgoingContext(ctx, codingHeader, c)
	}
	return ctx
}

// Clients that ask for compressed buffers get the same values in fewer bytes, and give back all memory.
func TestCompression(t *testing.T) {
	leaks(t)
	want := direct(t, openTable(t, h5test.Fixture(t, "sample.h5"), ""))
	defer want.release()
	for _, opts := range [][]Option{nil, {WithTrustedInput()}, {WithBatchRows(777)}, {WithMaxMemory(minMemory)}} {
		p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, opts...)
		c := p.dial(t)
		tkt := firstTicket(t, c, pathOf("sample.h5"))
		var plain int64
		for i, codec := range []string{"none", "lz4", "zstd"} {
			stream, err := c.DoGet(asking(codec), &flight.Ticket{Ticket: tkt})
			if err != nil {
				t.Fatal(err)
			}
			r, err := flight.NewRecordReader(stream)
			if err != nil {
				t.Fatalf("%s: %v", codec, err)
			}
			got := gather(t, r.Schema(), r)
			same(t, codec, got, want)
			got.release()
			r.Release()
			p.idle(t)
			eventually(t, func() bool { return len(p.ended("DoGet")) > i })
			sent := p.ended("DoGet")[i].Bytes
			if i == 0 {
				plain = sent
			} else if sent > plain*9/10 {
				t.Errorf("%s: %d bytes were sent, %d without it", codec, sent, plain)
			}
		}
		needCode(t, "an unknown codec", fail(c, asking("brotli"), tkt), codes.InvalidArgument, codingHeader)
		needCode(t, "two codecs", fail(c, asking("zstd", "lz4"), tkt), codes.InvalidArgument, codingHeader)
	}
}

// The memory of compressors counts.
func TestCompressorMemory(t *testing.T) {
	leaks(t)
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, WithBatchRows(100))
	c := p.dial(t, narrow())
	tkt := firstTicket(t, c, pathOf("sample.h5"))
	var before int64
	for _, codec := range []string{"none", "zstd"} {
		ctx, cancel := context.WithCancel(asking(codec))
		stream := start(t, c, ctx, tkt)
		n := p.Stats().Memory
		if n < before+zstdCoding.memory() && codec == "zstd" {
			t.Errorf("%d bytes count, %d without compression", n, before)
		}
		before = n
		cancel()
		_ = rest(stream)
		p.idle(t)
	}
}

// Text is not checked again for each call, but it is when the file has changed.
func TestTextOfChangedFile(t *testing.T) {
	leaks(t)
	path := copied(t, "sample.h5")
	f, err := h5.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	o, err := f.Lookup("/table/columns/zone/data")
	if err != nil {
		t.Fatal(err)
	}
	l, err := o.(*h5.Dataset).Layout()
	if err != nil {
		t.Fatal(err)
	}
	p := serve(t, []string{path})
	c := p.dial(t)
	read := func() error {
		return fail(c, context.Background(), firstTicket(t, c, commandOf(`{"file": "sample.h5", "columns": ["zone"]}`)))
	}
	for range 2 {
		if err := read(); err != nil {
			t.Fatal(err)
		}
	}
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := w.WriteAt([]byte{0xFF}, l.Offset); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	needCode(t, "text that is not UTF-8", read(), codes.DataLoss, "zone")
	p.idle(t)
}
