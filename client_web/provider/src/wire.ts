/**
 * The server's words, decoded strictly: an unknown value becomes a typed one, or WireError.
 *
 * The reference is server/PROTOCOL.md. Unknown fields are ignored, unknown error codes read as `internal`, so that an
 * older client understands a newer server as far as it can.
 */

import type { Heir, Heirs } from "./heirs.js";
import { isCode } from "./remedy.js";
import type { DocumentInfo, Durability, Format, Role, ServerError, User } from "./types.js";

/** The server said something that is not in the protocol. */
export class WireError extends Error {
  override readonly name = "WireError";
}

export interface Limits {
  readonly update_bytes: number;
  readonly part_bytes: number;
  readonly presence_bytes: number;
}

export interface PresenceChange {
  readonly presenceId: number;
  readonly clientId: number;
  readonly user: User;
  /** null: this session is gone. */
  readonly state: Readonly<Record<string, unknown>> | null;
}

/** What the missing update is, or how it will come, or that nothing is missing. */
export type Missing =
  | { readonly kind: "nothing" }
  | { readonly kind: "whole"; readonly update: Uint8Array }
  | { readonly kind: "parts"; readonly count: number; readonly bytes: number };

export interface JoinAnswer {
  readonly role: Role;
  readonly missing: Missing;
  readonly stateVector: Uint8Array;
  readonly seq: number;
  readonly epoch: number;
  readonly presence: readonly PresenceChange[];
  readonly presenceId: number;
  readonly document: DocumentInfo;
  readonly durability: Durability;
  readonly quarantined: boolean;
  readonly setAside: number;
  readonly discussion: number;
  readonly limits: Limits;
  readonly heirs: Heirs;
}

/** What need not be told again to a client that has said to have everything. */
export interface Known {
  readonly stateVector: Uint8Array;
  readonly limits: Limits;
}

/** Raise WireError unless `value` is a JSON object. */
function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new WireError(`${what} is not an object.`);
  }
  return value as Readonly<Record<string, unknown>>;
}

function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new WireError(`${what} is not a list.`);
  return value;
}

function text(value: unknown, what: string): string {
  if (typeof value !== "string") throw new WireError(`${what} is not a string.`);
  return value;
}

export function natural(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0)
    throw new WireError(`${what} is not an integer ≥ 0.`);
  return value as number;
}

/** Binary values come as ArrayBuffer in browsers and as Buffer in Node. */
export function bytes(value: unknown, what: string): Uint8Array {
  if (value instanceof Uint8Array) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw new WireError(`${what} is not binary.`);
}

function isRole(value: unknown): value is Role {
  return value === "owner" || value === "editor" || value === "commenter" || value === "viewer";
}

export function decodeRole(value: unknown): Role {
  if (!isRole(value)) throw new WireError("There is no such role.");
  return value;
}

export function decodeDurability(value: unknown): Durability {
  if (value !== "ok" && value !== "waiting") throw new WireError("There is no such durability.");
  return value;
}

export function decodeError(value: unknown): ServerError {
  const error = record(value, "error");
  const code = text(error.code, "error.code");
  return {
    code: isCode(code) ? code : "internal",
    message: typeof error.message === "string" ? error.message : code,
  };
}

/** The error in an ack, or null when the ack is the answer that was asked for. */
export function refusalIn(answer: unknown): ServerError | null {
  if (typeof answer !== "object" || answer === null || !("error" in answer)) return null;
  return decodeError(answer.error);
}

export function decodeDocument(value: unknown): DocumentInfo {
  const document = record(value, "document");
  const trashedAt = document.trashed_at;
  return {
    title: text(document.title, "document.title"),
    trashedAt: trashedAt == null ? null : text(trashedAt, "document.trashed_at"),
    ...(document.format === undefined ? {} : { format: decodeFormat(document.format) }),
    ...(document.any_format === true ? { anyFormat: true as const } : {}),
  };
}

function decodeFormat(value: unknown): Format {
  const format = record(value, "document.format");
  return { name: text(format.name, "format.name"), version: natural(format.version, "format.version") };
}

export function decodeUser(value: unknown): User {
  const user = record(value, "user");
  const word = (name: keyof User) => text(user[name], name);
  return { id: word("id"), name: word("name"), color: word("color") };
}

/** What was told last of a session, for what is not told again. */
type Told = (presenceId: number) => PresenceChange | undefined;

/** Changes as told. A session that says no more than its move, and of which nothing was told before, is left out. */
export function decodePresence(value: unknown, told?: Told): readonly PresenceChange[] {
  return list(value, "presence").flatMap((entry) => {
    const change = Array.isArray(entry) ? writtenOut(entry, told) : record(entry, "change");
    const presenceId = natural(change.presence_id, "presence_id");
    const who =
      change.user === undefined
        ? told?.(presenceId)
        : { clientId: natural(change.client_id, "client_id"), user: decodeUser(change.user) };
    const state = change.state === null ? null : record(change.state, "state");
    return who === undefined ? [] : [{ ...who, presenceId, state }];
  });
}

