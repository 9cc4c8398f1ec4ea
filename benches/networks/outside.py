"""Measures a server from outside, with clients that share no code with Headcount, and prints JSON.

    outside.py watch     '{…}'   every transport until standard input ends; prints `ready` when all have the first count
    outside.py reconnect '{…}'   what a new connection costs until its first count: time, bytes, packets
    outside.py load      '{…}'   five registrations a second until standard input ends, from beside the server: no cut holds them up
    outside.py path      '{…}'   for how long the number is old after the device got another address
    outside.py idle      '{…}'   what a watcher takes of the server's memory

The JSON names the place: {"host", "port", "udp", "caddy", "plain", "event", "token", "device", "watchers", "times", "pid", "kinds"}.
Runs in the namespace of the client, as root: it adds addresses to the device and captures its packets with tcpdump.
"""

import asyncio
import datetime
import json
import pathlib
import random
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request

from ages import row
from capture import traffic
from clients import KINDS, TLS, Quic, Watch

BASE = "10.99.0."


def api(place, path, body=None):
    """An answer of the API, as JSON."""
    request = urllib.request.Request(f"https://{place['host']}:{place['port']}/api/v1/{path}", method="POST" if body else "GET")
    request.add_header("Authorization", f"Bearer {place['token']}")
    request.add_header("Content-Type", "application/json")
    data = json.dumps(body).encode() if body else None
    for attempt in range(10):
        try:
            with urllib.request.urlopen(request, data, timeout=20, context=TLS) as answer:
                return json.load(answer)
        except (OSError, ssl.SSLError):
            if attempt == 9:
                raise
            time.sleep(0.5)


def create(place):
    """The event, unless an earlier part has made it."""
    event = {"slug": place["event"], "title": "A line", "capacity": None}
    if place["event"] not in [each["event"] for each in api(place, "events")["events"]]:
        api(place, "events", event)


def register(place, number):
    person = {"name": f"Person {number}", "email": f"outside-{number}-{random.random()}@example.invalid"}
    return api(place, f"events/{place['event']}/registrations", person)


def add_address(place, last, action="add"):
    subprocess.run(["ip", "address", action, f"{BASE}{last}/24", "dev", place["device"]], check=True)


# --- watch -------------------------------------------------------------------------------------


async def watch(place):
    watches = []
    for number, kind in enumerate(KINDS):
        add_address(place, 20 + number)
        watches += [Watch(place, kind, f"{BASE}{20 + number}") for _ in range(place["watchers"])]
    position = api(place, f"events/{place['event']}")["position"]
    folder = tempfile.TemporaryDirectory()
    file = pathlib.Path(folder.name, "packets")
    capture = subprocess.Popen(
        ["tcpdump", "-i", place["device"], "-n", "-s", "64", "-U", "-Z", "root", "-w", str(file)], stderr=subprocess.DEVNULL
    )
    tasks = [asyncio.create_task(each.run()) for each in watches]
    deadline = time.time() + 40
    while any(each.newest < 0 for each in watches):
        await asyncio.sleep(0.05)
        if time.time() > deadline:
            capture.kill()
            late = sorted({each.kind.name for each in watches if each.newest < 0})
            sys.exit(f"no count in 40 s: {late}")
    before = [(each.requests, each.connections) for each in watches]
    begin = time.time()
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    marks = []
    while True:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        if not line:
            break
        if line == "register\n":
            await loop.run_in_executor(None, register, place, random.random())
        else:
            # The line or the server is back.
            marks.append((line.strip(), time.time()))
    end = time.time()
    commits = await loop.run_in_executor(None, changes, place, position)
    deadline = time.time() + 15
    while time.time() < deadline and any(each.newest < commits[-1][1] for each in watches):
        await asyncio.sleep(0.05)
    await end_of(tasks)
    capture.send_signal(signal.SIGTERM)
    capture.wait()
    packets = traffic(file, begin, end)
    rows = []
    for number, kind in enumerate(KINDS):
        mine = [(each, old) for each, old in zip(watches, before) if each.kind is kind]
        address = f"{BASE}{20 + number}"
        rows.append(row(kind.name, mine, commits, packets.get(address, {}), marks, begin, end))
        if kind.session:
            for way in ("stream", "datagram"):
                rows.append(row(f"WebTransport, its {way}s only", mine, commits, {}, marks, begin, end, way))
    print(json.dumps({"rows": rows, "changes": len(commits), "marks": [name for name, _ in marks]}))


