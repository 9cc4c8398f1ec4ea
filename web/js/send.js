// Sends one registration until it has an answer. A busy server is asked again after its Retry-After
// with the SAME key, so that a lost answer or a double click never takes a second place.
import { retryAfterMs } from "./probe.js";
import { PATIENCE_MS } from "./send-form.js";

const TRIES = 6;
const RETRIED = new Set([429, 503]);

/** @returns {Promise<{status: number, body: object}>} Throws when the network or the server is away. */
export async function send(url, entry, key, { waiting }) {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await fetch(url, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Accept: "application/json",
        "Idempotency-Key": key,
        "Accept-Language": document.documentElement.lang,
      },
      body: JSON.stringify(entry),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const body = await readBody(answer);
    if (!RETRIED.has(answer.status) || attempt === TRIES) return { status: answer.status, body };
    const pause_ms = (retryAfterMs(answer) ?? 1000 * attempt) + Math.random() * 500;
    for (let left_ms = pause_ms; left_ms > 0; left_ms -= 1000) {
      waiting(Math.ceil(left_ms / 1000));
      await new Promise((done) => setTimeout(done, Math.min(1000, left_ms)));
    }
  }
}

/** What is no JSON says nothing; an answer that breaks off is none. */
async function readBody(answer) {
  const text = await answer.text();
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** crypto.randomUUID is missing on plain HTTP; random values are there everywhere. */
export function drawKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/** Whether a registration was refused only because it has no proof that holds. */
export const needsProof = ({ status, body }) =>
  status === 422 && body.errors?.length === 1 && body.errors[0].field === "proof";
