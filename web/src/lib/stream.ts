/**
 * Live updates: one event stream per tab, closed while hidden. On return REST is
 * asked first, so nothing missed meanwhile matters; a stream that broke goes on after the
 * last event that arrived. Money events carry ids only.
 */
import type { QueryClient } from "@tanstack/react-query";

const affected: Record<string, string[]> = {
  power: ["home", "overview"],
  slot: ["home", "movements", "overview", "households"],
  offers: ["offers", "my-offers"],
  order: ["order", "orders", "home", "movements", "offers", "payments"],
  payout: ["payouts", "home", "movements", "payments"],
  balance: ["home", "movements"],
  tariff: ["config", "tariffs", "offers", "my-offers"],
  resync: [],
};

export function follow(client: QueryClient): () => void {
  let source: EventSource | null = null;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let wait = 1_000;
  let broke = false;
  let last = "";

  const close = () => {
    clearTimeout(retry);
    source?.close();
    source = null;
  };
  const open = () => {
    close();
    const stream = new EventSource(`/api/v1/events${last && `?last_event_id=${last}`}`);
    source = stream;
    stream.onopen = () => {
      wait = 1_000;
      if (broke && !last) void client.invalidateQueries();
      broke = false;
    };
    stream.onerror = () => {
      close();
      // One small question tells whether the server is out of reach, or the session over.
      if (!broke) void client.invalidateQueries({ queryKey: ["me"] });
      broke = true;
      retry = setTimeout(open, wait);
      wait = Math.min(wait * 2, 60_000);
    };
    for (const [name, keys] of Object.entries(affected)) {
      stream.addEventListener(name, ({ lastEventId }) => {
        last = lastEventId;
        if (keys.length === 0) void client.invalidateQueries();
        for (const key of keys) void client.invalidateQueries({ queryKey: [key] });
      });
    }
  };
  const onVisibility = () => {
    if (document.visibilityState === "hidden") close();
    else {
      void client.invalidateQueries();
      open();
    }
  };
  document.addEventListener("visibilitychange", onVisibility);
  open();
  return () => {
    document.removeEventListener("visibilitychange", onVisibility);
    close();
  };
}
