/** Watt-hours, always whole numbers. */
export type WattHours = number;

/** kWh with two decimals below ten and one above; cut, never rounded up. */
export function formatEnergy(wh: WattHours): string {
  const absolute = Math.abs(wh);
  const [divisor, digits] = absolute < 10_000 ? [10, 2] : [100, 1];
  const scaled = Math.trunc(absolute / divisor)
    .toString()
    .padStart(digits + 1, "0");
  const whole = scaled.slice(0, -digits).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return `${wh < 0 ? "-" : ""}${whole}.${scaled.slice(-digits)} kWh`;
}

/** W below 1,000, else kW with one decimal. The sign is said in words elsewhere. */
export function formatPower(watts: number): string {
  const absolute = Math.abs(watts);
  if (absolute < 1000) return `${absolute} W`;
  return `${Math.trunc(absolute / 1000)}.${Math.trunc((absolute % 1000) / 100)} kW`;
}

/** What a person typed as kWh, in Wh; null when it is not an amount. */
export function parseKilowattHours(text: string): WattHours | null {
  const match = /^(\d{1,5})(?:[.,](\d{1,3}))?$/.exec(text.trim());
  if (!match?.[1]) return null;
  return Number(match[1]) * 1000 + Number((match[2] ?? "").padEnd(3, "0"));
}
