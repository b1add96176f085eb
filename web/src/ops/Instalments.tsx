import { useState } from "react";
import { Button, Field } from "../components/basics";
import { formatMoney, parseShillings } from "../domain/money";
import { formatMoment } from "../domain/time";
import type { Schemas } from "../lib/api";

/** A home's agreement on old debt, or a form that makes one. */
export function Instalments({
  standing,
  agree,
}: {
  standing: Schemas["StandingView"];
  agree: (terms: { kind: "instalments"; each_cents: number; every_days: number }) => void;
}) {
  const [each, setEach] = useState("");
  const [days, setDays] = useState("7");
  const running = standing.instalments;
  if (running) {
    return (
      <p>
        Pays {formatMoney(running.each_cents)} every {running.every_days} days:{" "}
        {formatMoney(running.owed_cents)} left, next on {formatMoment(running.next_due)}
        {running.missed > 0 && `, ${running.missed} missed`}
      </p>
    );
  }
  if (standing.shortfall_wh === 0) return null;
  const each_cents = parseShillings(each);
  const every_days = /^\d{1,2}$/.test(days) ? Number(days) : null;
  return (
    <div className="flex flex-wrap items-end gap-2">
      <Field
        id={`each-${standing.household_id}`}
        label="Instalment in shillings"
        value={each}
        onChange={(event) => setEach(event.target.value)}
      />
      <Field
        id={`days-${standing.household_id}`}
        label="Days between two"
        inputMode="numeric"
        value={days}
        onChange={(event) => setDays(event.target.value)}
      />
      <Button
        look="quiet"
        disabled={!each_cents || !every_days}
        onClick={() => each_cents && every_days && agree({ kind: "instalments", each_cents, every_days })}
      >
        Agree on instalments
      </Button>
    </div>
  );
}
