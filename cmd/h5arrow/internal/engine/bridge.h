#ifndef H5ARROW_ENGINE_BRIDGE_H
#define H5ARROW_ENGINE_BRIDGE_H

#include <stdint.h>

// None of these functions may be passed memory of a mapped file: a fault would end the process.

// The types of h5arrow_compare: the width in bytes, and one of these.
enum { H5ARROW_SIGNED = 16, H5ARROW_UNSIGNED = 32, H5ARROW_FLOAT = 64 };

// The comparisons. "Not less" and "greater" hold for NaN: it is greater than all constants, which are numbers.
enum { H5ARROW_EQUAL = 1, H5ARROW_NOT_EQUAL, H5ARROW_LESS, H5ARROW_NOT_LESS, H5ARROW_GREATER, H5ARROW_NOT_GREATER };

// h5arrow_compare clears the bits of mask for the values for which the comparison with the constant does not hold. It
// reads words * 64 values.
void h5arrow_compare(int type, int op, const void *values, const void *constant, uint64_t *mask, int64_t words);

// h5arrow_pick writes the values whose bits in mask are set to "to", one after the other. Values have 1, 2, 4 or 8 bytes.
// It reads words * 64 values; there must be room for n, which is at least the number of set bits.
void h5arrow_pick(int width, void *to, int64_t n, const void *values, const uint64_t *mask, int64_t words);

// h5arrow_pick_doubles is h5arrow_pick for floats, which become doubles.
void h5arrow_pick_doubles(double *to, int64_t n, const float *values, const uint64_t *mask, int64_t words);

// h5arrow_pick_bits is h5arrow_pick for bits, which are written to "to", starting at bit at. It sets the bits after the
// last one that it writes, up to the end of that word.
void h5arrow_pick_bits(uint64_t *to, int64_t at, const uint64_t *bits, const uint64_t *mask, int64_t words);

// h5arrow_plain_only, if it is not 0, makes the kernels use plain C only. It is for tests.
extern int h5arrow_plain_only;

#endif
