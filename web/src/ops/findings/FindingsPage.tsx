import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "wouter";
import { Button, Card } from "../../components/basics";
import { Problem, Waiting } from "../../components/states";
import { formatMoment } from "../../domain/time";
import { api, asked, type Schemas } from "../../lib/api";
import { short } from "../meters/questions";
import { DecideForm } from "./DecideForm";

/** What plausibility rules found, and what persons decided; the address keeps what is shown. */
export function FindingsPage() {
  const [search, setSearch] = useSearchParams();
  const open = search.get("show") !== "all";
  const pages = useInfiniteQuery({
    queryKey: ["findings", open],
    queryFn: ({ pageParam: before }) =>
      asked(
        api.GET("/api/v1/operator/findings", {
          params: { query: { open, limit: 50, ...(before === null ? {} : { before }) } },
        }),
      ),
    refetchInterval: 30_000,
    initialPageParam: null as number | null,
    getNextPageParam: (last) => last.next_before,
  });
  const rows = pages.data?.pages.flatMap((page) => page.findings) ?? [];
  return (
    <>
      <h1 className="font-bold text-2xl">Findings</h1>
      <Card
        title={open ? "Nobody has decided these" : "All findings"}
        action={
          <Button look="quiet" onClick={() => setSearch(open ? { show: "all" } : {})}>
            {open ? "Show all" : "Show only open ones"}
          </Button>
        }
      >
        {pages.isError && <Problem error={pages.error} onRetry={() => void pages.refetch()} />}
        {pages.isPending && <Waiting />}
        {pages.data && rows.length === 0 && <p>{open ? "Nothing waits for a person." : "None."}</p>}
        <ul className="divide-y divide-stone-300 dark:divide-stone-700" data-testid="findings">
          {rows.map((finding) => (
            <li key={finding.number} className="py-3">
              <Finding finding={finding} />
            </li>
          ))}
        </ul>
        {pages.hasNextPage && (
          <Button look="quiet" disabled={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
            Older
          </Button>
        )}
      </Card>
    </>
  );
}

const marks = { note: "•", hold: "‖", refuse: "✗" } as const;
const words = { note: "remarked", hold: "held until decided", refuse: "refused" } as const;

function Finding({ finding }: { finding: Schemas["FindingView"] }) {
  const subject =
    finding.meter_id === null ? `Feeder ${finding.feeder}` : `Household ${finding.household_id}`;
  const mayDecide = finding.state === "open" || finding.state === "refused";
  return (
    <article aria-label={`Finding ${finding.number}`}>
      <h3 className="font-semibold">
        <span aria-hidden="true">{marks[finding.severity]} </span>
        {finding.rule} · {subject}
      </h3>
      <p className="text-sm text-stone-600 dark:text-stone-400">
        {words[finding.severity]}
        {finding.holds && " · its attestation waits"} · {formatMoment(finding.from)} to{" "}
        {formatMoment(finding.until)} · found {formatMoment(finding.found_at)}
      </p>
      <dl className="flex flex-wrap gap-x-6">
        {Object.entries(finding.evidence).map(([name, value]) => (
          <div key={name} className="flex gap-2">
            <dt className="text-stone-600 dark:text-stone-400">{name.replaceAll("_", " ")}</dt>
            <dd className="font-medium">{String(value)}</dd>
          </div>
        ))}
      </dl>
      {finding.meter_id !== null && (
        <Link
          href={`/meters/${finding.meter_id}`}
          className="inline-flex min-h-12 items-center font-mono underline"
        >
          {short(finding.meter_id)}
        </Link>
      )}
      {finding.decided_at && (
        <p>
          {finding.state} by {finding.decided_by} · {formatMoment(finding.decided_at)}
          {finding.note && `: ${finding.note}`}
        </p>
      )}
      {mayDecide && <DecideForm finding={finding} />}
    </article>
  );
}
