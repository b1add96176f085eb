// The household's pages without a network. The build writes `build` above this: its
// version and its files. Files are kept as they were built; what the API says is never
// kept here. A newer version waits until the person takes it, so that an open page
// finds the files that belong to it.
/* global build */

const name = `jirani-${build.version}`;
const page = "/";
const known = new Set([...build.first, ...build.later, ...build.rest]);
const elsewhere = /^\/(api|ops|hooks|ussd|sms|health|ready|metrics)(\/|$)/;

self.addEventListener("install", (event) => {
  const files = [new Request(page, { cache: "no-cache" }), "/icon.svg", ...build.first];
  event.waitUntil(caches.open(name).then((cache) => cache.addAll(files)));
});

self.addEventListener("activate", (event) => {
  const forget = async () => {
    for (const other of await caches.keys()) if (other !== name) await caches.delete(other);
    await self.clients.claim();
  };
  event.waitUntil(forget());
});

self.addEventListener("message", (event) => {
  if (event.data?.wish === "use") event.waitUntil(self.skipWaiting());
  if (event.data?.wish === "keep") event.waitUntil(keep(event.data));
});

/** Keeps what the page has loaded before it was watched; every screen, too, if data may be spent. */
async function keep({ loaded, everything }) {
  const cache = await caches.open(name);
  const wanted = new Set(loaded.filter((path) => known.has(path)));
  if (everything) for (const path of build.later) wanted.add(path);
  for (const path of wanted) if (!(await cache.match(path))) await cache.add(path);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (known.has(pathname)) event.respondWith(file(pathname, request));
  else if (request.mode === "navigate" && !elsewhere.test(pathname) && !pathname.includes(".")) {
    event.respondWith(file(page, request));
  }
});

async function file(path, request) {
  const cache = await caches.open(name);
  const kept = await cache.match(path);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok && path !== page) await cache.put(path, answer.clone());
  return answer;
}
