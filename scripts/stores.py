#!/usr/bin/env python3
"""Runs the interoperability cases over HTTP, and a third of them over S3, Google Cloud Storage and Azure, by servers that others wrote:
moto, fake-gcs-server and Azurite. Then it writes an object of several parts to each, and reads it back.

    stores.py CASEDIR --h5arrow BIN [--moto moto_server] [--gcs fake-gcs-server] [--azurite azurite-blob] [--jobs N] [--only http,s3,gs,az]

All servers listen on 127.0.0.1 and stop at the end.
"""
import argparse
import base64
import concurrent.futures
import contextlib
import email.utils
import hashlib
import hmac
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "testdata", "interop"))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
import interop  # noqa: E402
import run_cases  # noqa: E402

ACCOUNT = "devstoreaccount1"  # Azurite's, with the key that its documentation has
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


class Files(http.server.SimpleHTTPRequestHandler):
    """Answers requests for ranges of files."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        path = self.translate_path(self.path)
        if not os.path.isfile(path):
            return self.send_error(404)
        with open(path, "rb") as f:
            data = f.read()
        m = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        first, last = (int(m[1]), min(int(m[2]), len(data) - 1)) if m else (0, len(data) - 1)
        if m and first >= len(data):
            self.send_response(416)
            self.send_header("Content-Range", "bytes */%d" % len(data))
            body = b""
        else:
            body = data[first:last + 1]
            self.send_response(206 if m else 200)
            if m:
                self.send_header("Content-Range", "bytes %d-%d/%d" % (first, last, len(data)))
        self.send_header("ETag", '"%s"' % hashlib.md5(data).hexdigest())
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def server(args, port, cwd):
    with open(os.path.join(cwd, "server.log"), "wb") as log:
        p = subprocess.Popen(args, cwd=cwd, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if p.poll() is not None:
                sys.exit("%s ended with status %d" % (args[0], p.returncode))
            time.sleep(0.1)
        else:
            sys.exit("%s does not listen" % args[0])
        yield
    finally:
        p.terminate()
        p.wait()


def send(method, url, body=b"", headers=()):
    req = urllib.request.Request(url, data=body, method=method, headers=dict({"Content-Type": "application/octet-stream"}, **dict(headers)))
    with urllib.request.urlopen(req, timeout=60) as r:
        return r.read()


class Web:
    scheme, share = "http", 1

    @contextlib.contextmanager
    def run(self, a, tmp):
        handler = lambda *args: Files(*args, directory=a.casedir)  # noqa: E731
        s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=s.serve_forever, daemon=True).start()
        self.prefix = "http://127.0.0.1:%d/" % s.server_port
        yield {}
        s.shutdown()

    def put(self, key, data):
        pass


class Amazon:
    scheme, share, prefix = "s3", 3, "s3://bucket/"

    @contextlib.contextmanager
    def run(self, a, tmp):
        port = free_port()
        self.url = "http://127.0.0.1:%d" % port
        with server([a.moto, "-H", "127.0.0.1", "-p", str(port)], port, tmp):
            send("PUT", self.url + "/bucket", headers=self.auth())
            yield {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}

    def auth(self):  # moto takes any
        return {"Authorization": "AWS4-HMAC-SHA256 Credential=id/20240101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x"}

    def put(self, key, data):
        send("PUT", self.url + "/bucket/" + urllib.parse.quote(key), data, self.auth())

    def unfinished(self):
        return send("GET", self.url + "/bucket?uploads", None, self.auth()).count(b"<Upload>")


class Google:
    scheme, share, prefix = "gs", 3, "gs://bucket/"

    @contextlib.contextmanager
    def run(self, a, tmp):
        port = free_port()
        self.url = "http://127.0.0.1:%d" % port
        with server([a.gcs, "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory", "-external-url", self.url], port, tmp):
            send("POST", self.url + "/storage/v1/b", b'{"name": "bucket"}', {"Content-Type": "application/json"})
            yield {"STORAGE_EMULATOR_HOST": self.url}

    def put(self, key, data):
        send("POST", self.url + "/upload/storage/v1/b/bucket/o?uploadType=media&name=" + urllib.parse.quote(key, safe=""), data,
             {"Content-Type": "application/octet-stream"})

    def unfinished(self):
        return 0


class Azure:
    scheme, share, prefix = "az", 3, "az://%s/bucket/" % ACCOUNT

    @contextlib.contextmanager
    def run(self, a, tmp):
        port = free_port()
        self.url = "http://127.0.0.1:%d/%s" % (port, ACCOUNT)
        args = [a.azurite, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", tmp, "--skipApiVersionCheck", "--silent", "--disableTelemetry"]
        with server(args, port, tmp):
            self.request("PUT", "/bucket?restype=container", b"", {})
            yield {"AZURE_STORAGE_CONNECTION_STRING": "DefaultEndpointsProtocol=http;AccountName=%s;AccountKey=%s;BlobEndpoint=%s;" % (ACCOUNT, KEY, self.url)}

    def request(self, method, at, body, headers):
        """Signs a request by Shared Key."""
        headers = dict({"Content-Type": "application/octet-stream"}, **headers, **{"x-ms-date": email.utils.formatdate(usegmt=True), "x-ms-version": "2021-12-02"})
        path, _, query = at.partition("?")
        signed = [method, "", "", str(len(body)) if body else "", "", headers["Content-Type"], "", "", "", "", "", ""]
        signed += ["%s:%s" % (k.lower(), headers[k]) for k in sorted(headers, key=str.lower) if k.lower().startswith("x-ms-")]
        resource = "/%s/%s%s" % (ACCOUNT, ACCOUNT, path) + "".join("\n%s:%s" % tuple(p.split("=")) for p in sorted(query.split("&")) if p)
        sign = hmac.new(base64.b64decode(KEY), "\n".join(signed + [resource]).encode(), hashlib.sha256).digest()
        headers["Authorization"] = "SharedKey %s:%s" % (ACCOUNT, base64.b64encode(sign).decode())
        return send(method, self.url + at, body, headers)

    def put(self, key, data):
        self.request("PUT", "/bucket/" + urllib.parse.quote(key), data, {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/octet-stream"})

    def unfinished(self):
        return 0


class FromStore:
    """The module subprocess, as run_cases uses it, with the objects of a store in place of the cases' files."""

    def __init__(self, prefix, casedir):
        self.prefix, self.casedir = prefix, os.path.abspath(casedir)

    def __getattr__(self, name):
        return getattr(subprocess, name)

    def run(self, cmd, **how):
        name = os.path.relpath(cmd[2], self.casedir)
        return subprocess.run(cmd[:2] + [self.prefix + name] + cmd[3:], **how)


