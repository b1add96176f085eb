const list = document.getElementById("phones");
let shown = "";

const national = (msisdn) => `0${msisdn.slice(3, 6)} ${msisdn.slice(6, 9)} ${msisdn.slice(9)}`;

function row(phone) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.className = "phone";
  link.href = `/phones/${phone.msisdn}`;
  const who = document.createElement("span");
  who.textContent = `${phone.name}, ${national(phone.msisdn)}`;
  const state = document.createElement("span");
  if (phone.prompt) {
    state.className = "badge";
    state.textContent = `KSh ${phone.prompt.amount_shillings}`;
  } else {
    state.className = "soft";
    state.textContent = phone.mode === "by_hand" ? "by hand · kwa mkono" : "automatic · yenyewe";
  }
  link.append(who, state);
  item.append(link);
  return item;
}

async function refresh() {
  try {
    if (!document.hidden) {
      const text = await (await fetch("/sandbox/phones?limit=200")).text();
      if (text !== shown) {
        shown = text;
        const { phones } = JSON.parse(text);
        list.replaceChildren(...phones.map(row));
        document.getElementById("none").hidden = phones.length > 0;
      }
    }
  } catch {
    // The emulator is restarting; the next round shows it again.
  }
  setTimeout(refresh, 1500);
}

document.getElementById("open").addEventListener("submit", (event) => {
  event.preventDefault();
  const digits = document.getElementById("number").value.replace(/[\s+-]/g, "");
  const match = /^(?:254|0)?([17]\d{8})$/.exec(digits);
  const problem = document.getElementById("problem");
  if (match) {
    location.href = `/phones/254${match[1]}`;
  } else {
    problem.textContent = "Write it like 0712 345 678 · Andika kama 0712 345 678";
    problem.hidden = false;
  }
});

refresh();
