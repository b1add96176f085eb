/** States of an order, as the API says them. */
export type OrderState =
  | "planned"
  | "awaiting_payment"
  | "receipt_awaited"
  | "paid"
  | "settled"
  | "releasing"
  | "released"
  | "refused";

/** The steps a buyer sees, and how far an order has come. */
export const steps = ["sent", "pin", "confirmed", "delivered"] as const;
export type Step = (typeof steps)[number];

/** How a payment stands, in one word that the screen turns into a sentence. */
export type Standing = "working" | "enter_pin" | "receipt_awaited" | "done" | "given_up" | "refused";

/** How many of the four steps are done. */
export function stepsDone(state: OrderState): number {
  switch (state) {
    case "planned":
      return 0;
    case "awaiting_payment":
      return 1;
    case "receipt_awaited":
      return 2;
    case "paid":
      return 3;
    case "settled":
      return 4;
    case "releasing":
    case "released":
    case "refused":
      return 0;
  }
}

/** What to tell the buyer. "We do not know yet" is a standing of its own. */
export function standing(state: OrderState): Standing {
  switch (state) {
    case "awaiting_payment":
      return "enter_pin";
    case "receipt_awaited":
      return "receipt_awaited";
    case "settled":
      return "done";
    case "releasing":
    case "released":
      return "given_up";
    case "refused":
      return "refused";
    case "planned":
    case "paid":
      return "working";
  }
}

/** Whether nothing will change any more. */
export function isFinal(state: OrderState): boolean {
  return state === "settled" || state === "released" || state === "refused";
}
