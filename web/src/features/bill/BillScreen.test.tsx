import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { show } from "../../testing/render";
import { serve } from "../../testing/server";
import { BillScreen } from "./BillScreen";

const total = {
  import_wh: 5_000,
  export_wh: 9_000,
  bought_wh: 1_000,
  sold_wh: 2_000,
  own_use_wh: 500,
  shortfall_wh: 0,
  paid_cents: 1_960,
  fee_cents: 300,
  tax_cents: 160,
  received_cents: 3_000,
  owed_cents: -2_000,
  tariff_alone_cents: 30_160,
  gain_cents: 31_200,
};
const routes = {
  "GET /api/v1/config": () => ({ now: "2026-11-23T05:30:00Z" }),
  "GET /api/v1/me/bills": () => ({
    month: "2026-11",
    days: [{ day: "2026-11-22", total }],
    total,
    billed_through: "2026-11-22T20:45:00Z",
  }),
  "GET /api/v1/me/bills/2026-11-22": () => [
    {
      start: "2026-11-22T09:00:00Z",
      end: "2026-11-22T09:15:00Z",
      import_wh: 100,
      export_wh: 0,
      gain_cents: 2_040,
      lines: [
        {
          kind: "bought",
          with: [{ alias: "Nyumba 7", energy_wh: 1_000, price_cents_per_kwh: 1_500 }],
          energy_wh: 1_000,
          amount_cents: -1_960,
          fee_cents: 300,
          tax_cents: 160,
          gain_cents: 2_040,
        },
        {
          kind: "paid_off",
          with: [],
          energy_wh: 500,
          amount_cents: 2_000,
          fee_cents: 0,
          tax_cents: 0,
          gain_cents: 0,
        },
      ],
    },
  ],
};

beforeEach(() => localStorage.clear());

describe("the bill", () => {
  it("says the month's gain in one sentence and opens a day's slots with neighbour and price", async () => {
    serve(routes);
    show(<BillScreen />);
    expect(await screen.findByTestId("gain")).toHaveTextContent("You gained KSh 312.00 this month");
    expect(screen.getByText("Of that at retail, less what was paid off").nextSibling).toHaveTextContent(
      "-KSh 20.00",
    );
    await userEvent.click(screen.getByRole("button", { name: /2026-11-22/ }));
    expect(await screen.findByText(/Nyumba 7 · KSh 15.00\/kWh/)).toBeVisible();
    expect(screen.getByText("-KSh 19.60")).toBeVisible();
    expect(screen.getByRole("row", { name: /Paid off 0.50 kWh KSh 20.00/ })).toBeVisible();
    expect(screen.getByRole("link", { name: "Download table (CSV)" })).toHaveAttribute(
      "href",
      "/api/v1/me/bills.csv?month=2026-11&language=en",
    );
  });

  it("says it in Kiswahili, and says so when there is no bill yet", async () => {
    localStorage.setItem("jirani.language", "sw");
    serve(routes);
    const { unmount } = show(<BillScreen />);
    expect(await screen.findByTestId("gain")).toHaveTextContent("Umepata faida ya KSh 312.00 mwezi huu");
    unmount();
    serve({
      ...routes,
      "GET /api/v1/me/bills": () => ({ month: "2026-11", days: [], total, billed_through: null }),
    });
    show(<BillScreen />);
    expect(await screen.findByTestId("gain")).toHaveTextContent("Bado hakuna bili");
  });
});
