import type { Schemas } from "../lib/api";

/** Why energy was not taken, in words. */
export const reasons: Record<Schemas["CurtailmentReasonView"], string> = {
  battery_full: "battery full",
  grid_limit: "grid limit",
  maintenance: "maintenance",
};
