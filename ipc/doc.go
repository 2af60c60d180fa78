// Package ipc writes record batches as Arrow IPC files and streams, and reads them back.
//
// Write takes any array.RecordReader. Mapped buffers are written by write(2) directly from the mapping, so that a mapped
// column moves from page cache to page cache; only headers and small buffers are gathered first. Several batches are
// compressed at a time, and the output is the same for any number of workers.
//
// # Mapped input that is cut short
//
// All goroutines read the bytes of batches inside source.Guard, and a write(2) that meets an unreadable page fails with
// EFAULT: both return an error of kind IO with the name of the input file and the offset. Therefore arrow-go compresses with
// a concurrency of one, so that it reads buffers on the calling goroutine only (its zstd encoder passes blocks to other
// goroutines, but copies them first).
//
// # What is not promised
//
// Output is not synced to disk. Buffers are aligned to 8 bytes, as the format requires, not to 64 as it recommends.
package ipc
