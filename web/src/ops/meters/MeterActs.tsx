import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Button, Card, Field } from "../../components/basics";
import { Problem } from "../../components/states";
import { api, asked, type Schemas } from "../../lib/api";
import { Claimed } from "./Claimed";
import { meterOf, noMeter, noRegisters, registersOf, whole } from "./fields";
import type { Meter } from "./questions";
import { TypedMeter, TypedRegisters } from "./Typed";

const acts = {
  challenge: "Ask it to prove its key",
  reject: "Give up the claim",
  replace: "Replace it by another meter",
  rotate: "Give it a new key",
  release: "Ask to lift its hold",
  epoch: "Ask for a new epoch of its registers",
  retire: "Take it out of service",
} as const;
type Act = keyof typeof acts;

/** What a meter in this state may be asked; an approval has a place of its own. */
function actsOf(meter: Meter): Act[] {
  switch (meter.state) {
    case "claimed":
    case "challenged":
      return ["challenge", "reject"];
    case "active":
      return [
        ...(meter.held !== null && !meter.request ? (["release"] as const) : []),
        "replace",
        "rotate",
        ...(meter.request ? [] : (["epoch"] as const)),
        "retire",
      ];
    case "replaced":
      return ["retire"];
    default:
      return [];
  }
}

/** One act at a time, with what it needs to know; what cannot be undone says so. */
export function MeterActs({ meter }: { meter: Meter }) {
  const possible = actsOf(meter);
  const [picked, pick] = useState<Act | null>(null);
  const [claimed, setClaimed] = useState<Schemas["ClaimedView"] | null>(null);
  if (possible.length === 0 && !claimed) return null;
  const act = picked !== null && possible.includes(picked) ? picked : null;
  return (
    <Card title="What can be done">
      <div className="flex flex-wrap gap-2">
        {possible.map((each) => (
          <Button
            key={each}
            look={each === act ? "primary" : "quiet"}
            aria-expanded={each === act}
            onClick={() => {
              pick(each === act ? null : each);
              setClaimed(null);
            }}
          >
            {acts[each]}
          </Button>
        ))}
      </div>
      {act && <ActForm key={act} act={act} meter={meter} onDone={() => pick(null)} onClaimed={setClaimed} />}
      {claimed && <Claimed claimed={claimed} />}
    </Card>
  );
}

function ActForm({
  act,
  meter,
  onDone,
  onClaimed,
}: {
  act: Act;
  meter: Meter;
  onDone: () => void;
  onClaimed: (claimed: Schemas["ClaimedView"]) => void;
}) {
  const client = useQueryClient();
  const [fields, setFields] = useState(noMeter);
  const [reason, setReason] = useState("");
  const [epoch, setEpoch] = useState(String(meter.epoch + 1));
  const [opening, setOpening] = useState(noRegisters);
  const question = questionOf();
  const send = useMutation({
    mutationFn: async (ask: () => Promise<unknown>) => ask(),
    onSuccess: (answer) => {
      if (act === "replace" || act === "rotate") onClaimed(answer as Schemas["ClaimedView"]);
      onDone();
    },
    onSettled: () => client.invalidateQueries({ queryKey: ["meters"] }),
  });
  /** What would be asked; null while something is missing. */
  function questionOf(): (() => Promise<unknown>) | null {
    const params = { path: { meter: meter.meter_id } };
    const why = reason.trim();
    switch (act) {
      case "challenge":
        return () => asked(api.POST("/api/v1/operator/meters/{meter}/challenge", { params }));
      case "reject":
      case "retire":
      case "release": {
        const path = `/api/v1/operator/meters/{meter}/${act}` as const;
        return why ? () => asked(api.POST(path, { params, body: { reason: why } })) : null;
      }
      case "epoch": {
        const begun = whole(epoch);
        const registers = registersOf(opening);
        if (begun === null || begun <= meter.epoch || registers === "wrong" || !why) return null;
        const body = { epoch: begun, opening: registers, reason: why };
        return () => asked(api.POST("/api/v1/operator/meters/{meter}/epoch", { params, body }));
      }
      case "replace":
      case "rotate": {
        const body = meterOf(fields);
        const path = `/api/v1/operator/meters/{meter}/${act}` as const;
        return body && (() => asked(api.POST(path, { params, body })));
      }
    }
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (question) send.mutate(question);
  };
  return (
    <form onSubmit={submit} className="mt-3 space-y-2">
      {act === "retire" && (
        <p className="font-semibold">This cannot be undone: nothing of it is accepted any more.</p>
      )}
      {(act === "release" || act === "epoch") && <p>Another operator has to approve this.</p>}
      {(act === "replace" || act === "rotate") && (
        <TypedMeter id={act} fields={fields} onChange={setFields} />
      )}
      {act === "epoch" && (
        <div className="grid gap-2 sm:grid-cols-4">
          <Field
            id="epoch-number"
            label="New epoch"
            inputMode="numeric"
            hint={`Later than ${meter.epoch}`}
            value={epoch}
            onChange={(event) => setEpoch(event.target.value)}
          />
          <TypedRegisters id="epoch" fields={opening} onChange={setOpening} />
        </div>
      )}
      {["reject", "retire", "release", "epoch"].includes(act) && (
        <Field
          id={`${act}-why`}
          label="Why"
          maxLength={200}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      )}
      <div className="flex gap-2">
        <Button type="submit" disabled={!question || send.isPending}>
          {`Yes: ${acts[act].toLowerCase()}`}
        </Button>
        <Button look="quiet" onClick={onDone}>
          Back
        </Button>
      </div>
      {send.isError && <Problem error={send.error} />}
    </form>
  );
}
