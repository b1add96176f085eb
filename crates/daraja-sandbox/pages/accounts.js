const id = (name) => document.getElementById(name);
const shillings = (cents) => `KSh ${(cents / 100).toLocaleString("en-KE", { minimumFractionDigits: 2 })}`;
let known = "";

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function card(shortcode) {
  const box = make("section", "card");
  box.append(make("h2", "", `${shortcode.shortcode}, ${shortcode.name}`));
  for (const [name, cents] of [
    ["Working", shortcode.working_cents],
    ["Utility", shortcode.utility_cents],
    ["Charges paid", shortcode.charges_cents],
  ]) {
    const line = make("p", "phone");
    line.append(make("span", "", name), make("strong", "", shillings(cents)));
    box.append(line);
  }
  const urls = shortcode.urls ? `C2B confirmations go to ${shortcode.urls.confirmation}` : "No C2B addresses";
  box.append(make("p", "soft message", `${urls}; validation is ${shortcode.validation ? "on" : "off"}`));
  return box;
}

function row(line) {
  const item = make("li", "card message");
  const head = make("p", "phone");
  const amount = line.paid_in_cents > 0 ? `+ ${shillings(line.paid_in_cents)}` : `- ${shillings(line.withdrawn_cents)}`;
  head.append(make("span", "", line.details), make("strong", "", amount));
  const account = line.account.split("/").pop();
  const foot = `${line.receipt ?? ""} ${line.at.slice(0, 19).replace("T", " ")} UTC, ${account}, balance ${shillings(line.balance_cents)}`;
  item.append(head, make("p", "soft", foot.trim()));
  return item;
}

async function load(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(path);
  return response.json();
}

async function show() {
  const { shortcodes } = await load("/sandbox/shortcodes");
  id("shortcodes").replaceChildren(...shortcodes.map(card));
  const codes = shortcodes.map((shortcode) => shortcode.shortcode);
  if (codes.join() !== known) {
    known = codes.join();
    for (const list of ["code", "money-code"]) {
      id(list).replaceChildren(
        ...codes.map((code) => {
          const entry = make("option", "", code);
          entry.value = code;
          return entry;
        }),
      );
    }
  }
  const path = `/sandbox/shortcodes/${id("code").value}/statement?account=${id("account").value}`;
  id("csv").href = `${path}&format=csv`;
  const { rows } = await load(`${path}&last=100`);
  id("rows").replaceChildren(...rows.reverse().map(row));
  id("none").hidden = rows.length > 0;
}

async function send(path, body, problem) {
  problem.hidden = true;
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) {
      problem.textContent = (await response.json()).message;
      problem.hidden = false;
    }
    await show();
  } catch {
    id("lost").hidden = false;
  }
}

async function refresh() {
  try {
    if (!document.hidden) await show();
    id("lost").hidden = true;
  } catch {
    id("lost").hidden = false;
  }
  setTimeout(refresh, 2500);
}

for (const list of ["code", "account"]) id(list).addEventListener("change", () => show().catch(() => {}));
id("money").addEventListener("submit", (event) => {
  event.preventDefault();
  const holds = { [id("money-account").value]: Number(id("money-amount").value) * 100 };
  send(`/sandbox/shortcodes/${id("money-code").value}`, holds, id("money-problem"));
});
id("reverse").addEventListener("submit", (event) => {
  event.preventDefault();
  send("/sandbox/reversals", { receipt: id("receipt").value.trim() }, id("reverse-problem"));
});
refresh();
