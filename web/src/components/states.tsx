import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useMessages } from "../i18n";
import { ApiError } from "../lib/api";
import { Button } from "./basics";

/** A refusal or failure in words, with what helps. */
export function Problem({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const messages = useMessages();
  const message = error instanceof Error ? error.message : messages.errorTitle;
  return (
    <div role="alert" className="rounded-xl border border-red-700 p-3 dark:border-red-400">
      <p className="font-semibold">{messages.errorTitle}</p>
      <p>{message}</p>
      {error instanceof ApiError && error.requestId && (
        <p className="text-sm text-stone-600 dark:text-stone-400">{messages.requestId(error.requestId)}</p>
      )}
      {onRetry && (
        <div className="mt-2">
          <Button look="quiet" onClick={onRetry}>
            {messages.retry}
          </Button>
        </div>
      )}
    </div>
  );
}

/** Loading, failed or there: old data stays on screen whatever happens after. */
export function Loaded<T>({
  query,
  children,
}: {
  query: UseQueryResult<T>;
  children: (data: T) => ReactNode;
}) {
  const messages = useMessages();
  if (query.data !== undefined) {
    return (
      <>
        {query.isError && <Problem error={query.error} onRetry={() => void query.refetch()} />}
        {children(query.data)}
      </>
    );
  }
  if (query.isError) return <Problem error={query.error} onRetry={() => void query.refetch()} />;
  return (
    <div role="status" className="h-24 rounded-2xl bg-stone-200 dark:bg-stone-800">
      <span className="sr-only">{messages.loading}</span>
    </div>
  );
}
