import { useQuery } from "@tanstack/react-query";
import { Card } from "../components/basics";
import { Loaded } from "../components/states";
import { formatMoney } from "../domain/money";
import { formatMoment } from "../domain/time";
import { api, asked } from "../lib/api";
import { Table } from "./Table";

/** Collections and payouts, newest first. */
export function Payments() {
  const payments = useQuery({
    queryKey: ["payments"],
    queryFn: () => asked(api.GET("/api/v1/operator/payments")),
    refetchInterval: 15_000,
  });
  return (
    <Loaded query={payments}>
      {(data) => (
        <>
          <Card title="Collections">
            <Table
              head={["Order", "Household", "Phone", "Amount", "Payment", "Order is", "Receipt", "Made"]}
              rows={data.collections.slice(0, 20).map((row) => ({
                key: row.order_id,
                cells: [
                  row.order_id,
                  row.household_id,
                  row.msisdn_masked,
                  formatMoney(row.amount_cents),
                  `${row.state}${row.code ? ` (${row.code})` : ""}`,
                  row.order_state,
                  row.receipt ?? "",
                  formatMoment(row.created_at),
                ],
              }))}
            />
          </Card>
          <Card title="Payouts">
            <Table
              head={["Payout", "Household", "Phone", "Sent", "Charge", "State", "Receipt", "Made"]}
              rows={data.payouts.slice(0, 20).map((row) => ({
                key: row.id,
                cells: [
                  row.id,
                  row.household_id,
                  row.msisdn_masked,
                  formatMoney(row.sent_cents),
                  formatMoney(row.charge_cents),
                  `${row.state}${row.code ? ` (${row.code})` : ""}`,
                  row.receipt ?? "",
                  formatMoment(row.created_at),
                ],
              }))}
            />
          </Card>
        </>
      )}
    </Loaded>
  );
}
