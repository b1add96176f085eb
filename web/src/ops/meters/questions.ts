/** What the pages about meters ask, and how they say it. */
import { queryOptions } from "@tanstack/react-query";
import { isSilent } from "../../domain/time";
import { api, asked, type Schemas } from "../../lib/api";

export type Meter = Schemas["MeterView"];

export const meters = queryOptions({
  queryKey: ["meters"],
  queryFn: () => asked(api.GET("/api/v1/operator/meters")),
  refetchInterval: 15_000,
});

export const historyOf = (meter: string) =>
  queryOptions({
    queryKey: ["meters", meter],
    queryFn: () => asked(api.GET("/api/v1/operator/meters/{meter}/history", { params: { path: { meter } } })),
  });

/** `369ecac5…`: enough to tell the meters of a village apart. */
export const short = (meter: string) => `${meter.slice(0, 8)}…`;

/** Whether another person has to say yes or no. */
export const waits = (meter: Meter) =>
  meter.state === "answered" || (meter.request !== null && meter.request.approved_at === null);

/** Whether a meter that counts has missed two slots. */
export const missed = (meter: Meter, now: string, slot_s?: number) =>
  meter.state === "active" && (meter.last_seen === null || isSilent(meter.last_seen, now, slot_s));

export const filters = {
  all: "All",
  waiting: "Wait for a decision",
  held: "Held",
  silent: "Silent",
  out: "Out of service",
} as const;
export type Filter = keyof typeof filters;

export function matches(meter: Meter, filter: Filter, now: string, slot_s?: number): boolean {
  switch (filter) {
    case "all":
      return true;
    case "waiting":
      return waits(meter);
    case "held":
      return meter.held !== null;
    case "silent":
      return missed(meter, now, slot_s);
    case "out":
      return ["replaced", "retired", "rejected"].includes(meter.state);
  }
}
