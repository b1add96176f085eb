// Money that asks for the PIN, in a browser: the dialog takes the focus and keeps it, Escape
// gives up with everything in place, and the withdrawal that was refused is asked for again
// under its own key. The refusals are this story's own, so that any village tells it.
//   DASHBOARD=http://.. node e2e/pin.mjs
import assert from "node:assert/strict";
import { accessible, picture, start } from "./browser.mjs";

const { DASHBOARD } = process.env;
const household = "Baraka Ndunge";
const right = "4071";
const looks = [
  ["en", "light"],
  ["sw", "dark"],
];

/** A desk that pays only after the PIN, and remembers under which keys it was asked. */
async function desk(page) {
  const state = { given: false, keys: [] };
  const problem = (route, code, detail) =>
    route.fulfill({
      status: 403,
      contentType: "application/problem+json",
      body: JSON.stringify({ status: 403, code, detail, detail_sw: detail, request_id: "7" }),
    });
  await page.route(/\/me\/payouts\/quote$/, (route) =>
    route.fulfill({ json: { amount_cents: 5_000, charge_cents: 500, sent_cents: 4_500 } }),
  );
  await page.route(/\/me\/payouts$/, (route) => {
    if (route.request().method() !== "POST") return route.continue();
    state.keys.push(route.request().headers()["idempotency-key"]);
    if (!state.given) return problem(route, "api.pin_needed", "Give your PIN first.");
    return route.fulfill({ json: { id: 1, state: "requested" } });
  });
  await page.route(/\/session\/pin$/, (route) => {
    state.given = route.request().postDataJSON().pin === right;
    return state.given
      ? route.fulfill({ status: 204 })
      : problem(route, "api.pin_wrong", "That is not your PIN.");
  });
  return state;
}

async function withdraws(device, storageState, [language, colorScheme]) {
  const context = await device("narrow", { storageState, colorScheme, locale: `${language}-KE` });
  const page = await context.newPage();
  const state = await desk(page);
  await page.goto(`${DASHBOARD}/money`);
  const amount = page.locator("#withdraw-amount");
  await amount.fill("50");
  await page.keyboard.press("Enter");
  const yes = page.getByTestId("payout-quote").getByRole("button").first();
  await yes.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog");
  const pin = dialog.getByLabel("PIN", { exact: true });
  await pin.waitFor();
  await accessible(page, `the PIN ${language} ${colorScheme}`);
  await picture(page, `pin-${language}-${colorScheme}`);
  assert.ok(await pin.evaluate((element) => element === document.activeElement), "the PIN has the focus");
  for (let step = 0; step < 8; step += 1) {
    await page.keyboard.press("Tab");
    const isBehind = await page.evaluate(() => {
      const at = document.activeElement;
      return at !== null && at !== document.body && !at.closest("dialog");
    });
    assert.ok(!isBehind, "Tab leaves the dialog for what is behind it");
  }
  await pin.focus();
  await page.keyboard.type("1239");
  await page.keyboard.press("Enter");
  await dialog.locator("#pin[aria-invalid]").waitFor();
  await accessible(page, `a wrong PIN ${language} ${colorScheme}`);
  assert.ok(
    await pin.evaluate((element) => element === document.activeElement),
    "a wrong PIN keeps the focus",
  );

  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("alert").waitFor();
  assert.equal(await amount.inputValue(), "50", "what was typed stays");
  await page.waitForFunction(() => document.activeElement?.closest("[data-testid=payout-quote]"));

  await page.keyboard.press("Enter");
  await pin.waitFor();
  await page.keyboard.type(right);
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "detached" });
  await page.getByTestId("payout-quote").waitFor({ state: "detached" });
  assert.equal(state.keys.length, 3, "refused twice, done once");
  assert.equal(new Set(state.keys).size, 1, "under one key");
  await context.close();
}

/** To the end of setting a new one. */
async function forgets(device, storageState) {
  const context = await device("narrow", { storageState });
  const page = await context.newPage();
  await desk(page);
  await page.route(/\/sign-in\/code$/, (route) =>
    route.fulfill({ status: 202, json: { resend_after_s: 30, valid_s: 300 } }),
  );
  await page.goto(`${DASHBOARD}/money`);
  await page.locator("#withdraw-amount").fill("50");
  await page.keyboard.press("Enter");
  await page.getByTestId("payout-quote").getByRole("button").first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Set a new PIN with a code by SMS" }).click();
  const phone = dialog.getByLabel("Phone number of this household");
  await phone.waitFor();
  assert.ok(
    await phone.evaluate((element) => element === document.activeElement),
    "the number has the focus",
  );
  await accessible(page, "a number for a new PIN");
  const masked = /0(\d{3}) \*{3} (\d{3})/.exec(await dialog.textContent());
  await phone.fill(masked ? `0${masked[1]} 000 ${masked[2]}` : "0712 000 000");
  await page.keyboard.press("Enter");
  const code = dialog.getByLabel("Code from the SMS");
  await code.waitFor();
  assert.ok(await code.evaluate((element) => element === document.activeElement), "the code has the focus");
  await accessible(page, "a new PIN");
  await picture(page, "pin-new");
  await context.close();
}

const { browser, complaints, device } = await start();
try {
  const known = await device("phone");
  const page = await known.newPage();
  await page.goto(DASHBOARD);
  await page.getByRole("button", { name: household }).click();
  await page.getByTestId("power").waitFor();
  const { cookies } = await known.storageState();
  const storageState = { cookies, origins: [] };
  await known.close();
  for (const look of looks) await withdraws(device, storageState, look);
  await forgets(device, storageState);
  // A wrong PIN is a refusal, too, and Chromium logs every refusal.
  const others = complaints.filter((text) => !/\/session\/pin: .* 403 /.test(text));
  assert.deepEqual(others, [], "the browser complained");
  console.log("  money waits for the PIN, and is sent once");
} finally {
  await browser.close();
}
