import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button, Card, Field } from "../components/basics";
import { Loaded, Problem } from "../components/states";
import { formatMoment } from "../domain/time";
import { api, asked, type Schemas } from "../lib/api";
import { choicesFor } from "./decisions";

/** What only persons may decide: one proposes, another approves. */
export function ReviewDesk() {
  const reviews = useQuery({
    queryKey: ["reviews"],
    queryFn: () => asked(api.GET("/api/v1/operator/reviews")),
    refetchInterval: 15_000,
  });
  return (
    <Card title="Review desk">
      <Loaded query={reviews}>
        {(data) =>
          data.length === 0 ? (
            <p>Nothing waits for a person.</p>
          ) : (
            <ul className="space-y-4">
              {data.map((review) => (
                <li key={review.key} className="border-stone-300 border-b pb-4 dark:border-stone-700">
                  <p className="font-semibold">{review.key}</p>
                  <p>{review.detail}</p>
                  <p className="text-sm text-stone-600 dark:text-stone-400">
                    {review.code} · since {formatMoment(review.opened_at)}
                  </p>
                  {review.proposal ? (
                    <Decide proposal={review.proposal} />
                  ) : (
                    <Propose key={review.key} review={review} />
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}

function Propose({ review }: { review: Schemas["ReviewView"] }) {
  const client = useQueryClient();
  const choices = choicesFor(review);
  const [picked, pick] = useState(choices[0]?.id ?? "");
  const [typed, type] = useState("");
  const [note, setNote] = useState("");
  const choice = choices.find((one) => one.id === picked);
  const decision = choice?.decide(typed.trim()) ?? null;
  const propose = useMutation({
    mutationFn: (decided: Schemas["DecisionBody"]) =>
      asked(
        api.POST("/api/v1/operator/reviews/propose", {
          body: { review: review.key, decision: decided, note: note.trim() },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["reviews"] }),
  });
  return (
    <form
      className="mt-2 grid items-end gap-2 sm:grid-cols-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (decision) propose.mutate(decision);
      }}
    >
      <div>
        <label htmlFor={`choice-${review.key}`} className="mb-1 block font-medium text-sm">
          Decision
        </label>
        <select
          id={`choice-${review.key}`}
          value={picked}
          onChange={(event) => pick(event.target.value)}
          className="mb-6 min-h-12 w-full rounded-xl border border-stone-500 bg-transparent px-3"
        >
          {choices.map((one) => (
            <option key={one.id} value={one.id}>
              {one.text}
            </option>
          ))}
        </select>
      </div>
      {choice?.asks && (
        <Field
          id={`typed-${review.key}`}
          label={choice.asks}
          value={typed}
          onChange={(event) => type(event.target.value)}
        />
      )}
      <Field
        id={`note-${review.key}`}
        label="Why"
        maxLength={500}
        value={note}
        onChange={(event) => setNote(event.target.value)}
      />
      <div className="mb-6">
        <Button type="submit" disabled={!decision || note.trim() === "" || propose.isPending}>
          Propose
        </Button>
      </div>
      {propose.isError && <Problem error={propose.error} />}
    </form>
  );
}

function Decide({ proposal }: { proposal: Schemas["ProposalView"] }) {
  const client = useQueryClient();
  const decide = useMutation({
    mutationFn: (word: "approve" | "reject") => {
      const params = { path: { id: proposal.number } };
      return asked(
        word === "approve"
          ? api.POST("/api/v1/operator/reviews/proposals/{id}/approve", { params })
          : api.POST("/api/v1/operator/reviews/proposals/{id}/reject", { params }),
      );
    },
    onSuccess: () => client.invalidateQueries(),
  });
  return (
    <div className="mt-2 space-y-2">
      <p>
        <span className="font-semibold">{proposal.proposed_by}</span> proposes: {proposal.text}
        {proposal.note && ` (${proposal.note})`}
      </p>
      <div className="flex gap-2">
        <Button disabled={decide.isPending} onClick={() => decide.mutate("approve")}>
          Approve
        </Button>
        <Button look="quiet" disabled={decide.isPending} onClick={() => decide.mutate("reject")}>
          Reject
        </Button>
      </div>
      {decide.isError && <Problem error={decide.error} />}
    </div>
  );
}
