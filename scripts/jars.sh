#!/bin/sh
# jars.sh DIR: fetches the JDBC driver of Flight SQL, which a test uses, from Maven's central repository to DIR, unless it is
# there. The exit status is 1 without Maven or Java.
set -u
dir=$1
name=flight-sql-jdbc-driver
version=18.3.0
[ -f "$dir/$name.jar" ] && exit 0
command -v mvn >/dev/null && command -v java >/dev/null || {
	echo "jars: no mvn or no java: without the test of the JDBC driver" >&2
	exit 1
}
mkdir -p "$dir"
mvn -B -q org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy "-Dartifact=org.apache.arrow:$name:$version" \
	"-DoutputDirectory=$dir" -Dmdep.stripVersion=true
