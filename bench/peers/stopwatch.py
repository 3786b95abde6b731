"""The protocol of bench/harness/stopwatch.ts."""

import json
import sys
import time


def stopwatch(jobs):
    for line in sys.stdin:
        name, count, argument = line.split()
        began = time.perf_counter_ns()
        jobs[name](int(count), int(argument))
        took = time.perf_counter_ns() - began
        print(json.dumps({"ns": took / int(count)}), flush=True)
