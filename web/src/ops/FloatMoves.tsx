import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { Button, Card, Field } from "../components/basics";
import { Loaded, Problem } from "../components/states";
import { formatMoney, parseShillings } from "../domain/money";
import { formatMoment } from "../domain/time";
import { api, asked, newIntentKey, type Schemas } from "../lib/api";
import { Table } from "./Table";

const states: Record<Schemas["FloatMoveState"], string> = {
  planned: "about to be asked for",
  unknown: "M-Pesa has not answered",
  accepted: "on its way",
  moved: "moved",
  failed: "not moved",
};

/** Whole shillings that M-Pesa moves at once, in cents; null for anything else. */
const movable = (text: string): number | null => {
  const cents = parseShillings(text);
  return cents !== null && cents >= 100 && cents <= 25_000_000 && cents % 100 === 0 ? cents : null;
};

/** The operator's money from the PayBill to the payout shortcode: one move at a time. */
export function FloatMoves() {
  const client = useQueryClient();
  const moves = useQuery({
    queryKey: ["float"],
    queryFn: () => asked(api.GET("/api/v1/operator/float")),
    refetchInterval: 15_000,
  });
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState(false);
  const intent = useRef(newIntentKey());
  const move = useMutation({
    mutationFn: (amount_cents: number) =>
      asked(
        api.POST("/api/v1/operator/float", {
          params: { header: { "Idempotency-Key": intent.current } },
          body: { amount_cents },
        }),
      ),
    onSuccess: () => {
      intent.current = newIntentKey();
      setText("");
      void client.invalidateQueries({ queryKey: ["float"] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const amount = movable(text);
    setWrong(amount === null);
    if (amount !== null) move.mutate(amount);
  };
  return (
    <Card title="Float">
      <form onSubmit={submit} className="mb-4 flex flex-wrap items-start gap-4">
        <Field
          id="float-amount"
          label="Move from the PayBill to the payout shortcode, in shillings"
          inputMode="numeric"
          value={text}
          error={wrong ? "Whole shillings, from 1 to 250,000." : null}
          onChange={(event) => {
            setText(event.target.value);
            intent.current = newIntentKey();
            move.reset();
          }}
        />
        <div className="pt-6">
          <Button type="submit" disabled={move.isPending}>
            Move
          </Button>
        </div>
      </form>
      {move.isError && <Problem error={move.error} />}
      <Loaded query={moves}>
        {(rows) =>
          rows.length === 0 ? (
            <p>Nothing was moved yet.</p>
          ) : (
            <Table
              head={["Move", "Amount", "State", "On the statement", "Receipt", "Asked by", "At"]}
              rows={rows.slice(0, 20).map((row) => ({
                key: row.number,
                cells: [
                  row.number,
                  formatMoney(row.amount_cents),
                  row.failure ? `${states[row.state]}: ${row.failure}` : states[row.state],
                  row.reference,
                  row.receipt ?? "",
                  row.asked_by,
                  formatMoment(row.asked_at),
                ],
              }))}
            />
          )
        }
      </Loaded>
    </Card>
  );
}
