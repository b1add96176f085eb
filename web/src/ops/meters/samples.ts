import type { Meter } from "./questions";

/** A meter that counts and was heard, as the server shows it to these tests. */
export const active: Meter = {
  meter_id: "369ecac565891473309b18467f3051bc",
  meter_key: "dcf59367d82c49d3e8ecf5575f337d02860c24a80e5f035a760eaf796a5adf70",
  household_id: 1,
  state: "active",
  purpose: "enrol",
  replaces: null,
  trust: "device",
  held: null,
  revision: 3,
  request: null,
  opening: { import_wh: 0, export_wh: 0, generation_wh: 0 },
  new_household: null,
  epoch: 1,
  modulus_wh: null,
  spans: 0,
  last_seen: "2026-11-22T09:00:00Z",
  last_seq: 13,
  refused: [],
  claimed_by: "Amina",
  claimed_at: "2026-11-20T09:00:00Z",
  answered_at: "2026-11-20T09:05:00Z",
  approved_by: "Brian",
  approved_at: "2026-11-20T10:00:00Z",
  reason: "",
};

/** One that has proven its key and waits for another operator. */
export const answered: Meter = {
  ...active,
  meter_id: "e77f8084b615b36b92c76555272caf1b",
  household_id: 2,
  state: "answered",
  revision: 7,
  last_seen: null,
  approved_by: null,
  approved_at: null,
};

export const now = "2026-11-22T09:10:00Z";
