import { beforeEach, describe, expect, it, vi } from "vitest";
import { serve } from "../testing/server";
import { api, asked, Unreachable } from "./api";

beforeEach(() => vi.unstubAllGlobals());

describe("a question to the server", () => {
  it("carries its path, query, key and body as the API describes them", async () => {
    const seen = serve({
      "GET /api/v1/me/orders/17": () => ({ id: 17 }),
      "GET /api/v1/offers": () => [],
      "POST /api/v1/me/buy-back": () => ({ state: "settled" }),
    });
    await asked(api.GET("/api/v1/me/orders/{id}", { params: { path: { id: 17 } } }));
    await asked(api.GET("/api/v1/offers", { params: { query: { limit: 50 } } }));
    await asked(
      api.POST("/api/v1/me/buy-back", {
        params: { header: { "Idempotency-Key": "a1" } },
        body: { energy_wh: 1_000 },
      }),
    );
    expect(seen.map(({ url }) => new URL(url).pathname + new URL(url).search)).toEqual([
      "/api/v1/me/orders/17",
      "/api/v1/offers?limit=50",
      "/api/v1/me/buy-back",
    ]);
    expect(seen.every(({ headers }) => headers.get("X-Jirani") === "1")).toBe(true);
    expect(seen[2]?.headers.get("Idempotency-Key")).toBe("a1");
    expect(seen[2]?.headers.get("Content-Type")).toBe("application/json");
    expect(await seen[2]?.json()).toEqual({ energy_wh: 1_000 });
  });

  it("takes an answer without words for done", async () => {
    serve({ "DELETE /api/v1/session": () => new Response(null, { status: 204 }) });
    await expect(asked(api.DELETE("/api/v1/session"))).resolves.toBeUndefined();
  });

  it("is unanswered when nothing comes back", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    await expect(asked(api.GET("/api/v1/me"))).rejects.toBeInstanceOf(Unreachable);
  });

  it("is unanswered when a network's own page comes back in the server's place", async () => {
    serve({ "GET /api/v1/me": () => new Response("<html>Buy airtime</html>") });
    await expect(asked(api.GET("/api/v1/me"))).rejects.toBeInstanceOf(Unreachable);
  });
});
