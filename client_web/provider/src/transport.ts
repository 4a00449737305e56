/**
 * The connection over Socket.IO; the only file that imports socket.io-client.
 *
 * Reconnecting is done here rather than by Socket.IO's manager: with full jitter, at once when the browser says `online` or
 * the page becomes visible, at the slowest pace while the browser says `offline`, and after the server's own pause
 * when it drains. A server on the same machine is reachable without a network, so "offline" slows down but never stops.
 *
 * Some networks swallow WebSockets: no answer comes, or no frame. A try that gets nowhere that way goes on by long-polling,
 * and the next ones begin with it. Engine.IO then exchanges it for a WebSocket by itself wherever one opens.
 */

import { io, type Socket } from "socket.io-client";
import { LAST_CEILING, pauseBefore } from "./backoff.js";
import { type Clock, systemClock, type Timer } from "./clock.js";
import type { Answer, Authentication, Connection, Receiver } from "./connection.js";
import { Detour } from "./detour.js";
import { NEWEST, OLDEST, parser } from "./parser.js";
import type { LinkStatus } from "./state.js";
import { renewAfter, type TokenSource, tokenOf, within } from "./tokens.js";
import type { LocalUser, ServerError } from "./types.js";
import { decodeError, refusalIn } from "./wire.js";

/** Milliseconds for one attempt to connect. */
const CONNECT_TIME = 10_000;
/** Milliseconds for a WebSocket to open: several round trips by way of a satellite. */
const WEBSOCKET_TIME = 4_000;
/** Milliseconds before a token that could not be renewed is asked for again. */
const RENEWAL_PAUSE = 10_000;
/** So many tries may the server refuse in a row for who the person is; a token that was just running out costs one. */
const MOST_REFUSALS = 2;

export interface SocketConnectionOptions {
  /** Where the server is, e.g. `https://docs.example.org`; by default where the page came from. */
  readonly url?: string;
  readonly path?: string;
  readonly transports?: readonly ("websocket" | "polling")[];
  readonly user?: LocalUser;
  /**
   * For servers that ask for a token: the token, or a function that returns a fresh one, at once or in a while. The function is
   * called before each try to connect, before a token runs out, and when the server refuses the last one.
   */
  readonly token?: TokenSource;
  /** Called before each try to connect, which waits for it; a rejection counts as a try that failed. */
  readonly beforeConnecting?: () => Promise<void>;
  readonly clock?: Clock;
}

/** One Socket.IO connection, open while documents are attached to it. Share one between the documents of a page. */
export class SocketConnection implements Connection {
  private readonly options: SocketConnectionOptions;
  private readonly clock: Clock;
  private readonly receivers = new Map<string, Receiver>();
  private readonly awaiting = new Set<(answer: Answer) => void>();
  private socket: Socket | null = null;
  private user: LocalUser | null;
  private status: LinkStatus = "offline";
  private noEntry: ServerError | null = null;
  private tries = 0;
  private timer: Timer | null = null;
  /** The server asked not to be connected to before this moment. */
  private notBefore = 0;
  private token: string | null = null;
  private renewal: Timer | null = null;
  /** Who waits for the token that is being brought to the server. */
  private readonly authenticating = new Set<(outcome: Authentication) => void>();
  /** Numbers the tries to connect: what an earlier one waited for means nothing any more. */
  private attempt = 0;
  /** How often in a row the server refused the person. */
  private refusals = 0;
  private readonly detour: Detour;
  /** Whether the try under way began with long-polling. */
  private isDetour = false;
  /** Ends the time that a WebSocket has. */
  private patience: Timer | null = null;

  constructor(options: SocketConnectionOptions = {}) {
    this.options = options;
    this.detour = new Detour(options.url ?? "");
    this.clock = options.clock ?? systemClock;
    this.user = options.user ?? null;
  }

  get link(): LinkStatus {
    return this.status;
  }

  get turnedAway(): ServerError | null {
    return this.noEntry;
  }

