/**
 * Whether the server can be reached. A phone says that it has a network while nothing
 * gets through, so what became of the last question counts, too.
 */
import { useSyncExternalStore } from "react";

let last: "yes" | "no" = "yes";
const listeners = new Set<() => void>();

/** What became of a question. */
export function noteReached(answered: "yes" | "no"): void {
  if (answered === last) return;
  last = answered;
  for (const tell of listeners) tell();
}

function subscribe(changed: () => void): () => void {
  listeners.add(changed);
  window.addEventListener("online", changed);
  window.addEventListener("offline", changed);
  return () => {
    listeners.delete(changed);
    window.removeEventListener("online", changed);
    window.removeEventListener("offline", changed);
  };
}

export function useReach(): "online" | "offline" {
  return useSyncExternalStore(subscribe, () => (navigator.onLine && last === "yes" ? "online" : "offline"));
}
