import type { Schemas } from "../lib/api";
import { groupBy } from "./group";
import { formatDate } from "./time";

type Point = Schemas["ForecastPoint"];

/** Sums over tomorrow (Nairobi) of the middle and the 8-in-10 bounds of production. */
export function tomorrow(points: Point[]): { p10: number; p50: number; p90: number } | null {
  const first = points[0];
  if (!first) return null;
  const day = formatDate(new Date(Date.parse(first.start) + 86_400_000).toISOString());
  const of = points.filter((point) => formatDate(point.start) === day);
  if (of.length === 0) return null;
  const sum = (pick: (point: Point) => number) => of.reduce((total, point) => total + pick(point), 0);
  return {
    p10: sum((p) => p.production_wh.p10),
    p50: sum((p) => p.production_wh.p50),
    p90: sum((p) => p.production_wh.p90),
  };
}

/** The middle forecast by hour. */
export function hourly(points: Point[]): { start: string; production: number; consumption: number }[] {
  const hours = groupBy(points, (point) => Math.floor(Date.parse(point.start) / 3_600_000));
  return [...hours].map(([hour, list]) => ({
    start: new Date(hour * 3_600_000).toISOString(),
    production: list.reduce((total, point) => total + point.production_wh.p50, 0),
    consumption: list.reduce((total, point) => total + point.consumption_wh.p50, 0),
  }));
}