/**
 * A cursor's move `[presence_id, [anchor, head?], rest?]`, as a change in full. Without a head it is the anchor, without a rest
 * all else has stayed.
 */
function writtenOut([id, cursor, rest]: readonly unknown[], told?: Told): Record<string, unknown> {
  const [first, second = first] = list(cursor, "cursor");
  const others = rest === undefined ? told?.(id as number)?.state : record(rest, "state");
  return {
    presence_id: id,
    state: { ...others, cursor: { anchor: decodePlace(first), head: decodePlace(second) } },
  };
}

function decodePlace(told: unknown): unknown {
  const [type, tname, item, assoc] = list(told, "place");
  return { type: decodeId(type), tname, item: decodeId(item), assoc };
}

function decodeId(told: unknown): unknown {
  if (told === null) return null;
  const [client, clock] = list(told, "id");
  return { client: natural(client, "client"), clock: natural(clock, "clock") };
}

/** Absent means that nothing has moved. */
export function decodeHeirs(value: unknown): Heirs {
  if (value == null) return [];
  return list(value, "heirs").map((entry): Heir => {
    const numbers = list(entry, "heir").map((number) => natural(number, "heir"));
    if (numbers.length !== 5) throw new WireError("An heir is not five integers.");
    return numbers as unknown as Heir;
  });
}

function decodeMissing(answer: Readonly<Record<string, unknown>>, known: Known | null): Missing {
  if (answer.missing === null && answer.chunks === undefined && known !== null) return { kind: "nothing" };
  if (answer.missing !== null) return { kind: "whole", update: bytes(answer.missing, "missing") };
  const chunks = record(answer.chunks, "chunks");
  const count = natural(chunks.count, "chunks.count");
  if (count === 0) throw new WireError("chunks.count is 0.");
  return { kind: "parts", count, bytes: natural(chunks.bytes, "chunks.bytes") };
}

function decodeLimits(value: unknown): Limits {
  const limits = record(value, "limits");
  const limit = (name: keyof Limits) => natural(limits[name], name);
  return {
    update_bytes: limit("update_bytes"),
    part_bytes: Math.max(1, limit("part_bytes")),
    presence_bytes: limit("presence_bytes"),
  };
}

/** `known`: what may be left out if nothing is missing, or null after a join that did not say to have everything. */
export function decodeJoinAnswer(value: unknown, known: Known | null): JoinAnswer {
  const answer = record(value, "join answer");
  const missing = decodeMissing(answer, known);
  const usual = missing.kind === "nothing" ? known : null;
  return {
    role: decodeRole(answer.role),
    missing,
    stateVector: usualUnless(answer.state_vector, usual?.stateVector, (told) => bytes(told, "state_vector")),
    seq: natural(answer.seq, "seq"),
    epoch: natural(answer.epoch, "epoch"),
    presence: decodePresence(answer.presence),
    presenceId: natural(answer.presence_id, "presence_id"),
    document: decodeDocument(answer.document),
    durability: usualUnless(answer.durability, usual === null ? undefined : "ok", decodeDurability),
    quarantined: answer.quarantined === true,
    setAside: answer.set_aside === undefined ? 0 : natural(answer.set_aside, "set_aside"),
    discussion: answer.discussion === undefined ? 0 : natural(answer.discussion, "discussion"),
    limits: usualUnless(answer.limits, usual?.limits, decodeLimits),
    heirs: decodeHeirs(answer.heirs),
  };
}

/** A field as it was told, or what it is when it was left out and may be. */
function usualUnless<T>(told: unknown, usual: T | undefined, decode: (told: unknown) => T): T {
  return told === undefined && usual !== undefined ? usual : decode(told);
}

export function decodeChunk(value: unknown): Uint8Array {
  return bytes(record(value, "chunk").chunk, "chunk");
}

export function decodeSeq(value: unknown): number {
  return natural(record(value, "ack").seq, "seq");
}

export type Outcome<T> = { readonly error: null; readonly value: T } | { readonly error: ServerError };

/** Read an ack: the answer, the server's refusal, or, when it is neither, a refusal of our own making. */
export function read<T>(value: unknown, decode: (value: unknown) => T): Outcome<T> {
  try {
    const error = refusalIn(value);
    return error === null ? { error, value: decode(value) } : { error };
  } catch (error) {
    return { error: { code: "internal", message: sentence(error) } };
  }
}

export function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
