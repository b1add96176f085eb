// The operator's console: a meter is claimed, asked for its key and given up; one operator
// asks for a new epoch and another one says no; a finding is decided. Every page in both themes.
//   DASHBOARD=http://.. node e2e/operator.mjs
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { accessible, picture, start, until } from "./browser.mjs";

const { DASHBOARD } = process.env;
const button = (page, name) => page.getByRole("button", { name });
const step = (text) => console.log(`  ${text}`);

/** What the QR code of a meter that nobody knows says. */
function unknownMeter() {
  const { x } = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
  return Buffer.from(x, "base64url").toString("hex");
}

async function operator(device, name, colorScheme) {
  const page = await (await device("desk", { colorScheme })).newPage();
  await page.goto(`${DASHBOARD}/ops/meters`);
  await page.getByLabel("Account").waitFor();
  await accessible(page, `the operator's door in ${colorScheme}`);
  await page.getByLabel("Your name (for the review desk)").fill(name);
  await button(page, "Sign in as the operator (demo)").click();
  await page.getByRole("heading", { name: "Meters", exact: true }).waitFor();
  await until("the meters", async () => (await page.getByRole("row").count()) > 2);
  return page;
}

async function claimsAndGivesUp(page) {
  await page.getByRole("radio", { name: "a new household" }).check();
  for (const [label, text] of [
    ["Name", "Wanjiru's house"],
    ["What neighbours see", "Mparachichi"],
    ["Panels, W", "2000"],
    ["Most out, W", "2000"],
    ["Most in, W", "5000"],
    ["Text of its QR code", unknownMeter()],
    ["Why", "a new house by the well"],
  ]) {
    await page.getByLabel(label, { exact: true }).fill(text);
  }
  await button(page, "Claim").click();
  const claimed = page.getByText("Claimed. Type these into the meter");
  await claimed.waitFor();
  await accessible(page, "a claimed meter");
  await page.getByRole("link", { name: "To this meter" }).click();
  await page.getByText("meter.claimed").waitFor();
  await button(page, "Ask it to prove its key").click();
  await button(page, /^Yes: ask it/).click();
  await page.getByText("meter.challenged").waitFor();
  await accessible(page, "a meter that is asked for its key");
  await picture(page, "operator-meter", { fullPage: true });
  await button(page, "Give up the claim").click();
  await page.getByLabel("Why", { exact: true }).fill("the wrong box");
  await button(page, /^Yes: give up/).click();
  await page.getByText("meter.rejected").waitFor();
  step("a meter is claimed, challenged and given up");
}

async function asksAndIsRefused(asking, deciding) {
  await asking.getByRole("link", { name: "All meters" }).click();
  await asking.getByLabel("Show").selectOption("All");
  const meter = asking.getByRole("row").filter({ hasText: "active" }).first();
  await meter.getByRole("link").click();
  await button(asking, "Ask for a new epoch of its registers").click();
  await asking.getByLabel("Why", { exact: true }).fill("its registers were reset");
  await button(asking, /^Yes: ask for a new epoch/).click();
  await asking.getByRole("heading", { name: /Amina asks to begin a new epoch/ }).waitFor();

  await deciding.reload();
  const desk = deciding.getByRole("region").filter({ hasText: "Amina asks to begin a new epoch" });
  await desk.waitFor();
  await desk.getByText("its registers were reset").waitFor();
  await accessible(deciding, "the approval desk in dark");
  await picture(deciding, "operator-approval", { fullPage: true });
  await desk.getByLabel("Why not").fill("nobody was there");
  await desk.getByRole("button", { name: "Reject" }).click();
  await deciding.getByText("Nothing waits for a person.").waitFor();
  step("what one operator asks for, another one rejects with a reason");
}

async function decides(page) {
  await page.getByRole("link", { name: "Findings" }).click();
  await page.getByRole("heading", { name: "Findings", exact: true }).waitFor();
  const finding = page.getByRole("article").first();
  await finding.waitFor();
  const name = await finding.getAttribute("aria-label");
  await accessible(page, "findings");
  await picture(page, "operator-findings");
  await finding.getByLabel("Why").fill("the gateway was restarted");
  await finding.getByRole("button", { name: /^Accept/ }).click();
  await page.getByRole("article", { name, exact: true }).waitFor({ state: "detached" });
  await button(page, "Show all").click();
  const decided = page.getByRole("article", { name, exact: true });
  await decided.getByText(/accepted by Amina.*the gateway was restarted/).waitFor();
  assert.ok(page.url().endsWith("show=all"), "the address keeps what is shown");
  step("a finding is decided, with who and why");
}

async function everyPage(page, theme) {
  for (const path of ["/ops", "/ops/meters", "/ops/findings", "/ops/people", "/ops/acts"]) {
    await page.goto(DASHBOARD + path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await until(path, async () => (await page.locator("main [role=status].rounded-2xl").count()) === 0);
    assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1, `${path} has one heading`);
    await accessible(page, `${path} in ${theme}`);
  }
}

const { browser, complaints, device } = await start();
try {
  const amina = await operator(device, "Amina", "light");
  const brian = await operator(device, "Brian", "dark");
  await claimsAndGivesUp(amina);
  await asksAndIsRefused(amina, brian);
  await decides(amina);
  await everyPage(amina, "light");
  await everyPage(brian, "dark");
  assert.deepEqual(complaints, [], "the browser complained");
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
