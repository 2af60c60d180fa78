"""A web server for a folder of this machine that sends ranges of files, as HDF5 files are read by URL."""
import contextlib
import http.server
import re
import threading


class Ranges(http.server.SimpleHTTPRequestHandler):
    """Sends the range of a file that is asked for, to who has the key; of files whose names start with hang nothing, until it ends."""

    def __init__(self, *args, key, ended, **options):
        self.key, self.ended = key, ended
        super().__init__(*args, **options)

    def send_head(self):
        if self.path.startswith("/hang"):
            self.ended.wait()
        if self.key and self.headers.get("X-Key") != self.key:
            self.send_error(403)
            return None
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            return super().send_head()
        try:
            f = open(self.translate_path(self.path), "rb")
        except OSError:
            self.send_error(404)
            return None
        size = f.seek(0, 2)
        start = f.seek(int(asked[1]))
        stop = min(size, int(asked[2] or size) + 1)
        self.send_response(206)
        self.send_header("Content-Length", str(stop - start))
        self.send_header("Content-Range", "bytes %d-%d/%d" % (start, stop - 1, size))
        self.send_header("ETag", '"%d"' % size)
        self.end_headers()
        self.remaining = stop - start
        return f

    def copyfile(self, source, out):
        out.write(source.read(getattr(self, "remaining", -1)))

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(folder, key=""):
    """Serve a folder on 127.0.0.1; the value is its URL. With a key, requests need a header X-Key that has it."""
    ended = threading.Event()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: Ranges(*a, key=key, ended=ended, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield "http://127.0.0.1:%d" % server.server_port
        finally:
            ended.set()
            server.shutdown()
