"""Reads a capture of tcpdump: what each address of this device has received and sent."""

import struct

# A radio sleeps after about this silence; the next packet wakes it.
SLEEP_S = 0.5


def traffic(file, begin, end):
    """{address: {"received_bytes", "sent_bytes", "received_packets", "sent_packets", "wakes"}}, with the headers of IP."""
    data = file.read_bytes()
    little = data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1")
    order = "<" if little else ">"
    found, last, at = {}, {}, 24
    while at + 16 <= len(data):
        seconds, fraction, kept, length = struct.unpack_from(order + "IIII", data, at)
        packet = data[at + 16 : at + 16 + kept]
        at += 16 + kept
        when = seconds + fraction / 1e6
        if len(packet) < 24 or packet[0] >> 4 != 4:
            continue
        after = (packet[0] & 15) * 4
        ports = struct.unpack_from("!HH", packet, after)
        ends = [".".join(map(str, packet[12:16])), ".".join(map(str, packet[16:20]))]
        # The server's port is the smaller one.
        own = 0 if ports[0] > ports[1] else 1
        flow = (ends[own], ports[own], packet[9])
        woken = when - last.get(flow, -SLEEP_S) >= SLEEP_S
        last[flow] = when
        if not begin <= when <= end:
            continue
        row = found.setdefault(
            ends[own], {"received_bytes": 0, "sent_bytes": 0, "received_packets": 0, "sent_packets": 0, "wakes": 0}
        )
        way = "sent" if own == 0 else "received"
        row[f"{way}_bytes"] += length
        row[f"{way}_packets"] += 1
        row["wakes"] += woken
    return found
