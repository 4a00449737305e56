/** The connection over a real socket: when it knocks, what it shows, and what it does when it is turned away. */

import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { LinkStatus } from "../src/state.js";
import { SocketConnection, type SocketConnectionOptions } from "../src/transport.js";
import type { ServerError } from "../src/types.js";
import { ManualClock } from "./harness/clock.js";
import { FrontDoor } from "./harness/front_door.js";

/** The clock of these stories starts at its second 1. */
const tokenUntil = (second: number, name = "token") =>
  `${name}.${btoa(JSON.stringify({ exp: second })).replaceAll("=", "")}.c2ln`;

const expired = { code: "unauthenticated", message: "The token has run out." } as const;

/** As much of a browser's `localStorage` as a page needs. */
class KeptByBrowser {
  private readonly entries = new Map<string, string>();

  getItem(key: string): string | null {
    return this.entries.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.entries.set(key, value);
  }

  removeItem(key: string): void {
    this.entries.delete(key);
  }
}

/** One page with one document before a door. */
class Visitor {
  readonly clock = new ManualClock();
  readonly links: LinkStatus[] = [];
  readonly refusals: ServerError[] = [];

  constructor(readonly door = new FrontDoor()) {}

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
      { interval: 2, timeout: 60_000 },
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
  expect(visitor.door.connects).toEqual([
    { protocol: 1, newest: 3, guest: { name: "Ann", color: "#0369a1" } },
  ]);
});

it("an update is one frame, or two for a server that knows no better", async () => {
  const visitor = new Visitor();
  const connection = await visitor.knocks({});
  const { door } = visitor;
  const isConnected = (times: number) => visitor.until(() => door.connects.length === times, 1_000);
  const update = (spoken: string, pieces: number) => {
    connection.request("update", ["document", 0, new TextEncoder().encode(spoken)], () => {});
    return visitor.until(() => door.updates.length === pieces);
  };
  await visitor.connected();
  await update("old", 2);
  for (const [times, spoken, pieces] of [
    [2, 2, 3],
    [3, null, 5],
  ] as const) {
    door.spoken = spoken;
    door.hangUp();
    await isConnected(times);
    await visitor.connected();
    await update(String(spoken), pieces);
  }
  expect(door.updates.map((piece) => typeof piece)).toEqual([
    "string",
    "object",
    "object",
    "string",
    "object",
  ]);
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
    expect(visitor.door.connects).toEqual([{ protocol: 1, newest: 3, token: first }]);
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
      { protocol: 1, newest: 3, token: "old" },
      { protocol: 1, newest: 3, token: "new" },
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

describe("a network that swallows WebSockets", () => {
  const ANY_WAY = { transports: ["websocket", "polling"] } as const;

  beforeEach(() => {
    vi.stubGlobal("localStorage", new KeptByBrowser());
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it.each(["upgrades", "frames"] as const)("(their %s) is got round by long-polling", async (swallows) => {
    const visitor = new Visitor();
    visitor.door.swallows = swallows;
    await visitor.knocks({ ...ANY_WAY, user: { name: "Ann", color: "#0369a1" } });
    await visitor.until(() => visitor.door.knocks.length === 1);
    visitor.clock.advance(3_999);
    expect(visitor.door.knocks).toEqual(["websocket"]);
    visitor.clock.advance(1);
    await visitor.connected();
    expect(visitor.door.knocks).toEqual(["websocket", "polling"]);
    expect(visitor.door.connects).toEqual([
      { protocol: 1, newest: 3, guest: { name: "Ann", color: "#0369a1" } },
    ]);
    expect(visitor.links).toEqual(["connecting", "connected"]);
  });

  it("is remembered for a day, by the next page as well", async () => {
    const first = new Visitor();
    first.door.swallows = "upgrades";
    await first.knocks(ANY_WAY);
    await first.until(() => first.links.at(-1) === "connected", 4_000);

    const knocksAfter = async (hours: number) => {
      const later = new Visitor(first.door);
      later.clock.advance(hours * 3_600_000);
      const before = first.door.knocks.length;
      await later.knocks(ANY_WAY);
      await later.until(() => first.door.knocks.length > before);
      return first.door.knocks.at(-1);
    };
    expect(await knocksAfter(23)).toBe("polling");
    expect(await knocksAfter(25)).toBe("websocket");
  });

  it("is forgotten when long-polling does not work either", async () => {
    const visitor = new Visitor();
    visitor.door.swallows = "upgrades";
    await visitor.knocks(ANY_WAY);
    await visitor.until(() => visitor.door.knocks.length === 1);
    visitor.clock.advance(4_000);
    await visitor.connected();
    visitor.door.impostor = { status: 200, body: "<!doctype html>Sign in to the network" };
    visitor.door.swallows = null;
    visitor.door.hangUp();
    await visitor.until(() => visitor.links.at(-1) === "connecting");
    visitor.clock.advance(250);
    await visitor.until(() => visitor.links.at(-1) === "offline");
    visitor.clock.advance(500);
    await visitor.connected();
    expect(visitor.door.knocks).toEqual(["websocket", "polling", "polling", "websocket"]);
  });

  it("is of no concern to who wants WebSockets alone", async () => {
    const visitor = new Visitor();
    visitor.door.swallows = "upgrades";
    await visitor.knocks({ transports: ["websocket"] });
    await visitor.until(() => visitor.door.knocks.length === 1);
    visitor.clock.advance(3_600_000);
    expect(visitor.door.knocks).toEqual(["websocket"]);
  });
});

it("what the server says instead of a session is told", async () => {
  const foreign = { code: "wrong_origin", message: "Pages of this address may not connect." } as const;
  const visitor = new Visitor();
  visitor.door.impostor = { status: 403, body: JSON.stringify({ error: foreign }) };
  const connection = await visitor.knocks({ transports: ["polling"] });
  await visitor.until(() => connection.turnedAway !== null);
  expect([connection.turnedAway, visitor.refusals]).toEqual([foreign, []]);
});

it.each([
  { status: 200, body: "<!doctype html>Sign in to the network" },
  { status: 511, body: "<!doctype html>Sign in to the network" },
  { status: 403, body: '{"error":"Sign in to the network"}' },
])("what another server in the network says is no word of ours: $status", async (impostor) => {
  const visitor = new Visitor();
  visitor.door.impostor = impostor;
  const connection = await visitor.knocks({ transports: ["polling"] });
  await visitor.until(() => visitor.links.at(-1) === "offline", 1_000);
  expect(connection.turnedAway).toBeNull();
});
