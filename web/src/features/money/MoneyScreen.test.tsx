import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { show } from "../../testing/render";
import { refusal, serve } from "../../testing/server";
import { MoneyScreen } from "./MoneyScreen";

const routes = {
  "GET /api/v1/me": () => ({ id: 1, name: "Achieng", msisdn_masked: "0712 *** 678" }),
  "GET /api/v1/me/home": () => ({ balance_cents: 12_000, available_cents: 10_000 }),
  "GET /api/v1/me/payouts": () => [],
};

beforeEach(() => localStorage.clear());

describe("money", () => {
  it("hides its amounts with those of the home screen", async () => {
    serve(routes);
    const first = show(<MoneyScreen />);
    expect(await screen.findByTestId("available")).toHaveTextContent("KSh 100.00");
    await userEvent.click(screen.getByRole("button", { name: "Hide amounts" }));
    expect(screen.getByTestId("available")).not.toHaveTextContent("100");
    expect(screen.queryByText("KSh 20.00")).toBeNull();
    expect(localStorage.getItem("jirani.hidden")).toBe("yes");
    first.unmount();
    show(<MoneyScreen />);
    expect(await screen.findByRole("button", { name: "Show amounts" })).toBeVisible();
  });

  it("shows the balance while the withdrawals fail", async () => {
    serve({
      ...routes,
      "GET /api/v1/me/payouts": () => refusal(400, "payouts.closed", "The desk is closed."),
      "GET /api/v1/me/shortfall": () => refusal(400, "shortfall.closed", "The walk is closed."),
    });
    show(<MoneyScreen />);
    expect(await screen.findByTestId("available")).toHaveTextContent("KSh 100.00");
    expect(await screen.findByText("The desk is closed.")).toBeVisible();
    expect(await screen.findByText("The walk is closed.")).toBeVisible();
  });
});
