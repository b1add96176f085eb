/** What was typed where a PIN is asked for. */
export function pinDigits(text: string): string {
  return text.replace(/\D/g, "").slice(0, 6);
}

/** Whether it has the shape of a PIN: 4 to 6 digits. */
export function isPin(text: string): boolean {
  return /^\d{4,6}$/.test(text);
}

/** The PINs tried first by whoever tries: one digit, or digits in a row. */
export function isEasy(pin: string): boolean {
  const digits = [...pin].map(Number);
  const steps = digits.slice(1).map((digit, index) => digit - (digits[index] ?? 0));
  return [0, 1, -1].some((step) => steps.every((other) => other === step));
}
