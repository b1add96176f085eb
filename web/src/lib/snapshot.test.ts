import { describe, expect, it, vi } from "vitest";
import { makeQueryClient } from "./query";
import { keep, LONGEST_MS, restore } from "./snapshot";

const now = Date.parse("2026-11-22T09:00:00Z");

/** A device on which somebody with these answers has been signed in until `now`. */
function lived(answers: Record<string, unknown>): void {
  localStorage.clear();
  const client = makeQueryClient();
  const stop = keep(client);
  for (const [key, data] of Object.entries(answers)) client.setQueryData([key], data, { updatedAt: now });
  window.dispatchEvent(new Event("pagehide"));
  stop();
  client.clear();
}

/** What a page that begins at `at` finds under `key`. */
function found(key: string, at = now): unknown {
  const client = makeQueryClient();
  restore(client, at);
  const data = client.getQueryData([key]);
  client.clear();
  return data;
}

describe("what a phone keeps", () => {
  it("is there at the next start, as old as it is", () => {
    lived({ me: { id: 1 }, home: { balance_cents: 5 } });
    const client = makeQueryClient();
    restore(client, now + 60_000);
    expect(client.getQueryData(["home"])).toEqual({ balance_cents: 5 });
    expect(client.getQueryState(["home"])?.dataUpdatedAt).toBe(now);
    client.clear();
  });

  it("is gone once a session would have ended, and when the clock was set back", () => {
    lived({ me: { id: 1 }, home: { balance_cents: 5 } });
    expect(found("home", now + LONGEST_MS + 1)).toBeUndefined();
    expect(localStorage.getItem("jirani.snapshot")).toBeNull();
    lived({ me: { id: 1 }, home: { balance_cents: 5 } });
    expect(found("home", now - 1)).toBeUndefined();
  });

  it("is nobody's when nobody is signed in", () => {
    lived({ home: { balance_cents: 5 } });
    expect(found("home")).toBeUndefined();
  });

  it("keeps no more than fifty movements, and nothing that is not a screen's", () => {
    lived({
      me: { id: 1 },
      movements: Array.from({ length: 80 }, (_, id) => ({ id })),
      quotes: { due_cents: 1 },
    });
    expect(found("movements")).toHaveLength(50);
    expect(found("quotes")).toBeUndefined();
  });

  it("is not read by an app of another API, nor when it is broken", () => {
    lived({ me: { id: 1 }, home: { balance_cents: 5 } });
    const text = localStorage.getItem("jirani.snapshot") ?? "";
    localStorage.setItem("jirani.snapshot", text.replace(/"api":"\w+"/, '"api":"older"'));
    expect(found("home")).toBeUndefined();
    localStorage.setItem("jirani.snapshot", "{");
    expect(found("home")).toBeUndefined();
  });

  it("gives way when the phone has no room", () => {
    lived({ me: { id: 1 }, home: { text: "x".repeat(600_000) } });
    expect(localStorage.getItem("jirani.snapshot")).toBeNull();
    const full = vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("full", "QuotaExceededError");
    });
    expect(() => lived({ me: { id: 1 } })).not.toThrow();
    full.mockRestore();
  });
});
