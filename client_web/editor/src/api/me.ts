/** Who this person is for the server, and the calls about it. */
import { badAnswer, type Call, isRecord } from "./rest";
import type * as wire from "./wire";

/** How a person looks to others; `color` is `#rrggbb`. */
export type PersonLook = Pick<wire.User, "name" | "color">;

export type PersonRef = wire.User;

/** How the server knows people: by a cookie of its own, or by the word of somebody else. */
export type Kind = wire.Me["kind"];

export interface Me {
  readonly user: PersonRef;
  readonly kind: Kind;
  readonly email: string | null;
  /** Whether name and colour are this person's to choose. */
  readonly mayRename: boolean;
  readonly mayCreate: boolean;
}

export function meCalls(call: Call) {
  return {
    me: async () => toMe(await call("/api/me")),
    changeMe: async ({ name, color }: PersonLook) =>
      toMe(await call("/api/me", { method: "PATCH", body: { name, color } satisfies wire.Look })),
    endSession: async () => {
      await call("/api/session", { method: "DELETE" });
    },
  };
}

export function sameLook(one: PersonLook, other: PersonLook): boolean {
  return one.name === other.name && one.color.toLowerCase() === other.color.toLowerCase();
}

/** Returns null for what is no person. */
export function toPerson(answer: unknown): PersonRef | null {
  if (!isRecord<wire.User>(answer) || typeof answer.id !== "string" || typeof answer.name !== "string")
    return null;
  return { id: answer.id, name: answer.name, color: String(answer.color) };
}

function toMe(answer: unknown): Me {
  const user = isRecord<wire.Me>(answer) ? toPerson(answer.user) : null;
  if (!isRecord<wire.Me>(answer) || user === null) throw badAnswer(200);
  return {
    user,
    kind: answer.kind === "jwt" || answer.kind === "oidc" ? answer.kind : "guest",
    email: typeof answer.email === "string" ? answer.email : null,
    mayRename: answer.may_rename === true,
    mayCreate: answer.may_create !== false,
  };
}
