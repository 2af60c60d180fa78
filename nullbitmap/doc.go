// Package nullbitmap turns every spelling of "missing" into Arrow validity bitmaps, and back, at the speed of memory.
//
// # Bitmaps
//
// A validity bitmap has one bit a value, least significant bit first: value i is bit i%8 of byte i/8. A 1 bit is a valid
// value, a 0 bit a null. Every function that takes a bitmap takes a bit offset with it, of any size, so that batches,
// slices and rows of several chunks can be put together without regard to bytes. Lengths are any, too.
//
// Functions that write bits return how many of the bits that they wrote are 0: the exact null count, got in the same
// pass. They touch no bit before or after their range; [ClearTrailing] is for the bits after the last value, which Arrow
// likes to be zero.
//
// With [Intersect] a value stays valid only where it was valid already: that is how several sources, a mask and a
// sentinel say, add up to one bitmap. With [Overwrite] what was there is ignored.
//
// # From a spelling to a bitmap
//
//	byte masks, bools of numpy and HDF5         FromMask, FromMaskStrided (one member of a compound)
//	integer masks                               Nonzero
//	bits, either order, either polarity         FromBits
//	a named bit of a bit field                  AnyBit
//	one or several sentinels, NaN payloads      Equal
//	sentinels as numbers, with -0 == 0          EqualFloat
//	any NaN                                     NaN
//	valid_min, valid_max, valid_range           OutsideInt, OutsideUint, OutsideFloat
//	categorical codes                           MinusOne
//	several of these about one value            Any
//	N-D items, of which a row is made           RowsAny, RowsAll
//	rows, whose items share their validity      Repeat
//
// Those from Nonzero on, but for the bits and rows, make a [Rule]: the compiled condition under which an element of so
// many bytes is null. A Rule is made once and then applied to as many blocks of values as there are, by [Rule.Apply] to
// elements that are packed and by [Rule.ApplyStrided] to members of compounds and columns of matrices. Values are raw
// bytes as the file stores them, at any address, in either byte order; nothing has to be swapped or aligned before.
//
// # From a bitmap to a spelling
//
//	byte masks, bools                           ToMask, UnpackBools
//	integer masks                               ToInts
//	bits, either order, either polarity         ToBits
//	a named bit of a bit field                  WriteBits
//	sentinels, NaN payloads, codes of -1        WriteSentinel, WriteSentinelStrided
//
// Going there and back is the identity on bitmaps for each pair, provided, for sentinels, that no valid value equals
// the sentinel. Ranges have no inverse: write a sentinel that lies outside.
//
// # Mistakes
//
// Constructors of rules are given what a file says, so they return errors, all of which wrap [ErrRule]. All other
// functions are given slices and numbers that the caller has checked or made: an argument that can't be valid, as a
// range that does not lie in its slice, a length that is no multiple of the width, the zero Rule, or an enumeration's
// invalid zero, is a bug, and panics before anything is written. No content of masks, values or bitmaps ever panics.
//
// # Kernels
//
// On amd64 the inner loops are assembly for AVX2 or AVX-512, chosen by what the processor can do; elsewhere, and with
// the build tag purego, they are Go that looks at eight bytes at a time. Results are the same in every bit. Calls
// allocate nothing (but once in a while a block of 8 KiB that strided elements and bit fields go through), start no
// goroutines, and may run at once as long as none writes memory that another one uses: two ranges of one bitmap may be
// filled at once if they share no byte.
//
// A fault while reading memory that is mapped from a file arrives as a Go panic, in the assembly too, for a caller that
// has set debug.SetPanicOnFault.
//
// # What is not promised
//
//   - That source and destination may overlap, unless a function says so.
//   - What the destination holds after a panic or a recovered fault.
//   - That bytes are written once, or that bytes in the range of [WriteSentinel] and [WriteBits] are not rewritten with
//     what they held.
//   - That the order of tests inside a Rule is kept, or that all of them run.
//   - Any bit pattern of a NaN that [StoredFloat] rounds to fewer than 8 bytes.
//   - That slices whose memory could be on the stack stay there: they may be moved to the heap.
package nullbitmap
