"""A line with delay between two network namespaces: a TUN device in each, and this program between them.

    relay.py NAMESPACE-A ADDRESS-A NAMESPACE-B ADDRESS-B ONE-WAY-MS JITTER-MS [CUT-EVERY-S CUT-FOR-S]

Prints `ready` once both devices are up, and runs until SIGTERM; then it prints as JSON how late it was with its packets.
Packets stay in order, as on a real path. During a cut nothing passes. Needs root.
"""

import fcntl
import heapq
import json
import os
import random
import selectors
import signal
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
MTU = 1500
# Packets that wait: a second of a fast line. More are lost, as in a real router.
MOST = 20_000


def device(name, namespace, address):
    """A TUN device that is moved into a namespace; its file stays here."""
    file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    run = lambda *words: subprocess.run(words, check=True)
    run("ip", "link", "set", name, "netns", namespace)
    run("ip", "-n", namespace, "address", "add", address, "dev", name)
    run("ip", "-n", namespace, "link", "set", name, "mtu", str(MTU), "up")
    return file


def main(a, address_a, b, address_b, delay_ms, jitter_ms, cut_every_s=0, cut_for_s=0):
    files = [device("line0", a, address_a), device("line1", b, address_b)]
    other = {files[0]: files[1], files[1]: files[0]}
    last = dict.fromkeys(files, 0.0)
    waiting, number = [], 0
    selector = selectors.DefaultSelector()
    for file in files:
        selector.register(file, selectors.EVENT_READ)
    late = []

    def end(*_):
        late.sort()
        p99, most = (1_000 * late[min(len(late) - 1, int(len(late) * share))] for share in (0.99, 1)) if late else (0, 0)
        print(json.dumps({"packets": len(late), "late_p99_ms": p99, "late_most_ms": most}), flush=True)
        sys.exit()

    signal.signal(signal.SIGTERM, end)
    print("ready", flush=True)
    began = time.monotonic()
    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            due, _, file, packet = heapq.heappop(waiting)
            late.append(now - due)
            try:
                os.write(file, packet)
            except (BlockingIOError, OSError):
                pass  # lost, as in a full queue
        timeout = max(0.0, waiting[0][0] - now) if waiting else None
        for key, _ in selector.select(timeout):
            while True:
                try:
                    packet = os.read(key.fd, MTU + 100)
                except BlockingIOError:
                    break
                now = time.monotonic()
                # The first cut comes after half a period.
                into = (now - began) % cut_every_s - cut_every_s / 2 if cut_every_s else -1
                if 0 <= into < cut_for_s or len(waiting) >= MOST:
                    continue
                due = now + (delay_ms + random.uniform(0, jitter_ms)) / 1_000
                due = last[key.fd] = max(due, last[key.fd])
                number += 1
                heapq.heappush(waiting, (due, number, other[key.fd], packet))


main(*sys.argv[1:5], *map(float, sys.argv[5:]))
