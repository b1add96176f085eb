import type { Movement } from "../../lib/api";

/** What a person may narrow the history down to. */
export const sorts = ["all", "bought", "sold", "energy", "money"] as const;
export type Sort = (typeof sorts)[number];

const sortOf: Record<Movement["kind"], Sort> = {
  bought: "bought",
  sold: "sold",
  minted: "energy",
  burned: "energy",
  payout: "money",
  credit: "money",
  reversal: "money",
};

/** The movements of a sort whose M-Pesa code contains what was typed, however it was written. */
export function look(movements: Movement[], sort: Sort, typed: string): Movement[] {
  const code = typed.replace(/\s/g, "").toUpperCase();
  return movements.filter(
    (movement) =>
      (sort === "all" || sortOf[movement.kind] === sort) &&
      (code === "" || (movement.receipt ?? "").toUpperCase().includes(code)),
  );
}
