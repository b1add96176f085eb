import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { show } from "../../testing/render";
import { refusal, serve } from "../../testing/server";
import { BuyForm } from "./BuyForm";

const quote = {
  fills: [{ offer_id: 1, seller_alias: "Twiga", energy_wh: 1_500, price_cents_per_kwh: 1_500 }],
  energy_wh: 1_500,
  due_cents: 3_001,
  collect_cents: 3_100,
  fee_cents: 450,
  tax_cents: 300,
  retail_cents: 5_250,
  saved_cents: 2_249,
};

beforeEach(() => localStorage.clear());

describe("buying", () => {
  it("shows the exact price before a yes that says what leaves the phone", async () => {
    const seen = serve({
      "POST /api/v1/me/quotes": async (request) => {
        expect(await request.clone().json()).toEqual({ energy_wh: 1_500, pay_with: "mpesa" });
        return quote;
      },
      "POST /api/v1/me/orders": async (request) => {
        expect(await request.clone().json()).toEqual({
          energy_wh: 1_500,
          pay_with: "mpesa",
          max_due_cents: 3_001,
        });
        return { id: 17 };
      },
    });
    const { history } = show(<BuyForm initialWh={1_500} />);
    await userEvent.click(screen.getByRole("button", { name: "See the price" }));
    expect(await screen.findByText("KSh 30.01")).toBeVisible();
    expect(screen.getByText("You save KSh 22.49")).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Yes, pay KSh 31.00" }));
    await waitFor(() => expect(history.at(-1)).toBe("/pay/17"));
    const order = seen.find((request) => request.url.endsWith("/orders"));
    expect(order?.headers.get("Idempotency-Key")).toMatch(/^[0-9a-f]{32}$/);
  });

  it("asks again under the same key when the answer was lost, and under another for another wish", async () => {
    let fail = true;
    const seen = serve({
      "POST /api/v1/me/quotes": () => quote,
      "POST /api/v1/me/orders": () =>
        fail ? refusal(503, "chain.unreachable", "The chain does not answer.") : { id: 3 },
    });
    show(<BuyForm initialWh={1_500} />);
    await userEvent.click(screen.getByRole("button", { name: "See the price" }));
    const pay = await screen.findByRole("button", { name: "Yes, pay KSh 31.00" });
    await userEvent.click(pay);
    expect(await screen.findByRole("alert")).toHaveTextContent("The chain does not answer.");
    fail = false;
    await userEvent.click(pay);
    await waitFor(() => expect(seen.filter((r) => r.url.endsWith("/orders"))).toHaveLength(2));
    const keys = seen.filter((r) => r.url.endsWith("/orders")).map((r) => r.headers.get("Idempotency-Key"));
    expect(keys[0]).toBe(keys[1]);
  });

  it("asks for the price anew when the way to pay changes, as a refusal may hold for one only", async () => {
    serve({
      "POST /api/v1/me/quotes": async (request) => {
        const { pay_with } = await request.clone().json();
        return pay_with === "balance" ? quote : refusal(409, "market.unpaid_share", "Pay from your balance.");
      },
      "POST /api/v1/me/orders": async (request) => {
        expect(await request.clone().json()).toMatchObject({ pay_with: "balance", max_due_cents: 3_001 });
        return { id: 4 };
      },
    });
    const { history } = show(<BuyForm initialWh={1_500} />);
    await userEvent.click(screen.getByRole("button", { name: "See the price" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("Pay from your balance.");
    await userEvent.click(screen.getByRole("radio", { name: /balance/i }));
    await userEvent.click(await screen.findByRole("button", { name: "Yes, pay KSh 30.01" }));
    expect(screen.queryByRole("alert")).toBeNull();
    await waitFor(() => expect(history.at(-1)).toBe("/pay/4"));
  });

  it("asks for another yes when the price has moved, under another key", async () => {
    let price = quote;
    const keys: (string | null)[] = [];
    serve({
      "POST /api/v1/me/quotes": () => price,
      "POST /api/v1/me/orders": (request) => {
        keys.push(request.headers.get("Idempotency-Key"));
        if (keys.length > 1) return { id: 5 };
        price = { ...quote, due_cents: 3_301, collect_cents: 3_400 };
        return refusal(409, "settlement.price_moved", "This now costs KSh 33.01.");
      },
    });
    const { history } = show(<BuyForm initialWh={1_500} />);
    await userEvent.click(screen.getByRole("button", { name: "See the price" }));
    await userEvent.click(await screen.findByRole("button", { name: "Yes, pay KSh 31.00" }));
    const again = await screen.findByRole("button", { name: "Yes, pay KSh 34.00" });
    expect(screen.getByRole("alert")).toHaveTextContent("The price has changed while you looked.");
    expect(history.at(-1)).toBe("/");
    await userEvent.click(again);
    await waitFor(() => expect(history.at(-1)).toBe("/pay/5"));
    expect(keys[0]).not.toBe(keys[1]);
  });

  it("says so when less is offered than was asked for", async () => {
    serve({ "POST /api/v1/me/quotes": () => quote });
    show(<BuyForm initialWh={4_000} />);
    await userEvent.click(screen.getByRole("button", { name: "See the price" }));
    expect(await screen.findByText("Neighbours offer 1.50 kWh now: the price is for that.")).toBeVisible();
  });

  it("does not ask for a price of nonsense", async () => {
    const seen = serve({});
    show(<BuyForm initialWh={null} />);
    await userEvent.clear(screen.getByLabelText("How much?"));
    await userEvent.type(screen.getByLabelText("How much?"), "much");
    await userEvent.click(screen.getByRole("button", { name: "See the price" }));
    expect(screen.getByLabelText("How much?")).toHaveAccessibleDescription("Write an amount like 1.5");
    expect(seen).toHaveLength(0);
  });
});