def changes(place, position):
    """(time, revision) of every commit after a position, from the change log."""
    commits = []
    while True:
        page = api(place, f"events/{place['event']}/changes?limit=1000&after={position}")["changes"]
        if not page:
            return commits
        for change in page:
            commits.append((moment(change["at"]), change["revision"]))
        position = page[-1]["position"]


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


# --- load --------------------------------------------------------------------------------------


async def load(place):
    loop = asyncio.get_running_loop()
    ended = loop.run_in_executor(None, sys.stdin.read)
    while not ended.done():
        await loop.run_in_executor(None, register, place, random.random())
        await asyncio.wait([ended], timeout=random.expovariate(5))
    print("{}")


# --- reconnect ---------------------------------------------------------------------------------


def counters(place):
    folder = pathlib.Path(f"/sys/class/net/{place['device']}/statistics")
    return [int((folder / name).read_text()) for name in ("rx_bytes", "tx_bytes", "rx_packets", "tx_packets")]


async def reconnect(place):
    """One connection after the other on a quiet line: from the first packet to the first count."""
    sse = next(kind for kind in KINDS if kind.name == "Server-sent events")
    http3 = next(kind for kind in KINDS if kind.method == "http3" and not kind.session)
    session = next(kind for kind in KINDS if kind.session)
    loop, rows = asyncio.get_running_loop(), []
    tickets = {}
    over_tcp = lambda **words: lambda: loop.run_in_executor(None, lambda: tcp(place, sse, tickets, **words))
    ways = [
        ("SSE over plain TCP", over_tcp(tls=False)),
        ("SSE over TLS, full handshake", over_tcp()),
        ("SSE over TLS, resumed", over_tcp(resume=True)),
        ("SSE over HTTP/3 (Caddy), full handshake", lambda: quic(place, http3, tickets, False)),
        ("SSE over HTTP/3 (Caddy), resumed", lambda: quic(place, http3, tickets, True)),
        ("WebTransport, full handshake", lambda: quic(place, session, tickets, False)),
        ("WebTransport, resumed", lambda: quic(place, session, tickets, True)),
    ]
    for name, way in ways:
        took, bytes_, packets, notes = [], [], [], set()
        # The first one brings the ticket that the others resume with.
        for turn in range(place["times"] + 1):
            before = counters(place)
            seconds, note = await way()
            after = counters(place)
            if turn:
                took.append(1_000 * seconds)
                bytes_.append(after[0] + after[1] - before[0] - before[1])
                packets.append(after[2] + after[3] - before[2] - before[3])
                notes.add(note)
            await asyncio.sleep(0.4)
        rows.append({"name": name, "ms": took, "bytes": bytes_, "packets": packets, "notes": sorted(notes)})
    print(json.dumps({"rows": rows}))


def tcp(place, kind, tickets, tls=True, resume=False):
    began = time.monotonic()
    sock = socket.create_connection((place["host"], place["port"] if tls else place["plain"]), 20)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    note = "plain"
    if tls:
        ticket = tickets.get("tls") if resume else None
        sock = TLS.wrap_socket(sock, server_hostname="localhost", session=ticket)
        note = f"{sock.version()}, {'resumed' if sock.session_reused else 'full'}"
    watch = Watch(place, kind, "")
    event = watch.event if tls else "/api/v1/events/welcome"
    sock.sendall(f"GET {event}/stream HTTP/1.1\r\nHost: localhost\r\nAccept: {kind.accept}\r\n\r\n".encode())
    while watch.newest < 0:
        data = sock.recv(65_536)
        if not data:
            raise EOFError
        watch.show(data)
    took = time.monotonic() - began
    if tls:
        tickets["tls"] = sock.session
    sock.close()
    return took, note


