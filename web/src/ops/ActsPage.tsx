import { useInfiniteQuery } from "@tanstack/react-query";
import { Button, Card } from "../components/basics";
import { Problem, Waiting } from "../components/states";
import { formatMoment } from "../domain/time";
import { acts } from "../lib/accounts";
import { Table } from "./Table";

/** Who did what that needed a right, newest first: each row carries the hash of all before it. */
export function ActsPage() {
  const pages = useInfiniteQuery({
    queryKey: ["acts"],
    queryFn: ({ pageParam }) => acts(pageParam),
    initialPageParam: null as number | null,
    getNextPageParam: (last) => last.next_before,
  });
  const rows = pages.data?.pages.flatMap((page) => page.acts) ?? [];
  return (
    <>
      <h1 className="font-bold text-2xl">Acts</h1>
      <Card
        title="What people at the desk asked for that changes something"
        action={
          <a
            href="/api/v1/operator/acts.csv"
            download
            className="inline-flex min-h-12 items-center underline"
          >
            As a table
          </a>
        }
      >
        {pages.isError ? (
          <Problem error={pages.error} onRetry={() => void pages.refetch()} />
        ) : pages.isPending ? (
          <Waiting />
        ) : rows.length === 0 ? (
          <p>Nobody has done anything yet.</p>
        ) : (
          <Table
            head={["Number", "When", "Who", "Role", "What", "Hash"]}
            rows={rows.map((row) => ({
              key: row.number,
              cells: [
                row.number,
                formatMoment(row.at),
                row.who,
                row.role,
                row.act,
                <span key="hash" className="font-mono" title={row.hash}>
                  {row.hash.slice(0, 12)}
                </span>,
              ],
            }))}
          />
        )}
        {pages.hasNextPage && (
          <div className="mt-2">
            <Button
              look="quiet"
              disabled={pages.isFetchingNextPage}
              onClick={() => void pages.fetchNextPage()}
            >
              Older
            </Button>
          </div>
        )}
      </Card>
    </>
  );
}
