const nairobi = { timeZone: "Africa/Nairobi", hourCycle: "h23" } as const;
const clock = new Intl.DateTimeFormat("en-GB", { ...nairobi, hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat("en-GB", {
  ...nairobi,
  day: "numeric",
  month: "short",
  year: "numeric",
});

/** `14:06` in Nairobi, whatever the phone's own zone. */
export function formatTime(at: string): string {
  return clock.format(new Date(at));
}

/** `18 Nov 2026` in Nairobi. */
export function formatDate(at: string): string {
  return date.format(new Date(at));
}

/** `18 Nov 2026, 14:06` in Nairobi. */
export function formatMoment(at: string): string {
  return `${formatDate(at)}, ${formatTime(at)}`;
}

/** A moment of an input `2026-11-22T12:05`, on Nairobi's clock, as RFC 3339 in UTC; null for none. */
export function fromNairobi(local: string): string | null {
  const at = new Date(`${local}:00+03:00`);
  return Number.isNaN(at.getTime()) ? null : `${at.toISOString().slice(0, 19)}Z`;
}

const yearMonth = new Intl.DateTimeFormat("en-CA", { ...nairobi, year: "numeric", month: "2-digit" });

/** The last `count` months in Nairobi as `2026-10`, the running one first. */
export function lastMonths(now: string, count: number): string[] {
  const [year = 1970, month = 1] = yearMonth.format(new Date(now)).split("-").map(Number);
  return Array.from({ length: count }, (_, back) => {
    const months = year * 12 + (month - 1) - back;
    return `${Math.floor(months / 12)}-${String((months % 12) + 1).padStart(2, "0")}`;
  });
}

/**
 * The quarter of an hour of a day and a time as typed in Nairobi (UTC+3 all year), in UTC:
 * `2026-12-01` and `06:00` are `2026-12-01T03:00:00Z`; null for anything else.
 */
export function quarterInNairobi(day: string, time: string): string | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || !/^\d{2}:(00|15|30|45)$/.test(time)) return null;
  const at = Date.parse(`${day}T${time}:00+03:00`);
  return Number.isNaN(at) ? null : new Date(at).toISOString().replace(".000Z", "Z");
}

/** Whole minutes from `at` to `now`, never negative. */
export function minutesSince(at: string, now: string): number {
  return Math.max(0, Math.floor((Date.parse(now) - Date.parse(at)) / 60_000));
}

/** Whether panels rest: near the equator the sun rises after six and sets before seven all year. */
export function isNight(now: string): boolean {
  const hour = Number(formatTime(now).slice(0, 2));
  return hour < 6 || hour >= 19;
}

/** A meter speaks once a slot of `slot_s` seconds; whether it has missed two of them. */
export function isSilent(at: string, now: string, slot_s = 900): boolean {
  return Date.parse(now) - Date.parse(at) > 2 * slot_s * 1000;
}
