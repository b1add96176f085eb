/**
 * What a person chose on this device, not for the account: one value, and every screen that
 * rests on it changes with it. `look.js` draws the theme and the size of text.
 */
import { useSyncExternalStore } from "react";

type Choice = "hidden" | "saver" | "theme" | "text";
type YesNo = "yes" | "no";

const event = "jirani-chosen";
const read = (name: Choice) => localStorage.getItem(`jirani.${name}`);

export function choose(name: Choice, value: string): void {
  localStorage.setItem(`jirani.${name}`, value);
  window.dispatchEvent(new Event(event));
}

function subscribe(changed: () => void): () => void {
  window.addEventListener(event, changed);
  return () => window.removeEventListener(event, changed);
}

export function useChoice(name: Choice): string | null {
  return useSyncExternalStore(subscribe, () => read(name));
}

/** Whether amounts are hidden on this phone, which others may look at. */
export function useHidden(): { hidden: YesNo; toggle: () => void } {
  const hidden = useChoice("hidden") === "yes" ? "yes" : "no";
  return { hidden, toggle: () => choose("hidden", hidden === "yes" ? "no" : "yes") };
}

/** Whether little data may be spent: as chosen here, else as the browser was told. */
export function savesData(): YesNo {
  const { connection } = navigator as { connection?: { saveData?: boolean } };
  return (read("saver") ?? (connection?.saveData ? "yes" : "no")) === "yes" ? "yes" : "no";
}

export function useSaver(): YesNo {
  return useSyncExternalStore(subscribe, savesData);
}
