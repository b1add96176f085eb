/**
 * The PIN that stands before money. The server refuses to move money until it was given; then
 * the refused question waits here, and is asked again as it was once the person gave it. A page
 * that asks nobody leaves it refused.
 */
export type Given = "given" | "not_given";

/** Asks the person; `from` had the focus when the question was asked. */
type Asker = (from: Element | null) => Promise<Given>;

let asker: Asker | null = null;

/** How this page asks for the PIN. */
export function askPinWith(ask: Asker | null): void {
  asker = ask;
}

/** Whether a person gave the PIN; not when nobody could be asked. */
export async function pinGiven(from: Element | null): Promise<Given> {
  return (await asker?.(from).catch(() => null)) ?? "not_given";
}
