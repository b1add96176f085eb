import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button, Card } from "../components/basics";
import { Problem } from "../components/states";
import { formatMoment } from "../domain/time";
import { api, asked, type Schemas } from "../lib/api";

const words = { holds: "holds", violated: "VIOLATED", not_checked: "not checked" } as const;

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
        <Button look="quiet" disabled={run.isPending} onClick={() => run.mutate()}>
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
                {invariant.id}: {words[invariant.state]} {invariant.detail && `(${invariant.detail})`}
              </li>
            ))}
          </ul>
        </div>
      )}
    </Card>
  );
}
