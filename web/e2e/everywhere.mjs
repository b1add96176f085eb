// Every screen of a household in both languages and both themes keeps the accessibility
// rules, with its values, with a server that fails and without a network; every screen can
// be walked by the keyboard alone, and so can selling and buying.
//   DASHBOARD=http://.. node e2e/everywhere.mjs
import assert from "node:assert/strict";
import { between } from "./between.mjs";
import { accessible, start, until } from "./browser.mjs";

const seller = "Baraka Ndunge";
const buyer = "Achieng Mutiso";
const paths = ["/", "/forecast", "/market", "/rules", "/money", "/history", "/bill", "/settings", "/handset"];
const looks = ["en", "sw"].flatMap((language) => ["light", "dark"].map((theme) => [language, theme]));
const waiting = (page) => page.locator("main [role=status].rounded-2xl, [aria-busy]");
const stands = (page, what) => until(what, async () => (await waiting(page).count()) === 0);

/** The proof of something that happened to this household. */
async function proofOf(device, url, storageState) {
  const context = await device("phone", { storageState });
  const answer = await context.request.get(`${url}/api/v1/me/movements?limit=1`);
  const [{ id }] = await answer.json();
  await context.close();
  return `/proof/${id}`;
}

async function session(device, url, name) {
  const context = await device("phone");
  const page = await context.newPage();
  await page.goto(url);
  await page.getByRole("button", { name }).click();
  await page.getByTestId("power").waitFor();
  const state = await context.storageState();
  await context.close();
  return { cookies: state.cookies, origins: [] };
}

/** A phone of this household in a language and a theme. */
async function phone(device, storageState, [language, colorScheme], size = "phone") {
  const context = await device(size, { storageState, colorScheme, locale: `${language}-KE` });
  return context.newPage();
}

async function withValues(device, url, storageState) {
  for (const look of looks) {
    const page = await phone(device, storageState, look);
    for (const path of paths) {
      await page.goto(url + path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await stands(page, path);
      await accessible(page, `${path} ${look}`);
      assert.equal(await page.locator("html").getAttribute("lang"), look[0]);
      assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1, `${path} has one heading`);
    }
    await page.context().close();
    const stranger = await phone(device, undefined, look);
    await stranger.goto(url);
    await stranger.getByRole("heading", { level: 1 }).waitFor();
    await stands(stranger, "the village");
    await accessible(stranger, `signing in ${look}`);
    await stranger.context().close();
  }
}

/** The page is there, its answers are not. */
async function withFailures(device, network, storageState) {
  const refuse = (route) =>
    route.fulfill({
      status: 503,
      contentType: "application/problem+json",
      body: JSON.stringify({
        code: "chain.unreachable",
        detail: "The chain does not answer.",
        detail_sw: "Mtandao haujibu.",
        request_id: "7",
      }),
    });
  for (const look of looks) {
    const page = await phone(device, storageState, look);
    await page.route(/\/api\/v1\/(?!me$|config)/, refuse);
    for (const path of paths) {
      await page.goto(network.url + path);
      await page.getByRole("alert").first().waitFor();
      await accessible(page, `${path} ${look} with a server that fails`);
    }
    await page.context().close();
  }
}

/** Tab comes to everything that can be used, shows where it is, and nothing covers that place. */
async function walk(page, what) {
  const all = await page.evaluate(() => {
    const usable = "a[href], button:not(:disabled), input:not(:disabled), select, summary";
    const radios = new Set();
    return [...document.querySelectorAll(usable)].filter((element) => {
      if (element.closest("details:not([open]) > :not(summary)")) return false;
      if (element.type !== "radio") return true;
      // The arrow keys go on inside a group.
      return !radios.has(element.name) && radios.add(element.name);
    }).length;
  });
  const reached = new Set();
  for (let step = 0; step < all + 2 && reached.size < all; step += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return null;
      element.dataset.walked ??= String(document.querySelectorAll("[data-walked]").length);
      const box = element.getBoundingClientRect();
      const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      return {
        number: element.dataset.walked,
        name: element.textContent || element.id,
        isSeen: element.contains(top) || Boolean(top?.closest("label")?.contains(element)),
        outline: getComputedStyle(element).outlineStyle,
      };
    });
    if (!at) continue;
    assert.ok(at.isSeen, `${what}: "${at.name}" has the focus and is covered`);
    assert.notEqual(at.outline, "none", `${what}: "${at.name}" does not show its focus`);
    reached.add(at.number);
  }
  assert.equal(reached.size, all, `${what}: Tab reaches ${reached.size} of ${all}`);
}

