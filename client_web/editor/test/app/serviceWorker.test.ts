/** A new version is announced, waits, and takes over only when it is asked to. */
import { expect, test } from "vitest";
import { registerServiceWorker } from "../../src/service-worker/register";

/** As much of a browser's service workers as a page sees: at most one active, at most one waiting. */
class FakeContainer extends EventTarget {
  controller: EventTarget | null = null;
  readonly registration = new FakeRegistration();

  registered = 0;

  async register(): Promise<FakeRegistration> {
    this.registered += 1;
    return this.registration;
  }

  /** A build is installed: it takes over if it is the first, else it waits. */
  install(): void {
    const worker = new FakeWorker(() => this.takeOver(worker));
    this.registration.installing = worker;
    this.registration.dispatchEvent(new Event("updatefound"));
    worker.state = "installed";
    this.registration.installing = null;
    if (this.controller) this.registration.waiting = worker;
    worker.dispatchEvent(new Event("statechange"));
    if (!this.controller) this.takeOver(worker);
  }

  private takeOver(worker: FakeWorker): void {
    this.registration.waiting = null;
    this.controller = worker;
    this.dispatchEvent(new Event("controllerchange"));
  }
}

class FakeRegistration extends EventTarget {
  looks = 0;
  installing: FakeWorker | null = null;
  waiting: FakeWorker | null = null;

  /** What the server has that this browser has not. */
  news: () => void = () => undefined;

  async update(): Promise<void> {
    this.looks += 1;
    this.news();
  }
}

class FakeWorker extends EventTarget {
  state = "installing";

  constructor(private readonly skipWaiting: () => void) {
    super();
  }

  postMessage(message: { readonly type: string }): void {
    if (message.type === "SKIP_WAITING") this.skipWaiting();
  }
}

async function openTab(container: FakeContainer, rested = Promise.resolve()) {
  const tab = { reloads: 0, announced: [] as (() => void)[] };
  const reload = () => {
    tab.reloads += 1;
  };
  const updates = registerServiceWorker(container as unknown as ServiceWorkerContainer, reload, rested);
  updates.onReady((activate) => tab.announced.push(activate));
  await new Promise((done) => setTimeout(done));
  return Object.assign(tab, { updates });
}

test("the server is asked for a newer version whenever somebody wants to know", async () => {
  const container = new FakeContainer();
  const { updates } = await openTab(container);
  updates.look();
  updates.look();
  expect(container.registration.looks).toBe(2);
});

test("a first visit fetches the application for later only when the page has what it needs", async () => {
  const container = new FakeContainer();
  const page = new EventTarget();
  await openTab(container, new Promise<void>((rest) => page.addEventListener("rests", () => rest())));
  expect(container.registered).toBe(0);
  page.dispatchEvent(new Event("rests"));
  await new Promise((done) => setTimeout(done));
  expect(container.registered).toBe(1);
});

test("a page under a service worker does not wait for it", async () => {
  const container = new FakeContainer();
  container.controller = new EventTarget();
  await openTab(container, new Promise(() => {}));
  expect(container.registered).toBe(1);
});

test("the first version ever is no news", async () => {
  const container = new FakeContainer();
  const tab = await openTab(container);
  container.install();
  expect(tab).toMatchObject({ reloads: 0, announced: [] });
});

test("a newer version is announced once and reloads the page only when it is wanted", async () => {
  const container = new FakeContainer();
  container.controller = new EventTarget();
  const tab = await openTab(container);
  container.install();
  container.install();
  expect(tab.announced).toHaveLength(1);
  expect(tab.reloads).toBe(0);
  tab.announced[0]?.();
  expect(tab.reloads).toBe(1);
});

test("to renew a tab is to switch to what the server has, also if nobody had heard of it", async () => {
  const container = new FakeContainer();
  container.controller = new EventTarget();
  const tab = await openTab(container);
  const before = container.controller;
  container.registration.news = () => container.install();
  await tab.updates.renew();
  expect(container.controller).not.toBe(before);
  expect(tab.reloads).toBe(1);
});

test("where there is nothing newer, to renew a tab is to reload it", async () => {
  const container = new FakeContainer();
  container.controller = new EventTarget();
  const tab = await openTab(container);
  container.registration.news = () => {
    throw new TypeError("Failed to fetch");
  };
  await tab.updates.renew();
  expect([tab.reloads, container.registration.looks]).toEqual([1, 1]);
});

test("another tab's switch reloads nobody else; asking afterwards does", async () => {
  const container = new FakeContainer();
  container.controller = new EventTarget();
  const [one, other] = [await openTab(container), await openTab(container)];
  container.install();
  one.announced[0]?.();
  expect([one.reloads, other.reloads]).toEqual([1, 0]);
  other.announced[0]?.();
  expect(other.reloads).toBe(1);
});

test("a version that was waiting already is announced to a new tab", async () => {
  const container = new FakeContainer();
  container.controller = new EventTarget();
  container.install();
  expect((await openTab(container)).announced).toHaveLength(1);
});
