import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button, Field } from "../../components/basics";
import { Problem } from "../../components/states";
import { api, asked, type Schemas } from "../../lib/api";

const decisions = {
  open: [
    ["accept", "Accept: it may count"],
    ["refuse", "Refuse: it stays held"],
  ],
  // A remark holds nothing, whatever is decided of it.
  noted: [
    ["accept", "Accept: it is harmless"],
    ["refuse", "Refuse: it is true"],
  ],
  refused: [["close", "Close: it is mended"]],
} as const;

/** A decision with its reason; nothing is decided without one. */
export function DecideForm({ finding }: { finding: Schemas["FindingView"] }) {
  const client = useQueryClient();
  const [note, setNote] = useState("");
  const decide = useMutation({
    mutationFn: (decision: Schemas["FindingDecisionView"]) =>
      asked(
        api.POST("/api/v1/operator/findings/{id}/decide", {
          params: { path: { id: finding.number } },
          body: { decision, note: note.trim() },
        }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: ["findings"] }),
  });
  const open = finding.severity === "note" ? decisions.noted : decisions.open;
  const choices = finding.state === "refused" ? decisions.refused : open;
  return (
    <div className="mt-2 flex flex-wrap items-end gap-2">
      <Field
        id={`why-${finding.number}`}
        label="Why"
        maxLength={500}
        hint="No phone numbers"
        value={note}
        onChange={(event) => {
          setNote(event.target.value);
          decide.reset();
        }}
      />
      {choices.map(([decision, words]) => (
        <div key={decision} className="mb-6">
          <Button
            look={decision === "refuse" ? "quiet" : "primary"}
            disabled={note.trim() === "" || decide.isPending}
            onClick={() => decide.mutate(decision)}
          >
            {words}
          </Button>
        </div>
      ))}
      {decide.isError && <Problem error={decide.error} />}
    </div>
  );
}
