import type { UseQueryResult } from "@tanstack/react-query";
import { Component, type ComponentProps, type ReactNode, useId } from "react";
import { useLanguage, useMessages } from "../i18n";
import { ApiError, Unreachable } from "../lib/api";
import { useReach } from "../lib/reach";
import { Button } from "./basics";

/** A refusal or failure in words, with what helps. */
export function Problem({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { language, messages } = useLanguage();
  const message =
    error instanceof Unreachable
      ? messages.unreachable
      : error instanceof ApiError && language === "sw"
        ? error.sw
        : error instanceof Error
          ? error.message
          : messages.errorTitle;
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

/** Where something will stand, at the size it will have, so that nothing moves when it comes. */
export function Waiting({ size = "h-24" }: { size?: string }) {
  const messages = useMessages();
  return (
    <div role="status" className={`rounded-2xl bg-stone-200 dark:bg-stone-800 ${size}`}>
      <span className="sr-only">{messages.loading}</span>
    </div>
  );
}

/** Loading, failed or there: old data stays on screen whatever happens after, grey while nobody can renew it. */
export function Loaded<T>({
  query,
  size,
  className = "",
  children,
}: {
  query: UseQueryResult<T>;
  size?: string;
  className?: string;
  children: (data: T) => ReactNode;
}) {
  const reach = useReach();
  const retry = () => void query.refetch();
  if (query.data !== undefined) {
    const isOld = query.isError || reach === "offline";
    return (
      <>
        {query.isError && <Problem error={query.error} onRetry={retry} />}
        <div className={`${className} ${isOld ? "grayscale" : ""}`} data-old={isOld || undefined}>
          <Guard>
            <Shown data={query.data} show={children} />
          </Guard>
        </div>
      </>
    );
  }
  if (query.isError) return <Problem error={query.error} onRetry={retry} />;
  // The first try failed, and the next waits for a network.
  if (query.fetchStatus === "paused") return <Problem error={new Unreachable()} onRetry={retry} />;
  return <Waiting {...(size === undefined ? {} : { size })} />;
}

function Shown<T>({ data, show }: { data: T; show: (data: T) => ReactNode }) {
  return show(data);
}

/** One broken part does not take the page with it. `restart` is for a file that did not come. */
export class Guard extends Component<
  { after?: "again" | "restart"; children: ReactNode },
  { state: "whole" | "broken" }
> {
  override state = { state: "whole" as const };

  static getDerivedStateFromError() {
    return { state: "broken" };
  }

  override render() {
    if ((this.state.state as string) === "whole") return this.props.children;
    const again = () => this.setState({ state: "whole" });
    return <Broken onRetry={this.props.after === "restart" ? () => window.location.reload() : again} />;
  }
}

function Broken({ onRetry }: { onRetry: () => void }) {
  const messages = useMessages();
  return <Problem error={new Error(messages.broken)} onRetry={onRetry} />;
}

/** A button for what only the server can do: without it, it says so and waits for no queue. */
export function ServerButton({ disabled, ...rest }: ComponentProps<typeof Button>) {
  const messages = useMessages();
  const reach = useReach();
  const id = useId();
  const isCut = reach === "offline";
  return (
    <div>
      <Button {...rest} disabled={disabled || isCut} aria-describedby={isCut ? id : undefined} />
      {isCut && (
        <p id={id} className="mt-1 text-sm text-stone-600 dark:text-stone-400">
          {messages.needsNetwork}
        </p>
      )}
    </div>
  );
}