async function walks(device, url, storageState) {
  const page = await phone(device, storageState, ["en", "light"], "narrow");
  for (const path of paths) {
    await page.goto(url + path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await stands(page, path);
    await walk(page, path);
  }
  await page.context().close();
}

/** Kiswahili, the dark and the largest text on the narrowest phone, chosen on it and kept. */
async function chooses(device, url, storageState) {
  const page = await phone(device, storageState, ["en", "light"], "narrow");
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(`${url}/settings`);
  // It is chosen only once its texts are there.
  await page.getByRole("radio", { name: "Kiswahili" }).click();
  await page.getByRole("heading", { name: "Mipangilio" }).waitFor();
  await page.getByRole("radio", { name: "Giza" }).check();
  await page.getByRole("radio", { name: "Makubwa zaidi" }).check();
  await page.getByRole("checkbox", { name: "Okoa data" }).check();
  await page.getByRole("checkbox", { name: "Ficha kiasi cha pesa" }).check();
  asked.length = 0;
  for (const path of paths) {
    await page.goto(url + path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await stands(page, path);
    assert.match(await page.locator("html").getAttribute("class"), /dark/, `${path} is dark`);
    await accessible(page, `${path} with the largest text on the narrowest phone`);
  }
  await page.goto(url);
  assert.equal(await page.getByTestId("balance").textContent(), "•••••");
  await page.goto(`${url}/forecast`);
  await page.getByRole("button", { name: /^Chora chati/ }).waitFor();
  assert.ok(!asked.includes("/api/v1/events"), "who saves data opened the live stream");
  assert.ok(!asked.some((path) => path.includes("BandChart")), "who saves data loaded the chart");
  await page.context().close();
}

/** Goes to `target` by Tab alone. */
async function tabTo(page, target, what) {
  for (let step = 0; step < 60; step += 1) {
    if (await target.evaluate((element) => element === document.activeElement).catch(() => false)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not come to ${what}`);
}

async function press(page, role, name) {
  const target = page.getByRole(role, { name, exact: true });
  await target.waitFor();
  await tabTo(page, target, name);
  await page.keyboard.press("Enter");
}

async function type(page, label, text) {
  await tabTo(page, page.getByLabel(label), label);
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type(text);
}

async function sellsAndBuys(device, url) {
  const page = await (await device("phone")).newPage();
  await page.goto(url);
  await press(page, "button", new RegExp(seller));
  const vault = page.getByTestId("vault");
  await until("energy to sell", async () => Number.parseFloat(await vault.textContent()) >= 1.2);
  await press(page, "link", "Market");
  await page.getByLabel("kWh to sell").waitFor();
  await type(page, "kWh to sell", "1");
  await type(page, "KSh per kWh for you", "27");
  await page.keyboard.press("Enter");
  await page.getByText("Your offer is on the market").waitFor();
  await press(page, "button", "Sign out");
  await press(page, "button", new RegExp(buyer));
  await page.getByTestId("power").waitFor();
  await press(page, "link", "Market");
  await page.getByLabel("How much?").waitFor();
  await type(page, "How much?", "0.2");
  await page.keyboard.press("Enter");
  await press(page, "button", /^Yes, pay KSh/);
  await page.waitForURL(/\/pay\/\d+$/);
  await page.locator('[data-testid="standing"][data-state="awaiting_payment"]').waitFor();
  await accessible(page, "a payment that was ordered by keyboard");
  await walk(page, "the payment");
  await page.context().close();
}

const { browser, complaints, device } = await start();
const network = await between(process.env.DASHBOARD);
try {
  await sellsAndBuys(device, network.url);
  const storageState = await session(device, network.url, seller);
  paths.push(await proofOf(device, network.url, storageState));
  await withValues(device, network.url, storageState);
  await chooses(device, network.url, storageState);
  await walks(device, network.url, storageState);
  assert.deepEqual(complaints, [], "the browser complained");
  await withFailures(device, network, storageState);
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
