import { describe, expect, it } from "vitest";
import { best, hoursOf } from "./hours";

const quantiles = (wh: number) => ({ p05: wh, p10: wh, p25: wh, p50: wh, p75: wh, p90: wh, p95: wh });

/** Two days from noon in Nairobi, by quarters of an hour: panels from 6 to 18, 40 Wh used in each. */
const points = Array.from({ length: 192 }, (_, step) => {
  const start = new Date(Date.parse("2026-11-22T09:00:00Z") + step * 900_000);
  const hour = (start.getUTCHours() + 3) % 24;
  const production = hour < 6 || hour >= 18 ? 0 : hour === 9 ? 40 : 100;
  return {
    start: start.toISOString(),
    production_wh: quantiles(production),
    consumption_wh: quantiles(40),
  };
});

describe("the hours of a day", () => {
  it("are those of Nairobi, today only what is still to come, tomorrow all of them", () => {
    const today = hoursOf(points, "today");
    expect(today).toHaveLength(12);
    expect(today[0]).toEqual({ start: "2026-11-22T09:00:00.000Z", net_wh: 240, kind: "spare" });
    expect(today.at(-1)).toMatchObject({ net_wh: -160, kind: "need" });
    expect(hoursOf(points, "tomorrow")).toHaveLength(24);
    expect(hoursOf([], "today")).toEqual([]);
  });

  it("make a stretch only where they stand together, and the one with the most energy is named", () => {
    const tomorrow = hoursOf(points, "tomorrow");
    expect(tomorrow.find(({ start }) => start === "2026-11-23T06:00:00.000Z")?.kind).toBe("even");
    expect(best(tomorrow, "spare")).toEqual({
      from: "2026-11-23T07:00:00.000Z",
      to: "2026-11-23T15:00:00.000Z",
      energy_wh: 8 * 240,
    });
    expect(best(tomorrow, "need")).toMatchObject({ from: "2026-11-22T21:00:00.000Z", energy_wh: 6 * 160 });
  });

  it("name no stretch where none stands out", () => {
    const flat = points.map((point) => ({ ...point, production_wh: quantiles(40) }));
    expect(best(hoursOf(flat, "today"), "spare")).toBeNull();
    expect(best(hoursOf(flat, "today"), "need")).toBeNull();
  });
});
