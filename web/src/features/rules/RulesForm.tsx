import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Card, Field } from "../../components/basics";
import { Problem, ServerButton } from "../../components/states";
import { useMessages, useTexts } from "../../i18n";
import { api, asked } from "../../lib/api";
import * as questions from "../../lib/questions";
import { type Draft, draftOf, type Rules, type RulesRequest, requestOf, unreadable } from "./draft";
import { rulesTexts } from "./texts";

/** Sets both rules at once: they must not contradict each other. */
export function RulesForm({ stored }: { stored: Rules }) {
  const messages = useMessages();
  const text = useTexts(rulesTexts);
  const client = useQueryClient();
  const [draft, setDraft] = useState<Draft>(() => draftOf(stored));
  const [asking, setAsking] = useState(false);
  const config = useQuery(questions.config);
  const save = useMutation({
    mutationFn: (body: RulesRequest) => asked(api.PUT("/api/v1/me/rules", { body })),
    onSuccess: (rules) => {
      client.setQueryData(["rules"], rules);
      for (const key of ["offers", "my-offers", "home"]) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  const set = (change: Partial<Draft>) => {
    save.reset();
    setDraft({ ...draft, ...change });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const body = requestOf(draft);
    setAsking(body === null);
    if (body) save.mutate(body);
  };
  const wrong = asking ? unreadable(draft) : new Set<keyof Draft>();
  const note = (field: keyof Draft) => (wrong.has(field) ? messages.market.wrongAmount : null);
  const tariff = config.data?.tariff;
  const onTop = tariff ? tariff.grid_fee_cents_per_kwh + tariff.tax_cents_per_kwh : 0;
  const field = (name: "keep" | "floor" | "inHand" | "priceMax" | "budget", label: string, hint?: string) => (
    <Field
      id={`rules-${name}`}
      label={label}
      inputMode="decimal"
      value={draft[name]}
      hint={hint ?? ""}
      error={note(name)}
      onChange={(event) => set({ [name]: event.target.value })}
    />
  );
  return (
    <form onSubmit={submit} className="space-y-4">
      <Card title={text.sellTitle}>
        <Check
          id="rules-sells"
          label={text.sells}
          checked={draft.sells}
          onChange={(sells) => set({ sells })}
        />
        {draft.sells && (
          <div className="mt-3 space-y-3">
            {field("keep", text.keep, text.keepHint)}
            {field(
              "floor",
              text.floor,
              tariff &&
                messages.market.sellBounds(
                  tariff.offer_price_min_cents_per_kwh,
                  tariff.offer_price_max_cents_per_kwh,
                ),
            )}
            <Check
              id="rules-sell-tells"
              label={text.onlyTell}
              checked={draft.sellActing === "notify"}
              onChange={(tells) => set({ sellActing: tells ? "notify" : "act" })}
            />
          </div>
        )}
      </Card>
      <Card title={text.buyTitle}>
        <Check id="rules-buys" label={text.buys} checked={draft.buys} onChange={(buys) => set({ buys })} />
        {draft.buys && (
          <div className="mt-3 space-y-3">
            <Check
              id="rules-in-hand"
              label={text.keepsInHand}
              checked={draft.cover === "in_hand"}
              onChange={(inHand) => set({ cover: inHand ? "in_hand" : "shortfall" })}
            />
            {draft.cover === "in_hand" ? field("inHand", text.inHand) : <p>{text.shortfallOnly}</p>}
            {field(
              "priceMax",
              text.priceMax,
              tariff &&
                messages.market.sellBounds(
                  tariff.offer_price_min_cents_per_kwh + onTop,
                  tariff.retail_cents_per_kwh,
                ),
            )}
            {field("budget", text.budget, text.budgetHint)}
            <Check
              id="rules-buy-tells"
              label={text.onlyTell}
              checked={draft.buyActing === "notify"}
              onChange={(tells) => set({ buyActing: tells ? "notify" : "act" })}
            />
          </div>
        )}
      </Card>
      <ServerButton type="submit" disabled={save.isPending}>
        {text.save}
      </ServerButton>
      <div role="status">{save.isSuccess && <p>{text.saved}</p>}</div>
      {save.isError && <Problem error={save.error} />}
    </form>
  );
}

function Check({
  id,
  label,
  checked,
  onChange,
}: {
  id: string;
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}) {
  return (
    <label htmlFor={id} className="flex min-h-12 cursor-pointer items-center gap-3">
      <input
        id={id}
        type="checkbox"
        className="size-6"
        checked={checked}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span>{label}</span>
    </label>
  );
}
