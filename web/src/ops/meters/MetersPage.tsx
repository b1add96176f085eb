import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { Card } from "../../components/basics";
import { Loaded } from "../../components/states";
import { formatMoment } from "../../domain/time";
import * as questions from "../../lib/questions";
import { Table } from "../Table";
import { Approval } from "./Approval";
import { ClaimForm } from "./ClaimForm";
import { Evidence } from "./Evidence";
import { FirmwareForm } from "./FirmwareForm";
import { type Filter, filters, type Meter, matches, meters, missed, short, waits } from "./questions";

/** Every meter: what waits for a person first, then all of them, then what they signed. */
export function MetersPage({ now }: { now: string }) {
  const list = useQuery(meters);
  const slot_s = useQuery(questions.config).data?.slot_length_s;
  return (
    <>
      <h1 className="font-bold text-2xl">Meters</h1>
      <Loaded query={list} size="h-96" className="space-y-4">
        {(all) => {
          const waiting = all.filter(waits);
          return (
            <>
              <Card title="Waits for a decision">
                {waiting.length === 0 && <p>Nothing waits for a person.</p>}
                <ul className="space-y-4">
                  {waiting.map((meter) => (
                    <li key={meter.meter_id}>
                      <Approval meter={meter} />
                    </li>
                  ))}
                </ul>
              </Card>
              <Meters all={all} now={now} slot_s={slot_s} />
              <ClaimForm />
              <FirmwareForm />
            </>
          );
        }}
      </Loaded>
      <Evidence />
    </>
  );
}

function Meters({ all, now, slot_s }: { all: Meter[]; now: string; slot_s: number | undefined }) {
  const [filter, setFilter] = useState<Filter>("all");
  const shown = all.filter((meter) => matches(meter, filter, now, slot_s));
  return (
    <Card title="All meters">
      <label htmlFor="meter-filter" className="mb-1 block font-medium text-sm">
        Show
      </label>
      <select
        id="meter-filter"
        value={filter}
        onChange={(event) => setFilter(event.target.value as Filter)}
        className="mb-2 min-h-12 rounded-xl border border-stone-500 bg-transparent px-3"
      >
        {Object.entries(filters).map(([key, word]) => (
          <option key={key} value={key}>
            {word}
          </option>
        ))}
      </select>
      {shown.length === 0 ? (
        <p>None.</p>
      ) : (
        <Table
          head={["Meter", "Household", "State", "Vouched by", "Last seen", "Held", "Refused"]}
          rows={shown.map((meter) => ({
            key: meter.meter_id,
            cells: [
              <Link
                key="meter"
                href={`/meters/${meter.meter_id}`}
                className="inline-flex min-h-12 items-center font-mono underline"
              >
                {short(meter.meter_id)}
              </Link>,
              meter.household_id,
              meter.state,
              meter.trust,
              <span key="seen" className={missed(meter, now, slot_s) ? "font-bold" : ""}>
                {meter.last_seen ? formatMoment(meter.last_seen) : "never"}
                {missed(meter, now, slot_s) && " · silent"}
              </span>,
              meter.held ?? "",
              meter.refused.reduce((sum, { count }) => sum + count, 0) || "",
            ],
          }))}
        />
      )}
    </Card>
  );
}
