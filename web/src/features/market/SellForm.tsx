import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { Field } from "../../components/basics";
import { Problem, ServerButton } from "../../components/states";
import { parseKilowattHours } from "../../domain/energy";
import { parseShillings } from "../../domain/money";
import { useMessages } from "../../i18n";
import { api, asked, newIntentKey } from "../../lib/api";
import * as questions from "../../lib/questions";

const DAY_S = 86_400;

/** Puts eKWh on the market at the seller's own price, for a day. */
export function SellForm({
  initialWh,
  initialPrice,
}: {
  initialWh: number | null;
  initialPrice: number | null;
}) {
  const messages = useMessages();
  const client = useQueryClient();
  const [energy, setEnergy] = useState(initialWh ? (initialWh / 1000).toFixed(3) : "");
  const [price, setPrice] = useState(initialPrice ? (initialPrice / 100).toFixed(2) : "");
  const [wrong, setWrong] = useState(false);
  const intent = useRef(newIntentKey());
  const config = useQuery(questions.config);
  const post = useMutation({
    mutationFn: (body: { energy_wh: number; price_cents_per_kwh: number; expires_in_s: number }) =>
      asked(
        api.POST("/api/v1/me/offers", { params: { header: { "Idempotency-Key": intent.current } }, body }),
      ),
    onSuccess: () => {
      intent.current = newIntentKey();
      setEnergy("");
      for (const key of ["offers", "my-offers", "home"]) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  const give = useMutation({
    mutationFn: (energy_wh: number) =>
      asked(
        api.POST("/api/v1/me/buy-back", {
          params: { header: { "Idempotency-Key": intent.current } },
          body: { energy_wh },
        }),
      ),
    onSuccess: () => {
      intent.current = newIntentKey();
      for (const key of ["home", "movements"]) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  const sellBack = () => {
    const energy_wh = parseKilowattHours(energy);
    setWrong(!energy_wh);
    if (energy_wh) give.mutate(energy_wh);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const energy_wh = parseKilowattHours(energy);
    const price_cents_per_kwh = parseShillings(price);
    setWrong(!energy_wh || !price_cents_per_kwh);
    if (energy_wh && price_cents_per_kwh)
      post.mutate({ energy_wh, price_cents_per_kwh, expires_in_s: DAY_S });
  };
  const tariff = config.data?.tariff;
  return (
    <form onSubmit={submit} className="space-y-3">
      <Field
        id="sell-energy"
        label={messages.market.sellAmount}
        inputMode="decimal"
        value={energy}
        error={wrong && !parseKilowattHours(energy) ? messages.market.wrongAmount : null}
        onChange={(event) => setEnergy(event.target.value)}
      />
      <Field
        id="sell-price"
        label={messages.market.sellPrice}
        inputMode="decimal"
        value={price}
        hint={
          tariff
            ? messages.market.sellBounds(
                tariff.offer_price_min_cents_per_kwh,
                tariff.offer_price_max_cents_per_kwh,
              )
            : ""
        }
        error={wrong && !parseShillings(price) ? messages.market.wrongAmount : null}
        onChange={(event) => setPrice(event.target.value)}
      />
      <ServerButton type="submit" disabled={post.isPending}>
        {messages.market.sell}
      </ServerButton>
      {tariff && (
        <ServerButton type="button" look="quiet" disabled={give.isPending} onClick={sellBack}>
          {messages.market.sellBack(tariff.buy_back_cents_per_kwh)}
        </ServerButton>
      )}
      <div role="status">
        {post.isSuccess && <p>{messages.market.sold}</p>}
        {give.data && (
          <p>
            {give.data.state === "settled"
              ? messages.market.soldBack(give.data.energy_wh, give.data.received_cents)
              : messages.market.notSoldBack}
          </p>
        )}
      </div>
      {post.isError && <Problem error={post.error} />}
      {give.isError && <Problem error={give.error} />}
    </form>
  );
}
