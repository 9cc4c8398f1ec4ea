// Solves a challenge away from the page: tries every number until the hash of salt and number is the
// challenge's. By itself because `crypto.subtle` is asynchronous, and missing on plain HTTP. One file:
// the policy of an asset lets it import nothing.

// FIPS 180-4, section 4.2.2: the first 32 bits of the fractional parts of the primes' cube roots.
const K = new Uint32Array(64);
// Section 5.3.3: the same of the square roots of the first eight primes.
const START = new Uint32Array(8);
const fraction = (root) => (root - Math.floor(root)) * 2 ** 32;
for (let n = 2, found = 0; found < 64; n += 1) {
  let isPrime = true;
  for (let d = 2; d * d <= n; d += 1) if (n % d === 0) isPrime = false;
  if (!isPrime) continue;
  if (found < 8) START[found] = fraction(Math.sqrt(n));
  K[found] = fraction(Math.cbrt(n));
  found += 1;
}

const W = new Uint32Array(64);
const rotated = (x, by) => (x >>> by) | (x << (32 - by));

/** Section 6.2.2: one block of `view` from `at` on. */
function compress(state, view, at) {
  for (let t = 0; t < 16; t += 1) W[t] = view.getUint32(at + 4 * t);
  for (let t = 16; t < 64; t += 1) {
    const [x, y] = [W[t - 15], W[t - 2]];
    const s0 = rotated(x, 7) ^ rotated(x, 18) ^ (x >>> 3);
    const s1 = rotated(y, 17) ^ rotated(y, 19) ^ (y >>> 10);
    W[t] = W[t - 16] + s0 + W[t - 7] + s1;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let t = 0; t < 64; t += 1) {
    const s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[t] + W[t]) | 0;
    const s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((value, i) => {
    state[i] += value;
  });
}

/** The SHA-256 of an ASCII text, as eight words. */
function digest(text) {
  const blocks = Math.ceil((text.length + 9) / 64); // section 5.1.1: a bit and the length follow
  const view = new DataView(new ArrayBuffer(64 * blocks));
  for (let i = 0; i < text.length; i += 1) view.setUint8(i, text.charCodeAt(i));
  view.setUint8(text.length, 0x80);
  view.setUint32(64 * blocks - 4, 8 * text.length);
  const state = Uint32Array.from(START);
  for (let block = 0; block < blocks; block += 1) compress(state, view, 64 * block);
  return state;
}

const hex = (state) => Array.from(state, (word) => word.toString(16).padStart(8, "0")).join("");

/** The number, or null if the challenge has none. */
export function solve({ challenge, salt, maxnumber }) {
  const first = Number.parseInt(challenge.slice(0, 8), 16);
  for (let number = 0; number <= maxnumber; number += 1) {
    const state = digest(salt + number);
    if (state[0] === first && hex(state) === challenge) return number;
  }
  return null;
}

if (typeof WorkerGlobalScope !== "undefined")
  addEventListener("message", ({ data }) => postMessage(solve(data)));
