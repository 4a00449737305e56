/** Binary values of the protocol's vectors. */

/** Put bytes in the place of `{"hex": …}`, at any depth. */
export function revive(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revive);
  if (typeof value !== "object" || value === null) return value;
  if ("hex" in value) return bytesOf(value as { hex: string });
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revive(inner)]));
}

export function bytesOf(value: { readonly hex: string } | undefined): Uint8Array {
  return Uint8Array.from(value?.hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
