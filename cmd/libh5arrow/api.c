//go:build cgo

// The C interface: it keeps forked processes out of Go, and calls Go for all else.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#else
#include <pthread.h>
#include <unistd.h>
#endif

#include "_cgo_export.h"
#include "bridge.h"

#ifdef _WIN32
static int forked(void) { return 0; }
static uint64_t this_thread(void) { return GetCurrentThreadId(); }
#else
static pid_t owner; // the process that loaded the library

__attribute__((constructor)) static void loaded(void) { owner = getpid(); }

static int forked(void) { return getpid() != owner; }
static uint64_t this_thread(void) { return (uint64_t)(uintptr_t)pthread_self(); }
#endif

#define FORKED "h5arrow was loaded before this process was forked, and Go's runtime does not survive a fork; start processes by spawn"

static char *copy(const char *s) {
	size_t n = strlen(s) + 1;
	char *out = malloc(n);
	return out == NULL ? NULL : memcpy(out, s, n);
}

static char *fork_error(void) { return copy("{\"kind\": \"fork\", \"message\": \"" FORKED "\"}"); }

int h5arrow_abi(void) { return H5ARROW_ABI; }

const char *h5arrow_version(void) {
	static char *text; // two threads may make it at once, and both are right
	if (text == NULL && !forked()) text = goVersion();
	return text == NULL ? "" : text;
}

void h5arrow_free(void *p) { free(p); }

void *h5arrow_alloc(size_t size) { return calloc(1, size); }

char *h5arrow_open(const char *name, const char *options, uint64_t *file) {
	return forked() ? fork_error() : goOpen((char *)name, (char *)options, file);
}

char *h5arrow_tables(uint64_t file, char **json) { return forked() ? fork_error() : goTables(file, json); }

char *h5arrow_datasets(uint64_t file, char **json) { return forked() ? fork_error() : goDatasets(file, json); }

char *h5arrow_check(uint64_t file, const char *options, char **json) {
	return forked() ? fork_error() : goCheck(file, (char *)options, json);
}

char *h5arrow_table(uint64_t file, const char *options, uint64_t *table) {
	return forked() ? fork_error() : goTable(file, (char *)options, table);
}

char *h5arrow_concat(const uint64_t *tables, size_t n, const char *options, uint64_t *table) {
	return forked() ? fork_error() : goConcat((uint64_t *)tables, n, (char *)options, table);
}

char *h5arrow_files(const char *options, uint64_t *table) { return forked() ? fork_error() : goFiles((char *)options, table); }

char *h5arrow_manifest(uint64_t table, const char *name, const char *options, char **json) {
	return forked() ? fork_error() : goManifest(table, (char *)name, (char *)options, json);
}

char *h5arrow_narrow(uint64_t table, const char *options, uint64_t *out) {
	return forked() ? fork_error() : goNarrow(table, (char *)options, out);
}

char *h5arrow_describe(uint64_t table, char **json) { return forked() ? fork_error() : goDescribe(table, json); }

char *h5arrow_splits(uint64_t table, const char *options, char **json) {
	return forked() ? fork_error() : goSplits(table, (char *)options, json);
}

char *h5arrow_count(uint64_t table, int64_t *rows) { return forked() ? fork_error() : goCount(table, rows); }

char *h5arrow_reader(uint64_t table, const char *options, uint64_t *reader) {
	return forked() ? fork_error() : goReader(table, (char *)options, reader);
}

char *h5arrow_next(uint64_t reader, uint64_t *batch) { return forked() ? fork_error() : goNext(reader, batch); }

char *h5arrow_write(struct ArrowArrayStream *in, const char *name, const char *options, uint64_t *job) {
	return forked() ? fork_error() : goWrite((uintptr_t)in, (char *)name, (char *)options, job);
}

char *h5arrow_wait(uint64_t job, int64_t milliseconds, int64_t *rows, char **json) {
	return forked() ? fork_error() : goWait(job, milliseconds, rows, json);
}

char *h5arrow_cancel(uint64_t reader) { return forked() ? fork_error() : goCancel(reader); }

void h5arrow_end(int64_t milliseconds) {
	if (!forked()) goEnd(milliseconds);
}

