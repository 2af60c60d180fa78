// Package parquet writes record batches as Parquet files, by arrow-go's writer.
//
// It is a package of its own because that writer brings gRPC into the build of whoever imports it.
//
// A row group is made of whole batches, gathered until they are large enough, so that where batches end at the borders
// of chunks, row groups do too. Workers encode several row groups at a time, each into memory, and the bytes that are
// written are the same for every number of workers. The Arrow schema is stored beside the Parquet one (key
// ARROW:schema), as other Arrow libraries do, so that readers that know it give the same types and metadata back.
//
// # Types
//
// What Parquet lacks is written as what comes closest, and Conversions names it: timestamps in seconds become
// milliseconds, durations are integers, times in seconds milliseconds. Dictionaries are an encoding in Parquet and no
// type: readers that use the stored schema make them dictionaries again, with indices of their own choice. Lists of
// fixed size are lists, extension types their storage. Types that have no counterpart at all (unions, run-end encoding,
// views, ...) are refused with an error of kind Unsupported.
//
// # Mapped input that is cut short
//
// Values are read by the workers inside source.Guard: what can't be read ends in an error of kind IO that names the
// file and the offset. Indices and labels of dictionaries, which arrow-go reads on goroutines of its own, are copied
// first. Batches are released even where a fault breaks off arrow-go's writer; buffers of an allocator (WithAllocator)
// that the writer held are not freed then.
package parquet
