"""Every path of every real webui found: a row for each, with its result (passed, failed, or absent) and its reason.

``--json docs/compatibility.json`` also writes the table in the README. A run of some releases or paths replaces their
rows in the file, and leaves the others.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.real_hosts import find_hosts, hosts_folder
from tests.releases.all_paths import KNOWN_RELEASES, rows_of
from tests.releases.compatibility import KEPT, write_readme
from tests.releases.rows import ABSENT, ALL, FAILED, Row, merged, printed, read_json, write_json


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="start.py test-hosts", description=__doc__)
    parser.add_argument("releases", nargs="*", metavar="RELEASE", help="the folders to run; all that are found")
    parser.add_argument("--only", action="append", default=[], metavar="PATH", help="this path alone; repeatable")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the rows in FILE as well")
    asked = parser.parse_args(arguments)
    found = {host.name: host for host in find_hosts()}
    unknown = [name for name in asked.releases if name not in {**found, **dict.fromkeys(KNOWN_RELEASES)}]
    if unknown:
        parser.error(f"no release {', '.join(unknown)} in {hosts_folder()} (there: {', '.join(found) or 'none'})")
    rows: list[Row] = []
    for name in asked.releases or dict.fromkeys([*KNOWN_RELEASES, *found]):
        if name in found:
            for row in rows_of(found[name], asked.only):
                rows.append(row)
                print(printed(row), flush=True)
        else:
            rows.append(Row(name, ALL, ABSENT, f"there is no {name} in TEXTGEN_HOSTS: it was only read"))
            print(printed(rows[-1]), flush=True)
    if asked.json is not None:
        kept = merged(read_json(asked.json) if asked.json.exists() else [], rows, KNOWN_RELEASES)
        write_json(kept, asked.json)
        if asked.json.resolve() == KEPT:
            write_readme(kept)
    return int(any(row.result == FAILED for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