char *h5arrow_close(uint64_t handle) { return forked() ? fork_error() : goClose(handle); }

char *h5arrow_stats(char **json) { return forked() ? fork_error() : goStats(json); }

// Interrupts.

static int (*check)(void);
static uint64_t check_thread;

void h5arrow_set_interrupt(int (*fn)(void), uint64_t thread) {
	check_thread = thread;
	check = fn;
}

int h5arrow_interrupted(void) { return check != NULL && check_thread == this_thread() && check() != 0; }

// Release callbacks of exported structs call Go. In a forked process that would wait forever, so each struct gets a callback
// that leaves it alone there.

struct schema_guard {
	void (*release)(struct ArrowSchema *);
	void *private_data;
};

static void release_schema(struct ArrowSchema *s) {
	struct schema_guard *g = s->private_data;
	if (forked()) {
		s->release = NULL;
		return;
	}
	s->release = g->release;
	s->private_data = g->private_data;
	free(g);
	s->release(s);
}

static int guard_schema(struct ArrowSchema *s) {
	struct schema_guard *g = malloc(sizeof *g);
	if (g == NULL) return ENOMEM;
	g->release = s->release;
	g->private_data = s->private_data;
	s->private_data = g;
	s->release = release_schema;
	int err = 0;
	for (int64_t i = 0; i < s->n_children && err == 0; i++) err = guard_schema(s->children[i]);
	if (s->dictionary != NULL && err == 0) err = guard_schema(s->dictionary);
	return err;
}

struct array_guard {
	void (*release)(struct ArrowArray *);
	void *private_data;
};

static void release_array(struct ArrowArray *a) {
	struct array_guard *g = a->private_data;
	if (forked()) {
		a->release = NULL;
		return;
	}
	a->release = g->release;
	a->private_data = g->private_data;
	free(g);
	a->release(a);
}

static int guard_array(struct ArrowArray *a) {
	struct array_guard *g = malloc(sizeof *g);
	if (g == NULL) return ENOMEM;
	g->release = a->release;
	g->private_data = a->private_data;
	a->private_data = g;
	a->release = release_array;
	int err = 0;
	for (int64_t i = 0; i < a->n_children && err == 0; i++) err = guard_array(a->children[i]);
	if (a->dictionary != NULL && err == 0) err = guard_array(a->dictionary);
	return err;
}

static char *no_memory(void) { return copy("{\"kind\": \"memory\", \"message\": \"out of memory for an Arrow struct\"}"); }

// guarded guards what was exported; what can't be guarded is released.
static char *guarded(char *err, struct ArrowArray *array, struct ArrowSchema *schema) {
	if (err != NULL) return err;
	int failed = array != NULL && guard_array(array) != 0;
	failed |= schema != NULL && guard_schema(schema) != 0;
	if (!failed) return NULL;
	if (array != NULL) array->release(array);
	if (schema != NULL) schema->release(schema);
	return no_memory();
}

char *h5arrow_schema(uint64_t table, struct ArrowSchema *out) {
	return forked() ? fork_error() : guarded(goSchema(table, (uintptr_t)out), NULL, out);
}

char *h5arrow_batch(uint64_t batch, struct ArrowArray *array, struct ArrowSchema *schema) {
	return forked() ? fork_error() : guarded(goBatch(batch, (uintptr_t)array, (uintptr_t)schema), array, schema);
}

// Streams.

struct stream {
	uint64_t reader;
	char *error; // the last one, as JSON or text
};

// keep keeps an error for get_last_error.
static int keep(struct stream *s, char *error) {
	if (error == NULL) return 0;
	free(s->error);
	s->error = forked() ? error : goMessage(error); // the message of the JSON, which it frees
	return EIO;
}

static int stream_schema(struct ArrowArrayStream *self, struct ArrowSchema *out) {
	struct stream *s = self->private_data;
	if (forked()) return keep(s, fork_error());
	return keep(s, guarded(goReaderSchema(s->reader, (uintptr_t)out), NULL, out));
}

