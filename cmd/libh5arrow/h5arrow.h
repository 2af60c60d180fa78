/*
 * h5arrow: the tables of HDF5 files as Apache Arrow, for C and for languages that call C.
 *
 * Version of the interface: H5ARROW_ABI. Functions and options may be added to it; a change of what exists changes the number.
 *
 * Errors. Each function that returns char * returns NULL, or an error as a JSON object that the caller frees with
 * h5arrow_free:
 *
 *   {"kind": "corrupt", "message": "a.h5: /x: at byte 4096: corrupt: ...", "file": "a.h5", "object": "/x", "offset": 4096,
 *    "options": ["strings"], "errno": 2}
 *
 * All but kind and message may be missing. Kinds: corrupt (the file contradicts itself), unsupported (a sound file that asks
 * for something that is not implemented or not allowed), argument (the caller's), not found (no such object), i/o, memory,
 * limit, canceled, internal (a bug of this library), fork.
 *
 * Options and answers are JSON texts in UTF-8. NULL and "" stand for the defaults; an unknown option is an error. Answers are freed
 * with h5arrow_free.
 *
 * Handles are numbers, never 0 and not used again. All functions may be called from any thread. A handle that is closed while
 * another thread uses it stays valid until that call returns. Tables keep their files open, readers their tables.
 *
 * Memory. Columns that the file stores as Arrow has them lie in a mapping of the file, which the release callbacks of arrays
 * hold: arrays are valid until they are released, whatever handles were closed. If the file is cut short meanwhile, reading
 * such an array ends the process with SIGBUS, as for any mapped file; the option "copy" of readers avoids that.
 *
 * Fork. The library does not work in a child process that was forked, without exec, after the library was loaded: functions
 * return an error of kind fork there, and release callbacks do nothing.
 *
 * Signals. As every Go library, this one installs handlers for SIGSEGV, SIGBUS, SIGFPE, SIGPIPE and SIGURG when it is loaded. They
 * pass on what is not about Go code to the handlers that were there before. It installs none for SIGINT and the like.
 */
#ifndef H5ARROW_H
#define H5ARROW_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define H5ARROW_ABI 2

/* The structs of the Arrow C data and C stream interfaces, arrow/c/abi.h. */
struct ArrowSchema;
struct ArrowArray;
struct ArrowArrayStream;

/* h5arrow_abi returns the H5ARROW_ABI of the library. */
int h5arrow_abi(void);

/* h5arrow_version returns the version of the library, which is not to be freed. */
const char *h5arrow_version(void);

/* h5arrow_free frees an error or an answer. */
void h5arrow_free(void *p);

/*
 * h5arrow_open opens a local file, or one of a web server by its URL (http, https; proxies as the environment says). Options: strings
 * (utf8, binary, latin1), enum (labels, values), align (copy, keep, refuse; what is done with mapped values that are not aligned), io
 * (mmap, read), convention, flatten, sorted (a list of columns that are said to be), nan_as_null, tensor, null_rows, allow_external (a
 * list of folders), index (a file with an index of the values, which must fit; "none"; default: the file NAME.h5idx if it fits, none for
 * a URL), headers (an object: the names and values to send with requests for a URL).
 */
char *h5arrow_open(const char *name, const char *options, uint64_t *file);

/*
 * h5arrow_tables describes a file's tables: {"file", "size", "index", "tables": [{"path", "convention", "reason", "rows", "columns":
 * [{"name", "path", "type", "hdf5_type", "shape", "storage", "filters", "delivery", "reason", "nulls", "notes"}], "notes"}],
 * "problem"}. A problem is the error of a part of the file that could not be read. h5arrow_datasets lists all datasets, each as a column.
 */
char *h5arrow_tables(uint64_t file, char **json);
char *h5arrow_datasets(uint64_t file, char **json);

/* h5arrow_check lists a file's defects as errors. Options: deep (decode all chunks), workers. */
char *h5arrow_check(uint64_t file, const char *options, char **json);

