"""Ask the web server on this machine whether it is well: ``python -m mpc.housekeeping.probe [URL]``. No Django here.

A container asks it every some seconds, so it loads nothing. It names the site as its visitors do (the first of
MPC_HOSTS), for the site answers to no other name. Exit status: 0 well, 1 not.
"""

from __future__ import annotations

import os
import sys
import urllib.request

TIMEOUT_S = 10.0


def main() -> int:
    bind = os.environ.get("MPC_BIND", "127.0.0.1:8000").replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - not bound here
    url = sys.argv[1] if len(sys.argv) > 1 else f"http://{bind}/health/"
    host = os.environ.get("MPC_HOSTS", "localhost").split(",")[0].strip().lstrip(".") or "localhost"
    request = urllib.request.Request(url, headers={"Host": host})  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            said = answer.read(200).decode(errors="replace")
    except OSError as error:
        sys.stderr.write(f"{url}: {error}\n")
        return 1
    sys.stdout.write(f"{said}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
