// Package nullbitmap converts every representation of missing values to Arrow validity bitmaps, and back, at the speed
// of memory.
//
// # Bitmaps
//
// A validity bitmap has one bit per value, least significant bit first: value i is bit i%8 of byte i/8. A 1 bit is a valid
// value, a 0 bit a null. Every function that takes a bitmap also takes a bit offset of any size, so that batches, slices
// and rows of several chunks can be joined without regard to byte borders. Lengths may be any number of bits.
//
// Functions that write bits return how many of the bits that they wrote are 0: the exact null count, from the same
// pass. They change no bit before or after their range; [ClearTrailing] clears the bits after the last value, which
// Arrow recommends.
//
// With [Intersect] a value stays valid only where it was valid already: this combines several sources, for example a
// mask and a sentinel, in one bitmap. [Overwrite] ignores the earlier bits.
//
// # To bitmaps
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
//	any of several rules                        Any
//	rows from the items of N-D data           RowsAny, RowsAll
//	items from the rows that own them      Repeat
//
// Nonzero, AnyBit, Equal, EqualMasked, EqualFloat, NaN, OutsideInt, OutsideUint, OutsideFloat, MinusOne and Any return a [Rule]: the
// compiled condition under which an element of a given number of bytes is null. A Rule is made once and applied to any
// number of blocks of values, by [Rule.Apply] to packed elements and by [Rule.ApplyStrided] to members of compounds and
// columns of matrices. Values are raw bytes as the file stores them, at any address, in either byte order; they need no
// swapping or aligning first.
//
// # From bitmaps
//
//	byte masks, bools                           ToMask, UnpackBools
//	integer masks                               ToInts
//	bits, either order, either polarity         ToBits
//	a named bit of a bit field                  WriteBits
//	sentinels, NaN payloads, codes of -1        WriteSentinel, WriteSentinelStrided
//
// For each pair, writing a bitmap and reading it again is the identity, provided, for sentinels, that no valid value
// equals the sentinel. Ranges have no inverse: write a sentinel outside of the range.
//
// # Errors and panics
//
// Constructors of rules take values from files, so they return errors, all of which wrap [ErrRule]. All other functions
// take slices and numbers that the caller has checked. An argument that can't be valid is a bug and panics before
// anything is written: a range outside of its slice, a length that is not a multiple of the width, the zero Rule, an
// enumeration's invalid zero. Contents of masks, values and bitmaps never cause a panic.
//
// # Kernels
//
// On amd64 the inner loops are assembly for AVX2 or AVX-512, chosen by what the processor can do; elsewhere, and with
// the build tag purego, they are Go code for eight bytes at a time. Results are the same bit for bit. Calls start no
// goroutines and allocate nothing, except that strided elements and bit fields use pooled blocks of 8 KiB. They may run
// concurrently as long as none writes memory that another one uses: two ranges of one bitmap may be filled concurrently
// if they share no byte.
//
// A fault while reading memory that is mapped from a file is a Go panic, also in assembly, for a caller that has set
// debug.SetPanicOnFault.
//
// # What is not promised
//
//   - That source and destination may overlap, unless the function documents it.
//   - The contents of the destination after a panic or a recovered fault.
//   - That bytes are written only once, or that [WriteSentinel] and [WriteBits] do not write bytes in their range that
//     keep their values.
//   - That the order of tests inside a Rule is kept, or that all of them run.
//   - Any bit pattern of a NaN that [StoredFloat] rounds to fewer than 8 bytes.
//   - That slices on the stack stay there: they may escape to the heap.
package nullbitmap
