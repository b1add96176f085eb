import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { useLocation } from "wouter";
import { Button, Field, Line } from "../../components/basics";
import { Choice } from "../../components/Choice";
import { Problem, ServerButton } from "../../components/states";
import { formatEnergy, parseKilowattHours } from "../../domain/energy";
import { formatMoney, parseShillings } from "../../domain/money";
import { useMessages, useTexts } from "../../i18n";
import { ApiError, api, asked, newIntentKey } from "../../lib/api";
import { buyTexts } from "./buy-texts";
import { WholeShillings } from "./WholeShillings";

type Unit = "kwh" | "shillings";
type Want = { energy_wh: number } | { amount_cents: number };
type PayWith = "mpesa" | "balance";

function parse(text: string, unit: Unit): Want | null {
  if (unit === "kwh") {
    const energy_wh = parseKilowattHours(text);
    return energy_wh ? { energy_wh } : null;
  }
  const amount_cents = parseShillings(text);
  return amount_cents ? { amount_cents } : null;
}

/** Whether the server says that it costs more by now. */
function isMoved(error: unknown): boolean {
  return error instanceof ApiError && error.code === "settlement.price_moved";
}

/** Amount, then the exact price, then a yes that says the sum. */
export function BuyForm({ initialWh }: { initialWh: number | null }) {
  const messages = useMessages();
  const texts = useTexts(buyTexts);
  const [, go] = useLocation();
  const [unit, setUnit] = useState<Unit>("kwh");
  const [text, setText] = useState(initialWh ? (initialWh / 1000).toFixed(3) : "1");
  const [payWith, setPayWith] = useState<PayWith>("mpesa");
  const [wrong, setWrong] = useState(false);
  const intent = useRef(newIntentKey());
  const quote = useMutation({
    mutationFn: (want: Want & { pay_with: PayWith }) => asked(api.POST("/api/v1/me/quotes", { body: want })),
  });
  const order = useMutation({
    // The energy that was shown: for the same money there may be less of it by now, and that
    // is a price that moved.
    mutationFn: ({ energy_wh, due_cents }: { energy_wh: number; due_cents: number }) =>
      asked(
        api.POST("/api/v1/me/orders", {
          params: { header: { "Idempotency-Key": intent.current } },
          body: { energy_wh, pay_with: payWith, max_due_cents: due_cents },
        }),
      ),
    onSuccess: (placed) => go(`/pay/${placed.id}`),
    onError: (error) => {
      // Another price is another thing to say yes to: it is shown, and nothing is bought with the old yes.
      if (!isMoved(error)) return;
      intent.current = newIntentKey();
      ask(payWith);
    },
  });
  const change = () => {
    intent.current = newIntentKey();
    quote.reset();
    order.reset();
  };
  const ask = (pay_with: PayWith) => {
    const want = parse(text, unit);
    setWrong(!want);
    if (want) quote.mutate({ ...want, pay_with });
  };
  const look = (event: FormEvent) => {
    event.preventDefault();
    ask(payWith);
  };
  const wanted = unit === "kwh" ? parseKilowattHours(text) : null;
  return (
    <form onSubmit={look} className="space-y-3">
      <Field
        id="buy-amount"
        label={messages.market.amount}
        inputMode="decimal"
        value={text}
        error={wrong ? messages.market.wrongAmount : null}
        onChange={(event) => {
          setText(event.target.value);
          change();
        }}
      />
      <Choice
        name="unit"
        options={[
          ["kwh", messages.market.kwh],
          ["shillings", messages.market.shillings],
        ]}
        value={unit}
        onChange={(next) => {
          setUnit(next);
          change();
        }}
      />
      <Choice
        name="pay-with"
        legend={messages.market.payWith}
        options={[
          ["mpesa", messages.market.mpesa],
          ["balance", messages.market.fromBalance],
        ]}
        value={payWith}
        onChange={(next) => {
          setPayWith(next);
          const wasAsked = !quote.isIdle;
          change();
          // From balance an order may take more of an offer, so what was said of the other
          // way to pay, a refusal too, does not hold for this one.
          if (wasAsked) ask(next);
        }}
      />
      {!quote.data && (
        <ServerButton type="submit" disabled={quote.isPending}>
          {messages.market.look}
        </ServerButton>
      )}
      {quote.isError && <Problem error={quote.error} />}
      {quote.data && (
        <div data-testid="quote">
          {isMoved(order.error) && (
            <p role="alert" className="mb-2 font-semibold">
              {texts.moved}
            </p>
          )}
          {wanted !== null && quote.data.energy_wh < wanted && (
            <p role="status" className="mb-2">
              {texts.less(quote.data.energy_wh)}
            </p>
          )}
          <dl>
            <Line term={messages.market.get}>{formatEnergy(quote.data.energy_wh)}</Line>
            <Line term={messages.market.due}>{formatMoney(quote.data.due_cents)}</Line>
            <Line term={messages.market.retail}>{formatMoney(quote.data.retail_cents)}</Line>
          </dl>
          {payWith === "mpesa" && (
            <WholeShillings asked={quote.data.collect_cents} due={quote.data.due_cents} />
          )}
          {quote.data.saved_cents > 0 && (
            <p className="font-semibold text-leaf-700 dark:text-leaf-300">
              {messages.market.saved(quote.data.saved_cents)}
            </p>
          )}
          <div className="mt-2 flex gap-2">
            <ServerButton disabled={order.isPending} onClick={() => order.mutate(quote.data)}>
              {messages.market.confirmMpesa(
                payWith === "mpesa" ? quote.data.collect_cents : quote.data.due_cents,
              )}
            </ServerButton>
            <Button look="quiet" onClick={change}>
              {messages.market.back}
            </Button>
          </div>
        </div>
      )}
      {order.isError && !isMoved(order.error) && <Problem error={order.error} />}
    </form>
  );
}
