import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { Button, Card, Field } from "../components/basics";
import { Loaded, Problem } from "../components/states";
import { formatMoney, parseShillings } from "../domain/money";
import { formatMoment, quarterInNairobi } from "../domain/time";
import { api, asked, newIntentKey, type Schemas } from "../lib/api";
import { Table } from "./Table";

const states: Record<Schemas["TariffVersionState"], string> = {
  past: "was in force",
  in_force: "in force",
  announced: "announced",
  replaced: "replaced before it began",
};

const prices = [
  ["retail_cents_per_kwh", "You sell at, KSh per kWh"],
  ["buy_back_cents_per_kwh", "You buy at, KSh per kWh"],
  ["grid_fee_cents_per_kwh", "Grid fee, KSh per kWh"],
  ["tax_cents_per_kwh", "Taxes, KSh per kWh"],
] as const;
type Price = (typeof prices)[number][0];

/** Dated prices: what was, is and will be in force, and announcing what comes next. */
export function Tariffs() {
  const client = useQueryClient();
  const tariffs = useQuery({
    queryKey: ["tariffs"],
    queryFn: () => asked(api.GET("/api/v1/operator/tariffs")),
    refetchInterval: 60_000,
  });
  const [date, setDate] = useState("");
  const [time, setTime] = useState("06:00");
  const [texts, setTexts] = useState<Partial<Record<Price, string>>>({});
  const [wrong, setWrong] = useState(false);
  const intent = useRef(newIntentKey());
  const announce = useMutation({
    mutationFn: (body: Schemas["TariffRequest"]) =>
      asked(
        api.POST("/api/v1/operator/tariffs", {
          params: { header: { "Idempotency-Key": intent.current } },
          body,
        }),
      ),
    onSuccess: () => {
      intent.current = newIntentKey();
      setTexts({});
      void client.invalidateQueries({ queryKey: ["tariffs"] });
      void client.invalidateQueries({ queryKey: ["config"] });
    },
  });
  // Another wish: its key must be another too.
  const changed = () => {
    intent.current = newIntentKey();
    setWrong(false);
    announce.reset();
  };
  const cents = (price: Price) => parseShillings(texts[price] ?? "");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const from = quarterInNairobi(date, time);
    const [retail, buyBack, fee, tax] = prices.map(([price]) => cents(price));
    const whole = from !== null && retail != null && buyBack != null && fee != null && tax != null;
    setWrong(!whole);
    if (whole) {
      announce.mutate({
        from,
        retail_cents_per_kwh: retail,
        buy_back_cents_per_kwh: buyBack,
        grid_fee_cents_per_kwh: fee,
        tax_cents_per_kwh: tax,
      });
    }
  };
  return (
    <Card title="Prices">
      <Loaded query={tariffs}>
        {(rows) => (
          <Table
            head={["No.", "From", "Until", "State", "Sold at", "Bought at", "Grid fee", "Taxes", "By"]}
            rows={[...rows].reverse().map((row) => ({
              key: row.number,
              cells: [
                row.number,
                row.number === 1 ? "the beginning" : formatMoment(row.from),
                row.until ? formatMoment(row.until) : "",
                states[row.state],
                formatMoney(row.tariff.retail_cents_per_kwh),
                formatMoney(row.tariff.buy_back_cents_per_kwh),
                formatMoney(row.tariff.grid_fee_cents_per_kwh),
                formatMoney(row.tariff.tax_cents_per_kwh),
                row.announced_by ?? "settings",
              ],
            }))}
          />
        )}
      </Loaded>
      <form onSubmit={submit} className="mt-4 space-y-4">
        <p className="text-sm text-stone-600 dark:text-stone-400">
          New prices begin at a quarter of an hour, in place of all that were announced for then or later.
          Every home is told by a message. What is ordered until then keeps its terms.
        </p>
        <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
          <Field
            id="tariff-date"
            type="date"
            label="From (day in Nairobi)"
            value={date}
            onChange={(event) => {
              setDate(event.target.value);
              changed();
            }}
          />
          <Field
            id="tariff-time"
            type="time"
            step={900}
            label="At (quarter of an hour)"
            value={time}
            onChange={(event) => {
              setTime(event.target.value);
              changed();
            }}
          />
          {prices.map(([price, label]) => (
            <Field
              key={price}
              id={`tariff-${price}`}
              label={label}
              inputMode="decimal"
              value={texts[price] ?? ""}
              onChange={(event) => {
                setTexts({ ...texts, [price]: event.target.value });
                changed();
              }}
            />
          ))}
        </div>
        {wrong && (
          <p role="alert" className="text-red-700 dark:text-red-300">
            A day, a quarter of an hour and four prices like 36.00 are needed.
          </p>
        )}
        {announce.isError && <Problem error={announce.error} />}
        {announce.data && <p role="status">Announced for {formatMoment(announce.data.from)}.</p>}
        <Button type="submit" disabled={announce.isPending}>
          Announce
        </Button>
      </form>
    </Card>
  );
}
