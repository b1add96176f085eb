const id = (name) => document.getElementById(name);
const msisdn = location.pathname.split("/").pop();
const door = `/sandbox/phones/${msisdn}`;
let shown = "";
let open = null;

const national = (number) => `0${number.slice(3, 6)} ${number.slice(6, 9)} ${number.slice(9)}`;
const shillings = (cents) => `KSh ${(cents / 100).toLocaleString("en-KE", { minimumFractionDigits: 2 })}`;

function message(entry) {
  const item = document.createElement("li");
  item.className = "card message";
  item.textContent = entry.text;
  return item;
}

function show(phone) {
  id("who").textContent = `${phone.name || "Phone"}, ${national(phone.msisdn)}`;
  id("balance").textContent = shillings(phone.balance_cents);
  id("hand").checked = phone.mode === "by_hand";
  const prompt = phone.prompt;
  id("prompt").hidden = !prompt;
  id("quiet").hidden = Boolean(prompt);
  if (prompt && prompt.checkout_request_id !== open) {
    open = prompt.checkout_request_id;
    for (const end of ["", "-sw"]) {
      id(`amount${end}`).textContent = `KSh ${prompt.amount_shillings}`;
      id(`business${end}`).textContent = `${prompt.business} (${prompt.shortcode})`;
      id(`reference${end}`).textContent = prompt.reference;
    }
    id("pin").value = "";
    id("problem").hidden = true;
    id("pin").focus();
  }
  if (!prompt) open = null;
  const messages = phone.messages ?? [];
  id("messages").replaceChildren(...messages.map(message));
  id("no-messages").hidden = messages.length > 0;
}

async function load() {
  const response = await fetch(door);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  if (text !== shown) {
    shown = text;
    show(JSON.parse(text));
  }
}

async function refresh() {
  try {
    if (!document.hidden) await load();
    id("lost").hidden = true;
  } catch {
    id("lost").hidden = false;
  }
  setTimeout(refresh, 1000);
}

async function send(path, body, problem) {
  problem.hidden = true;
  try {
    const response = await fetch(`${door}${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) {
      problem.textContent = (await response.json()).message;
      problem.hidden = false;
      return false;
    }
    await load();
    return true;
  } catch {
    id("lost").hidden = false;
    return false;
  }
}

id("prompt").addEventListener("submit", (event) => {
  event.preventDefault();
  send("/answer", { action: "pay", pin: id("pin").value }, id("problem"));
});
id("cancel").addEventListener("click", () => send("/answer", { action: "cancel" }, id("problem")));
id("ignore").addEventListener("click", () => send("/answer", { action: "ignore" }, id("problem")));
id("hand").addEventListener("change", () => {
  send("", { mode: id("hand").checked ? "by_hand" : "automatic" }, id("problem"));
});
id("paybill").addEventListener("submit", async (event) => {
  event.preventDefault();
  const order = {
    amount_shillings: Number(id("paybill-amount").value),
    reference: id("paybill-account").value,
    pin: id("paybill-pin").value,
  };
  if (await send("/paybill", order, id("paybill-problem"))) event.target.reset();
});

refresh();
