/**
 * What the screens last said, kept on the device: they open at once, without a network,
 * too, and say how old they are. Never longer than a session lasts, never after somebody
 * signed out, and never read by a version of the app that knows another API.
 */
import type { Query, QueryClient } from "@tanstack/react-query";

const place = "jirani.snapshot";
/** As long as the server's sessions. */
export const LONGEST_MS = 12 * 60 * 60 * 1000;
/** A phone's storage is shared with the language and the theme. */
const CHARACTERS_MAX = 500_000;
/** Offline, history is this long. */
const MOVEMENTS_MAX = 50;
const WRITE_AFTER_MS = 500;

const kept = new Set([
  "me",
  "config",
  "home",
  "movements",
  "forecast",
  "offers",
  "my-offers",
  "rules",
  "payouts",
  "shortfall",
  "order",
  "bills",
]);

interface Snapshot {
  api: string;
  answers: [key: readonly unknown[], data: unknown, at: number][];
}

function isSnapshot(value: unknown): value is Snapshot {
  const snapshot = value as Snapshot | null;
  return snapshot?.api === __API__ && Array.isArray(snapshot.answers);
}

/** Puts back what was kept, unless it is too old or another API's. */
export function restore(client: QueryClient, now = Date.now()): void {
  try {
    const snapshot: unknown = JSON.parse(localStorage.getItem(place) ?? "null");
    if (!isSnapshot(snapshot)) return;
    const me = snapshot.answers.find(([key]) => key[0] === "me");
    if (!me || now - me[2] > LONGEST_MS || me[2] > now) forget();
    else for (const [key, data, at] of snapshot.answers) client.setQueryData(key, data, { updatedAt: at });
  } catch {
    forget();
  }
}

/** Keeps answers from now on; gives the way to stop. */
export function keep(client: QueryClient): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = () => {
    clearTimeout(timer);
    timer = undefined;
    const queries = client.getQueryCache().getAll().filter(isKept);
    // Nobody is signed in, so nobody's numbers may stay.
    if (!queries.some((query) => query.queryKey[0] === "me")) return forget();
    const answers = queries.map((query) => [query.queryKey, short(query), query.state.dataUpdatedAt]);
    const text = JSON.stringify({ api: __API__, answers });
    if (text.length > CHARACTERS_MAX) return forget();
    try {
      localStorage.setItem(place, text);
    } catch {
      forget();
    }
  };
  const stop = client.getQueryCache().subscribe((event) => {
    const told = event.type === "updated" && ["success", "error"].includes(event.action.type);
    if (told || event.type === "removed") timer ??= setTimeout(write, WRITE_AFTER_MS);
  });
  const leave = () => timer !== undefined && write();
  window.addEventListener("pagehide", leave);
  return () => {
    stop();
    clearTimeout(timer);
    window.removeEventListener("pagehide", leave);
  };
}

/** Leaves nothing of this person on the device. */
export function forget(): void {
  localStorage.removeItem(place);
}

function isKept(query: Query): boolean {
  const refused = (query.state.error as { status?: number } | null)?.status;
  return kept.has(String(query.queryKey[0])) && query.state.data !== undefined && refused !== 401;
}

function short({ queryKey, state }: Query): unknown {
  return queryKey[0] === "movements" && Array.isArray(state.data)
    ? state.data.slice(0, MOVEMENTS_MAX)
    : state.data;
}