  attach(documentId: string, receiver: Receiver): () => void {
    // The server knows one session per document and connection; a second one would silently replace the first.
    if (this.receivers.has(documentId))
      throw new Error("This connection has a provider for the document already.");
    this.receivers.set(documentId, receiver);
    if (this.socket === null) this.open(documentId);
    return () => {
      if (this.receivers.get(documentId) === receiver) this.receivers.delete(documentId);
      if (this.receivers.size === 0) this.close();
    };
  }

  request(
    event: string,
    args: readonly unknown[],
    answered: (answer: Answer) => void,
    timeout?: number,
  ): void {
    const { socket } = this;
    if (socket === null || !socket.connected) {
      answered({ kind: "lost" });
      return;
    }
    let timer: Timer | null = null;
    const settle = (answer: Answer): void => {
      if (!this.awaiting.delete(settle)) return;
      if (timer !== null) this.clock.clearTimeout(timer);
      answered(answer);
    };
    this.awaiting.add(settle);
    if (timeout !== undefined) timer = this.clock.setTimeout(() => settle({ kind: "lost" }), timeout);
    socket.emit(event, ...args, (value: unknown) => settle({ kind: "answered", value }));
  }

  setUser(user: LocalUser): void {
    this.user = user;
    if (this.options.token === undefined) this.request("authenticate", [{ guest: user }], () => {});
  }

  authenticate(answered: (outcome: Authentication) => void): void {
    const { token } = this.options;
    if (typeof token !== "function") {
      answered("refused"); // there is no other one
      return;
    }
    this.authenticating.add(answered);
    if (this.authenticating.size > 1) return;
    this.fetchToken(token).then(
      (fresh) => this.bring(fresh),
      () => this.settleAuthentication("lost"),
    );
  }

  reconnectNow(): void {
    if (this.socket === null || this.socket.connected) return;
    this.tries = 0;
    this.refusals = 0;
    this.connect();
  }

  private open(documentId: string): void {
    const { url, path } = this.options;
    const options = {
      path: path ?? "/socket.io/",
      // A load balancer may keep a document's people on one node by it.
      query: { document: documentId },
      auth: (give: (payload: object) => void) =>
        give({ protocol: OLDEST, newest: NEWEST, ...this.credentials() }),
      parser: parser(),
      autoConnect: false,
      reconnection: false,
      forceNew: true,
      timeout: CONNECT_TIME,
    };
    const socket = url === undefined ? io(options) : io(url, options);
    this.socket = socket;
    socket.io.on("open", () => this.onOpen());
    socket.on("connect", () => this.onConnect());
    socket.on("connect_error", (error: Error) => this.onConnectError(error));
    socket.on("disconnect", () => this.onLost());
    socket.on("draining", (notice: unknown) => this.onDraining(notice));
    // Of the person, and of no document in particular.
    socket.on("inbox", () => this.deliver("inbox", documentId, []));
    socket.onAny((event: string, documentId: unknown, ...args: unknown[]) => {
      if (typeof documentId === "string") this.deliver(event, documentId, args);
    });
    this.listenToBrowser(true);
    this.connect();
  }

  private credentials(): object {
    if (this.token !== null) return { token: this.token };
    return this.user === null ? {} : { guest: this.user };
  }

  private close(): void {
    this.stopTimer();
    this.stopPatience();
    this.stopRenewal();
    this.listenToBrowser(false);
    const { socket } = this;
    this.socket = null;
    this.status = "offline";
    this.noEntry = null;
    socket?.io.off();
    socket?.off();
    socket?.offAny();
    socket?.disconnect();
    this.loseAnswers();
  }

