import { useQuery } from "@tanstack/react-query";
import { Card } from "../components/basics";
import { Loaded } from "../components/states";
import { formatEnergy, formatPower } from "../domain/energy";
import { formatMoney } from "../domain/money";
import { formatTime } from "../domain/time";
import { api, asked } from "../lib/api";
import { Table } from "./Table";

/** Every record with its meter, tokens and balance. */
export function Households() {
  const households = useQuery({
    queryKey: ["households"],
    queryFn: () => asked(api.GET("/api/v1/operator/households")),
  });
  return (
    <Card title="Households and meters">
      <Loaded query={households}>
        {(list) => (
          <Table
            head={["Id", "Name", "Kind", "Power", "Heard", "Vault", "Shortfall", "Balance"]}
            rows={list.map((row) => ({
              key: row.id,
              cells: [
                row.id,
                row.name,
                row.kind,
                row.power_w == null
                  ? ""
                  : `${row.power_w < 0 ? "from" : "into"} grid ${formatPower(row.power_w)}`,
                row.power_at ? formatTime(row.power_at) : "",
                formatEnergy(row.vault_wh),
                formatEnergy(row.shortfall_wh),
                formatMoney(row.balance_cents),
              ],
            }))}
          />
        )}
      </Loaded>
    </Card>
  );
}
