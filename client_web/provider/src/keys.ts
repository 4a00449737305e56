/** Random names that nobody guesses. */

/** A key as the protocol asks for: 32 characters of URL-safe base64. */
export function newKey(): string {
  return random(32);
}

export function random(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").slice(0, length);
}
