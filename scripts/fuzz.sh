#!/bin/sh
# Runs every fuzz target for FUZZTIME. The test program of a package is linked once for all its targets; inputs that lead to new
# code are kept where `go test -fuzz` keeps them. When a target fails, its input is left in testdata/fuzz of its package.
set -u
go=${GO:-go}
tags=${TAGS:-}
status=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
kept=$($go env GOCACHE)/fuzz
$go list -tags "$tags" -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}}{{end}}' ${PKGS:-./...} >"$work/packages" || exit 1
while read -r package dir; do
	grep -qs '^func Fuzz' "$dir"/*_test.go || continue
	if ! $go test -tags "$tags" -ldflags='-s -w' -c -fuzz '^Fuzz' -o "$work/test" "$package"; then
		status=1
		continue
	fi
	for target in $(cd "$dir" && "$work/test" -test.list '^Fuzz' | grep '^Fuzz'); do
		echo "fuzz: $package $target"
		if ! out=$(cd "$dir" && "$work/test" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "${FUZZTIME:-10s}" -test.fuzzminimizetime 10x \
			-test.fuzzcachedir "$kept/$package" 2>&1 </dev/null); then
			echo "$out"
			status=1
		fi
	done
done <"$work/packages"
exit $status
