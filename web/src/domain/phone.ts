/** A Kenyan mobile number, as the server keeps it: `254` and nine digits. */
export type Phone = string;

/** What a person typed, `07..`, `01..`, `7..`, `254..` or `+254..`; null when it is none. */
export function parsePhone(text: string): Phone | null {
  const match = /^(?:\+?254|0)?([17]\d{8})$/.exec(text.replace(/[\s-]/g, ""));
  return match ? `254${match[1]}` : null;
}

/** As people say it: `0712 345 678`. */
export function formatPhone(phone: Phone): string {
  return `0${phone.slice(3, 6)} ${phone.slice(6, 9)} ${phone.slice(9)}`;
}

/** Whether this can be the number of which a household sees the two ends: `0712 *** 678`. */
export function fitsMask(phone: Phone, masked: string): boolean {
  const said = formatPhone(phone);
  return said.slice(0, 4) === masked.slice(0, 4) && said.slice(-3) === masked.slice(-3);
}

/** What was typed or pasted where six digits are asked for. */
export function codeDigits(text: string): string {
  return text.replace(/\D/g, "").slice(0, 6);
}
