/** KES cents, always whole numbers. */
export type Cents = number;

/** `KSh 1,234.50`, `-KSh 20.00`, the same in every language and browser. */
export function formatMoney(cents: Cents): string {
  const absolute = Math.abs(cents);
  const shillings = Math.trunc(absolute / 100).toString();
  const grouped = shillings.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  const rest = (absolute % 100).toString().padStart(2, "0");
  return `${cents < 0 ? "-" : ""}KSh ${grouped}.${rest}`;
}

/** What a person typed as shillings, in cents; null when it is not an amount. */
export function parseShillings(text: string): Cents | null {
  const match = /^(?:ksh)?\s*(\d{1,3}(?:,\d{3})*|\d{1,7})(?:\.(\d{1,2}))?$/i.exec(text.trim());
  if (!match?.[1]) return null;
  return Number(match[1].replaceAll(",", "")) * 100 + Number((match[2] ?? "").padEnd(2, "0"));
}
