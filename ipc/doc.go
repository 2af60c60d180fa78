// Package ipc writes record batches as Arrow IPC files and streams, and reads them back.
//
// Write takes any array.RecordReader. Buffers that stand in a file mapping go to the output by write(2) straight from
// the mapping, so that a mapped column moves from page cache to page cache; only headers and small buffers are gathered
// first. Compression runs on goroutines of this package, several batches at a time, and what is written is the same for
// every number of them.
//
// # Mapped input that is cut short
//
// Every goroutine that reads a batch's bytes does so inside source.Guard, and a write(2) that meets an unreadable page
// fails with EFAULT: both end in an error of kind IO that names the input file and the offset. To that end arrow-go's
// compression stays at a concurrency of one, where it reads a buffer on the calling goroutine only (its zstd encoder
// hands blocks to goroutines of its own, but copies them first).
//
// # What is not promised
//
// Output is not synced to disk. Buffers are aligned to 8 bytes, as the format demands, not to 64 as it recommends.
package ipc
