import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Link } from "wouter";
import { Button, Field } from "../../components/basics";
import { Problem } from "../../components/states";
import { formatMoment } from "../../domain/time";
import { ApiError, api, asked } from "../../lib/api";
import { Facts } from "./Facts";
import { type Meter, short } from "./questions";

/**
 * What is approved, as it was read: if the meter changes meanwhile nothing is approved
 * until the person has looked at how it is now.
 */
export function Approval({ meter }: { meter: Meter }) {
  const client = useQueryClient();
  const [read, setRead] = useState(meter);
  const [reason, setReason] = useState("");
  const params = { path: { meter: read.meter_id } };
  const decide = useMutation({
    mutationFn: (word: "approve" | "reject") =>
      asked(
        word === "approve"
          ? api.POST("/api/v1/operator/meters/{meter}/approve", {
              params,
              body: { revision: read.revision },
            })
          : api.POST("/api/v1/operator/meters/{meter}/reject", { params, body: { reason: reason.trim() } }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: ["meters"] }),
  });
  const isChanged = meter.revision !== read.revision;
  const isRefused = decide.error instanceof ApiError && decide.error.code === "meter.changed";
  const reject = (event: FormEvent) => {
    event.preventDefault();
    decide.mutate("reject");
  };
  return (
    <section
      aria-label={`Meter ${short(meter.meter_id)}`}
      className="border-stone-300 border-b pb-4 dark:border-stone-700"
    >
      <h3 className="font-semibold">
        {titleOf(read)} ·{" "}
        <Link href={`/meters/${meter.meter_id}`} className="font-mono underline">
          {short(meter.meter_id)}
        </Link>
      </h3>
      <Facts meter={read} />
      {isChanged || isRefused ? (
        <div role="alert" className="mt-2 rounded-xl border border-red-700 p-3 dark:border-red-400">
          <p>Somebody changed this meter after you read it. Nothing was approved.</p>
          <Button
            look="quiet"
            disabled={!isChanged}
            onClick={() => {
              setRead(meter);
              decide.reset();
            }}
          >
            Show how it is now
          </Button>
        </div>
      ) : (
        <form onSubmit={reject} className="mt-2 flex flex-wrap items-end gap-2">
          <div className="mb-6">
            <Button disabled={decide.isPending} onClick={() => decide.mutate("approve")}>
              Approve
            </Button>
          </div>
          <Field
            id={`reject-${meter.meter_id}`}
            label="Why not"
            maxLength={200}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
          <div className="mb-6">
            <Button type="submit" look="quiet" disabled={reason.trim() === "" || decide.isPending}>
              Reject
            </Button>
          </div>
        </form>
      )}
      {decide.isError && !isRefused && <Problem error={decide.error} />}
    </section>
  );
}

function titleOf({ request, purpose, claimed_by, claimed_at, household_id }: Meter): string {
  if (request) {
    const wish = request.wish === "release" ? "lift its hold" : "begin a new epoch of its registers";
    return `${request.asked_by} asks to ${wish} (${formatMoment(request.asked_at)})`;
  }
  const what = {
    replace: "takes another's place for",
    rotate: "goes on under a new key for",
  }[purpose];
  const who = claimed_by ? `, claimed by ${claimed_by}` : "";
  const when = claimed_at ? ` (${formatMoment(claimed_at)})` : "";
  return `${what ? `A meter ${what}` : "A new meter for"} household ${household_id}${who}${when}`;
}
