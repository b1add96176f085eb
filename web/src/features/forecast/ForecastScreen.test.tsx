import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { show } from "../../testing/render";
import { serve } from "../../testing/server";
import { ForecastScreen } from "./ForecastScreen";

vi.mock("../../components/BandChart", () => ({
  default: () => {
    throw new Error("the chart's file is not on this phone");
  },
}));

const quantiles = (wh: number) => ({ p10: wh / 2, p25: wh, p50: wh, p75: wh, p90: wh * 2 });
const points = Array.from({ length: 192 }, (_, step) => ({
  start: new Date(Date.parse("2026-11-22T09:00:00Z") + step * 900_000).toISOString(),
  production_wh: quantiles(100),
  consumption_wh: quantiles(40),
}));

beforeEach(() => localStorage.clear());

describe("the forecast", () => {
  it("keeps its sentence and its table when the chart does not come", async () => {
    const quiet = vi.spyOn(console, "error").mockImplementation(() => {});
    serve({
      "GET /api/v1/me/forecast": () => ({
        issued_at: "2026-11-22T09:00:00Z",
        step_s: 900,
        points,
        advice: null,
      }),
    });
    show(<ForecastScreen />);
    expect(await screen.findByRole("alert")).toHaveTextContent("This part could not be shown.");
    expect(screen.getByText(/Tomorrow most likely 9.60 kWh/)).toBeVisible();
    expect(screen.getByText("The same as a table")).toBeVisible();
    quiet.mockRestore();
  });

  it("names each hour by a word, the stretch to sell in, and tomorrow when asked", async () => {
    const quiet = vi.spyOn(console, "error").mockImplementation(() => {});
    serve({
      "GET /api/v1/me/forecast": () => ({
        issued_at: "2026-11-22T09:00:00Z",
        points,
        advice: null,
        record: { days: 20, production_inside_permille: 784 },
      }),
    });
    show(<ForecastScreen />);
    const hours = await screen.findByTestId("hours");
    expect(hours.children).toHaveLength(12);
    expect(hours.children[0]).toHaveTextContent("12:00▲ spare");
    expect(screen.getByTestId("best-sell")).toHaveTextContent(
      "Most to sell from 12:00 to 00:00: about 2.88 kWh more than you use.",
    );
    expect(screen.queryByTestId("best-buy")).toBeNull();
    await userEvent.click(screen.getByRole("radio", { name: "Tomorrow" }));
    expect(screen.getByTestId("hours").children).toHaveLength(24);
    expect(screen.getByText(/Of 20 days that are over, 78 in 100/)).toBeVisible();
    quiet.mockRestore();
  });

  it("draws no chart for who saves data until asked", async () => {
    const quiet = vi.spyOn(console, "error").mockImplementation(() => {});
    localStorage.setItem("jirani.saver", "yes");
    serve({ "GET /api/v1/me/forecast": () => ({ issued_at: "2026-11-22T09:00:00Z", points, advice: null }) });
    show(<ForecastScreen />);
    const draw = await screen.findByRole("button", { name: /^Draw the chart/ });
    expect(screen.queryByRole("alert")).toBeNull();
    await userEvent.click(draw);
    expect(await screen.findByRole("alert")).toHaveTextContent("This part could not be shown.");
    quiet.mockRestore();
  });
});
