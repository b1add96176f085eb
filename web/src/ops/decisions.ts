import { parseShillings } from "../domain/money";
import type { Schemas } from "../lib/api";

type Decision = Schemas["DecisionBody"];

/** What may be proposed about a review, and what has to be typed for it. */
export interface Choice {
  id: string;
  text: string;
  /** Label of the one thing to type; null when there is none. */
  asks: string | null;
  /** The decision; null while what was typed makes none. */
  decide: (typed: string) => Decision | null;
}

const whole = (typed: string): number | null => (/^[1-9]\d{0,9}$/.test(typed) ? Number(typed) : null);
const receiptOf = (typed: string): string | null =>
  /^[A-Za-z0-9]{6,20}$/.test(typed) ? typed.toUpperCase() : null;

const explained: Choice = {
  id: "explained",
  text: "Nothing to book (say why)",
  asks: null,
  decide: () => ({ kind: "explained" }),
};

/** The choices for a review, by what its key says it is about. */
export function choicesFor(review: Schemas["ReviewView"]): Choice[] {
  const [subject, first = "", second = ""] = review.key.split("/");
  if (review.code === "suspense") return [attach(first)];
  if (subject === "payout") return payoutChoices(Number(first));
  if (subject === "float") return floatChoices(Number(first));
  if (subject === "collection") return [unpaid(Number(first)), explained];
  if (review.code === "only_theirs" && /^[A-Z0-9]{6,20}$/.test(second)) {
    return [...bookChoices(second, first as Schemas["PurseView"]), explained];
  }
  if (subject === "reversal") {
    return [
      {
        id: "write_off",
        text: "Give up what is owed",
        asks: null,
        decide: () => ({ kind: "write_off", receipt: first }),
      },
      explained,
    ];
  }
  const row = /^row-(\d+)$/.exec(second)?.[1];
  if (row) {
    return [
      {
        id: "correct",
        text: "Undo this row",
        asks: null,
        decide: () => ({ kind: "correct", sequence: Number(row) }),
      },
      explained,
    ];
  }
  return [explained];
}

function attach(receipt: string): Choice {
  return {
    id: "attach",
    text: "It belongs to a household",
    asks: "Household number",
    decide: (typed) => {
      const household = whole(typed);
      return household === null ? null : { kind: "attach", receipt, household_id: household };
    },
  };
}

function payoutChoices(payout: number): Choice[] {
  return [
    {
      id: "payout_paid",
      text: "It was paid",
      asks: "M-Pesa receipt",
      decide: (typed) => {
        const receipt = receiptOf(typed);
        return receipt === null ? null : { kind: "payout_paid", payout_id: payout, receipt };
      },
    },
    {
      id: "payout_failed",
      text: "It was never paid",
      asks: null,
      decide: () => ({ kind: "payout_failed", payout_id: payout }),
    },
  ];
}

function floatChoices(number: number): Choice[] {
  return [
    {
      id: "float_moved",
      text: "It is on M-Pesa's statement",
      asks: "M-Pesa receipt",
      decide: (typed) => {
        const receipt = receiptOf(typed);
        return receipt === null ? null : { kind: "float_moved", number, receipt };
      },
    },
    {
      id: "float_failed",
      text: "It is not on M-Pesa's statement, and never will be",
      asks: null,
      decide: () => ({ kind: "float_failed", number }),
    },
  ];
}

function unpaid(order: number): Choice {
  return {
    id: "collection_unpaid",
    text: "It was not paid",
    asks: null,
    decide: () => ({ kind: "collection_unpaid", order_id: order }),
  };
}

function bookChoices(receipt: string, shortcode: Schemas["PurseView"]): Choice[] {
  const asks = "Amount in shillings";
  const amount = (typed: string, make: (amount_cents: number) => Decision) => {
    const cents = parseShillings(typed);
    return cents === null || cents === 0 ? null : make(cents);
  };
  return [
    {
      id: "book_found",
      text: "Nobody knows whose: suspense",
      asks,
      decide: (typed) =>
        amount(typed, (amount_cents) => ({ kind: "book_found", receipt, shortcode, amount_cents })),
    },
    {
      id: "book_deposit",
      text: "The operator brought it from the bank",
      asks,
      decide: (typed) =>
        amount(typed, (amount_cents) => ({ kind: "book_deposit", receipt, shortcode, amount_cents })),
    },
    {
      id: "book_sweep",
      text: "The operator took it to the bank",
      asks,
      decide: (typed) =>
        amount(typed, (amount_cents) => ({ kind: "book_sweep", receipt, shortcode, amount_cents })),
    },
    {
      id: "book_charge",
      text: "A charge of M-Pesa's",
      asks,
      decide: (typed) => amount(typed, (amount_cents) => ({ kind: "book_charge", receipt, amount_cents })),
    },
  ];
}
