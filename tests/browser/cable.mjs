// A TCP proxy between a browser and a server: a cable that can go silent, be cut, and come back.
import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Listens on a free port and passes everything on to `port`. */
export async function startCable(port) {
  const pairs = new Set();
  let mode = "passes";
  const server = createServer({ allowHalfOpen: true }, (near) => {
    if (mode === "refuses") return near.resetAndDestroy();
    if (mode === "is silent") {
      // Accepted by the kernel, answered by nobody.
      pairs.add({ near });
      near.on("error", () => {});
      return;
    }
    const far = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const pair = { near, far };
    pairs.add(pair);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      from.on("data", (bytes) => {
        if (from === near) pair.asked = bytes.toString("latin1");
        if (!pair.silent) to.write(bytes);
      });
      from.on("end", () => {
        if (!pair.silent) to.end();
      });
      from.on("error", () => to.destroy());
      from.on("close", () => {
        if (!pair.silent) to.destroy();
        pairs.delete(pair);
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const drop = () => {
    for (const { near, far } of pairs) {
      near.resetAndDestroy();
      far?.destroy();
    }
    pairs.clear();
  };
  return {
    base: `http://127.0.0.1:${server.address().port}`,
    /** How many connections are open. */
    get open() {
      return pairs.size;
    },
    /** Nothing more gets through, and neither side learns of it. */
    silence() {
      mode = "is silent";
      for (const pair of pairs) pair.silent = true;
    },
    /** All connections break, and new ones are refused. */
    cut() {
      mode = "refuses";
      drop();
    },
    /** The connections whose last request names this stay silent for ever; all others get through. */
    silenceOnly(path) {
      for (const pair of pairs) pair.silent ||= pair.asked?.includes(path) ?? false;
    },
    /** New connections get through; silent ones break. */
    mend() {
      mode = "passes";
      for (const pair of pairs) if (pair.silent || !pair.far) pair.near.resetAndDestroy();
    },
    close() {
      drop();
      server.close();
    },
  };
}
