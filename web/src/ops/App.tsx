import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { Button } from "../components/basics";
import { Problem } from "../components/states";
import { ApiError, api, asked } from "../lib/api";
import { follow } from "../lib/stream";
import { AuditPanel } from "./AuditPanel";
import { Households } from "./Households";
import { Overview } from "./Overview";
import { Payments } from "./Payments";
import { Quarantine } from "./Quarantine";
import { TaxExport } from "./TaxExport";

/** The operator's desk: everything on one page, the money first. */
export function App() {
  const client = useQueryClient();
  const overview = useQuery({
    queryKey: ["overview"],
    queryFn: () => asked(api.GET("/api/v1/operator/overview")),
    refetchInterval: 15_000,
  });
  const signIn = useMutation({
    mutationFn: () => asked(api.POST("/api/v1/demo/session", { body: { operator: true } })),
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
