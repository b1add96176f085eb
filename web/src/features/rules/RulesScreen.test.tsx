import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { show } from "../../testing/render";
import { tariff } from "../../testing/samples";
import { refusal, serve } from "../../testing/server";
import { RulesScreen } from "./RulesScreen";

const never = { sell: null, buy: null, set_at: null };
const config = { tariff };

beforeEach(() => localStorage.clear());

describe("rules", () => {
  it("sets a rule that sells what is left, in whole Wh and cents", async () => {
    const sell = { keep_wh: 1_500, floor_cents_per_kwh: 1_250, acting: "act" };
    serve({
      "GET /api/v1/config": () => config,
      "GET /api/v1/me/rules": () => never,
      "PUT /api/v1/me/rules": async (request) => {
        expect(await request.clone().json()).toEqual({ sell, buy: null });
        return { sell, buy: null, set_at: "2026-11-23T06:00:00Z" };
      },
    });
    show(<RulesScreen />);
    await userEvent.click(await screen.findByLabelText("Sell what I have left"));
    await userEvent.clear(screen.getByLabelText("Keep so many kWh for myself"));
    await userEvent.type(screen.getByLabelText("Keep so many kWh for myself"), "1.5");
    expect(await screen.findByText("Between KSh 10.00 and KSh 30.00")).toBeVisible();
    await userEvent.type(screen.getByLabelText("Least KSh per kWh for me"), "12.50");
    await userEvent.click(screen.getByRole("button", { name: "Save my rules" }));
    expect(await screen.findByLabelText("Sell what I have left")).toBeChecked();
    expect(screen.getByLabelText("Least KSh per kWh for me")).toHaveValue("12.50");
  });

  it("shows a refusal in the server's words and keeps what was typed", async () => {
    const words = "you would buy up to 3.000 kWh and sell above 1.000 kWh; keep at least as much";
    const seen = serve({
      "GET /api/v1/config": () => config,
      "GET /api/v1/me/rules": () => ({
        sell: { keep_wh: 1_000, floor_cents_per_kwh: 1_500, acting: "act" },
        buy: {
          in_hand_wh: 3_000,
          price_max_cents_per_kwh: 2_500,
          budget_per_day_cents: 5_000,
          acting: "notify",
        },
        set_at: "2026-11-23T06:00:00Z",
      }),
      "PUT /api/v1/me/rules": () => refusal(422, "market.rule_contradiction", words),
    });
    show(<RulesScreen />);
    await userEvent.click(await screen.findByRole("button", { name: "Save my rules" }));
    expect(await screen.findByRole("alert")).toHaveTextContent(words);
    expect(screen.getByLabelText("How many kWh in hand")).toHaveValue("3");
    const put = seen.find((request) => request.method === "PUT");
    expect(await put?.clone().json()).toMatchObject({ buy: { acting: "notify" } });
  });

  it("covers only what is owed when asked to, and sends nothing that it cannot read", async () => {
    const seen = serve({
      "GET /api/v1/config": () => config,
      "GET /api/v1/me/rules": () => never,
      "PUT /api/v1/me/rules": async (request) => ({
        ...((await request.clone().json()) as object),
        set_at: "2026-11-23T06:00:00Z",
      }),
    });
    show(<RulesScreen />);
    await userEvent.click(await screen.findByLabelText("Buy for me from my balance"));
    await userEvent.click(screen.getByLabelText("Keep some in hand as well"));
    await userEvent.type(screen.getByLabelText("Most KSh per kWh, all in"), "25");
    await userEvent.type(screen.getByLabelText("Most KSh in a day"), "much");
    await userEvent.click(screen.getByRole("button", { name: "Save my rules" }));
    expect(await screen.findByText("Write an amount like 1.5")).toBeVisible();
    expect(seen.some((request) => request.method === "PUT")).toBe(false);
    await userEvent.clear(screen.getByLabelText("Most KSh in a day"));
    await userEvent.type(screen.getByLabelText("Most KSh in a day"), "100");
    await userEvent.click(screen.getByRole("button", { name: "Save my rules" }));
    expect(await screen.findByText(/only what you owe/)).toBeVisible();
    const put = seen.find((request) => request.method === "PUT");
    expect(await put?.clone().json()).toEqual({
      sell: null,
      buy: { in_hand_wh: null, price_max_cents_per_kwh: 2_500, budget_per_day_cents: 10_000, acting: "act" },
    });
  });
});
