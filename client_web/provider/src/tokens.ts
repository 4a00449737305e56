/**
 * Tokens that say who a person is: fetched from the application around the provider, renewed before they run out.
 *
 * A token is read only for its `exp` (RFC 7519), never judged: one that cannot be read is simply not renewed ahead of time, and
 * the server's refusal asks for the next.
 */

import type { Clock } from "./clock.js";

/** A token that never changes, or a way to have a fresh one. */
export type TokenSource = string | (() => string | Promise<string>);

/** The token, or a fresh one. */
export async function tokenOf(source: TokenSource): Promise<string> {
  return typeof source === "string" ? source : source();
}

/** Milliseconds before the end at which a token is renewed, or a fifth of its time if that is less. */
const AHEAD = 60_000;
/** A clock that goes wrong by hours must not make the page ask without a pause. */
const SHORTEST_PAUSE = 10_000;
const DAY = 24 * 3_600_000;

/** Milliseconds from `now` (milliseconds since 1970) until the token should be renewed; null when it does not say. */
export function renewAfter(token: string, now: number): number | null {
  const end = endOf(token);
  if (end === null) return null;
  const left = end - now;
  return Math.min(DAY, Math.max(SHORTEST_PAUSE, left - Math.min(AHEAD, left / 5)));
}

/** Rejects when `work` takes longer than `limit` milliseconds. */
export function within<T>(work: Promise<T>, limit: number, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => reject(new Error("That took too long.")), limit);
    work.then(resolve, reject).finally(() => clock.clearTimeout(timer));
  });
}

function endOf(token: string): number | null {
  try {
    const claims: unknown = JSON.parse(atob(base64(token.split(".")[1] ?? "")));
    const exp = (claims as { readonly exp?: unknown } | null)?.exp;
    return typeof exp === "number" && Number.isFinite(exp) ? exp * 1000 : null;
  } catch {
    return null;
  }
}

function base64(base64url: string): string {
  return base64url.replaceAll("-", "+").replaceAll("_", "/");
}