def run_families(store, a, cases, env):
    """Runs every case, or a share of them, and returns the failures that a path does not have."""
    listed = interop.read_failures(a.failures)
    chosen = [c for i, c in enumerate(cases) if i % store.share == 0]
    names = {c["file"] for c in chosen}
    for folder in {os.path.dirname(c["file"]) for c in chosen}:  # what they refer to is beside them
        names.update(os.path.join(folder, n) for n in os.listdir(os.path.join(a.casedir, folder)) if os.path.isfile(os.path.join(a.casedir, folder, n)))
    for name in sorted(names):
        with open(os.path.join(a.casedir, name), "rb") as f:
            store.put(name, f.read())
    os.environ.update(env)
    run = argparse.Namespace(**dict(vars(a), extra=["--allow-external", store.prefix, "--limit", "decoded-bytes=1GiB"]))  # PyTables makes large chunks for blosc2
    run_cases.subprocess = FromStore(store.prefix, a.casedir)
    bad, families = [], {}
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        for case, wrong in zip(chosen, pool.map(lambda c: run_cases.run_case(c, run), chosen)):
            counts = families.setdefault(case["family"], [0, 0])
            ok = not wrong or case["name"] in listed
            counts[0] += ok
            counts[1] += 1
            if not ok:
                bad.append("%s: FAIL %s: %s" % (store.scheme, case["name"], " ".join(wrong)[:400]))
    print(store.scheme + ": " + ", ".join("%s %d/%d" % (name, ok, n) for name, (ok, n) in families.items()), flush=True)
    return bad


def upload(store, a, tmp):
    """Writes an object of several parts, reads it back, and has one fail."""
    local, large = os.path.join(tmp, "local.arrow"), os.path.join(tmp, "large.h5")
    if not os.path.exists(large):
        import h5py
        import numpy
        with h5py.File(large, "w") as f:
            f["t/x"] = numpy.random.default_rng(1).integers(0, 1 << 60, 3_000_000)
    back, url = os.path.join(tmp, "back.arrow"), store.prefix + "out/large.arrow"

    def h5arrow(*args):
        p = subprocess.run([a.h5arrow, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        return p.returncode, p.stderr.strip()
    bad = []
    for want, args in [(0, ["convert", large, local, "--force"]), (0, ["convert", large, url]), (2, ["convert", large, url]),
                       (0, ["convert", large, url, "--force"]), (0, ["repack", large, store.prefix + "out/back.h5"]),
                       (0, ["convert", store.prefix + "out/back.h5", back, "--force"])]:
        got, message = h5arrow(*args)
        if got != want:
            bad.append("%s: %s: status %d, want %d: %s" % (store.scheme, args, got, want, message))
    with contextlib.suppress(OSError):
        with open(local, "rb") as f, open(back, "rb") as g:
            if f.read() != g.read():
                bad.append("%s: what was written is read back otherwise" % store.scheme)
    if store.unfinished():
        bad.append("%s: an upload is left" % store.scheme)
    print("%s: uploads %s" % (store.scheme, "failed" if bad else "are right"), flush=True)
    return bad


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("casedir")
    p.add_argument("--h5arrow", required=True)
    p.add_argument("--moto", default="moto_server")
    p.add_argument("--gcs", default="fake-gcs-server")
    p.add_argument("--azurite", default="azurite-blob")
    p.add_argument("--failures", default=os.path.join(ROOT, "testdata", "interop-failures.txt"))
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--only", default="http,s3,gs,az")
    a = p.parse_args()
    a.casedir, a.h5arrow, a.ext, a.extra, a.timeout = os.path.abspath(a.casedir), os.path.abspath(a.h5arrow), ".arrow", [], 120
    for name in ("moto", "gcs", "azurite"):  # they run in another folder
        setattr(a, name, os.path.abspath(shutil.which(getattr(a, name)) or getattr(a, name)))
    with open(os.path.join(a.casedir, "cases.json"), encoding="utf-8") as f:
        cases = json.load(f)
    bad = []
    with tempfile.TemporaryDirectory() as tmp:
        for store in (Web(), Amazon(), Google(), Azure()):
            if store.scheme not in a.only.split(","):
                continue
            with store.run(a, tmp) as env:
                bad += run_families(store, a, cases, env)
                if store.scheme != "http":
                    bad += upload(store, a, tmp)
    for line in bad:
        print(line)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
