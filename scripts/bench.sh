#!/bin/sh
# Compares the speed with that of other programs if ../shared/bench has the scripts for it, else runs the Go benchmarks.
# BENCH_ROWS sets the rows of the files to compare on (20 million: about 3 GB), BENCH_DIR the folder that keeps them.
set -eu
cd "$(dirname "$0")/.."
peers=../shared/bench
if [ ! -f "$peers/compare.py" ]; then
	exec "${GO:-go}" test -tags "${TAGS:-}" -run '^$' -bench . -benchtime 200ms ${PKGS:-./...}
fi
dir=${BENCH_DIR:-build/bench}
scripts/venv.sh build/venv-bench "$peers/requirements.txt"
export PYTHONDONTWRITEBYTECODE=1
build/venv-bench/bin/python "$peers/gen.py" "$dir" --rows "${BENCH_ROWS:-20000000}"
rust=$dir/cargo/release/rustpeer
if command -v cargo >/dev/null 2>&1 && [ ! -x "$rust" ]; then
	cargo build --quiet --release --manifest-path "$peers/rustpeer/Cargo.toml" --target-dir "$dir/cargo" || echo "bench: without the Rust peer"
fi
build/venv-bench/bin/python "$peers/compare.py" "$dir" --h5arrow bin/h5arrow --rustpeer "$rust"
build/venv-bench/bin/python scripts/flight_race.py "$dir/contiguous.h5" --h5arrow bin/h5arrow --unix
[ -f "$dir/mixed.h5" ] || build/venv-bench/bin/python scripts/flight_race.py "$dir/mixed.h5" --h5arrow bin/h5arrow --make 13000000
build/venv-bench/bin/python scripts/flight_race.py "$dir/mixed.h5" --h5arrow bin/h5arrow --unix
build/venv-bench/bin/python scripts/write_race.py "$dir" --h5arrow bin/h5arrow
if command -v cargo >/dev/null 2>&1; then
	scripts/venv.sh build/venv testdata/interop/requirements.txt examples/requirements.txt scripts/requirements.txt
	mkdir -p "$dir/codecs"
	build/venv/bin/python scripts/codec_race.py "$dir/codecs" --h5arrow bin/h5arrow
fi
