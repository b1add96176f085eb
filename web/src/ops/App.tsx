import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Button, Field } from "../components/basics";
import { Problem } from "../components/states";
import { ApiError, api, asked } from "../lib/api";
import { follow } from "../lib/stream";
import { AuditPanel } from "./AuditPanel";
import { Curtailments } from "./Curtailments";
import { FloatMoves } from "./FloatMoves";
import { Households } from "./Households";
import { Overview } from "./Overview";
import { Payments } from "./Payments";
import { Quarantine } from "./Quarantine";
import { Reconciliation } from "./Reconciliation";
import { ReviewDesk } from "./ReviewDesk";
import { Shortfalls } from "./Shortfalls";
import { SlotReports } from "./SlotReports";
import { Tariffs } from "./Tariffs";
import { TaxExport } from "./TaxExport";

/** The operator's desk: everything on one page, the money first. */
export function App() {
  const client = useQueryClient();
  const overview = useQuery({
    queryKey: ["overview"],
    queryFn: () => asked(api.GET("/api/v1/operator/overview")),
    refetchInterval: 15_000,
  });
  // Two operators are told apart by name: what one proposes, another approves.
  const [name, setName] = useState("");
  const signIn = useMutation({
    mutationFn: () =>
      asked(
        api.POST("/api/v1/demo/session", {
          body: { operator: true, operator_name: name.trim() === "" ? null : name.trim() },
        }),
      ),
    onSuccess: () => client.resetQueries(),
  });
  const refused = overview.error instanceof ApiError && [401, 403].includes(overview.error.status);
  return (
    <div className="mx-auto max-w-6xl space-y-4 p-4">
      <header className="flex items-center justify-between gap-4">
        <h1 className="font-bold text-2xl">Jirani · operator</h1>
        <a href="/" className="min-h-12 py-3 underline">
          Household app
        </a>
      </header>
      {refused && (
        <div className="space-y-2">
          <p>The operator's desk needs the operator's session. In the demo it takes one click.</p>
          <Field
            id="operator-name"
            label="Your name (for the review desk)"
            maxLength={40}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          <Button onClick={() => signIn.mutate()}>Sign in as the operator (demo)</Button>
          {signIn.isError && <Problem error={signIn.error} />}
        </div>
      )}
      {overview.isError && !refused && (
        <Problem error={overview.error} onRetry={() => void overview.refetch()} />
      )}
      {overview.data && (
        <main className="space-y-4">
          <Live />
          <Overview overview={overview.data} />
          <AuditPanel last={overview.data.audit ?? null} />
          <ReviewDesk />
          <Reconciliation />
          <FloatMoves />
          <Tariffs />
          <Shortfalls />
          <SlotReports />
          <Curtailments />
          <Payments />
          <TaxExport />
          <Households />
          <Quarantine />
        </main>
      )}
    </div>
  );
}

function Live() {
  const client = useQueryClient();
  useEffect(() => follow(client), [client]);
  return null;
}
