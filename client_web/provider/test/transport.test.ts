/** The connection over a real socket: when it knocks, what it shows, and what it does when it is turned away. */

import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { LinkStatus } from "../src/state.js";
import { SocketConnection, type SocketConnectionOptions } from "../src/transport.js";
import type { ServerError } from "../src/types.js";
import { ManualClock } from "./harness/clock.js";
import { FrontDoor } from "./harness/front_door.js";

/** The clock of these stories starts at its second 1. */
const tokenUntil = (second: number, name = "token") =>
  `${name}.${btoa(JSON.stringify({ exp: second })).replaceAll("=", "")}.c2ln`;

const expired = { code: "unauthenticated", message: "The token has run out." } as const;

/** One page with one document before a door. */
class Visitor {
  readonly clock = new ManualClock();
  readonly door = new FrontDoor();
  readonly links: LinkStatus[] = [];
  readonly refusals: ServerError[] = [];

  async knocks(options: SocketConnectionOptions): Promise<SocketConnection> {
    await this.door.open();
    const { clock, door } = this;
    const connection = new SocketConnection({ url: door.url, transports: ["websocket"], clock, ...options });
    const leave = connection.attach("document", {
      linkChanged: (link) => this.links.push(link),
      refused: (error) => this.refusals.push(error),
      received: () => {},
    });
    onTestFinished(async () => {
      leave();
      await door.close();
    });
    return connection;
  }

  /** Wait for something that comes over the socket, letting time pass for what waits for it. */
  async until(isSo: () => boolean, passing = 0): Promise<void> {
    await vi.waitUntil(
      () => {
        this.clock.advance(passing);
        return isSo();
      },
      { interval: 2 },
    );
  }

  connected(): Promise<void> {
    return this.until(() => this.links.at(-1) === "connected");
  }
}

/** Gives the tokens one after the other; the last one stays. */
function source(...tokens: readonly string[]): () => Promise<string> {
  const left = [...tokens];
  return async () => (left.length > 1 ? left.shift() : left[0]) ?? "";
}

it("a guest shows name and colour", async () => {
  const visitor = new Visitor();
  await visitor.knocks({ user: { name: "Ann", color: "#0369a1" } });
  await visitor.connected();
  expect(visitor.door.connects).toEqual([{ protocol: 1, guest: { name: "Ann", color: "#0369a1" } }]);
});

it("nobody knocks before the page is ready, and trying again waits for it as well", async () => {
  const visitor = new Visitor();
  let tries = 0;
  const beforeConnecting = async () => {
    tries += 1;
    if (tries < 3) throw new Error("The server does not say who this is.");
  };
  await visitor.knocks({ beforeConnecting });
  await visitor.until(() => visitor.links.at(-1) === "connected", 5_000);
  expect([tries, visitor.door.connects.length]).toEqual([3, 1]);
});

describe("a token", () => {
  it("is shown, and a fresh one is brought a minute before its end", async () => {
    const visitor = new Visitor();
    const [first, second] = [tokenUntil(1_001, "first"), tokenUntil(2_001, "second")];
    const connection = await visitor.knocks({ token: source(first, second) });
    await visitor.connected();
    visitor.clock.advance(939_000);
    expect(visitor.door.authentications).toEqual([]);
    visitor.clock.advance(1_000);
    await visitor.until(() => visitor.door.authentications.length === 1);
    expect(visitor.door.connects).toEqual([{ protocol: 1, token: first }]);
    expect(visitor.door.authentications).toEqual([{ token: second }]);
    expect(connection.link).toBe("connected");
  });

  it("is asked for again when the last one could not be had", async () => {
    const visitor = new Visitor();
    let asked = 0;
    const token = async () => {
      asked += 1;
      if (asked === 2) throw new Error("The application does not answer.");
      return tokenUntil(1_001 * asked);
    };
    await visitor.knocks({ token });
    await visitor.connected();
    visitor.clock.advance(941_000);
    await visitor.until(() => visitor.door.authentications.length === 1, 1_000);
    expect(asked).toBe(3);
  });

  it("that is fetched for many documents at once is fetched once", async () => {
    const visitor = new Visitor();
    let asked = 0;
    const token = async () => {
      asked += 1;
      return "opaque";
    };
    const connection = await visitor.knocks({ token });
    await visitor.connected();
    const outcomes: string[] = [];
    for (const _ of "abc") connection.authenticate((outcome) => outcomes.push(outcome));
    await visitor.until(() => outcomes.length === 3);
    expect([asked, outcomes]).toEqual([2, ["authenticated", "authenticated", "authenticated"]]);
  });

  it("that the server does not take is refused", async () => {
    const visitor = new Visitor();
    const connection = await visitor.knocks({ token: source("opaque") });
    await visitor.connected();
    visitor.door.answers.push({ error: expired }, { error: { code: "rate_limited", message: "Later." } });
    const outcomes: string[] = [];
    connection.authenticate((outcome) => outcomes.push(outcome));
    await visitor.until(() => outcomes.length === 1);
    connection.authenticate((outcome) => outcomes.push(outcome));
    await visitor.until(() => outcomes.length === 2);
    expect(outcomes).toEqual(["refused", "lost"]);
  });

  it("that was running out at the door is replaced once", async () => {
    const visitor = new Visitor();
    visitor.door.verdicts.push(expired);
    await visitor.knocks({ token: source("old", "new") });
    await visitor.until(() => visitor.links.at(-1) === "connected", 1_000);
    expect(visitor.door.connects).toEqual([
      { protocol: 1, token: "old" },
      { protocol: 1, token: "new" },
    ]);
    expect(visitor.refusals).toEqual([]);
  });
});

describe("somebody who is turned away", () => {
  it.each([
    ["without a token, at once", {}, 1],
    ["with one, after a second try", { token: source("bad") }, 2],
  ])("is told so %s, and does not knock again by themselves", async (_, options, tries) => {
    const visitor = new Visitor();
    visitor.door.verdicts.push(expired, expired, expired);
    const connection = await visitor.knocks(options);
    await visitor.until(() => visitor.refusals.length > 0, 1_000);
    visitor.clock.advance(3_600_000);
    expect(visitor.refusals).toEqual([expired]);
    expect([visitor.door.connects.length, connection.link]).toEqual([tries, "offline"]);
  });

  it("for another reason says which, and knocks again after a pause", async () => {
    const visitor = new Visitor();
    const full = { code: "too_many", message: "Too many connections." } as const;
    visitor.door.verdicts.push(full);
    const connection = await visitor.knocks({});
    await visitor.until(() => connection.turnedAway !== null);
    expect(connection.turnedAway).toEqual(full);
    await visitor.until(() => visitor.links.at(-1) === "connected", 1_000);
    expect([visitor.door.connects.length, visitor.refusals]).toEqual([2, []]);
    expect(connection.turnedAway).toBeNull();
  });

  it("is told the latest reason only, and none when the server does not answer any more", async () => {
    const visitor = new Visitor();
    const full = { code: "too_many", message: "Too many connections." } as const;
    const going = { code: "draining", message: "The server is shutting down." } as const;
    visitor.door.verdicts.push(full, going);
    const connection = await visitor.knocks({});
    await visitor.until(() => connection.turnedAway?.code === "too_many");
    await visitor.until(() => connection.turnedAway?.code === "draining", 1_000);
    expect(connection.link).toBe("offline");
    await visitor.door.close();
    await visitor.until(() => connection.turnedAway === null, 1_000);
    expect(connection.link).toBe("offline");
  });
});
