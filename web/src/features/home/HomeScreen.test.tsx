import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { show } from "../../testing/render";
import { refusal, serve } from "../../testing/server";
import { HomeScreen } from "./HomeScreen";
import "./FirstSteps";

const home = {
  power_w: 430,
  power_at: "2026-11-22T09:00:00Z",
  today: { generation_wh: 2_400, import_wh: 150, export_wh: 1_900 },
  vault_wh: 1_250,
  shortfall_wh: 0,
  offered_wh: 0,
  balance_cents: 123_450,
  available_cents: 123_450,
  advice: null,
  movements: [],
  attested_through: "2026-11-22T09:00:00Z",
  now: "2026-11-22T09:03:30Z",
};

beforeEach(() => localStorage.clear());

describe("home", () => {
  it("says what flows now, what there is, and how old it is", async () => {
    serve({ "GET /api/v1/me/home": () => home });
    show(<HomeScreen />);
    expect(await screen.findByText("Selling 430 W now")).toBeVisible();
    expect(screen.getByText("3 minutes ago")).toBeVisible();
    expect(screen.getByTestId("vault")).toHaveTextContent("1.25 kWh");
    expect(screen.getByTestId("balance")).toHaveTextContent("KSh 1,234.50");
    expect(screen.getByText("On chain up to 12:00")).toBeVisible();
  });

  it("draws no flow from idle noise and never zero for a silent meter", async () => {
    serve({ "GET /api/v1/me/home": () => ({ ...home, power_w: -4 }) });
    const first = show(<HomeScreen />);
    expect(await screen.findByText("Nothing flows right now")).toBeVisible();
    first.unmount();
    serve({ "GET /api/v1/me/home": () => ({ ...home, power_w: 0, power_at: null }) });
    show(<HomeScreen />);
    expect(await screen.findByText("Your meter has not sent anything yet")).toBeVisible();
  });

  it("tells who has no meter yet how it begins, instead of a day of noughts", async () => {
    serve({ "GET /api/v1/me/home": () => ({ ...home, power_w: 0, power_at: null }) });
    show(<HomeScreen />);
    expect(await screen.findByRole("heading", { name: "How your meter begins" })).toBeVisible();
    expect(screen.queryByText("Into the grid")).toBeNull();
  });

  it("says at night that the panels rest, and never while they still sell", async () => {
    const night = { ...home, power_w: -300, power_at: "2026-11-22T18:00:00Z", now: "2026-11-22T18:03:00Z" };
    serve({ "GET /api/v1/me/home": () => night });
    const first = show(<HomeScreen />);
    expect(await screen.findByText("☾ Night: your panels rest")).toBeVisible();
    first.unmount();
    serve({ "GET /api/v1/me/home": () => ({ ...home, power_w: -300 }) });
    show(<HomeScreen />);
    expect(await screen.findByText("Drawing 300 W now")).toBeVisible();
    expect(screen.queryByText("☾ Night: your panels rest")).toBeNull();
  });

  it("says since when a meter is silent instead of what it last said", async () => {
    localStorage.setItem("jirani.language", "sw");
    const last = { ...home, power_at: "2026-11-22T08:29:00Z", now: "2026-11-22T09:00:00Z" };
    serve({ "GET /api/v1/me/home": () => last, "GET /api/v1/config": () => ({ slot_length_s: 900 }) });
    const first = show(<HomeScreen />);
    expect(await screen.findByText("Mita yako haijatuma taarifa tangu 22 Nov 2026, 11:29")).toBeVisible();
    expect(screen.queryByText("Unauza 430 W sasa")).toBeNull();
    expect(screen.getByText("Umetumika nyumbani").closest("[data-old]")).not.toBeNull();
    first.unmount();
    serve({
      "GET /api/v1/me/home": () => ({ ...last, power_at: "2026-11-22T08:30:00Z" }),
      "GET /api/v1/config": () => ({ slot_length_s: 900 }),
    });
    show(<HomeScreen />);
    expect(await screen.findByText("Unauza 430 W sasa")).toBeVisible();
  });

  it("says a coming price in one line, in the screen's language", async () => {
    localStorage.setItem("jirani.language", "sw");
    const prices = (retail: number, buyBack: number) => ({
      retail_cents_per_kwh: retail,
      buy_back_cents_per_kwh: buyBack,
    });
    const next_tariff = { from: "2026-12-01T03:00:00Z", tariff: prices(3_600, 1_200) };
    serve({
      "GET /api/v1/me/home": () => home,
      "GET /api/v1/config": () => ({ tariff: prices(3_500, 1_000), next_tariff }),
    });
    show(<HomeScreen />);
    expect(await screen.findByTestId("coming-price")).toHaveTextContent(
      "Kuanzia 1 Dec 2026, 06:00 umeme ni KSh 36.00 kwa kWh (sasa KSh 35.00); kampuni inanunua kwa KSh 12.00.",
    );
  });

  it("hides amounts on a shared phone and remembers it", async () => {
    serve({ "GET /api/v1/me/home": () => home });
    const first = show(<HomeScreen />);
    await userEvent.click(await screen.findByRole("button", { name: "Hide amounts" }));
    expect(screen.getByTestId("balance")).not.toHaveTextContent("1,234");
    first.unmount();
    show(<HomeScreen />);
    expect(await screen.findByRole("button", { name: "Show amounts" })).toBeVisible();
  });

  it("gives advice in the screen's language, with what it brings and how sure it is", async () => {
    localStorage.setItem("jirani.language", "sw");
    serve({
      "GET /api/v1/me/home": () => ({
        ...home,
        advice: {
          action: "sell",
          reason: "more_than_needed",
          sentence_en: "Sell 1.25 kWh.",
          sentence_sw: "Uza kWh 1.25.",
          energy_wh: 1_250,
          price_cents_per_kwh: 2_600,
          gain_cents: 2_000,
          confidence: "medium",
          until: "2026-11-22T13:00:00Z",
        },
      }),
    });
    show(<HomeScreen />);
    expect(await screen.findByTestId("advice")).toHaveTextContent("Uza kWh 1.25.");
    expect(screen.getByTestId("confidence")).toHaveTextContent("huenda");
    expect(screen.getByText("+KSh 20.00", { exact: false })).toBeVisible();
    expect(screen.getByText("hadi 16:00", { exact: false })).toBeVisible();
    expect(screen.getByRole("link", { name: "Uza sokoni" })).toHaveAttribute(
      "href",
      "/market?sell=1250&price=2600",
    );
  });

  it("counts what the panels made once: used at home, or into the grid", async () => {
    serve({ "GET /api/v1/me/home": () => home });
    show(<HomeScreen />);
    expect((await screen.findByText("Used at home")).parentElement).toHaveTextContent("0.50 kWh");
    expect(screen.getByText("Into the grid").parentElement).toHaveTextContent("1.90 kWh");
  });

  it("leads from a shortfall to the market", async () => {
    serve({ "GET /api/v1/me/home": () => ({ ...home, vault_wh: 0, shortfall_wh: 480 }) });
    show(<HomeScreen />);
    expect(await screen.findByRole("link", { name: "Buy it from a neighbour" })).toHaveAttribute(
      "href",
      "/market?buy=480",
    );
  });

  it("says a refusal in the server's words, with the number to quote", async () => {
    serve({ "GET /api/v1/me/home": () => refusal(400, "home.closed", "The desk is closed.") });
    show(<HomeScreen />);
    expect(await screen.findByRole("alert")).toHaveTextContent("The desk is closed.");
    expect(screen.getByText("Reference for help: req-1")).toBeVisible();
  });

  it("speaks Kiswahili", async () => {
    localStorage.setItem("jirani.language", "sw");
    serve({ "GET /api/v1/me/home": () => home });
    show(<HomeScreen />);
    expect(await screen.findByText("Unauza 430 W sasa")).toBeVisible();
    expect(document.documentElement.lang).toBe("sw");
  });
});
