import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Card } from "../components/basics";
import { Loaded } from "../components/states";
import { formatEnergy } from "../domain/energy";
import { formatMoney } from "../domain/money";
import { formatTime } from "../domain/time";
import { api, asked, type Schemas } from "../lib/api";
import { reasons } from "./reasons";
import { Table } from "./Table";

/** The feeder's slots of a day: energy and money, each summing to zero. */
export function SlotReports() {
  const [day, setDay] = useState("");
  const reports = useQuery({
    queryKey: ["slot-reports", day],
    queryFn: () =>
      asked(api.GET("/api/v1/operator/slot-reports", { params: { query: day === "" ? {} : { day } } })),
  });
  return (
    <Card title="Slots of the feeder">
      <label htmlFor="slot-day" className="mb-1 block font-medium text-sm">
        Day (today if empty)
      </label>
      <input
        id="slot-day"
        type="date"
        value={day}
        onChange={(event) => setDay(event.target.value)}
        className="mb-2 min-h-12 rounded-xl border border-stone-500 bg-transparent px-3"
      />
      <Loaded query={reports}>
        {(list) =>
          list.length === 0 ? (
            <p>No slot of this day is billed yet.</p>
          ) : (
            <Table
              head={[
                "Slot",
                "In",
                "Out",
                "Losses",
                "Traded",
                "Bought back",
                "Operator sold",
                "Owed more",
                "Fees and taxes",
                "Sum of money",
                "Curtailed",
              ]}
              rows={[...list].reverse().map((slot) => ({ key: slot.end, cells: cells(slot) }))}
            />
          )
        }
      </Loaded>
    </Card>
  );
}

function cells(slot: Schemas["SlotReportView"]) {
  const when = `${formatTime(slot.start)} to ${formatTime(slot.end)}`;
  const curtailed = slot.curtailed
    .map((each) => `${each.alias}: ${formatEnergy(each.energy_wh)}, ${reasons[each.reason]}`)
    .join("; ");
  const { figures } = slot;
  if (!figures) {
    const what = slot.state === "broken" ? "does not add up" : "waits";
    return [when, `${what}: ${slot.note}`, "", "", "", "", "", "", "", "", curtailed];
  }
  return [
    when,
    formatEnergy(figures.energy_in_wh),
    formatEnergy(figures.energy_out_wh),
    formatEnergy(figures.losses_wh),
    formatEnergy(figures.traded_wh),
    formatEnergy(figures.bought_back_wh),
    formatEnergy(figures.operator_sold_wh),
    formatEnergy(figures.shortfall_grown_wh),
    formatMoney(figures.fees_cents + figures.taxes_cents),
    formatMoney(figures.money_sum_cents),
    curtailed,
  ];
}
