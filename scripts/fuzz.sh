#!/bin/sh
# Runs every fuzz target for FUZZTIME. When a target fails, its input is left in testdata/fuzz of its package.
set -u
go=${GO:-go}
tags=${TAGS:-}
status=0
for package in $($go list -tags "$tags" -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}}{{end}}' ${PKGS:-./...} | while read -r path dir; do
	grep -lqs '^func Fuzz' "$dir"/*_test.go && echo "$path"
done); do
	for target in $($go test -tags "$tags" -list '^Fuzz' "$package" | grep '^Fuzz'); do
		echo "fuzz: $package $target"
		if ! out=$($go test -tags "$tags" -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-10s}" -fuzzminimizetime 10x "$package" 2>&1); then
			echo "$out"
			status=1
		fi
	done
done
exit $status
