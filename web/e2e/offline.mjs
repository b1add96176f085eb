// A phone whose network dies, saves data, or holds a page open while a newer one is
// deployed: on the real server, over a network that the story can cut.
//   DASHBOARD=http://.. node e2e/offline.mjs
import assert from "node:assert/strict";
import { between } from "./between.mjs";
import { accessible, picture, start, until } from "./browser.mjs";

const household = "Chebet Kilonzo";
const screens = [
  ["Forecast", "The next two days"],
  ["Market", "Market"],
  ["Money", "Your money"],
  ["History", "History"],
];
const tab = (page, name) => page.getByRole("navigation").getByRole("link", { name }).click();
const heading = (page, name) => page.getByRole("heading", { level: 1, name });
const button = (page, name) => page.getByRole("button", { name });

async function signIn(page, url) {
  await page.goto(url);
  await button(page, household).click();
  await page.getByTestId("power").waitFor();
}

/** Files that the worker keeps on this phone. */
const keptFiles = (page) =>
  page.evaluate(async () => {
    const paths = [];
    for (const name of await caches.keys()) {
      for (const { url } of await (await caches.open(name)).keys()) paths.push(new URL(url).pathname);
    }
    return paths;
  });
const hasScreen = (files, name) => files.some((file) => file.includes(`/${name}-`));

/** Every screen opens without a network, says how old it is, and takes no money's order. */
async function dies(device, network) {
  const page = await (await device("phone")).newPage();
  await signIn(page, network.url);
  for (const [name, title] of screens) {
    await tab(page, name);
    await heading(page, title).waitFor();
    await until(`${name}'s values`, async () => (await page.getByText("Loading").count()) === 0);
  }
  await until("the files", async () => hasScreen(await keptFiles(page), "BillScreen"));
  await page.goto(`${network.url}/money`);
  const had = await page.getByTestId("available").textContent();
  await until("what the screens said, on the phone", () =>
    page.evaluate(() => localStorage.getItem("jirani.snapshot")?.includes("offers")),
  );

  network.die();
  await page.goto(network.url);
  await page.getByTestId("power").waitFor();
  await page.getByTestId("offline").waitFor();
  assert.match(await page.getByTestId("offline").textContent(), /^No network\. Values of \d\d:\d\d\.$/);
  await page.locator("[data-old]").first().waitFor();
  await accessible(page, "home without a network");
  await picture(page, "offline-home");
  for (const [name, title] of screens) {
    await tab(page, name);
    await heading(page, title).waitFor();
    await accessible(page, `${name} without a network`);
  }
  await tab(page, "Money");
  assert.equal(await page.getByTestId("available").textContent(), had);
  await page.getByLabel("Amount in KSh").fill("10");
  assert.ok(await button(page, "See the charge").isDisabled());
  await page.getByText("Without a network this cannot be done now.").first().waitFor();
  // Never opened before, and still there: its file came when the page was idle.
  await page.goto(`${network.url}/rules`);
  await heading(page, "Your rules").waitFor();
  await page.getByRole("alert").getByText("The server cannot be reached").waitFor();
  await button(page, "Kiswahili").click();
  await heading(page, "Kanuni zako").waitFor();
  await accessible(page, "rules without a network, in Kiswahili");
  await button(page, "English").click();

  network.revive();
  await button(page, "Try again").click();
  await page.getByLabel("Sell what I have left").waitFor();
  await page.getByTestId("offline").waitFor({ state: "detached" });
  await tab(page, "Money");
  await page.getByLabel("Amount in KSh").fill("10");
  await until("a button that works", () => button(page, "See the charge").isEnabled());
  await button(page, "Sign out").click();
  await button(page, household).waitFor();
  assert.equal(
    await page.evaluate(() => localStorage.getItem("jirani.snapshot")),
    null,
    "numbers stayed behind",
  );
  await page.context().close();
}

/** Who saves data loads a screen when it is opened, and finds it again without a network. */
async function saves(device, network) {
  const context = await device("phone");
  await context.addInitScript(() => {
    Object.defineProperty(navigator, "connection", { value: { saveData: true } });
  });
  const page = await context.newPage();
  await page.goto(`${network.url}/market`);
  await button(page, household).click();
  await heading(page, "Market").waitFor();
  await until("the files", async () => hasScreen(await keptFiles(page), "MarketScreen"));
  assert.ok(!hasScreen(await keptFiles(page), "BillScreen"), "data was spent on a screen that nobody opened");
  await tab(page, "Money");
  await heading(page, "Your money").waitFor();
  await until("the opened screen", async () => hasScreen(await keptFiles(page), "MoneyScreen"));
  await context.close();
}

/** A newer version waits for a yes, and what was typed stays until then. */
async function renews(device, network) {
  const page = await (await device("phone")).newPage();
  await signIn(page, network.url);
  await until("the files", async () => hasScreen(await keptFiles(page), "BillScreen"));
  await tab(page, "Money");
  await page.getByLabel("Amount in KSh").fill("12");
  network.changed.set("/sw.js", (text) => text.replace(/"version":"\w+"/, '"version":"newer"'));
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update());
  await page.getByText("A newer version is ready.").waitFor();
  assert.equal(await page.getByLabel("Amount in KSh").inputValue(), "12");
  await button(page, "Use it now").click();
  await until("only the newer files", async () =>
    page
      .evaluate(async () => (await caches.keys()).join() === "jirani-newer")
      // The page is loaded again in between.
      .catch(() => false),
  );
  await heading(page, "Your money").waitFor();
  network.changed.clear();
  await page.context().close();
}

const { browser, complaints, device } = await start();
const network = await between(process.env.DASHBOARD);
try {
  await dies(device, network);
  await saves(device, network);
  await renews(device, network);
  const other = complaints.filter(
    (complaint) => !/ERR_(EMPTY_RESPONSE|CONNECTION|FAILED|NETWORK|INCOMPLETE)/.test(complaint),
  );
  assert.deepEqual(other, [], "the browser complained");
} catch (error) {
  for (const context of browser.contexts()) {
    for (const page of context.pages()) {
      console.error(`--- ${page.url()}\n${await page.locator("body").ariaSnapshot()}`);
    }
  }
  if (complaints.length > 0) console.error(`--- complaints\n${complaints.join("\n")}`);
  throw error;
} finally {
  network.close();
  await browser.close();
}
