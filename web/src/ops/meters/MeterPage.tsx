import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { Card } from "../../components/basics";
import { Loaded } from "../../components/states";
import { formatEnergy } from "../../domain/energy";
import { formatMoment } from "../../domain/time";
import * as questions from "../../lib/questions";
import { Table } from "../Table";
import { Approval } from "./Approval";
import { Facts } from "./Facts";
import { MeterActs } from "./MeterActs";
import { historyOf, meters, missed, short, waits } from "./questions";

/** One meter: what is known, what can be done, and everything that happened to it. */
export function MeterPage({ id, now }: { id: string; now: string }) {
  const list = useQuery(meters);
  const slot_s = useQuery(questions.config).data?.slot_length_s;
  return (
    <>
      <h1 className="font-bold text-2xl">
        Meter <span className="font-mono">{short(id)}</span>
      </h1>
      <Link href="/meters" className="inline-flex min-h-12 items-center underline">
        All meters
      </Link>
      <Loaded query={list} size="h-96" className="space-y-4">
        {(all) => {
          const meter = all.find(({ meter_id }) => meter_id === id);
          if (!meter) return <p>No such meter is known here.</p>;
          return (
            <>
              {waits(meter) ? (
                <Card title="Waits for a decision">
                  <Approval meter={meter} />
                </Card>
              ) : (
                <Card title="What is known">
                  <Facts meter={meter} />
                </Card>
              )}
              <Card title="Heard">
                <p>
                  {meter.last_seen
                    ? `Last ${formatMoment(meter.last_seen)}, reading ${meter.last_seq ?? "?"}`
                    : "Never"}
                  {missed(meter, now, slot_s) && <strong> · silent for two slots or longer</strong>}
                </p>
                {meter.refused.length > 0 && (
                  <Table
                    head={["Refused because", "Times"]}
                    rows={meter.refused.map(({ code, count }) => ({ key: code, cells: [code, count] }))}
                  />
                )}
              </Card>
              <MeterActs meter={meter} />
            </>
          );
        }}
      </Loaded>
      <Timeline id={id} />
    </>
  );
}

function Timeline({ id }: { id: string }) {
  const history = useQuery(historyOf(id));
  return (
    <Card title="What happened">
      <Loaded query={history}>
        {({ events, spans }) => (
          <>
            {events.length === 0 && <p>Nothing since it was enrolled with the village.</p>}
            <ol className="space-y-2">
              {events.map((event) => (
                <li key={`${event.at} ${event.code}`} className="border-leaf-700 border-l-4 pl-3">
                  <p className="font-semibold">{event.code}</p>
                  {event.detail && <p>{event.detail}</p>}
                  <p className="text-sm text-stone-600 dark:text-stone-400">
                    {formatMoment(event.at)} · {event.by}
                  </p>
                </li>
              ))}
            </ol>
            {spans.length > 0 && (
              <Table
                head={["Span", "From", "Meter", "Epoch", "In before", "Out before", "Why", "By"]}
                rows={spans.map((span) => ({
                  key: span.number,
                  cells: [
                    span.number,
                    formatMoment(span.from),
                    short(span.meter_id),
                    span.epoch,
                    formatEnergy(span.offset_import_wh),
                    formatEnergy(span.offset_export_wh),
                    span.note || span.reason,
                    span.by,
                  ],
                }))}
              />
            )}
          </>
        )}
      </Loaded>
    </Card>
  );
}
