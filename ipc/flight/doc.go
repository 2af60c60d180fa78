// Package flight serves HDF5 tables by Arrow Flight. It is the only package of this module that imports gRPC.
//
// # Flights
//
// Every table of every file below the roots is a flight. ListFlights lists those that can be read; its criteria are empty,
// a pattern of file names (package path's Match; "dir/" is all that is below), or JSON: {"file": PATTERN, "table": PATTERN}.
//
// A descriptor is a path of a file and a table, as in ["runs/a.h5", "/events"], where the table may be left out of a file
// that has one only; or a command in JSON:
//
//	{"file": "runs/a.h5", "table": "/events", "columns": ["time", "energy"], "rows": "1000:2000",
//	 "endpoints": 4, "batch_rows": 65536}
//
// All but the file may be left out. Rows are half open, clipped to the table.
//
// GetFlightInfo splits the rows into endpoints, at the borders of chunks where there are chunks. Endpoints can be read
// in parallel, by several clients; what they give, one after the other, is the flight exactly.
//
// # Tickets
//
// A ticket says which rows of which columns are wanted, when it expires, and the size and time of the file when it was
// issued. It is signed (HMAC-SHA256) with a key of the process, or one that several servers share. A ticket that was
// altered, has expired or names a file outside the roots is refused with PERMISSION_DENIED, one of a file that changed
// since with FAILED_PRECONDITION.
//
// # Who may call
//
// With WithTokens every call needs a bearer token, reflection and the health service's Watch too; only the health
// service's Check, which says nothing but that the server runs, does not. WithTLS encrypts, and may demand certificates.
// Limits on streams and memory hold for all clients together and for each one: a client is a token, else a certificate,
// else an address.
//
// # Errors
//
// Codes follow from the kinds of h5err: NOT_FOUND, INVALID_ARGUMENT, UNIMPLEMENTED (unsupported), DATA_LOSS (corrupt, or
// unreadable, as of a file that is cut short while it is sent), RESOURCE_EXHAUSTED (limits, memory). Texts name files
// as they are served, not where they are.
//
// # What is sent, and from where
//
// Record batches go to gRPC as slices of memory, without a protobuf message around them, and on connections that are not
// encrypted from there to the system (writev): values that stand in the file as Arrow wants them are not copied at all.
// When such a file is cut short, the system refuses to write what is no longer there, and the connection of that client
// ends; mostly it is noticed before, and the stream ends with DATA_LOSS. What leads to other values (offsets, indices) is
// copied after it was checked, so that nobody changes it.
//
// On an encrypted connection gRPC's goroutines read the bytes, and must not meet a fault: what is mapped is copied, into
// buffers that are used again and again, by a goroutine that source.Guard protects. WithTrustedInput leaves that out.
//
// What was decoded is lent to gRPC as it is, and released when it was written.
//
// # What is not promised
//
// DoPut, DoExchange and actions other than those of Flight SQL are not implemented. A client that has stopped reading
// and is told DEADLINE_EXCEEDED gets to know it when it reads again.
package flight
