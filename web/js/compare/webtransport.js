// WebTransport over HTTP/3: a stream of messages, and each count as a datagram as well. `on` is
// described in lines.js; `absent(state)`: this line cannot run here.
import { countUrl, retryAfterMs } from "../probe.js";
import { Messages, readLines } from "./messages.js";
import { DATAGRAM, QUIC_OPENING, STREAM_PIECE, queryOf } from "./sizes.js";

const ADDRESS = "/api/v1/webtransport";

/** The browser compares the certificate with these, where no authority has signed it. */
const hashes = (all) =>
  all.map((hex) => ({
    algorithm: "sha-256",
    value: Uint8Array.from(hex.match(/../g), (byte) => Number.parseInt(byte, 16)),
  }));

export function openWebTransport(slug, after, on) {
  const stop = new AbortController();
  const messages = new Messages(on);
  let session = null;
  const read = async () => {
    if (!document.querySelector("[data-webtransport]")) return on.absent("off");
    if (!("WebTransport" in globalThis)) return on.absent("unsupported");
    const answer = await fetch(ADDRESS, { cache: "no-store", signal: stop.signal });
    if (!answer.ok) return on.down(retryAfterMs(answer));
    const { url, certificate_hashes } = await answer.json();
    if (stop.signal.aborted) return;
    on.request();
    on.bytes(QUIC_OPENING);
    session = new WebTransport(`${url}${countUrl(slug)}/wt${queryOf(after)}`, {
      ...(certificate_hashes.length ? { serverCertificateHashes: hashes(certificate_hashes) } : {}),
    });
    session.closed.catch(() => {}); // the end of the stream says the same
    await session.ready;
    on.up();
    readDatagrams(session.datagrams.readable, on).catch(() => {});
    const { value: stream } = await session.incomingUnidirectionalStreams.getReader().read();
    await readLines(
      stream,
      (line) => messages.take(line),
      (n) => on.bytes(n + STREAM_PIECE),
    );
    on.down(messages.retry_ms);
  };
  read().catch(() => {
    if (!stop.signal.aborted) on.down(messages.retry_ms);
  });
  return () => {
    stop.abort();
    session?.close();
  };
}

/** Each is a count. One that is late or lost does no harm: the stream has it as well. */
async function readDatagrams(readable, on) {
  const reader = readable.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    on.bytes(value.length + DATAGRAM);
    on.count(JSON.parse(decoder.decode(value)));
  }
}
