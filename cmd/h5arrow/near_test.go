package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/webserver"
)

// nearFile writes files that refer to others by links, external storage and virtual datasets.
const nearFile = `
import os, sys, h5py, numpy as np
os.chdir(sys.argv[1]); os.mkdir("parts")
for i in range(2):
    with h5py.File("parts/p%d.h5" % i, "w") as f:
        f["d"] = np.arange(10) + 100 * i
np.arange(10, dtype="<i4").tofile("parts/raw.bin")
l = h5py.VirtualLayout((3, 10), "i8")
for i in range(3):
    l[i] = h5py.VirtualSource("parts/p%d.h5" % i, "d", (10,))
with h5py.File("main.h5", "w", libver="latest") as f:
    f.create_virtual_dataset("vds", l, fillvalue=-1)
    f["link"] = h5py.ExternalLink("parts/p1.h5", "d")
    f["out"] = h5py.ExternalLink("../secret.h5", "d")
    f["escaped"] = h5py.ExternalLink("%2e%2e/secret.h5", "d")
    f["abs"] = h5py.ExternalLink("/secret.h5", "d")
    f["site"] = h5py.ExternalLink("http://127.0.0.1:1/dir/secret.h5", "d")
    f.create_dataset("raw", (10,), "<i4", external=[("parts/raw.bin", 0, 40)])
`

// TestNear reads what a file on a server refers to only in its own directory, and only if that is allowed.
func TestNear(t *testing.T) {
	py := h5test.Python(t, "h5py", "numpy")
	if py == "" {
		t.Skip("no Python with h5py")
	}
	dir := t.TempDir()
	if out, err := exec.Command(py, "-c", nearFile, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	web, store := webserver.New(t), webserver.NewStore(t)
	names := []string{"main.h5", "parts/p0.h5", "parts/p1.h5", "parts/raw.bin"} // p2 is missing
	for _, name := range names {
		web.Put("/dir/"+name, readFile(t, filepath.Join(dir, name)))
		store.Put("/bucket/dir/"+name, readFile(t, filepath.Join(dir, name)))
	}
	secret := readFile(t, filepath.Join(dir, "parts/p0.h5"))
	web.Put("/secret.h5", secret)
	store.Put("/bucket/secret.h5", secret)
	bases := stores(t, store)
	bases["http"] = web.URL + "/"
	for scheme, base := range bases {
		url, near := base+"dir/main.h5", base+"dir"
		for _, d := range []string{"/vds", "/link", "/raw"} {
			local, out := filepath.Join(t.TempDir(), "a.arrow"), filepath.Join(t.TempDir(), "b.arrow")
			expect(t, 0, "convert", filepath.Join(dir, "main.h5"), local, "--dataset", d, "--io", "read")
			expect(t, 0, "convert", url, out, "--dataset", d, "--allow-external", near)
			if !bytes.Equal(readFile(t, local), readFile(t, out)) {
				t.Errorf("%s: %s differs", scheme, d)
			}
			expect(t, exitUnsupported, "convert", url, out, "--force", "--dataset", d)
			expect(t, exitUnsupported, "convert", url, out, "--force", "--dataset", d, "--allow-external", base+"other")
		}
		web.Reset()
		store.Reset()
		for _, d := range []string{"/out", "/abs", "/site", "/escaped"} {
			if r := command(t, "head", url, "--dataset", d, "--allow-external", base); r.status == 0 {
				t.Errorf("%s: %s is followed", scheme, d)
			}
		}
		for _, r := range append(web.Requests(), store.Requests()...) {
			if strings.HasSuffix(r.Path, "/secret.h5") && !strings.Contains(r.Path, "/dir/") {
				t.Errorf("%s: %s was asked for", scheme, r.Path)
			}
		}
	}
}
