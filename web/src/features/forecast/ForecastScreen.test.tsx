import { screen } from "@testing-library/react";
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
});
