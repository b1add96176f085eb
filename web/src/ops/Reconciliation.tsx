import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button, Card } from "../components/basics";
import { Loaded, Problem } from "../components/states";
import { formatMoney } from "../domain/money";
import { formatMoment } from "../domain/time";
import { api, asked, type Schemas } from "../lib/api";
import { Table } from "./Table";

const accounts = {
  collection: { text: "Collection PayBill", query: { account: "collection" } },
  payout: { text: "Payout shortcode, utility account", query: { account: "payout" } },
  all: {
    text: "Payout shortcode, all accounts",
    query: { account: "payout", with_charges: true },
  },
} as const;
type Account = keyof typeof accounts;

const groups = [
  ["only_ours", "Only in our ledger"],
  ["only_theirs", "Only at M-Pesa"],
  ["different", "Two amounts"],
] as const;

/** M-Pesa's books against ours: four groups with their ages, and balances that add up. */
export function Reconciliation() {
  const client = useQueryClient();
  const [account, setAccount] = useState<Account>("collection");
  const known = useQuery({
    queryKey: ["reconciliations"],
    queryFn: () => asked(api.GET("/api/v1/operator/reconciliation")),
  });
  const latest = known.data?.[0]?.number;
  const last = useQuery({
    queryKey: ["reconciliation", latest],
    enabled: latest !== undefined,
    queryFn: () =>
      asked(api.GET("/api/v1/operator/reconciliation/{id}", { params: { path: { id: latest ?? 0 } } })),
  });
  const run = useMutation({
    mutationFn: (statement: File | null) =>
      asked(
        statement
          ? api.POST("/api/v1/operator/reconciliation/statement", {
              params: { query: accounts[account].query },
              headers: { "Content-Type": "text/csv" },
              body: statement as unknown as string,
            })
          : api.POST("/api/v1/operator/reconciliation"),
      ),
    onSuccess: () => client.invalidateQueries(),
  });
  return (
    <Card
      title="Reconciliation"
      action={
        <Button disabled={run.isPending} onClick={() => run.mutate(null)}>
          Compare now
        </Button>
      }
    >
      <div className="mb-4 flex flex-wrap items-center gap-4">
        <label>
          <span className="mr-2">Statement of</span>
          <select
            value={account}
            onChange={(event) => setAccount(event.target.value as Account)}
            className="min-h-12 rounded-xl border border-stone-500 bg-transparent px-3"
          >
            {Object.entries(accounts).map(([id, { text }]) => (
              <option key={id} value={id}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span className="mr-2">CSV file of the portal</span>
          <input
            type="file"
            accept=".csv,text/csv"
            className="min-h-12"
            disabled={run.isPending}
            onChange={(event) => {
              const file = event.target.files?.[0];
              if (file) run.mutate(file);
              event.target.value = "";
            }}
          />
        </label>
      </div>
      {run.isPending && <p role="status">Comparing…</p>}
      {run.isError && <Problem error={run.error} />}
      {known.isError && <Problem error={known.error} onRetry={() => void known.refetch()} />}
      {known.data?.length === 0 && <p>Nothing was compared yet.</p>}
      {latest !== undefined && <Loaded query={last}>{(found) => <Found found={found} />}</Loaded>}
    </Card>
  );
}

function Found({ found }: { found: Schemas["ReconciliationView"] }) {
  const { summary, matched } = found;
  const apart = groups.filter(([group]) => found[group].lines.length > 0);
  return (
    <div className="space-y-4" data-testid="reconciliation" data-apart={summary.apart}>
      <p className="font-semibold">
        {summary.apart === 0 ? "Nothing stands apart" : `${summary.apart} lines stand apart`} ·{" "}
        {formatMoment(summary.from)} – {formatMoment(summary.until)}
      </p>
      <Table
        head={["Group", "Lines", "Sum", "Under 1 h", "Under 1 day", "Under 1 week", "Older"]}
        rows={[
          { key: "matched", cells: ["In both", matched.count, formatMoney(matched.amount_cents)] },
          ...groups.map(([group, text]) => ({
            key: group,
            cells: [
              text,
              found[group].total.count,
              formatMoney(found[group].total.amount_cents),
              ...found[group].ages.map((age) => age.count),
            ],
          })),
        ]}
      />
      <Table
        head={["Accounts", "Ours", "M-Pesa's", "Difference", "In lines apart", "Unexplained"]}
        rows={found.books.map((book) => ({
          key: book.accounts.join(),
          cells: [
            book.accounts.join(", "),
            formatMoney(book.ours.closing_cents),
            book.theirs ? formatMoney(book.theirs.closing_cents) : "not known",
            book.difference_cents === null ? "" : formatMoney(book.difference_cents),
            formatMoney(book.explained_cents),
            book.unexplained_cents === null ? "" : formatMoney(book.unexplained_cents),
          ],
        }))}
      />
      {apart.map(([group, text]) => (
        <div key={group}>
          <h3 className="font-semibold">{text}</h3>
          <Table
            head={["Account", "Kind", "Receipt", "Ours", "M-Pesa's", "When", "About"]}
            rows={found[group].lines.slice(0, 50).map((line, place) => ({
              key: `${line.receipt ?? line.sequence ?? ""}-${place}`,
              cells: [
                line.account,
                line.kind,
                line.receipt ?? "",
                line.ours_cents === null ? "" : formatMoney(line.ours_cents),
                line.theirs_cents === null ? "" : formatMoney(line.theirs_cents),
                formatMoment(line.at),
                line.about,
              ],
            }))}
          />
        </div>
      ))}
    </div>
  );
}
