/** What is typed about a meter, a household or registers, and what the server is asked with it. */
import { parsePhone } from "../../domain/phone";
import type { Schemas } from "../../lib/api";

export interface RegisterFields {
  imported: string;
  exported: string;
  made: string;
}
export interface MeterFields extends RegisterFields {
  identity: string;
  reason: string;
}
export interface HomeFields {
  name: string;
  alias: string;
  feeder: string;
  phone: string;
  panels: string;
  out: string;
  in: string;
  swahili: boolean;
}

export const noRegisters: RegisterFields = { imported: "", exported: "", made: "" };
export const noMeter: MeterFields = { ...noRegisters, identity: "", reason: "" };
export const noHome: HomeFields = {
  name: "",
  alias: "",
  feeder: "1",
  phone: "",
  panels: "0",
  out: "",
  in: "",
  swahili: true,
};

/** A whole number of at most twelve digits; null for anything else. */
export function whole(text: string): number | null {
  return /^\d{1,12}$/.test(text.trim()) ? Number(text.trim()) : null;
}

/** All three in Wh, none of them, or "wrong". */
export function registersOf(fields: RegisterFields): Schemas["RegistersView"] | null | "wrong" {
  const texts = [fields.imported, fields.exported, fields.made];
  if (texts.every((text) => text.trim() === "")) return null;
  const [import_wh, export_wh, generation_wh] = texts.map(whole);
  if (import_wh == null || export_wh == null || generation_wh == null) return "wrong";
  return { import_wh, export_wh, generation_wh };
}

export function meterOf(fields: MeterFields): Schemas["MeterRequest"] | null {
  const opening = registersOf(fields);
  if (opening === "wrong" || fields.identity.trim() === "") return null;
  return {
    identity: fields.identity.trim(),
    ...(opening ? { opening } : {}),
    ...(fields.reason.trim() ? { reason: fields.reason.trim() } : {}),
  };
}

export function homeOf(fields: HomeFields): Schemas["NewHomeRequest"] | null {
  const [feeder, pv_rated_w, export_rating_w, import_rating_w] = [
    fields.feeder,
    fields.panels,
    fields.out,
    fields.in,
  ].map(whole);
  const msisdn = fields.phone.trim() === "" ? null : parsePhone(fields.phone);
  const isPhoneWrong = fields.phone.trim() !== "" && msisdn === null;
  if (feeder == null || pv_rated_w == null || export_rating_w == null || import_rating_w == null) return null;
  if (isPhoneWrong || fields.name.trim() === "" || fields.alias.trim() === "") return null;
  return {
    name: fields.name.trim(),
    alias: fields.alias.trim(),
    feeder,
    pv_rated_w,
    export_rating_w,
    import_rating_w,
    msisdn,
    swahili: fields.swahili,
  };
}
