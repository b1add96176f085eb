import { useQuery } from "@tanstack/react-query";
import { Card } from "../../components/basics";
import { Loaded } from "../../components/states";
import { formatMoment } from "../../domain/time";
import { api, asked } from "../../lib/api";
import { Table } from "../Table";
import { short } from "./questions";

/** What meters signed, as a chain of files, and what was refused of them. */
export function Evidence() {
  const evidence = useQuery({
    queryKey: ["evidence"],
    queryFn: () => asked(api.GET("/api/v1/operator/evidence")),
  });
  const refusals = useQuery({
    queryKey: ["refusals"],
    queryFn: () => asked(api.GET("/api/v1/operator/refusals")),
  });
  return (
    <>
      <Card title="Evidence">
        <Loaded query={evidence}>
          {({ head, readings, segments }) => (
            <>
              <p>{readings.toLocaleString("en-KE")} signed readings are kept.</p>
              {head !== null && (
                <p>
                  Hash at their end: <span className="break-all font-mono text-sm">{head}</span>. Whoever
                  keeps it can show later that nothing before it was written anew.
                </p>
              )}
              {segments.length > 0 && (
                <Table
                  head={["File", "First reading", "Readings", "Bytes", "Sealed", "Hash"]}
                  rows={segments.map((segment) => ({
                    key: segment.number,
                    cells: [
                      segment.number,
                      segment.first,
                      segment.readings,
                      segment.size_bytes,
                      segment.sealed_at ? formatMoment(segment.sealed_at) : "open",
                      <span key="hash" className="font-mono" title={segment.hash}>
                        {segment.hash.slice(0, 12)}
                      </span>,
                    ],
                  }))}
                />
              )}
            </>
          )}
        </Loaded>
      </Card>
      <Card title="Refused messages">
        <Loaded query={refusals}>
          {(list) =>
            list.length === 0 ? (
              <p>None.</p>
            ) : (
              <Table
                head={["Meter", "Because", "Times"]}
                rows={list.map((row) => ({
                  key: `${row.meter_id} ${row.code}`,
                  cells: [row.meter_id === null ? "nobody" : short(row.meter_id), row.code, row.count],
                }))}
              />
            )
          }
        </Loaded>
      </Card>
    </>
  );
}
