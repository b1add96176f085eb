import { useQuery } from "@tanstack/react-query";
import { Card } from "../components/basics";
import { Loaded } from "../components/states";
import { formatMoment } from "../domain/time";
import { api, asked } from "../lib/api";
import { Table } from "./Table";

/** Readings that were not accepted, with the reason. */
export function Quarantine() {
  const rows = useQuery({
    queryKey: ["quarantine"],
    queryFn: () => asked(api.GET("/api/v1/operator/quarantine")),
  });
  return (
    <Card title="Quarantined readings">
      <Loaded query={rows}>
        {(list) =>
          list.length === 0 ? (
            <p>None.</p>
          ) : (
            <Table
              head={["Meter", "Reason", "What", "Bytes", "When"]}
              rows={list.map((row) => ({
                key: row.id,
                cells: [
                  row.meter_id ?? "?",
                  row.code,
                  row.detail,
                  row.size_bytes,
                  formatMoment(row.received_at),
                ],
              }))}
            />
          )
        }
      </Loaded>
    </Card>
  );
}
