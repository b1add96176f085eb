import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { show } from "../../testing/render";
import { tariff } from "../../testing/samples";
import { serve } from "../../testing/server";
import { SellForm } from "./SellForm";

beforeEach(() => localStorage.clear());

describe("selling", () => {
  it("sells to the operator at its price, once", async () => {
    const seen = serve({
      "GET /api/v1/config": () => ({ tariff }),
      "POST /api/v1/me/buy-back": async (request) => {
        expect(await request.clone().json()).toEqual({ energy_wh: 2_500 });
        return { id: 9, state: "settled", energy_wh: 2_500, received_cents: 2_500 };
      },
    });
    show(<SellForm initialWh={2_500} initialPrice={null} />);
    await userEvent.click(
      await screen.findByRole("button", { name: "Sell to the operator now, KSh 10.00 per kWh" }),
    );
    expect(await screen.findByText("The operator bought 2.50 kWh for KSh 25.00")).toBeVisible();
    const sale = seen.find((request) => request.url.endsWith("/buy-back"));
    expect(sale?.headers.get("Idempotency-Key")).toMatch(/^[0-9a-f]{32}$/);
  });

  it("says that the energy stays when the operator cannot buy", async () => {
    serve({
      "GET /api/v1/config": () => ({ tariff }),
      "POST /api/v1/me/buy-back": () => ({
        id: 9,
        state: "refused",
        energy_wh: 2_500,
        received_cents: 2_500,
      }),
    });
    show(<SellForm initialWh={2_500} initialPrice={null} />);
    await userEvent.click(await screen.findByRole("button", { name: /^Sell to the operator/ }));
    expect(await screen.findByText(/your energy is yours/)).toBeVisible();
  });
});
