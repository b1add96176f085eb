// A browser whose every complaint counts: errors on the console, refusals by the
// content security policy and broken accessibility rules all fail the story.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const patience = 120_000;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const rules = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"];
const shots = process.env.SHOTS;
const sizes = {
  phone: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  narrow: { viewport: { width: 320, height: 640 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  desk: { viewport: { width: 1280, height: 900 } },
};

/** Starts Chromium; `complaints` fills with what any of its pages complained about. */
export async function start() {
  const browser = await chromium.launch({
    executablePath: process.env.JIRANI_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  const complaints = [];
  /** A fresh device: no cookies, nothing remembered. */
  const device = async (size, settings = {}) => {
    const context = await browser.newContext({ ...sizes[size], locale: "en-KE", ...settings });
    context.setDefaultTimeout(patience);
    context.on("page", (page) => watch(page, complaints));
    return context;
  };
  return { browser, complaints, device };
}

function watch(page, complaints) {
  page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    const at = message.location().url;
    // Who is signed out learns it by a refusal, and Chromium logs every refusal.
    const signedOut = / 40[13] /.test(message.text()) && /\/api\/v1\/(me|operator)\b/.test(at);
    if (message.type() === "error" && !signedOut) complaints.push(`${at}: ${message.text()}`);
  });
}

/** Fails with the rule and the elements when a page breaks an accessibility rule or is too wide. */
export async function accessible(page, name) {
  await page.evaluate(axe);
  const found = await page.evaluate(
    (values) => globalThis.axe.run(document, { runOnly: { type: "tag", values } }),
    rules,
  );
  const broken = found.violations.map(
    (rule) =>
      `${rule.id}: ${rule.nodes.map((node) => `${node.target} ${node.any[0]?.message ?? ""}`).join("; ")}`,
  );
  if (broken.length > 0) throw new Error(`${name} breaks accessibility rules:\n  ${broken.join("\n  ")}`);
  // A phone shows a page that is too wide smaller, and calls that its width.
  const wider = (await page.evaluate(() => document.documentElement.scrollWidth)) - page.viewportSize().width;
  if (wider > 0) throw new Error(`${name} is ${wider} px wider than the screen`);
}

/** A picture of the page, when somebody wants pictures. */
export async function picture(page, name, options = {}) {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`), ...options });
}

/** Waits until `read` gives something true: what it gave. Pages update themselves. */
export async function until(what, read) {
  const end = Date.now() + patience;
  for (;;) {
    const value = await read();
    if (value) return value;
    if (Date.now() > end) throw new Error(`${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
