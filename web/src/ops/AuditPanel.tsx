import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button, Card } from "../components/basics";
import { Problem } from "../components/states";
import { formatMoment } from "../domain/time";
import { api, asked, type Schemas } from "../lib/api";

const meaning: Record<string, string> = {
  E1: "supply = minted - burned = all token accounts",
  E2: "every household's tokens follow its registers",
  E3: "no register falls, counts twice or exceeds its ratings",
  E4: "supply = shortfalls on a fully metered feeder",
  M1: "every transfer balances, the journal is whole",
  M2: "M-Pesa's accounts = everything owed and owned",
  M3: "no available balance is negative",
  S1: "a proof settles one order, an order settles once",
  S2: "proven money ends as tokens or as balance",
  R1: "every acknowledged reading is stored and counted once",
  P1: "no name, number or raw receipt is on chain",
};
const words = { holds: "holds", violated: "VIOLATED", not_checked: "not checked" } as const;

const marks = { holds: "✓", violated: "✗", not_checked: "–" } as const;

/** Every invariant by name: holds, violated or not checked, and why. */
export function AuditPanel({ last }: { last: Schemas["AuditView"] | null }) {
  const client = useQueryClient();
  const run = useMutation({
    mutationFn: () => asked(api.POST("/api/v1/operator/audit")),
    onSuccess: () => client.invalidateQueries({ queryKey: ["overview"] }),
  });
  const audit = run.data ?? last;
  return (
    <Card
      title="Audit"
      action={
        <Button disabled={run.isPending} onClick={() => run.mutate()}>
          Audit now
        </Button>
      }
    >
      {run.isError && <Problem error={run.error} />}
      {!audit && <p>No audit has run since the start.</p>}
      {audit && (
        <div data-testid="audit" data-ok={audit.ok}>
          <p className="font-semibold">
            {audit.ok ? "Nothing is violated" : "An invariant is VIOLATED"} · {formatMoment(audit.at)}
          </p>
          <ul className="mt-2 grid gap-x-4 sm:grid-cols-2">
            {audit.invariants.map((invariant) => (
              <li
                key={invariant.id}
                className={invariant.state === "violated" ? "font-bold text-red-700 dark:text-red-300" : ""}
              >
                <span className="inline-block w-10 font-mono">{invariant.id}</span>
                <span aria-hidden="true">{marks[invariant.state]} </span>
                {words[invariant.state]}
                {meaning[invariant.id] && (
                  <span className="text-sm text-stone-600 dark:text-stone-400">
                    {" "}
                    · {meaning[invariant.id]}
                  </span>
                )}
                {invariant.detail && ` (${invariant.detail})`}
              </li>
            ))}
          </ul>
        </div>
      )}
    </Card>
  );
}
