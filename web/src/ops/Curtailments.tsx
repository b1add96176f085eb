import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { Button, Card, Field } from "../components/basics";
import { Problem } from "../components/states";
import { parseKilowattHours } from "../domain/energy";
import { fromNairobi } from "../domain/time";
import { api, asked, newIntentKey, type Schemas } from "../lib/api";
import { reasons } from "./reasons";

type Reason = Schemas["CurtailmentReasonView"];
type Wish = Schemas["CurtailmentRequest"];

/** The largest estimate of a slot, in Wh. */
const MOST_WH = 10_000_000;
const empty = { household: "", at: "", energy: "", reason: "battery_full" as Reason, note: "" };

/** What was not produced in a slot although the sun shone: an estimate, and why. */
export function Curtailments() {
  const client = useQueryClient();
  const [form, setForm] = useState(empty);
  const intent = useRef(newIntentKey());
  const record = useMutation({
    mutationFn: (body: Wish) =>
      asked(
        api.POST("/api/v1/operator/curtailments", {
          params: { header: { "Idempotency-Key": intent.current } },
          body,
        }),
      ),
    onSuccess: () => {
      intent.current = newIntentKey();
      setForm(empty);
      void client.invalidateQueries({ queryKey: ["slot-reports"] });
    },
  });
  const wish = read(form);
  const change = (part: Partial<typeof empty>) => {
    setForm({ ...form, ...part });
    intent.current = newIntentKey();
    record.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (wish) record.mutate(wish);
  };
  return (
    <Card title="What was not produced">
      <form onSubmit={submit} className="grid items-start gap-4 sm:grid-cols-3">
        <Field
          id="curtailed-household"
          label="Household number"
          inputMode="numeric"
          value={form.household}
          onChange={(event) => change({ household: event.target.value })}
        />
        <Field
          id="curtailed-at"
          label="When, in Nairobi"
          type="datetime-local"
          value={form.at}
          onChange={(event) => change({ at: event.target.value })}
        />
        <Field
          id="curtailed-energy"
          label="Estimate in kWh"
          inputMode="decimal"
          value={form.energy}
          onChange={(event) => change({ energy: event.target.value })}
        />
        <div>
          <label htmlFor="curtailed-reason" className="mb-1 block font-medium text-sm">
            Reason
          </label>
          <select
            id="curtailed-reason"
            value={form.reason}
            onChange={(event) => change({ reason: event.target.value as Reason })}
            className="min-h-12 w-full rounded-xl border border-stone-500 bg-transparent px-3"
          >
            {Object.entries(reasons).map(([reason, text]) => (
              <option key={reason} value={reason}>
                {text}
              </option>
            ))}
          </select>
        </div>
        <Field
          id="curtailed-note"
          label="Note"
          maxLength={200}
          value={form.note}
          onChange={(event) => change({ note: event.target.value })}
        />
        <div className="pt-6">
          <Button type="submit" disabled={wish === null || record.isPending}>
            Record
          </Button>
        </div>
      </form>
      {record.isSuccess && <p>Recorded as number {record.data.number}.</p>}
      {record.isError && <Problem error={record.error} />}
    </Card>
  );
}

/** What the form says; null while it is not whole. */
function read(form: typeof empty): Wish | null {
  const energy_wh = parseKilowattHours(form.energy);
  const at = fromNairobi(form.at);
  if (!/^[1-9]\d{0,8}$/.test(form.household) || at === null) return null;
  if (energy_wh === null || energy_wh < 1 || energy_wh > MOST_WH) return null;
  return { household_id: Number(form.household), at, energy_wh, reason: form.reason, note: form.note.trim() };
}
