package flight_test

import (
	"context"
	"fmt"
	"log"
	"net"

	arrowflight "github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/h5arrow/h5arrow/ipc/flight"
	"github.com/h5arrow/h5arrow/ipc/flight/catalog"
)

// A server in a process of one's own, and a client that reads two columns of a table.
func Example() {
	roots, err := catalog.Open([]string{"../../testdata/sample.h5"})
	if err != nil {
		log.Fatal(err)
	}
	defer roots.Close()
	server, err := flight.New(roots, flight.WithMaxStreams(10), flight.WithMaxMemory(256<<20))
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go server.Serve(l)
	defer server.Close()

	client, err := arrowflight.NewClientWithMiddleware(l.Addr().String(), nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()
	info, err := client.GetFlightInfo(ctx, &arrowflight.FlightDescriptor{Type: arrowflight.DescriptorCMD,
		Cmd: []byte(`{"file": "sample.h5", "table": "/table", "columns": ["pickup", "fare"], "rows": "1000:3000"}`)})
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range info.Endpoint {
		stream, err := client.DoGet(ctx, e.Ticket)
		if err != nil {
			log.Fatal(err)
		}
		r, err := arrowflight.NewRecordReader(stream)
		if err != nil {
			log.Fatal(err)
		}
		for r.Next() {
			fmt.Println(r.RecordBatch().NumRows(), "rows of", r.Schema().Field(0).Name, "and", r.Schema().Field(1).Name)
		}
		if r.Err() != nil {
			log.Fatal(r.Err())
		}
		r.Release()
	}
	// Output: 2000 rows of pickup and fare
}
