// What a household's phone loads before its home screen stands, on the real server: how
// much, in which language, and whether anything moves. The last line is the figures.
//   DASHBOARD=http://.. [RUNS=5] node e2e/first-load.mjs
import assert from "node:assert/strict";
import { between } from "./between.mjs";
import { start, until } from "./browser.mjs";

const JS_GZIP_MAX = 95_000;
const BYTES_MAX = 150_000;
const CLS_MAX = 0.02;
const household = "Chebet Kilonzo";
const runs = Number(process.env.RUNS ?? 1);
// 150 ms there and back, 1.6 Mbit/s.
const slow4g = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 94_000 };

/** Runs in the page before anything else: what moves, when it is painted, every text that was ever seen. */
function watch() {
  const seen = { moved: 0, painted_ms: 0, texts: [] };
  globalThis.seen = seen;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.moved += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  new PerformanceObserver((list) => {
    seen.painted_ms = list.getEntries().at(-1).startTime;
  }).observe({ type: "largest-contentful-paint", buffered: true });
  // Only what is visible counts.
  const visible = "innerText";
  const look = () => {
    if (document.body) seen.texts.push(document.body[visible]);
    requestAnimationFrame(look);
  };
  look();
}

/** A phone that knows its household and has nothing else: what its first load costs. */
async function firstLoad(device, network, storageState, locale, path = "/") {
  const context = await device("phone", { storageState, locale });
  const page = await context.newPage();
  const wire = await context.newCDPSession(page);
  await wire.send("Network.enable");
  await wire.send("Network.emulateNetworkConditions", slow4g);
  await wire.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await page.addInitScript(watch);
  network.files.length = 0;
  network.bytes = 0;
  await page.goto(network.url + path);
  await page.getByTestId(path === "/" ? "power" : "offers").waitFor();
  const scripts = network.files.filter(({ path: file }) => file.endsWith(".js") && file !== "/sw.js");
  // The worker fetches the other screens once the page is idle: they count, too.
  await until("every screen's file on the phone", () =>
    page.evaluate(async (paths) => {
      const kept = await Promise.all(paths.map((path) => caches.match(path)));
      return kept.every((file) => file !== undefined);
    }, build.later),
  );
  const seen = await page.evaluate(() => globalThis.seen);
  const loaded = {
    scripts: scripts.map(({ path: file }) => file),
    js: scripts.reduce((sum, { bytes }) => sum + bytes, 0),
    all: network.bytes,
    files: network.files.map(({ path: file }) => file),
    seen,
  };
  await context.close();
  return loaded;
}

/** What the worker was told of this build's files. */
async function filesOf(dashboard) {
  const worker = await (await fetch(`${dashboard}/sw.js`)).text();
  return JSON.parse(/^const build = (.*);$/m.exec(worker)[1]);
}

const build = await filesOf(process.env.DASHBOARD);
const { browser, complaints, device } = await start();
const network = await between(process.env.DASHBOARD);
try {
  const known = await device("phone");
  const page = await known.newPage();
  await page.goto(network.url);
  await page.getByRole("button", { name: household }).click();
  await page.getByTestId("power").waitFor();
  const { cookies } = await known.storageState();
  const storageState = { cookies, origins: [] };
  await known.close();

  const loads = [];
  for (let run = 0; run < runs; run += 1) loads.push(await firstLoad(device, network, storageState, "en-KE"));
  const largest = (figure) => Math.max(...loads.map(figure));
  const figures = {
    household_js_gzip: largest(({ js }) => js),
    household_total_bytes: largest(({ all }) => all),
    lcp_ms: Math.round(loads.map(({ seen }) => seen.painted_ms).sort((a, b) => a - b)[runs >> 1]),
    cls: Number(largest(({ seen }) => seen.moved).toFixed(4)),
  };
  assert.ok(
    figures.household_js_gzip > 0 && figures.household_js_gzip <= JS_GZIP_MAX,
    JSON.stringify(figures),
  );
  assert.ok(figures.household_total_bytes <= BYTES_MAX, JSON.stringify(figures));
  assert.ok(figures.cls <= CLS_MAX, JSON.stringify(figures));
  const { scripts, files, seen } = loads[0];
  assert.ok(!files.some((file) => /ops|BandChart/.test(file)), `too much was loaded: ${files}`);
  assert.ok(!scripts.some((file) => /\/sw-/.test(file)), `two languages were loaded: ${scripts}`);
  assert.ok(
    !seen.texts.some((text) => /Subiri|Nyumbani/.test(text)),
    "Kiswahili flashed on an English phone",
  );

  const swahili = await firstLoad(device, network, storageState, "sw-KE");
  assert.ok(
    swahili.seen.texts.some((text) => text.includes("Subiri kidogo")),
    `the first paint said ${swahili.seen.texts[0]}`,
  );
  assert.ok(
    !swahili.seen.texts.some((text) => /One moment|Home\b|Loading/.test(text)),
    "English flashed on a Kiswahili phone",
  );
  assert.ok(!swahili.scripts.some((file) => /\/en-/.test(file)), `two languages: ${swahili.scripts}`);
  assert.ok(swahili.js <= JS_GZIP_MAX, `${swahili.js} B of scripts in Kiswahili`);
  assert.ok(swahili.seen.moved <= CLS_MAX, `Kiswahili moved by ${swahili.seen.moved}`);
  assert.deepEqual(complaints, [], "the browser complained");
  console.log(JSON.stringify(figures));
} finally {
  network.close();
  await browser.close();
}
