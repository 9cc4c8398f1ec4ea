"""Clients of every transport that share no code with Headcount: asyncio's sockets, and aioquic for HTTP/3.

Each `Watch` follows one event from one address, reconnects and resumes as a browser's page does, and notes when it
has seen which revision.
"""

import asyncio
import base64
import os
import random
import re
import ssl
import struct
import time

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, DatagramReceived, HeadersReceived, WebTransportStreamDataReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.events import ConnectionTerminated

# A count's position, in JSON, in JSON inside JSON, and in an attribute of HTML.
POSITION = re.compile(r'position(?:\\?"|&quot;):(?:\\?"|&quot;)([0-9a-z]+-(\d+))(?:\\?"|&quot;)')
RETRY = re.compile(r"retry: (\d+)")
CONNECT_S = 10
# The server sends something every 15 s, or 25 s for Socket.IO.
SILENCE_S = 40

TLS = ssl.create_default_context()
TLS.check_hostname, TLS.verify_mode = False, ssl.CERT_NONE


class Lost(Exception):
    """The connection has ended, or nothing arrives."""


class Watch:
    """One watcher of `place`: {"host", "port", "udp", "caddy", "event"}."""

    def __init__(self, place, kind, address):
        self.place, self.kind, self.address = place, kind, address
        self.event = f"/api/v1/events/{place['event']}"
        # (time, revision) whenever a newer one arrived; for WebTransport also each way by itself.
        self.seen, self.by = [], {"stream": [], "datagram": []}
        self.position, self.text, self.retry_s = None, "", None
        self.requests = self.connections = 0

    def show(self, data, way=None):
        now = time.time()
        self.text += data.decode(errors="replace") if isinstance(data, bytes) else data
        found = RETRY.search(self.text)
        if found:
            self.retry_s = int(found[1]) / 1_000
        end = 0
        for count in POSITION.finditer(self.text):
            end = count.end()
            revision = int(count[2])
            for seen in [self.seen, self.by[way]] if way else [self.seen]:
                if not seen or revision > seen[-1][1]:
                    seen.append((now, revision))
                    if seen is self.seen:
                        self.position = count[1]
        self.text = self.text[max(end, len(self.text) - 2_000) :]

    @property
    def newest(self):
        return self.seen[-1][1] if self.seen else -1

    async def run(self):
        """Follows until it is cancelled."""
        method = getattr(self, self.kind.method)
        while True:
            began = len(self.seen)
            try:
                self.connections += 1
                self.text = ""
                await method()
            except (Lost, OSError, EOFError, asyncio.TimeoutError, ConnectionError):
                pass
            fast = 0.25 if len(self.seen) > began else 1.0
            await asyncio.sleep(fast + random.random() / 2 if self.retry_s is None else self.retry_s)

    # --- HTTP/1.1 over TLS -----------------------------------------------------------------

    async def open(self):
        opening = asyncio.open_connection(
            self.place["host"], self.place["port"], ssl=TLS, server_hostname="localhost", local_addr=(self.address, 0)
        )
        return await asyncio.wait_for(opening, CONNECT_S)

    def request(self, path, *fields):
        self.requests += 1
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", "User-Agent: Mozilla/5.0 (outside)", *fields]
        return "\r\n".join(lines + ["", ""]).encode()

    async def head(self, reader):
        text = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SILENCE_S + 30)).decode()
        status, *fields = text.split("\r\n")
        fields = dict(field.lower().split(": ", 1) for field in fields if field)
        return int(status.split()[1]), fields

    async def stream(self):
        """An answer that does not end: server-sent events, NDJSON, the frame."""
        reader, writer = await self.open()
        try:
            path, resume = self.event + self.kind.path, []
            if self.position:
                resume = [f"Last-Event-ID: {self.position}"]
            writer.write(self.request(path, f"Accept: {self.kind.accept}", *resume))
            status, _ = await self.head(reader)
            if status != 200:
                raise Lost(status)
            while True:
                data = await asyncio.wait_for(reader.read(65_536), SILENCE_S)
                if not data:
                    raise Lost
                self.show(data)
        finally:
            writer.close()

    async def body(self, reader, fields):
        if "content-length" in fields:
            return await reader.readexactly(int(fields["content-length"]))
        return b""

    async def poll(self):
        await self.ask([], random.random() * self.kind.every, self.kind.every)

    async def long_poll(self):
        await self.ask(["Prefer: wait=25"], 0, 0)

    async def ask(self, fields, first_s, pause_s):
        reader, writer = await self.open()
        clock = asyncio.get_running_loop().time
        due = clock() + first_s
        try:
            while True:
                known = [f'If-None-Match: "{self.position}"'] if self.position else []
                writer.write(self.request(self.event, "Accept: application/json", *known, *fields))
                status, head = await self.head(reader)
                if status == 200:
                    self.show(await self.body(reader, head))
                elif status != 304:
                    raise Lost(status)
                # By the clock, as an interval timer: the round trip does not lengthen the interval.
                due = max(due + (pause_s if first_s == 0 else 0), clock())
                first_s = 0
                await asyncio.sleep(due - clock())
        finally:
            writer.close()

    async def websocket(self):
        after = f"?after={self.position}" if self.position else ""
        await self.frames(self.event + "/ws" + after, lambda text, say: None)

    async def socketio(self):
        def answer(text, say):
            if text.startswith("0"):
                say('40{"event":"%s"}' % self.place["event"])
            elif text == "2":
                say("3")

        await self.frames("/socket.io/?EIO=4&transport=websocket", answer)

    async def frames(self, path, answer):
        reader, writer = await self.open()
        key = base64.b64encode(os.urandom(16)).decode()
        try:
            upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
            writer.write(self.request(path, *upgrade))
            status, _ = await self.head(reader)
            if status != 101:
                raise Lost(status)

            def say(data, opcode=1):
                data = data.encode() if isinstance(data, str) else data
                mask = os.urandom(4)
                masked = bytes(byte ^ mask[n % 4] for n, byte in enumerate(data))
                writer.write(bytes([0x80 | opcode, 0x80 | len(data)]) + mask + masked)

            while True:
                begin = await asyncio.wait_for(reader.readexactly(2), SILENCE_S)
                opcode, length = begin[0] & 15, begin[1] & 127
                if length == 126:
                    length = struct.unpack("!H", await reader.readexactly(2))[0]
                data = await reader.readexactly(length)
                if opcode == 9:
                    say(data, 10)
                elif opcode == 8:
                    raise Lost
                elif opcode == 1:
                    answer(data.decode(), say)
                    self.show(data + b"\n")
        finally:
            writer.close()

    # --- HTTP/3 ----------------------------------------------------------------------------

    async def http3(self):
        protocol = await Quic.open(self)
        try:
            protocol.ask()
            while True:
                await asyncio.wait_for(protocol.news.wait(), SILENCE_S)
                protocol.news.clear()
                if protocol.ended:
                    raise Lost
        finally:
            protocol.close()
            protocol.transmit()
            protocol._transport.close()


