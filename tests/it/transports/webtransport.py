"""A client of WebTransport that shares no code with Headcount: aioquic.

    webtransport.py PORT PATH SHA-256 [MODE…]

Checks the certificate's hash, opens a session and prints what arrives, one JSON array a line:
["status", 404, body], ["line", text], ["datagram", text], ["stream-end"], ["close", code, reason], ["reset", stream],
["end", error code]. MODE adds what no browser does: `streams`, `datagrams`, `head`, `method`, `settings`, `twice`, `garbage`. A number opens as many sessions, one after the other,
and holds them.
"""

import asyncio
import contextlib
import hashlib
import json
import ssl
import sys

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.buffer import Buffer
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, DatagramReceived, HeadersReceived, WebTransportStreamDataReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, StopSendingReceived, StreamReset

CLOSE_SESSION = 0x2843


def say(*event):
    print(json.dumps(event), flush=True)


class Client(QuicConnectionProtocol):
    """Prints every event of one connection."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = None
        self.text = b""
        self.body = b""
        self.status = None

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated):
            say("end", event.error_code)
        if isinstance(event, (StreamReset, StopSendingReceived)):
            say("reset", event.stream_id)
        if self.http is None:
            return
        for each in self.http.handle_event(event):
            self.heard(each)

    def heard(self, event):
        if isinstance(event, HeadersReceived):
            self.status = int(dict(event.headers)[b":status"])
            if event.stream_ended or self.status == 200:
                say("status", self.status, "")
        elif isinstance(event, DataReceived):
            self.body += event.data
            if self.status == 200:
                self.capsule()
            elif event.stream_ended:
                say("status", self.status, self.body.decode())
        elif isinstance(event, DatagramReceived):
            say("datagram", event.data.decode())
        elif isinstance(event, WebTransportStreamDataReceived):
            self.text += event.data
            *lines, self.text = self.text.split(b"\n")
            for line in lines:
                say("line", line.decode())
            if event.stream_ended:
                say("stream-end")

    def capsule(self):
        if not self.body:
            return
        buffer = Buffer(data=self.body)
        kind, length = buffer.pull_uint_var(), buffer.pull_uint_var()
        if kind == CLOSE_SESSION:
            say("close", buffer.pull_uint32(), buffer.pull_bytes(length - 4).decode())
            # The client closes the connection.
            self.close()
        self.body = b""


def misbehave(client, mode, stream):
    quic = client._quic
    if mode == "streams":
        for n in range(6):
            own = client.http.create_webtransport_stream(stream, is_unidirectional=True)
            quic.send_stream_data(own, b"x" * 100_000)
        for n in range(150):
            own = client.http.create_webtransport_stream(stream)
            quic.send_stream_data(own, b"x" * 1_000, end_stream=True)
    elif mode == "datagrams":
        for n in range(200):
            client.http.send_datagram(stream, b"x" * 1_000)
    elif mode == "twice":
        other = quic.get_next_available_stream_id()
        client.http.send_headers(other, request("/api/v1/events/gala/wt"))


def request(path, method=b"CONNECT"):
    fields = [
        (b":method", method),
        (b":scheme", b"https"),
        (b":authority", b"localhost"),
        (b":path", path.encode()),
    ]
    if method == b"CONNECT":
        fields.insert(3, (b":protocol", b"webtransport"))
    return fields


async def many(port, path, number):
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(number):
            configuration = QuicConfiguration(
                is_client=True, alpn_protocols=H3_ALPN, verify_mode=ssl.CERT_NONE, max_datagram_frame_size=65_536
            )
            session = connect("127.0.0.1", int(port), configuration=configuration, create_protocol=Client)
            client = await stack.enter_async_context(session)
            client.http = H3Connection(client._quic, enable_webtransport=True)
            stream = client._quic.get_next_available_stream_id()
            client.http.send_headers(stream, request(path))
            client.transmit()
        await asyncio.Event().wait()


async def main(port, path, expected, modes):
    configuration = QuicConfiguration(
        is_client=True, alpn_protocols=H3_ALPN, verify_mode=ssl.CERT_NONE, max_datagram_frame_size=65_536
    )
    async with connect("127.0.0.1", int(port), configuration=configuration, create_protocol=Client) as client:
        certificate = client._quic.tls._peer_certificate
        from cryptography.hazmat.primitives.serialization import Encoding

        found = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
        if expected not in ("any", found):
            say("certificate", found)
            return
        quic = client._quic
        if "settings" in modes:
            # A control stream that begins with DATA.
            stream = quic.get_next_available_stream_id(is_unidirectional=True)
            quic.send_stream_data(stream, b"\x00\x00\x01x")
        elif "garbage" in modes:
            client.http = H3Connection(quic, enable_webtransport=True)
            stream = quic.get_next_available_stream_id()
            # HEADERS with an integer that has no end.
            quic.send_stream_data(stream, b"\x01\x10\x00\x00\x27" + b"\xff" * 12 + b"\x01")
        else:
            client.http = H3Connection(quic, enable_webtransport=True)
            stream = quic.get_next_available_stream_id()
            fields = request(path, b"GET" if "method" in modes else b"CONNECT")
            if "head" in modes:
                fields.append((b"x-long", bytes(range(33, 123)) * 200))
            client.http.send_headers(stream, fields, end_stream="method" in modes)
        client.transmit()
        if modes and client.http is not None:
            await asyncio.sleep(0)
            while client.status is None and modes[0] in ("streams", "datagrams", "twice"):
                await asyncio.sleep(0.01)
            for mode in modes:
                misbehave(client, mode, stream)
            client.transmit()
        await client.wait_closed()


port, path, expected, *modes = sys.argv[1:]
if modes and modes[0].isdigit():
    asyncio.run(many(port, path, int(modes[0])))
else:
    asyncio.run(main(port, path, expected, modes))
