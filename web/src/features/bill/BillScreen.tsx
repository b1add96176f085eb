import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Card, Line } from "../../components/basics";
import { MonthSelect, monthsUntil } from "../../components/MonthSelect";
import { Loaded } from "../../components/states";
import { formatEnergy } from "../../domain/energy";
import { formatMoney } from "../../domain/money";
import { formatMoment, formatTime } from "../../domain/time";
import { useLanguage, useMessages } from "../../i18n";
import { api, asked, type Schemas } from "../../lib/api";
import * as questions from "../../lib/questions";

/** The month in one sentence, its sums, its days; a day opens its slots. */
export function BillScreen() {
  const { language, messages } = useLanguage();
  const config = useQuery(questions.config);
  const [chosen, choose] = useState<string | null>(null);
  const months = config.data ? monthsUntil(config.data.now) : [];
  const month = chosen ?? months[0];
  const bill = useQuery({
    queryKey: ["bills", month],
    enabled: month !== undefined,
    queryFn: () =>
      asked(api.GET("/api/v1/me/bills", { params: { query: month === undefined ? {} : { month } } })),
  });
  return (
    <div className="space-y-4">
      <Card>
        <Loaded query={bill} size="h-96">
          {(data) => <Month bill={data} current={data.month === months[0]} />}
        </Loaded>
        <label htmlFor="bill-month" className="mt-4 mb-1 block font-medium text-sm">
          {messages.bill.month}
        </label>
        <div className="flex flex-wrap items-center gap-2">
          <MonthSelect id="bill-month" months={months} month={month ?? ""} choose={choose} />
          {month && (
            <a
              href={`/api/v1/me/bills.csv?month=${month}&language=${language}`}
              download
              className="min-h-12 py-3 font-semibold underline"
            >
              {messages.bill.csv}
            </a>
          )}
        </div>
      </Card>
      {bill.data && bill.data.days.length > 0 && (
        <Card title={messages.bill.days}>
          <ul className="divide-y divide-stone-200 dark:divide-stone-800">
            {[...bill.data.days].reverse().map((day) => (
              <Day key={day.day} day={day} />
            ))}
          </ul>
        </Card>
      )}
    </div>
  );
}

function Month({ bill, current }: { bill: Schemas["BillMonthView"]; current: boolean }) {
  const messages = useMessages();
  const { total } = bill;
  return (
    <>
      <h1 className="font-bold text-2xl" data-testid="gain">
        {bill.days.length === 0
          ? messages.bill.none
          : current
            ? messages.bill.gainNow(total.gain_cents)
            : messages.bill.gain(total.gain_cents, bill.month)}
      </h1>
      <dl className="mt-3">
        <Line term={messages.bill.bought}>
          {formatEnergy(total.bought_wh)} · {formatMoney(total.paid_cents)}
        </Line>
        <Line term={messages.bill.feeAndTax}>{formatMoney(total.fee_cents + total.tax_cents)}</Line>
        <Line term={messages.bill.sold}>
          {formatEnergy(total.sold_wh)} · {formatMoney(total.received_cents)}
        </Line>
        <Line term={messages.bill.ownUse}>{formatEnergy(total.own_use_wh)}</Line>
        <Line term={messages.bill.shortfall}>{formatEnergy(total.shortfall_wh)}</Line>
        <Line term={messages.bill.owed}>{formatMoney(total.owed_cents)}</Line>
        <Line term={messages.bill.alone}>{formatMoney(total.tariff_alone_cents)}</Line>
      </dl>
      {bill.billed_through && (
        <p className="mt-2 text-sm text-stone-600 dark:text-stone-400">
          {messages.bill.through(formatMoment(bill.billed_through))}
        </p>
      )}
    </>
  );
}

function Day({ day }: { day: Schemas["BillDayView"] }) {
  const messages = useMessages();
  const [open, setOpen] = useState(false);
  return (
    <li className="py-2">
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex min-h-12 w-full cursor-pointer items-baseline justify-between gap-4 text-left"
      >
        <span className="font-semibold">{day.day}</span>
        <span className="text-right">
          {messages.bill.dayGain(day.total.gain_cents)}
          <span className="block text-sm text-stone-600 dark:text-stone-400">
            {messages.bill.flows(day.total.import_wh, day.total.export_wh)}
          </span>
        </span>
      </button>
      {open && <Slots day={day.day} />}
    </li>
  );
}

function Slots({ day }: { day: string }) {
  const messages = useMessages();
  const slots = useQuery({
    queryKey: ["bills", "day", day],
    queryFn: () => asked(api.GET("/api/v1/me/bills/{day}", { params: { path: { day } } })),
  });
  return (
    <Loaded query={slots}>
      {(list) => {
        const lines = list.flatMap((slot) => slot.lines.map((line, place) => ({ slot, line, place })));
        if (lines.length === 0) return <p>{messages.bill.quiet}</p>;
        return (
          <table className="w-full text-left text-sm">
            <thead>
              <tr>
                <th className="p-1 font-semibold">{messages.bill.time}</th>
                <th className="p-1 font-semibold">{messages.bill.what}</th>
                <th className="p-1 text-right font-semibold">{messages.bill.amount}</th>
              </tr>
            </thead>
            <tbody>
              {lines.map(({ slot, line, place }) => (
                <tr
                  key={`${slot.start}-${place}`}
                  className="border-stone-200 border-t dark:border-stone-800"
                >
                  <td className="p-1 align-top">{formatTime(slot.start)}</td>
                  <td className="p-1">
                    {messages.bill.kinds[line.kind]} {formatEnergy(line.energy_wh)}
                    {line.with.map((part) => (
                      <span key={part.alias} className="block text-stone-600 dark:text-stone-400">
                        {part.alias} · {formatMoney(part.price_cents_per_kwh)}/kWh
                      </span>
                    ))}
                  </td>
                  <td className="whitespace-nowrap p-1 text-right align-top">
                    {formatMoney(line.amount_cents)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        );
      }}
    </Loaded>
  );
}