  private connect(): void {
    this.stopTimer();
    // After a failure the page goes on saying "offline" until a try succeeds: one word, not two taking turns.
    if (this.tries === 0) this.setLink("connecting");
    this.attempt += 1;
    const { attempt, socket } = this;
    const { token, beforeConnecting } = this.options;
    const begin = () => this.begin(this.detour.isNeeded(this.clock.now()));
    if (token === undefined && beforeConnecting === undefined) {
      begin();
      return;
    }
    const isLatest = () => this.socket === socket && this.attempt === attempt;
    this.prepare().then(
      () => {
        if (isLatest()) begin();
      },
      () => {
        if (isLatest()) this.onLost();
      },
    );
  }

  /** Begin with a WebSocket, or with long-polling if `isDetour`; what the options leave out is not tried. */
  private begin(isDetour: boolean): void {
    const { socket } = this;
    if (socket === null || socket.active) return;
    const transports = this.options.transports ?? ["websocket", "polling"];
    const [first] = transports;
    const mayDetour = first === "websocket" && transports.includes("polling");
    this.isDetour = isDetour && mayDetour;
    // A detour that fails says why, which a WebSocket behind it would hide.
    Object.assign(socket.io.opts, {
      transports: this.isDetour ? ["polling", "websocket"] : [...transports],
      tryAllTransports: !this.isDetour,
    });
    if (mayDetour && !this.isDetour) this.bePatient(WEBSOCKET_TIME);
    socket.connect();
  }

  /** Give a WebSocket so many milliseconds before the try goes on by long-polling. */
  private bePatient(time: number): void {
    this.stopPatience();
    this.patience = this.clock.setTimeout(() => {
      this.socket?.disconnect();
      this.begin(true);
    }, time);
  }

  private stopPatience(): void {
    if (this.patience !== null) this.clock.clearTimeout(this.patience);
    this.patience = null;
  }

  /** There is a session. Whether the server's answer to the greeting comes through remains to be seen. */
  private onOpen(): void {
    if (this.patience !== null) this.bePatient(CONNECT_TIME);
    this.socket?.io.engine.once("upgrade", () => this.detour.forget());
  }

  private async prepare(): Promise<void> {
    const { token, beforeConnecting } = this.options;
    if (beforeConnecting !== undefined) await within(beforeConnecting(), CONNECT_TIME, this.clock);
    if (token !== undefined) this.token = await this.fetchToken(token);
  }

  private fetchToken(token: TokenSource): Promise<string> {
    return within(tokenOf(token), CONNECT_TIME, this.clock);
  }

  private bring(token: string): void {
    this.token = token;
    const outcomeOf = (answer: Answer): Authentication => {
      if (answer.kind === "lost") return "lost";
      const error = refusalIn(answer.value);
      if (error === null) return "authenticated";
      return error.code === "unauthenticated" || error.code === "forbidden" ? "refused" : "lost";
    };
    this.request(
      "authenticate",
      [{ token }],
      (answer) => this.settleAuthentication(outcomeOf(answer)),
      CONNECT_TIME,
    );
  }

  private settleAuthentication(outcome: Authentication): void {
    const waiting = [...this.authenticating];
    this.authenticating.clear();
    if (outcome === "authenticated") this.renewLater();
    else if (outcome === "lost" && this.socket?.connected) this.renewLater(RENEWAL_PAUSE);
    for (const answered of waiting) answered(outcome);
  }

  private renewLater(pause = this.token === null ? null : renewAfter(this.token, this.clock.now())): void {
    this.stopRenewal();
    if (pause === null || typeof this.options.token !== "function") return;
    this.renewal = this.clock.setTimeout(() => this.authenticate(() => {}), pause);
  }

  private stopRenewal(): void {
    if (this.renewal !== null) this.clock.clearTimeout(this.renewal);
    this.renewal = null;
  }

  private onConnect(): void {
    this.stopPatience();
    if (this.isDetour) this.detour.remember(this.clock.now());
    this.tries = 0;
    this.notBefore = 0;
    this.refusals = 0;
    this.renewLater();
    this.setLink("connected");
  }

