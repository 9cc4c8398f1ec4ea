"""A mail server for tests. Each mail becomes a line of JSON in a file; the recipient's address chooses what goes wrong.

usage: server.py FILE [--cert FILE --key FILE [--implicit]] [--auth]

Prints its port. A line `down` or `up` on standard input closes or opens it, and is answered with the same line. It ends with its input.
"""

import argparse
import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    def __init__(self, file):
        self.file = file
        self.seen = set()

    def is_first(self, address):
        first = address not in self.seen
        self.seen.add(address)
        return first

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("never"):
            return f"550 5.1.1 <{address}> no such user"
        if address.startswith("later") and self.is_first(address):
            return "451 4.7.1 come back later"
        if address.startswith("stall") and self.is_first(address):
            await asyncio.sleep(3600)
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server, session, envelope):
        to = envelope.rcpt_tos[0]
        if to.startswith("spam"):
            return "554 5.7.1 not this text"
        text = envelope.content.decode("latin-1")
        self.file.write(json.dumps({"to": to, "from": envelope.mail_from, "text": text}) + "\n")
        self.file.flush()
        if to.startswith("cut") and self.is_first(to):
            server.transport.abort()
        return "250 ok"


def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"ada", b"p@ss/word"), handled=False)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--implicit", action="store_true")
    parser.add_argument("--auth", action="store_true")
    args = parser.parse_args()
    loop = asyncio.get_running_loop()
    handler = Handler(open(args.file, "a", encoding="utf-8"))
    tls = None
    if args.cert:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(args.cert, args.key)
    connections = []

    def session():
        own = SMTP(
            handler,
            hostname="mail.test",
            enable_SMTPUTF8=True,
            loop=loop,
            tls_context=None if args.implicit else tls,
            require_starttls=bool(tls and not args.implicit),
            auth_required=args.auth,
            auth_require_tls=False,
            authenticator=authenticate if args.auth else None,
        )
        connections.append(own)
        return own

    async def listen(port):
        return await loop.create_server(session, "127.0.0.1", port, ssl=tls if args.implicit else None)

    server = await listen(0)
    port = server.sockets[0].getsockname()[1]
    print(port, flush=True)
    while line := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        if line == "down":
            server.close()
            for own in connections:
                if own.transport:
                    own.transport.abort()
            connections.clear()
        else:
            server = await listen(port)
        print(line, flush=True)


asyncio.run(main())
