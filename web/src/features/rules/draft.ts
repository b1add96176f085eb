import { parseKilowattHours } from "../../domain/energy";
import { parseShillings } from "../../domain/money";
import type { Schemas } from "../../lib/api";

export type Rules = Schemas["RulesView"];
export type RulesRequest = Schemas["RulesRequest"];
type Acting = Schemas["ActingDto"];

/** The form as a person fills it in: text, until it is sent. */
export interface Draft {
  sells: boolean;
  keep: string;
  floor: string;
  sellActing: Acting;
  buys: boolean;
  cover: "shortfall" | "in_hand";
  inHand: string;
  priceMax: string;
  budget: string;
  buyActing: Acting;
}

const energy = (wh: number) => (wh / 1000).toFixed(3).replace(/\.?0+$/, "");
const money = (cents: number) => (cents / 100).toFixed(2);

/** The stored rules as a form; without rules, what most would choose. */
export function draftOf(rules: Rules): Draft {
  const { sell, buy } = rules;
  return {
    sells: sell !== null,
    keep: energy(sell?.keep_wh ?? 2_000),
    floor: sell ? money(sell.floor_cents_per_kwh) : "",
    sellActing: sell?.acting ?? "act",
    buys: buy !== null,
    cover: buy && buy.in_hand_wh === null ? "shortfall" : "in_hand",
    inHand: energy(buy?.in_hand_wh ?? 1_000),
    priceMax: buy ? money(buy.price_max_cents_per_kwh) : "",
    budget: buy ? money(buy.budget_per_day_cents) : "",
    buyActing: buy?.acting ?? "act",
  };
}

/** Which fields cannot be read as what they ask for. */
export function unreadable(draft: Draft): ReadonlySet<keyof Draft> {
  const wrong = new Set<keyof Draft>();
  if (draft.sells) {
    if (parseKilowattHours(draft.keep) === null) wrong.add("keep");
    if (parseShillings(draft.floor) === null) wrong.add("floor");
  }
  if (draft.buys) {
    if (draft.cover === "in_hand" && parseKilowattHours(draft.inHand) === null) wrong.add("inHand");
    if (parseShillings(draft.priceMax) === null) wrong.add("priceMax");
    if (parseShillings(draft.budget) === null) wrong.add("budget");
  }
  return wrong;
}

/** What is sent; null while a field cannot be read. Whether it may be is the server's to say. */
export function requestOf(draft: Draft): RulesRequest | null {
  if (unreadable(draft).size > 0) return null;
  return {
    sell: draft.sells
      ? {
          keep_wh: parseKilowattHours(draft.keep) ?? 0,
          floor_cents_per_kwh: parseShillings(draft.floor) ?? 0,
          acting: draft.sellActing,
        }
      : null,
    buy: draft.buys
      ? {
          in_hand_wh: draft.cover === "in_hand" ? (parseKilowattHours(draft.inHand) ?? 0) : null,
          price_max_cents_per_kwh: parseShillings(draft.priceMax) ?? 0,
          budget_per_day_cents: parseShillings(draft.budget) ?? 0,
          acting: draft.buyActing,
        }
      : null,
  };
}
