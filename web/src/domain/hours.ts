/** A day of a forecast hour by hour, and the stretches of it that matter to a household. */
import type { Schemas } from "../lib/api";
import { hourly } from "./forecast";
import { formatDate } from "./time";

type Point = Schemas["ForecastPoint"];
export type Day = "today" | "tomorrow";
export type HourKind = "spare" | "even" | "need";

export interface Hour {
  start: string;
  /** What is left over; what is missing is negative. */
  net_wh: number;
  kind: HourKind;
}

/** Hours one after the other: from the first one's start to the last one's end. */
export interface Stretch {
  from: string;
  to: string;
  energy_wh: number;
}

/** Less than this in an hour is as good as nothing. */
const NOTHING_WH = 50;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The hours of a day that the forecast still has; today is the day that it begins on. */
export function hoursOf(points: Point[], day: Day): Hour[] {
  const first = points[0];
  if (!first) return [];
  const begin = Date.parse(first.start) + (day === "tomorrow" ? DAY_MS : 0);
  const date = formatDate(new Date(begin).toISOString());
  return hourly(points.filter(({ start }) => formatDate(start) === date)).map((hour) => {
    const net_wh = hour.production - hour.consumption;
    const kind = net_wh >= NOTHING_WH ? "spare" : net_wh <= -NOTHING_WH ? "need" : "even";
    return { start: hour.start, net_wh, kind };
  });
}

/** The stretch of this kind with the most energy; null when no hour is of it. */
export function best(hours: Hour[], kind: "spare" | "need"): Stretch | null {
  const stretches: Stretch[] = [];
  let last: HourKind | null = null;
  for (const hour of hours) {
    const open = stretches.at(-1);
    const to = new Date(Date.parse(hour.start) + HOUR_MS).toISOString();
    const energy_wh = Math.abs(hour.net_wh);
    if (hour.kind === kind && last === kind && open) {
      open.to = to;
      open.energy_wh += energy_wh;
    } else if (hour.kind === kind) stretches.push({ from: hour.start, to, energy_wh });
    last = hour.kind;
  }
  return stretches.reduce<Stretch | null>(
    (most, each) => (most && most.energy_wh >= each.energy_wh ? most : each),
    null,
  );
}
