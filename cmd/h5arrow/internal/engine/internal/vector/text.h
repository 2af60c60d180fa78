#ifndef H5ARROW_ENGINE_TEXT_H
#define H5ARROW_ENGINE_TEXT_H

#include <stdint.h>

// The function may not be passed memory of a mapped file: a fault would end the process.

// h5arrow_fill_text writes n strings into the string_t elements at data, in the engine's vector. String i is
// bytes[offsets[i]] up to offsets[i+1]. The caller has checked the offsets.
void h5arrow_fill_text(void *vector, void *data, const char *bytes, const int64_t *offsets, int64_t n);

#endif
