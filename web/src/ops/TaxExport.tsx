import { Card } from "../components/basics";
import { MonthDownload } from "../components/MonthDownload";

/** Sales for the tax invoice system: proven against the ledger, or refused. */
export function TaxExport() {
  const href = (month: string, format: string) =>
    `/api/v1/operator/tax-export?period=${month}&format=${format}`;
  return (
    <Card title="Sales for tax invoices">
      <MonthDownload
        id="tax-month"
        label="Month"
        documents={(month) => [
          { text: "CSV", href: href(month, "csv") },
          { text: "JSON with totals", href: href(month, "json") },
        ]}
      />
    </Card>
  );
}
