const id = (name) => document.getElementById(name);
const answers = ["lose", "drop", "callback_first", "invalid_token", "refuse:busy", "refuse:spike_arrest", "refuse:internal", "fail:internal", "fail:html_503"];
const plain = answers.filter((action) => action !== "callback_first");
const callbacks = ["lose", "duplicate", "duplicate:3", "delay_s:30", "reorder", "shape:strings", "shape:masked_phone", "shape:no_value=Balance", "shape:without=PhoneNumber", "shape:arrays", "shape:extra", "shape:truncated", "shape:code=1032"];
const outcomes = ["result:1", "result:2001", "result:26", "timeout", "timeout_done", "timeout_then_result_s:60"];
const targets = {
  stk_response: ["Answer to an STK push", answers],
  stk_callback: ["Callback of an STK push", callbacks],
  stk: ["How a prompt ends", ["result:1001", "result:1019", "result:1025", "result:17", "result:1037", "pays_late_s:60"]],
  query: ["Answer to an STK query", ["pending", "processing", "empty", "too_early", "unknown", "spike_arrest", "contradict", "lose"]],
  c2b: ["C2B confirmation", callbacks],
  c2b_validation: ["C2B validation request", ["lose"]],
  b2c_response: ["Answer to a payout", answers.concat("refuse:duplicate", "refuse:duplicate_200")],
  b2c_callback: ["Result of a payout", callbacks],
  b2c: ["How a payout ends", outcomes.concat("result:2040", "result:8", "result:4")],
  oauth_response: ["Answer with a token", ["lose", "drop", "refuse:html_503", "refuse:empty_400"]],
  status_response: ["Answer to a transaction status request", answers],
  status_callback: ["Result of transaction status", callbacks],
  status: ["How transaction status ends", outcomes],
  balance_response: ["Answer to a balance request", answers],
  balance_callback: ["Result of a balance request", callbacks],
  balance: ["How a balance request ends", outcomes],
  reversal_response: ["Answer to a reversal", answers],
  reversal_callback: ["Result of a reversal", callbacks],
  reversal: ["How a reversal ends", outcomes],
  b2b_response: ["Answer to B2B", answers],
  b2b_callback: ["Result of B2B", callbacks],
  b2b: ["How B2B ends", outcomes],
  timeout_callback: ["Queue timeout notice", callbacks],
  c2b_register_response: ["Answer to a C2B registration", plain],
  pull_response: ["Answer to pull transactions", plain],
  qr_response: ["Answer with a QR code", plain],
};

function option(value, text) {
  const entry = document.createElement("option");
  entry.value = value;
  if (text) entry.textContent = text;
  return entry;
}

function suggest() {
  const [, actions] = targets[id("target").value];
  id("actions").replaceChildren(...actions.map((action) => option(action)));
  id("hint").textContent = `For example: ${actions.slice(0, 4).join(", ")}`;
}

function item(text) {
  const entry = document.createElement("li");
  entry.className = "message line";
  entry.textContent = text;
  return entry;
}

async function load(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(path);
  return response.json();
}

async function send(path, method, problem, body, type = "application/json") {
  if (problem) problem.hidden = true;
  try {
    const headers = body === undefined ? {} : { "Content-Type": type };
    const response = await fetch(path, { method, headers, body });
    if (!response.ok && problem) {
      problem.textContent = (await response.json()).message;
      problem.hidden = false;
    }
    await show();
    return response.ok;
  } catch {
    id("lost").hidden = false;
    return false;
  }
}

async function show() {
  const [clock, { faults }, sent] = await Promise.all([
    load("/sandbox/clock"),
    load("/sandbox/faults"),
    load("/sandbox/callbacks"),
  ]);
  const local = new Date(clock.now).toLocaleString("en-KE", { timeZone: "Africa/Nairobi", hour12: false });
  id("now").textContent = local;
  id("mode").textContent =
    { follow: "follows the system's clock", frozen: "stands still", host: "belongs to the program that runs the emulator" }[clock.mode] ?? "";
  for (const name of ["seconds", "freeze", "follow"]) id(name).disabled = clock.mode === "host";
  id("faults").replaceChildren(
    ...faults.map((fault) =>
      item(`${fault.target}: ${fault.action}, ${fault.count ?? "always"}${fault.count ? "x" : ""}${fault.msisdn ? `, ${fault.msisdn}` : ""}`),
    ),
  );
  id("none").hidden = faults.length > 0;
  id("owed").textContent = `${sent.owed.length} still owed`;
  id("callbacks").replaceChildren(
    ...sent.recent
      .slice(-20)
      .reverse()
      .map((callback) => item(`${callback.at.slice(11, 19)} ${callback.kind}: ${callback.outcome}, ${callback.url}`)),
  );
}

async function refresh() {
  try {
    if (!document.hidden) await show();
    id("lost").hidden = true;
  } catch {
    id("lost").hidden = false;
  }
  setTimeout(refresh, 1500);
}

id("target").replaceChildren(...Object.entries(targets).map(([value, [text]]) => option(value, text)));
id("target").addEventListener("change", suggest);
suggest();
id("order").addEventListener("submit", (event) => {
  event.preventDefault();
  const order = { target: id("target").value, action: id("action").value.trim(), count: Number(id("count").value) };
  const msisdn = id("msisdn").value.trim();
  if (msisdn) order.msisdn = msisdn;
  send("/sandbox/faults", "POST", id("order-problem"), JSON.stringify(order));
});
id("clear").addEventListener("click", () => send("/sandbox/faults", "DELETE"));
id("token").addEventListener("click", () => send("/sandbox/token/expire", "POST"));
const clock = (order) => send("/sandbox/clock", "POST", id("clock-problem"), JSON.stringify(order));
id("leap").addEventListener("submit", (event) => {
  event.preventDefault();
  clock({ advance_s: Number(id("seconds").value) });
});
id("freeze").addEventListener("click", () => clock({ mode: "freeze" }));
id("follow").addEventListener("click", () => clock({ mode: "follow" }));
id("play").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = id("scenario").value;
  const type = text.trim().startsWith("{") ? "application/json" : "application/toml";
  send("/sandbox/scenario", "POST", id("play-problem"), text, type);
});
refresh();
