/** Words of the languages in use, for the service worker: each new version fetches the same ones before it serves.
 *
 * The build puts `self.NAMES` before this file: what this version has of every language. The cache is filled by the page on its
 * first visit, and by the service worker's route from then on.
 */
const CACHE = "words";

self.addEventListener("install", (event) => event.waitUntil(renew()));
self.addEventListener("activate", (event) => event.waitUntil(forget()));

async function renew() {
  const kept = await caches.open(CACHE);
  const inUse = new Set((await kept.keys()).map(({ url }) => kindOf(url)));
  await kept.addAll(self.NAMES.filter((name) => inUse.has(kindOf(name))));
}

async function forget() {
  const kept = await caches.open(CACHE);
  const old = (await kept.keys()).filter(({ url }) => !self.NAMES.some((name) => url.endsWith(`/${name}`)));
  await Promise.all(old.map((request) => kept.delete(request)));
}

/** "words-de" for "assets/words-de-X1.js". */
function kindOf(name) {
  return /(words|emoji)-[a-z]+(?=-[^/]*$)/.exec(name)?.[0];
}
