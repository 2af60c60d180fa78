// Package flight serves HDF5 tables by Arrow Flight. It is the only package of this module that imports gRPC.
//
// # Flights
//
// Every table of every file of the catalog is a flight. ListFlights lists those that can be read. Its criteria are empty,
// a pattern of file names (as for path.Match; "dir/" matches everything below), or JSON: {"file": PATTERN, "table": PATTERN}.
//
// A descriptor is a path of a file and a table, as in ["runs/a.h5", "/events"], where the table may be left out if the file
// has only one; or a command in JSON:
//
//	{"file": "runs/a.h5", "table": "/events", "columns": ["time", "energy"], "rows": "1000:2000",
//	 "endpoints": 4, "batch_rows": 65536}
//
// Everything but the file is optional. Rows are a half-open range, clipped to the table.
//
// GetFlightInfo splits the rows into endpoints, at chunk borders if the table is chunked. Endpoints can be read in
// parallel, by several clients. Their rows, one endpoint after the other, are exactly the flight.
//
// # Tickets
//
// A ticket contains the rows and columns that are wanted, its expiry, and the size and modification time of the file when
// it was issued. It is signed (HMAC-SHA256) with a random key of the process, or with a key that several servers share. A
// ticket that was altered, has expired or names a file outside the catalog is refused with PERMISSION_DENIED; one for a file
// that has changed since, with FAILED_PRECONDITION.
//
// # Who may call
//
// With WithTokens every call needs a bearer token, including reflection and the health service's Watch. The only exception
// is the health service's Check, which says only that the server runs. WithTLS encrypts, and may demand client
// certificates. Limits on streams and memory apply to all clients together and to each one. A client is identified by its
// token, else its certificate, else its address.
//
// # Errors
//
// Codes follow from the kinds of h5err: NOT_FOUND, INVALID_ARGUMENT, UNIMPLEMENTED (unsupported), DATA_LOSS (corrupt or
// unreadable, such as a file that is cut short while it is sent), RESOURCE_EXHAUSTED (limits, memory). Messages name files
// as they are served, not their paths on the server.
//
// # Zero copies
//
// Record batches are passed to gRPC as slices of memory, without a protobuf message around them. On connections that are
// not encrypted these slices go to the system by writev: values that the file stores as Arrow needs them are never copied.
// If such a file is cut short, the system refuses to write what no longer exists, and that client's connection is closed;
// usually the change is noticed earlier, and the stream ends with DATA_LOSS. Offsets and indices are checked and then
// copied, so that they cannot change afterwards. Text is checked once while the file is open and unchanged, not by each call.
//
// On an encrypted connection gRPC's goroutines read the bytes and must not meet a fault: mapped bytes are copied into
// reused buffers by a goroutine that source.Guard protects. WithTrustedInput skips these copies.
//
// Decoded values are lent to gRPC without a copy, and released when they have been written.
//
// # Compression
//
// A DoGet with the metadata "h5arrow-compression: zstd" (or lz4) gets record batches whose buffers are compressed, as Arrow's
// format defines it. None is the default, and anything else INVALID_ARGUMENT. What a compressor takes counts as memory of the stream.
//
// # What is not promised
//
// DoExchange, DoPut of anything but tables (WithPut) and the values of a prepared statement, and actions other than those of
// Flight SQL are not implemented. A client that has stopped reading
// receives DEADLINE_EXCEEDED only when it reads again.
package flight
