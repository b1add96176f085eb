import type { Schemas } from "../lib/api";
import { AuditPanel } from "./AuditPanel";
import { Curtailments } from "./Curtailments";
import { FloatMoves } from "./FloatMoves";
import { Households } from "./Households";
import { Overview } from "./Overview";
import { Payments } from "./Payments";
import { Quarantine } from "./Quarantine";
import { Reconciliation } from "./Reconciliation";
import { ReviewDesk } from "./ReviewDesk";
import { Shortfalls } from "./Shortfalls";
import { SlotReports } from "./SlotReports";
import { Tariffs } from "./Tariffs";
import { TaxExport } from "./TaxExport";

/** The community's energy and money on one page, the money first. */
export function Desk({ overview }: { overview: Schemas["OverviewView"] }) {
  return (
    <>
      <Overview overview={overview} />
      <AuditPanel last={overview.audit ?? null} />
      <ReviewDesk />
      <Reconciliation />
      <FloatMoves />
      <Tariffs />
      <Shortfalls />
      <SlotReports />
      <Curtailments />
      <Payments />
      <TaxExport />
      <Households />
      <Quarantine />
    </>
  );
}