/*
 * h5arrow_table returns a table of a file. Options: path (default: the only table), or datasets, a list of paths of datasets of one
 * length; skip_unsupported (leave out columns that can't be read).
 */
char *h5arrow_table(uint64_t file, const char *options, uint64_t *table);

/*
 * h5arrow_concat joins n tables of one schema, one after the other. Options: by_name (columns are matched by name: null where a table
 * has none, numbers of several types as the smallest type that has all of their values).
 */
char *h5arrow_concat(const uint64_t *tables, size_t n, const char *options, uint64_t *table);

/*
 * h5arrow_files returns the table of many files, which are opened some at a time while they are read, and closed: memory does not grow with
 * their number. Options: files (their names), path (of the table in each; default: the only one), by_name (as for h5arrow_concat; opens all
 * files), filename (the name of a column with each row's file), attributes (names of scalar attributes of the tables' groups, or of the root
 * group, that become columns), open (the options of h5arrow_open); manifest (a file that h5arrow_manifest wrote) instead of files, path,
 * by_name and attributes. h5arrow_narrow, h5arrow_describe, h5arrow_splits, h5arrow_count, h5arrow_schema and what reads take such a table;
 * rows are null in its description, which also has "each": the "table", "union" and "file_attributes" of each file, those of a manifest
 * where there is one. Splits say 0 stored_bytes.
 *
 * h5arrow_manifest writes the names, rows, schemas and attributes of the files to a file: {"bytes_out"}. Options: force (replace a file).
 */
char *h5arrow_files(const char *options, uint64_t *table);
char *h5arrow_manifest(uint64_t table, const char *name, const char *options, char **json);

/*
 * h5arrow_narrow returns a part of a table, in this order: columns (a list of names), rows ([from, to], to being -1 for the
 * end), where (a filter: a text such as "fare > 10 and zone in ('a', 'b')", or a list of [column, operator, value]; operators are
 * =, !=, <, <=, >, >=, between, in, not in, is null, is not null), limit (a number of rows). With absent (true), where may name columns
 * that the table lacks, which are null in each row.
 */
char *h5arrow_narrow(uint64_t table, const char *options, uint64_t *out);

/* h5arrow_describe describes a table as h5arrow_tables does. The rows of a filtered table are null. */
char *h5arrow_describe(uint64_t table, char **json);

/*
 * h5arrow_splits divides a table's rows into ranges that can be read on their own: [{"file", "rows": [from, to], "file_rows",
 * "bytes", "stored_bytes"}]. Options: count (of splits, at most), bytes (of Arrow memory of a split).
 */
char *h5arrow_splits(uint64_t table, const char *options, char **json);

/* h5arrow_count counts a table's rows. For a filtered one it reads the columns that the filter uses. */
char *h5arrow_count(uint64_t table, int64_t *rows);

/* h5arrow_schema fills out with a table's schema. */
char *h5arrow_schema(uint64_t table, struct ArrowSchema *out);

/*
 * h5arrow_stream starts to read a table and fills out with a stream of its batches. h5arrow_reader does the same and returns a
 * handle, whose batches h5arrow_next returns. Options: copy (mapped values too), batch_rows, batch_bytes, workers, max_memory
 * (bytes in flight), slow_start (small batches first).
 */
char *h5arrow_stream(uint64_t table, const char *options, struct ArrowArrayStream *out);
char *h5arrow_reader(uint64_t table, const char *options, uint64_t *reader);

/* h5arrow_next returns the reader's next batch, 0 at the end. */
char *h5arrow_next(uint64_t reader, uint64_t *batch);

/* h5arrow_batch fills array, and schema unless it is NULL, with a batch. It may be called several times. */
char *h5arrow_batch(uint64_t batch, struct ArrowArray *array, struct ArrowSchema *schema);

/*
 * h5arrow_write starts to write the batches of a stream, which it takes, as a table of a new HDF5 file, and returns the job. Options:
 * layout (vaex, plain), table (a path), nulls (auto, bitmap, mask, sentinel), compression (none, gzip[:LEVEL], zstd[:LEVEL], lz4,
 * lzf, blosc2[:LEVEL]), shuffle, chunk_rows, page_size, rows (their number if it is known), force (replace a file).
 */
