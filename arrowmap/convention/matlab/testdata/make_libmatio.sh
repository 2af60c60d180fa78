#!/bin/sh
# Writes libmatio.mat.gz beside this file by libmatio 1.5.23 (Debian 12: libmatio-dev 1.5.23-2+deb12u1, gcc): numbers and text of
# several heights, and variables of rank 1, which the library writes as such.
set -eu
here=$(dirname "$0")
d=$(mktemp -d)
trap 'rm -rf "$d"' EXIT
cat > "$d/m.c" <<'C'
#include <matio.h>
#include <stdio.h>

static void put(mat_t *m, const char *name, int class, int type, int rank, size_t *dims, const void *data) {
    matvar_t *v = Mat_VarCreate(name, class, type, rank, dims, (void *)data, 0);
    if (!v || Mat_VarWrite(m, v, MAT_COMPRESSION_NONE)) fprintf(stderr, "%s\n", name);
    Mat_VarFree(v);
}

int main(int argc, char **argv) {
    mat_t *m = Mat_CreateVer(argv[1], NULL, MAT_FT_MAT73);
    double x[3] = {1.5, -2, 0}, one[3] = {7, 8, 9}, two[2] = {1, 2};
    unsigned char ok[3] = {1, 0, 1};
    unsigned short wide[3] = {'h', 0xe9, 0x20ac};
    size_t column[2] = {3, 1}, row[2] = {1, 5}, flat[1] = {3}, four[2] = {1, 4}, letters[1] = {5}, names[2] = {3, 2}, pair[1] = {2}, three[2] = {1, 3};
    put(m, "x", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, column, x);
    put(m, "note", MAT_C_CHAR, MAT_T_UTF8, 2, row, "hello");
    put(m, "utf16", MAT_C_CHAR, MAT_T_UTF16, 2, three, wide);
    put(m, "utf8", MAT_C_CHAR, MAT_T_UTF8, 2, four, "h\xc3\xa9!");
    put(m, "one", MAT_C_DOUBLE, MAT_T_DOUBLE, 1, flat, one);
    put(m, "word", MAT_C_CHAR, MAT_T_UTF8, 1, letters, "world");
    put(m, "names", MAT_C_CHAR, MAT_T_UTF8, 2, names, "acebdf");
    put(m, "ok", MAT_C_UINT8, MAT_T_UINT8, 1, flat, ok);
    matvar_t *s = Mat_VarCreateStruct("s", 2, (size_t[]){1, 1}, (const char *[]){"a", "note"}, 2);
    Mat_VarSetStructFieldByName(s, "a", 0, Mat_VarCreate("a", MAT_C_DOUBLE, MAT_T_DOUBLE, 1, pair, two, 0));
    Mat_VarSetStructFieldByName(s, "note", 0, Mat_VarCreate("note", MAT_C_CHAR, MAT_T_UTF8, 2, row, "inner", 0));
    Mat_VarWrite(m, s, MAT_COMPRESSION_NONE);
    Mat_VarFree(s);
    matvar_t *cell = Mat_VarCreate("cell", MAT_C_CELL, MAT_T_CELL, 2, (size_t[]){2, 1}, NULL, 0);
    Mat_VarSetCell(cell, 0, Mat_VarCreate(NULL, MAT_C_CHAR, MAT_T_UTF8, 2, four, (void *)"h\xc3\xa9!", 0));
    Mat_VarSetCell(cell, 1, Mat_VarCreate(NULL, MAT_C_CHAR, MAT_T_UTF8, 2, three, (void *)"abc", 0));
    Mat_VarWrite(m, cell, MAT_COMPRESSION_NONE);
    Mat_VarFree(cell);
    return Mat_Close(m);
}
C
gcc -I/usr/include/hdf5/serial -o "$d/m" "$d/m.c" -lmatio
"$d/m" "$d/libmatio.mat"
gzip -9n < "$d/libmatio.mat" > "$here/libmatio.mat.gz"
