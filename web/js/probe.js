// One question to the server: is this position still the newest? Used where a stream cannot be
// trusted to say so.
import { serverNow } from "./clock.js";

const PATIENCE_MS = 6_000;

export const countUrl = (slug) => `/api/v1/events/${encodeURIComponent(slug)}`;

/**
 * @returns {Promise<{count: object|null}>} null: the position is current. Throws when the server
 * cannot be asked.
 */
export async function probe(
  slug,
  position,
  { query = "", patience_ms = PATIENCE_MS, signal } = {},
) {
  const limit = AbortSignal.timeout(patience_ms);
  const headers = { Accept: "application/json" };
  if (position && !query) headers["If-None-Match"] = `"${position}"`;
  const answer = await fetch(countUrl(slug) + query, {
    headers,
    cache: "no-store",
    signal: signal && AbortSignal.any ? AbortSignal.any([signal, limit]) : (signal ?? limit),
  });
  if (answer.status === 304) return { count: null };
  if (answer.ok) return { count: await answer.json() };
  const error = new Error(`the count was refused with ${answer.status}`);
  error.gone = answer.status === 404;
  error.retry_ms = retryAfterMs(answer);
  throw error;
}

/** Retry-After in milliseconds (seconds form or date form), or null. */
export function retryAfterMs(answer) {
  const value = answer.headers.get("Retry-After");
  if (!value) return null;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - serverNow();
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}
