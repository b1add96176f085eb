/**
 * The service worker from the page's side: it keeps the files, the page says which.
 * Registered when the first screen stands and nothing is asked any more, so that it
 * costs the first load nothing.
 */
import type { QueryClient } from "@tanstack/react-query";
import { savesData } from "./choices";

/** Begins to keep the page's files; `onNewer` gets the way to use a newer version, once one waits. */
export function keepFiles(client: QueryClient, onNewer: (use: () => void) => void): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const begin = () => {
    if (client.isFetching() > 0 || document.readyState !== "complete") idle(begin);
    else void register(onNewer).catch(() => {});
  };
  idle(begin);
}

/** When the phone has nothing better to do. */
function idle(act: () => void): void {
  const later = () => {
    if ("requestIdleCallback" in window) requestIdleCallback(act, { timeout: 5_000 });
    else act();
  };
  setTimeout(later, 100);
}

async function register(onNewer: (use: () => void) => void): Promise<void> {
  const { serviceWorker } = navigator;
  const registration = await serviceWorker.register("/sw.js", { updateViaCache: "none" });
  const offer = () => {
    const waiting = registration.waiting;
    if (!waiting || !serviceWorker.controller) return;
    onNewer(() => {
      serviceWorker.addEventListener("controllerchange", () => window.location.reload(), { once: true });
      waiting.postMessage({ wish: "use" });
    });
  };
  registration.addEventListener("updatefound", () => {
    registration.installing?.addEventListener("statechange", offer);
  });
  offer();
  const ready = await serviceWorker.ready;
  const loaded = performance
    .getEntriesByType("resource")
    .map((entry) => new URL(entry.name))
    .filter((url) => url.origin === window.location.origin)
    .map((url) => url.pathname);
  ready.active?.postMessage({ wish: "keep", loaded, everything: savesData() === "no" });
}
