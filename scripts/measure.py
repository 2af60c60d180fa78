"""Runs a program for a race."""
import resource
import subprocess
import sys
import time


def process(argv):
    """Returns the seconds of a process, its processor time, and the peak of its anonymous memory in bytes."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    p = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    peak = 0
    while p.poll() is None:
        try:
            with open("/proc/%d/status" % p.pid) as f:
                peak = max([peak] + [int(line.split()[1]) << 10 for line in f if line.startswith("RssAnon")])
        except (FileNotFoundError, ProcessLookupError):
            pass
        time.sleep(0.002)
    seconds = time.monotonic() - start
    if p.returncode:
        sys.exit("%s: %s ended with status %d" % (sys.argv[0], " ".join(argv[:3]), p.returncode))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak
