import { fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { show } from "../testing/render";
import { refusal, serve } from "../testing/server";
import { Tariffs } from "./Tariffs";

const tariff = (retail: number) => ({
  retail_cents_per_kwh: retail,
  buy_back_cents_per_kwh: 1_000,
  grid_fee_cents_per_kwh: 300,
  tax_cents_per_kwh: 200,
  offer_price_min_cents_per_kwh: 1_000,
  offer_price_max_cents_per_kwh: retail - 500,
});
const first = {
  number: 1,
  from: "1970-01-01T00:00:00Z",
  until: null,
  state: "in_force",
  tariff: tariff(3_500),
  announced_by: null,
  announced_at: "2026-11-01T00:00:00Z",
};
const next = {
  ...first,
  number: 2,
  from: "2026-12-01T03:00:00Z",
  state: "announced",
  tariff: tariff(3_600),
  announced_by: "Grace",
};

async function type(label: string, text: string) {
  await userEvent.type(screen.getByLabelText(label), text);
}

async function fill() {
  fireEvent.change(screen.getByLabelText("From (day in Nairobi)"), { target: { value: "2026-12-01" } });
  await type("You sell at, KSh per kWh", "36.00");
  await type("You buy at, KSh per kWh", "10");
  await type("Grid fee, KSh per kWh", "3");
  await type("Taxes, KSh per kWh", "2");
}

describe("prices", () => {
  it("announces whole cents from a moment of Nairobi, and shows what comes", async () => {
    let announced = false;
    serve({
      "GET /api/v1/operator/tariffs": () => (announced ? [{ ...first, until: next.from }, next] : [first]),
      "POST /api/v1/operator/tariffs": async (request) => {
        expect(request.headers.get("Idempotency-Key")).toBeTruthy();
        expect(await request.clone().json()).toEqual({
          from: "2026-12-01T03:00:00Z",
          retail_cents_per_kwh: 3_600,
          buy_back_cents_per_kwh: 1_000,
          grid_fee_cents_per_kwh: 300,
          tax_cents_per_kwh: 200,
        });
        announced = true;
        return next;
      },
    });
    show(<Tariffs />);
    expect(await screen.findByText("in force")).toBeVisible();
    await fill();
    await userEvent.click(screen.getByRole("button", { name: "Announce" }));
    expect(await screen.findByText("Announced for 1 Dec 2026, 06:00.")).toBeVisible();
    expect(await screen.findByText("Grace")).toBeVisible();
    expect(screen.getByText("KSh 36.00")).toBeVisible();
  });

  it("asks for what is missing, and shows a refusal in the server's words", async () => {
    const words = "a tariff must begin after 2026-12-02T00:00:00Z; what is in force does not change";
    const seen = serve({
      "GET /api/v1/operator/tariffs": () => [first],
      "POST /api/v1/operator/tariffs": () => refusal(422, "market.tariff_in_past", words),
    });
    show(<Tariffs />);
    await screen.findByText("in force");
    await userEvent.click(screen.getByRole("button", { name: "Announce" }));
    expect(screen.getByRole("alert")).toHaveTextContent("four prices like 36.00");
    expect(seen.some((request) => request.method === "POST")).toBe(false);
    await fill();
    await userEvent.click(screen.getByRole("button", { name: "Announce" }));
    expect(await screen.findByText(words)).toBeVisible();
  });
});
