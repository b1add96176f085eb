import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button, Card, Field } from "../components/basics";
import { Loaded, Problem } from "../components/states";
import { formatEnergy } from "../domain/energy";
import { formatMoney, parseShillings } from "../domain/money";
import { formatMoment } from "../domain/time";
import { api, asked, type Schemas } from "../lib/api";
import { Instalments } from "./Instalments";
import { Table } from "./Table";

type Terms = Schemas["TermsRequest"];

/** Homes by what they owe; a home's steps, its terms, and the answer to its dispute. */
export function Shortfalls() {
  const [chosen, choose] = useState<number | null>(null);
  const standings = useQuery({
    queryKey: ["shortfalls"],
    queryFn: () => asked(api.GET("/api/v1/operator/shortfalls")),
    refetchInterval: 60_000,
  });
  return (
    <Card title="Who owes energy">
      <Loaded query={standings}>
        {(list) => (
          <Table
            head={["Home", "Owes", "At retail", "Balance", "Counts", "Limit", "Relay", "Protected", ""]}
            rows={list.map((each) => ({
              key: each.household_id,
              cells: [
                each.alias,
                formatEnergy(each.shortfall_wh),
                formatMoney(each.owed_cents),
                formatMoney(each.available_cents),
                formatMoney(each.exposure_cents),
                formatMoney(each.limit_cents),
                each.relay,
                each.protection === "none" ? "" : each.protection,
                <button
                  key="open"
                  type="button"
                  className="min-h-12 cursor-pointer underline"
                  onClick={() => choose(each.household_id)}
                >
                  {each.disputed == null ? "Steps" : "Dispute"}
                </button>,
              ],
            }))}
          />
        )}
      </Loaded>
      {chosen !== null && <Home key={chosen} id={chosen} />}
    </Card>
  );
}

function Home({ id }: { id: number }) {
  const client = useQueryClient();
  const [limit, setLimit] = useState("");
  const [note, setNote] = useState("");
  const path = { params: { path: { id } } };
  const walk = useQuery({
    queryKey: ["shortfalls", id],
    queryFn: () => asked(api.GET("/api/v1/operator/households/{id}/shortfall", path)),
  });
  const set = useMutation({
    mutationFn: (body: Terms) =>
      asked(api.POST("/api/v1/operator/households/{id}/shortfall", { ...path, body })),
    onSettled: () => client.invalidateQueries({ queryKey: ["shortfalls"] }),
  });
  const cents = parseShillings(limit);
  return (
    <Loaded query={walk}>
      {({ standing, steps }) => (
        <div className="mt-4 space-y-3">
          <h3 className="font-semibold">{standing.alias}</h3>
          <div className="flex flex-wrap items-end gap-2">
            <Field
              id={`limit-${id}`}
              label="Limit in shillings (0 is prepaid)"
              value={limit}
              onChange={(event) => setLimit(event.target.value)}
            />
            <Button
              disabled={cents === null}
              onClick={() => cents !== null && set.mutate({ kind: "limit", limit_cents: cents })}
            >
              Set the limit
            </Button>
            {(["none", "customer", "clinic"] as const)
              .filter((each) => each !== standing.protection)
              .map((protection) => (
                <Button
                  key={protection}
                  look="quiet"
                  onClick={() => set.mutate({ kind: "protection", protection })}
                >
                  {protection === "none" ? "No protection" : `Protect as ${protection}`}
                </Button>
              ))}
          </div>
          <Instalments standing={standing} agree={set.mutate} />
          {standing.disputed != null && (
            <div className="flex flex-wrap items-end gap-2">
              <Field
                id={`answer-${id}`}
                label={`Answer to the dispute of step ${standing.disputed}`}
                maxLength={200}
                value={note}
                onChange={(event) => setNote(event.target.value)}
              />
              <Button disabled={note.trim() === ""} onClick={() => set.mutate({ kind: "answer", note })}>
                Answer
              </Button>
            </div>
          )}
          {set.isError && <Problem error={set.error} />}
          <Table
            head={["Step", "When", "What", "Words"]}
            rows={steps.map((step) => ({
              key: step.number,
              cells: [step.number, formatMoment(step.at), step.en, step.note],
            }))}
          />
        </div>
      )}
    </Loaded>
  );
}