class Quic(QuicConnectionProtocol):
    """A connection of HTTP/3: a WebTransport session, or a GET of server-sent events."""

    def __init__(self, quic, watch):
        super().__init__(quic)
        self.watch, self.news, self.ended, self.status = watch, asyncio.Event(), False, None
        self.http = None

    @staticmethod
    async def open(watch, ticket=None, keep=None):
        configuration = QuicConfiguration(
            is_client=True,
            alpn_protocols=H3_ALPN,
            verify_mode=ssl.CERT_NONE,
            max_datagram_frame_size=65_536,
            server_name="localhost",
            session_ticket=ticket,
            idle_timeout=SILENCE_S,
        )
        connection = QuicConnection(configuration=configuration, session_ticket_handler=keep)
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_datagram_endpoint(lambda: Quic(connection, watch), local_addr=(watch.address, 0))
        place = watch.place
        protocol.port = place["udp"] if watch.kind.session else place["caddy"]
        protocol.connect((place["host"], protocol.port))
        return protocol

    def ask(self):
        """Sends the request; it leaves with the handshake's end, or with its first packet (0-RTT)."""
        watch = self.watch
        watch.requests += 1
        self.http = H3Connection(self._quic, enable_webtransport=watch.kind.session)
        stream = self._quic.get_next_available_stream_id()
        fields = [
            (b":method", b"CONNECT" if watch.kind.session else b"GET"),
            (b":scheme", b"https"),
            (b":authority", b"localhost:%d" % self.port),
            (b"user-agent", b"Mozilla/5.0 (outside)"),
        ]
        if watch.kind.session:
            after = f"?after={watch.position}" if watch.position else ""
            fields.insert(1, (b":protocol", b"webtransport"))
            fields.insert(3, (b":path", f"{watch.event}/wt{after}".encode()))
        else:
            fields.insert(3, (b":path", f"{watch.event}/stream".encode()))
            fields.append((b"accept", b"text/event-stream"))
            if watch.position:
                fields.append((b"last-event-id", watch.position.encode()))
        self.http.send_headers(stream, fields, end_stream=not watch.kind.session)
        self.transmit()

    async def move(self, address):
        """Continues from another address, as a browser does that migrates."""
        loop = asyncio.get_running_loop()
        old = self._transport
        transport, _ = await loop.create_datagram_endpoint(lambda: _Forward(self), local_addr=(address, 0))
        self._transport = transport
        old.close()
        self._quic.send_ping(0)
        self.transmit()

    def connection_lost(self, error):
        """Its socket is gone; the connection need not be."""

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated):
            self.ended = True
            self.news.set()
        if self.http is None:
            return
        for each in self.http.handle_event(event):
            if isinstance(each, HeadersReceived):
                self.status = int(dict(each.headers)[b":status"])
                self.ended = self.ended or self.status != 200
            elif isinstance(each, DataReceived) and not self.watch.kind.session:
                self.watch.show(each.data)
                self.ended = self.ended or each.stream_ended
            elif isinstance(each, DatagramReceived):
                self.watch.show(each.data + b"\n", "datagram")
            elif isinstance(each, WebTransportStreamDataReceived):
                self.watch.show(each.data, "stream")
                self.ended = self.ended or each.stream_ended
            self.news.set()


class _Forward(asyncio.DatagramProtocol):
    """Hands the packets of a new socket to a connection."""

    def __init__(self, protocol):
        self.protocol = protocol

    def datagram_received(self, data, address):
        self.protocol.datagram_received(data, address)


class Kind:
    """A transport's name and how it is followed."""

    def __init__(self, name, method, path="", accept="", every=0, session=False):
        self.name, self.method, self.path, self.accept, self.every, self.session = name, method, path, accept, every, session


KINDS = [
    Kind("Server-sent events", "stream", "/stream", "text/event-stream"),
    Kind("NDJSON", "stream", "/stream", "application/x-ndjson"),
    Kind("WebSocket", "websocket"),
    Kind("WebTransport", "http3", session=True),
    Kind("Socket.IO", "socketio"),
    Kind("iframe streaming", "stream", "/frame", "text/html"),
    Kind("Long poll", "long_poll"),
    Kind("Poll every 1s", "poll", every=1),
    Kind("Poll every 3s", "poll", every=3),
    Kind("SSE over HTTP/3 (Caddy)", "http3"),
]
