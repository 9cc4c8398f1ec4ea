// The bot check: fetches a challenge, has a worker solve it, and writes the proof as ALTCHA's clients
// do.
import { PATIENCE_MS } from "./send-form.js";

/** Solves a challenge from `url`. Throws when there is none, or when it cannot be solved. */
export async function prove(url) {
  const answer = await fetch(url, {
    headers: { Accept: "application/json" },
    cache: "no-store",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (!answer.ok) throw new Error(`no challenge: ${answer.status}`);
  const { algorithm, challenge, maxnumber, salt, signature } = await answer.json();
  const started_ms = performance.now();
  const number = await solveAway({ challenge, salt, maxnumber });
  const took = Math.round(performance.now() - started_ms);
  return btoa(JSON.stringify({ algorithm, challenge, number, salt, signature, took }));
}

async function solveAway(challenge) {
  const worker = new Worker(new URL("./proof-worker.js", import.meta.url), { type: "module" });
  try {
    return await new Promise((solved, failed) => {
      worker.onmessage = ({ data }) =>
        data === null ? failed(new Error("the challenge has no solution")) : solved(data);
      worker.onerror = () => failed(new Error("the worker does not run"));
      worker.postMessage(challenge);
    });
  } finally {
    worker.terminate();
  }
}
