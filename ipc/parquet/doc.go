// Package parquet writes record batches as Parquet files.
//
// It is a separate package because arrow-go's parts of it add gRPC to the build of every program that imports it.
//
// # Encodings
//
// How a column of a row group is encoded follows from a sample of its values: integers and times as DELTA_BINARY_PACKED, floats as
// BYTE_STREAM_SPLIT, with a dictionary, or PLAIN, whichever is smallest as the codec leaves it. A codec that saves less than a
// twentieth of a column of numbers is not used for it. Other types are PLAIN or have a dictionary. There are statistics, a page index and, if
// WithBloomFilters asks for them, Bloom filters. In statistics of floats, NaN does not count, and a bound of zero is -0 below and
// +0 above. WithCompat writes for readers that know less.
//
// Columns of numbers that are not nested are encoded by this package, where they are in memory. arrow-go's writer encodes all others.
//
// A row group consists of complete batches, gathered until they are large enough, so that if batches end at chunk borders,
// row groups do too. Workers encode the columns of one or two row groups into memory, and the output is the same for any
// number of workers. The Arrow schema is stored in addition to the Parquet schema (key ARROW:schema), as other Arrow
// libraries do, so that readers that know it return the same types and metadata.
//
// # Types
//
// Types that Parquet lacks are written as the closest type, and Conversions names them: timestamps and times in seconds
// become milliseconds, durations become integers. Dictionaries are an encoding in Parquet and not a type: readers that use
// the stored schema return dictionaries again, with indices of their own choice. Lists of fixed size are written as lists,
// extension types as their storage. Types without any counterpart (unions, run-end encoding, views, ...) are an error of
// kind Unsupported.
//
// # Mapped input that is cut short
//
// Workers read values inside source.Guard: an input that is cut short is an error of kind IO with the name of the file and
// the offset. Indices and values of dictionaries, which arrow-go reads on its own goroutines, are copied first. Batches are
// released even if a fault interrupts arrow-go's writer; buffers of an allocator (WithAllocator) that the writer held are
// not freed in that case.
package parquet