static int stream_next(struct ArrowArrayStream *self, struct ArrowArray *out) {
	struct stream *s = self->private_data;
	uint64_t batch = 0;
	int err = keep(s, h5arrow_next(s->reader, &batch));
	if (err != 0) return err;
	if (batch == 0) {
		out->release = NULL; // the end
		return 0;
	}
	err = keep(s, h5arrow_batch(batch, out, NULL));
	free(h5arrow_close(batch));
	return err;
}

static const char *stream_error(struct ArrowArrayStream *self) { return ((struct stream *)self->private_data)->error; }

static void stream_release(struct ArrowArrayStream *self) {
	struct stream *s = self->private_data;
	free(h5arrow_close(s->reader));
	free(s->error);
	free(s);
	self->release = NULL;
}

char *h5arrow_stream(uint64_t table, const char *options, struct ArrowArrayStream *out) {
	struct stream *s = calloc(1, sizeof *s);
	if (s == NULL) return no_memory();
	char *err = h5arrow_reader(table, options, &s->reader);
	if (err != NULL) {
		free(s);
		return err;
	}
	out->get_schema = stream_schema;
	out->get_next = stream_next;
	out->get_last_error = stream_error;
	out->release = stream_release;
	out->private_data = s;
	return NULL;
}

// Python.

static struct h5arrow_python python;

// The exception of a signal handler, until deliver raises it.
static struct {
	void *type, *value, *trace;
} raised;

// in_finalizer reports whether the thread runs a __del__. An exception that is raised there is printed, and lost.
static int in_finalizer(void) {
	int found = 0;
	void *frame = python.current_frame(); // borrowed
	if (frame != NULL) python.inc_ref(frame);
	while (frame != NULL) {
		void *code = python.frame_code(frame), *back = python.frame_back(frame);
		void *name = python.attribute(code, "co_name");
		found |= name != NULL && python.compare(name, "__del__") == 0;
		python.dec_ref(name);
		python.dec_ref(code);
		python.dec_ref(frame);
		frame = back;
	}
	return found;
}

// deliver raises the exception. Python calls it in its main thread between two instructions.
static int deliver(void *unused) {
	if (raised.type == NULL) return 0;
	if (in_finalizer() && python.add_pending(deliver, NULL) == 0) return 0;
	python.restore(raised.type, raised.value, raised.trace);
	memset(&raised, 0, sizeof raised);
	return -1;
}

// python_check runs Python's signal handlers. An exception that they raise is raised again when the thread is back in the
// interpreter: the code that called may be any, and would lose it.
static int python_check(void) {
	int state = python.gil_ensure();
	int failed = python.check_signals() != 0;
	if (failed) {
		void *type = raised.type, *value = raised.value, *trace = raised.trace; // of a signal before
		python.fetch(&raised.type, &raised.value, &raised.trace);
		python.dec_ref(type);
		python.dec_ref(value);
		python.dec_ref(trace);
		if (python.add_pending(deliver, NULL) != 0) python.async_exception(python.thread, raised.type);
	}
	python.gil_release(state);
	return failed;
}

void h5arrow_set_python(const struct h5arrow_python *functions) {
	python = *functions;
	h5arrow_set_interrupt(python_check, python.thread);
}

void h5arrow_drop(uint64_t *handle) {
	uint64_t number = __atomic_exchange_n(handle, 0, __ATOMIC_ACQ_REL);
	if (number != 0) free(h5arrow_close(number)); // it fails in a forked process
}

void h5arrow_release_handle(void *capsule) {
	uint64_t *handle = python.capsule_pointer(capsule, NULL);
	h5arrow_drop(handle);
	free(handle);
}

void h5arrow_release_schema(void *capsule) {
	struct ArrowSchema *s = python.capsule_pointer(capsule, "arrow_schema");
	if (s != NULL && s->release != NULL) s->release(s);
	free(s);
}

void h5arrow_release_array(void *capsule) {
	struct ArrowArray *a = python.capsule_pointer(capsule, "arrow_array");
	if (a != NULL && a->release != NULL) a->release(a);
	free(a);
}

void h5arrow_release_stream(void *capsule) {
	struct ArrowArrayStream *s = python.capsule_pointer(capsule, "arrow_array_stream");
	if (s != NULL && s->release != NULL) s->release(s);
	free(s);
}