char *h5arrow_write(struct ArrowArrayStream *in, const char *name, const char *options, uint64_t *job);

/*
 * h5arrow_wait waits for a job, at most so many milliseconds, and returns the number of rows written so far. When the job is done,
 * json says what was written: {"rows", "bytes_out", "seconds", "columns": [{"name", "path", "type", "storage", "aligned", "nulls"}],
 * "dropped"}; until then it is NULL. The file appears when it is complete, and not at all after an error.
 */
char *h5arrow_wait(uint64_t job, int64_t milliseconds, int64_t *rows, char **json);

/* h5arrow_cancel ends a reader or a job: its calls, in other threads too, return an error of kind canceled. */
char *h5arrow_cancel(uint64_t handle);

/* h5arrow_close closes a handle of any kind. */
char *h5arrow_close(uint64_t handle);

/*
 * h5arrow_end is for the end of a process or of an interpreter whose streams are written. It cancels all jobs, and waits until none
 * uses its stream any more, at most so many milliseconds. No job can be started after it.
 */
void h5arrow_end(int64_t milliseconds);

/*
 * h5arrow_set_interrupt has check called about ten times a second while a call waits on the given thread (pthread_self as a
 * number), streams' callbacks included. The call is canceled where check does not return 0. NULL ends the checks.
 */
void h5arrow_set_interrupt(int (*check)(void), uint64_t thread);

/* h5arrow_stats counts what is in use: {"handles", "mappings", "goroutines", "bytes"}, bytes being C memory. */
char *h5arrow_stats(char **json);

/*
 * For Python. h5arrow_set_python makes calls of a thread, the main one, run Python's signal handlers while they wait, and
 * cancels them where a handler raises an exception, which is raised again when the thread is back in the interpreter, but in no
 * finalizer. h5arrow_alloc returns memory, all bytes zero. The four functions are destructors of capsules of such memory, so that no
 * bytecode runs where something is released: they close the handle that it holds, or release the struct if nobody took it, and
 * free it. h5arrow_drop closes the handle earlier.
 */
struct h5arrow_python {
	uint64_t thread;                                           /* threading.main_thread().ident */
	void *(*capsule_pointer)(void *capsule, const char *name); /* PyCapsule_GetPointer */
	int (*gil_ensure)(void);                                   /* PyGILState_Ensure */
	void (*gil_release)(int state);                            /* PyGILState_Release */
	int (*check_signals)(void);                                /* PyErr_CheckSignals */
	void (*fetch)(void **type, void **value, void **trace);    /* PyErr_Fetch */
	void (*restore)(void *type, void *value, void *trace);     /* PyErr_Restore */
	int (*add_pending)(int (*fn)(void *), void *arg);          /* Py_AddPendingCall */
	int (*async_exception)(unsigned long thread, void *type);  /* PyThreadState_SetAsyncExc */
	void *(*current_frame)(void);                              /* PyEval_GetFrame */
	void *(*frame_back)(void *frame);                          /* PyFrame_GetBack */
	void *(*frame_code)(void *frame);                          /* PyFrame_GetCode */
	void *(*attribute)(void *object, const char *name);        /* PyObject_GetAttrString */
	int (*compare)(void *text, const char *ascii);             /* PyUnicode_CompareWithASCIIString */
	void (*inc_ref)(void *object);                             /* Py_IncRef */
	void (*dec_ref)(void *object);                             /* Py_DecRef */
};

void h5arrow_set_python(const struct h5arrow_python *functions);
void *h5arrow_alloc(size_t size);
void h5arrow_drop(uint64_t *handle);
void h5arrow_release_handle(void *capsule);
void h5arrow_release_schema(void *capsule);
void h5arrow_release_array(void *capsule);
void h5arrow_release_stream(void *capsule);

#ifdef __cplusplus
}
#endif

#endif
