import type { Movement } from "../../lib/api";

const blank: Movement = {
  id: "",
  at: "2026-11-22T09:00:00Z",
  kind: "credit",
  title: "",
  state: "posted",
  energy_wh: null,
  amount_cents: null,
  signature: null,
  receipt: null,
  order_id: null,
  payout_id: null,
};

export const signature = "5".repeat(88);

/** A household's day, as the server shows it to these tests. */
export const movements: Movement[] = [
  {
    ...blank,
    id: "order/17",
    kind: "bought",
    state: "settled",
    energy_wh: 700,
    amount_cents: -2_100,
    receipt: "UJ32ABCDEF",
    signature,
    order_id: 17,
  },
  {
    ...blank,
    id: "sale/9/3",
    kind: "sold",
    state: "settled",
    energy_wh: -500,
    amount_cents: 1_350,
    signature,
  },
  { ...blank, id: "day/2026-11-22/minted", kind: "minted", state: "attested", energy_wh: 1_900 },
  {
    ...blank,
    id: "payout/4",
    kind: "payout",
    state: "paid",
    amount_cents: -1_000,
    receipt: "UJ39ZZZZZZ",
    payout_id: 4,
  },
];
