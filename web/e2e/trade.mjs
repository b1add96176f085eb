// One day in a village as two neighbours and the operator see it, on the real pages:
// sell, buy with M-Pesa, pay on the phone, withdraw, audit.
//   DASHBOARD=http://.. PHONES=http://.. [JIRANI_CHROMIUM=..] [SHOTS=folder] node e2e/trade.mjs
import assert from "node:assert/strict";
import { accessible, picture, start, until } from "./browser.mjs";

const { DASHBOARD, PHONES } = process.env;
if (!DASHBOARD || !PHONES) {
  console.error("DASHBOARD and PHONES must be the addresses that `jirani up` prints.");
  process.exit(2);
}

const seller = "Chebet Kilonzo";
const buyer = "Daudi Musyoka";
// A buyer may hold a quarter of an offer, so this much allows a purchase worth a withdrawal.
const enough_wh = 2_800;
const kwh = (text) => Math.round(Number.parseFloat(text.replaceAll(",", "")) * 1000);
const cents = (text) => Math.round(Number.parseFloat(text.replace(/[^\d.]/g, "")) * 100);
const button = (page, name) => page.getByRole("button", { name });
const tab = (page, name) => page.getByRole("navigation").getByRole("link", { name }).click();
const began = Date.now();
const step = (text) => console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s  ${text}`);

async function signIn(page, name) {
  await page.goto(DASHBOARD);
  await button(page, name).click();
  await page.getByTestId("power").waitFor();
}

async function sell(page) {
  await signIn(page, seller);
  const vault = page.getByTestId("vault");
  const had_wh = await until("enough eKWh", async () => {
    const wh = kwh(await vault.textContent());
    return wh >= enough_wh && wh;
  });
  step(`${seller} has ${had_wh} Wh`);
  await accessible(page, "home");
  await picture(page, "home");
  await tab(page, "Forecast");
  await page.locator("canvas").waitFor();
  await accessible(page, "forecast");
  await picture(page, "forecast", { fullPage: true });
  await tab(page, "Market");
  await page.getByLabel("kWh to sell").fill((enough_wh / 1000).toFixed(1));
  await page.getByLabel("KSh per kWh for you").fill("28");
  await button(page, "Offer it").click();
  await page.getByText("Your offer is on the market").waitFor();
  await page.getByTestId("offers").getByText("(yours)").waitFor();
  await accessible(page, "market");
  await picture(page, "sell", { fullPage: true });
  await button(page, "Sign out").click();
  await button(page, buyer).waitFor();
  step("the offer is on the market");
}

/** Orders 0.7 kWh, in Kiswahili; what the phone will be asked for, in cents. */
async function order(page) {
  await button(page, "Kiswahili").click();
  await page.getByRole("heading", { name: "Wewe ni nani leo?" }).waitFor();
  await button(page, buyer).click();
  await page.getByTestId("power").waitFor();
  assert.equal(await page.locator("html").getAttribute("lang"), "sw");
  await page.getByText("eKWh za kuuza au kutumia").waitFor();
  await accessible(page, "home in Kiswahili");
  await picture(page, "home-sw", { fullPage: true });
  await tab(page, "Soko");
  await page.getByLabel("Kiasi gani?").fill("0.7");
  await button(page, "Ona bei").click();
  const yes = button(page, /^Ndiyo, lipa KSh/);
  const due_cents = cents(await yes.textContent());
  await accessible(page, "market in Kiswahili");
  await picture(page, "market");
  await yes.click();
  await page.waitForURL(/\/pay\/\d+$/);
  await button(page, "English").click();
  return due_cents;
}

async function pay(page, due_cents) {
  const standing = page.getByTestId("standing");
  const url = page.url();
  await page.locator('[data-testid="standing"][data-state="awaiting_payment"]').waitFor();
  await page.reload();
  assert.equal(page.url(), url);
  await page.locator('[data-testid="standing"][data-state="awaiting_payment"]').waitFor();
  await accessible(page, "payment");
  await picture(page, "pay");
  step("the payment survives a reload");

  const phone = await page.context().newPage();
  await phone.goto(`${PHONES}/phones`);
  await phone.getByRole("link", { name: `KSh ${due_cents / 100}` }).click();
  await phone.getByText(/^M-PESA$/).waitFor();
  await phone.locator("#pin").fill("2468");
  await picture(phone, "phone");
  await phone.locator("#pay").click();
  await phone.locator("#messages .message").first().waitFor();
  await phone.close();

  await page.locator('[data-testid="standing"][data-state="settled"]').waitFor();
  assert.equal(await standing.textContent(), "Paid and delivered");
  await page.getByText("eKWh delivered").waitFor();
  const receipt = page.locator("dd", { hasText: /^[A-Z0-9]{10}$/ });
  const signature = await page.getByTestId("signature").textContent();
  assert.match(await receipt.textContent(), /^[A-Z0-9]{10}$/);
  assert.match(signature, /^[1-9A-HJ-NP-Za-km-z]{64,88}$/);
  await accessible(page, "paid");
  await picture(page, "paid");
  step(`paid and delivered: ${signature.slice(0, 12)}…`);

  await tab(page, "History");
  await page.getByTestId("signature").filter({ hasText: signature }).first().waitFor();
  await accessible(page, "history");
  await picture(page, "history");
  await button(page, "Sign out").click();
  await button(page, seller).waitFor();
}

async function withdraw(page) {
  await signIn(page, seller);
  await tab(page, "Money");
  const available = page.getByTestId("available");
  const have_cents = await until("the sale's money", async () => cents(await available.textContent()));
  assert.ok(have_cents >= 1_000, `the sale brought only ${have_cents} cents`);
  await page.getByLabel("Amount in KSh").fill("10");
  await button(page, "See the charge").click();
  const yes = button(page, /^Yes, send KSh/);
  await yes.waitFor();
  await accessible(page, "money");
  await picture(page, "money");
  await yes.click();
  await page.getByTestId("payouts").getByText("Paid", { exact: true }).waitFor();
  await until("the smaller balance", async () => cents(await available.textContent()) < have_cents);
  await accessible(page, "money after the withdrawal");
  await tab(page, "Home");
  await page.getByTestId("power").waitFor();
  await picture(page, "household");
  await button(page, "Sign out").click();
  await button(page, seller).waitFor();
  step("the seller's withdrawal is paid");
}

async function audit(page) {
  await page.goto(`${DASHBOARD}/ops`);
  await button(page, /Sign in as the operator/).click();
  await page.getByTestId("money").waitFor();
  await button(page, "Audit now").click();
  await page.locator('[data-testid="audit"][data-ok]').waitFor();
  assert.equal(await page.getByTestId("audit").getAttribute("data-ok"), "true");
  await page.getByRole("cell", { name: "settled" }).first().waitFor();
  await accessible(page, "operator's desk");
  await picture(page, "operator");
  await picture(page, "operator-full", { fullPage: true });
  step("the audit finds nothing violated");
}

/** Every screen again on the narrowest phone, in the dark. */
async function darkAndNarrow(context) {
  const page = await context.newPage();
  await signIn(page, seller);
  for (const path of ["/", "/forecast", "/market", "/money", "/history"]) {
    await page.goto(DASHBOARD + path);
    await page.getByRole("navigation").waitFor();
    await until("the screen", async () => (await page.getByText("Loading").count()) === 0);
    if (path === "/forecast") await page.locator("canvas").waitFor();
    await accessible(page, `${path} at 320 px in the dark`);
    await picture(page, `dark-${path.slice(1) || "home"}`, { fullPage: true });
  }
  step("no screen breaks at 320 px in the dark");
}

const { browser, complaints, device } = await start();
try {
  const phone = await device("phone");
  const page = await phone.newPage();
  await sell(page);
  await pay(page, await order(page));
  await withdraw(page);
  await audit(await (await device("desk")).newPage());
  await darkAndNarrow(await device("narrow", { colorScheme: "dark" }));
  assert.deepEqual(complaints, [], "the browser complained");
  step("nothing on the console");
} catch (error) {
  for (const context of browser.contexts()) {
    for (const page of context.pages()) {
      console.error(`--- ${page.url()}\n${await page.locator("body").ariaSnapshot()}`);
    }
  }
  if (complaints.length > 0) console.error(`--- complaints\n${complaints.join("\n")}`);
  throw error;
} finally {
  await browser.close();
}