async def quic(place, kind, tickets, resume):
    key = kind.name
    watch = Watch(place, kind, "0.0.0.0")
    keep = lambda ticket: tickets.__setitem__(key, ticket)
    began = time.monotonic()
    protocol = await Quic.open(watch, tickets.get(key) if resume else None, keep)
    protocol.ask()
    while watch.newest < 0:
        await asyncio.wait_for(protocol.news.wait(), 20)
        protocol.news.clear()
        if protocol.ended:
            raise EOFError(kind.name)
    took = time.monotonic() - began
    tls = protocol._quic.tls
    note = "resumed" if tls.session_resumed else "full"
    if tls.early_data_accepted:
        note += ", 0-RTT"
    # A ticket comes after the handshake.
    if key not in tickets:
        await asyncio.sleep(1)
    protocol.close()
    protocol.transmit()
    await asyncio.sleep(0)
    protocol._transport.close()
    return took, note


# --- path --------------------------------------------------------------------------------------


async def path(place):
    """The device's address changes under a watcher; from then to the first count that is newer."""
    sse = next(kind for kind in KINDS if kind.name == "Server-sent events")
    session = next(kind for kind in KINDS if kind.session)
    last, rows = 100, []
    for name, kind, follow in [
        ("SSE over TLS, opened again at once", sse, again(0)),
        ("SSE over TLS, opened again after its retry", sse, again(None)),
        ("WebTransport, the connection migrates", session, migrate),
        ("WebTransport, opened again at once", session, again(0)),
    ]:
        took = []
        for _ in range(place["times"]):
            add_address(place, last)
            watch = Watch(place, kind, f"{BASE}{last}")
            task = asyncio.create_task(watch.run()) if follow is not migrate else None
            protocol = None
            if follow is migrate:
                protocol = await Quic.open(watch)
                protocol.ask()
            await until(lambda: len(watch.seen) >= 4, task, name)
            switched = time.time()
            add_address(place, last + 1)
            add_address(place, last, "delete")
            watch.address = f"{BASE}{last + 1}"
            known, seen = watch.newest, len(watch.seen)
            task = await follow(watch, task, protocol)
            await until(lambda: len(watch.seen) > seen, task, name)
            took.append(1_000 * (watch.seen[seen][0] - switched))
            if task:
                await end_of([task])
            if protocol:
                protocol.close()
                protocol.transmit()
                protocol._transport.close()
            add_address(place, last + 1, "delete")
            last += 2
        rows.append({"name": name, "ms": took})
    print(json.dumps({"rows": rows}))


async def end_of(tasks):
    """Cancels tasks. Before Python 3.12 `wait_for` drops a cancellation that comes with its result, so it may take another."""
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=0.2)


async def until(done, task, name):
    deadline = time.time() + 60
    while not done():
        await asyncio.sleep(0.002)
        if task and task.done():
            task.result()
        if time.time() > deadline:
            sys.exit(f"{name}: nothing within 60 s")


def again(wait_s):
    """The browser knows of the change, drops the connection and opens another."""

    async def follow(watch, task, _):
        await end_of([task])
        await asyncio.sleep(watch.retry_s or 3 if wait_s is None else wait_s)
        return asyncio.create_task(watch.run())

    return follow


async def migrate(watch, _, protocol):
    await protocol.move(watch.address)


# --- idle --------------------------------------------------------------------------------------


async def idle(place):
    """Memory that a fresh server takes for each idle watcher over TLS or QUIC."""
    rows = []
    for kind in [each for each in KINDS if each.name in place["kinds"]]:
        first = await crowd(place, kind, place["watchers"] // 5)
        before = resident(place)
        rest = await crowd(place, kind, place["watchers"])
        await asyncio.sleep(2)
        after = resident(place)
        rows.append({"name": kind.name, "kib": (after - before) / 1024 / place["watchers"]})
        await end_of(first + rest)
    print(json.dumps({"rows": rows}))


async def crowd(place, kind, number):
    tasks = []
    for _ in range(number):
        watch = Watch(place, kind, place["host"])
        tasks.append(asyncio.create_task(watch.run()))
        while watch.newest < 0:
            await asyncio.sleep(0.005)
    return tasks


def resident(place):
    text = pathlib.Path(f"/proc/{place['pid']}/status").read_text()
    return 1024 * int(next(line for line in text.splitlines() if line.startswith("RssAnon")).split()[1])


def main(mode, place):
    create(place)
    if mode != "watch":
        # The others wait for nothing.
        print("ready", flush=True)
    asyncio.run(MODES[mode](place))


MODES = {"watch": watch, "load": load, "reconnect": reconnect, "path": path, "idle": idle}
main(sys.argv[1], json.loads(sys.argv[2]))
