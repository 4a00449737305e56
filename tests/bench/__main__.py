"""`make bench`: run the benchmarks one after the other, each in a process of its own; ARGS names some of them, none means all."""

import subprocess
import sys

BENCHES = {
    "store": "the store's frequent jobs",
    "hot_document": "one busy document on a real server",
}


def main() -> int:
    """Run what the command line names; the exit code says whether all of them ran to their end."""
    names = sys.argv[1:] or list(BENCHES)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        sys.stderr.write(f"There is no benchmark {unknown[0]}; there are {', '.join(BENCHES)}.\n")
        return 2
    failed = 0
    for name in names:
        sys.stdout.write(f"\n{name}: {BENCHES[name]}\n")
        sys.stdout.flush()
        failed |= subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], check=False).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
