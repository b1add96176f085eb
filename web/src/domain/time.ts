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

/** Whole minutes from `at` to `now`, never negative. */
export function minutesSince(at: string, now: string): number {
  return Math.max(0, Math.floor((Date.parse(now) - Date.parse(at)) / 60_000));
}