  private onConnectError(error: Error): void {
    this.stopPatience();
    if (this.isDetour) this.detour.forget();
    const refusal = refusalOf(error);
    if (refusal?.code !== "unauthenticated") {
      this.onLost(refusal);
      return;
    }
    this.refusals += 1;
    if (typeof this.options.token === "function" && this.refusals < MOST_REFUSALS) {
      this.onLost();
      return;
    }
    this.stopTimer();
    this.setLink("offline");
    for (const receiver of [...this.receivers.values()]) receiver.refused(refusal);
  }

  private onLost(turnedAway: ServerError | null = null): void {
    const { socket } = this;
    if (socket === null) return;
    this.stopPatience();
    socket.disconnect(); // an active socket has a try under way
    socket.sendBuffer = []; // what was meant for the old session must not reach the new one
    this.stopRenewal();
    this.loseAnswers();
    if (this.status === "connected" && isOnline()) this.setLink("connecting");
    else this.setLink(this.tries > 0 || !isOnline() ? "offline" : this.status, turnedAway);
    const pause = isOnline()
      ? pauseBefore(this.tries, this.clock.random())
      : LAST_CEILING * (0.5 + this.clock.random() / 2);
    this.tries += 1;
    this.connectAfter(Math.max(pause, this.notBefore - this.clock.now()));
  }

  private connectAfter(pause: number): void {
    this.stopTimer();
    this.timer = this.clock.setTimeout(() => this.connect(), pause);
  }

  /** The server goes away: stay until the pause is over, so that what is under way is acknowledged, then move. */
  private onDraining(notice: unknown): void {
    const given = (notice as { readonly after_ms?: unknown } | null)?.after_ms;
    const pause = typeof given === "number" && given >= 0 ? Math.min(given, LAST_CEILING) : 0;
    this.notBefore = this.clock.now() + pause;
    this.stopTimer();
    this.timer = this.clock.setTimeout(() => this.socket?.disconnect(), pause);
  }

  private deliver(event: string, documentId: string, args: readonly unknown[]): void {
    this.receivers.get(documentId)?.received(event, args);
  }

  private setLink(status: LinkStatus, turnedAway: ServerError | null = null): void {
    const isSame = turnedAway?.code === this.noEntry?.code && turnedAway?.message === this.noEntry?.message;
    if (status === this.status && isSame) return;
    this.status = status;
    this.noEntry = turnedAway;
    for (const receiver of [...this.receivers.values()]) receiver.linkChanged(status);
  }

  private loseAnswers(): void {
    for (const settle of [...this.awaiting]) settle({ kind: "lost" });
  }

  private stopTimer(): void {
    if (this.timer !== null) this.clock.clearTimeout(this.timer);
    this.timer = null;
  }

  private listenToBrowser(listen: boolean): void {
    if (typeof window === "undefined") return;
    const change = listen ? "addEventListener" : "removeEventListener";
    window[change]("online", this.onOnline);
    window[change]("offline", this.onOffline);
    window.document[change]("visibilitychange", this.onVisible);
  }

  private readonly onOnline = (): void => this.reconnectNow();

  private readonly onOffline = (): void => {
    if (this.socket?.connected === true) this.socket.disconnect();
    else this.setLink("offline");
  };

  private readonly onVisible = (): void => {
    if (window.document.visibilityState === "visible" && isOnline()) this.reconnectNow();
  };
}

/** Socket.IO's errors hold the data of a CONNECT_ERROR, or the request of long-polling that failed. */
type ConnectError = Error & {
  readonly data?: unknown;
  readonly context?: { readonly responseText?: unknown };
};

/** What the server said instead of letting us in; null when the connection just did not come about. */
function refusalOf(error: ConnectError): ServerError | null {
  try {
    if (error.data !== undefined) return decodeError(error.data);
    return refusalIn(JSON.parse(String(error.context?.responseText)));
  } catch {
    return null;
  }
}

function isOnline(): boolean {
  return typeof navigator === "undefined" || navigator.onLine !== false;
}
