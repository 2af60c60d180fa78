// Package h2 gathers the HTTP/2 frames that a grpc-go server writes to a connection into few system calls, without
// copying what they hold. It is used by package flight only, and imports nothing of grpc-go: it works on what grpc-go
// writes, and therefore depends on how grpc-go writes it.
//
// # What is assumed of grpc-go
//
// A new release of grpc-go may break any of these. TestAssumptions records what the release in go.mod writes, and names
// those that do not hold.
//
//   - Header alone: with grpc.WriteBufferSize(0), the header of a DATA frame that is not empty is written by a call of
//     net.Conn.Write of its own, of exactly 9 bytes.
//   - Payload follows: the next calls write the payload of that frame, and nothing else, until it is complete.
//   - Whole frames: any other call writes complete frames, the first one from its start.
//   - One writer: no two calls of Write overlap on one connection.
//   - No copies: payload that comes from the buffers of a mem.BufferSlice that the codec returned is written as slices of
//     those buffers with their capacity kept, so that SameArray finds them. It may be cut anywhere. Other payload is the
//     prefix of a message, of 5 bytes, which may change after Write has returned.
//   - Written before free: a buffer goes back to its mem.BufferPool after the last Write of its bytes has returned. While
//     the connection lives, every buffer of 4 KiB or more goes back.
//   - End of streams: servers end streams by HEADERS with END_STREAM or by RST_STREAM, never by DATA. DATA frames have no
//     flags.
//   - Frame size: DATA frames have no more than 16 KiB of payload, however much the client allows.
//   - Windows: no DATA is written beyond the windows that the client has granted in what net.Conn.Read has returned.
//   - Reads: everything that the client sends is read by net.Conn.Read, by one goroutine at a time.
//   - End of connections: stats.ConnEnd is reported after the last call of Write has returned.
//
// If Payload follows or Whole frames did not hold, clients would receive broken frames. If No copies did not hold, data
// would still arrive, but be written at once, frame by frame.
package h2
