import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Button, Card, Field } from "../../components/basics";
import { Choice } from "../../components/Choice";
import { Problem } from "../../components/states";
import { api, asked, type Schemas } from "../../lib/api";
import { Claimed } from "./Claimed";
import { type HomeFields, homeOf, meterOf, noHome, noMeter, whole } from "./fields";
import { TypedMeter } from "./Typed";

/** Claims a meter for a household that has none, or for a new one. */
export function ClaimForm() {
  const client = useQueryClient();
  const [place, setPlace] = useState<"household" | "home">("household");
  const [household, setHousehold] = useState("");
  const [home, setHome] = useState<HomeFields>(noHome);
  const [meter, setMeter] = useState(noMeter);
  const claim = useMutation({
    mutationFn: (body: Schemas["ClaimRequest"]) => asked(api.POST("/api/v1/operator/meters/claim", { body })),
    onSuccess: () => {
      setMeter(noMeter);
      return client.invalidateQueries({ queryKey: ["meters"] });
    },
  });
  const body = bodyOf();
  function bodyOf(): Schemas["ClaimRequest"] | null {
    const asking = meterOf(meter);
    if (!asking) return null;
    if (place === "household") {
      const household_id = whole(household);
      return household_id === null ? null : { meter: asking, household_id };
    }
    const asked = homeOf(home);
    return asked && { meter: asking, home: asked };
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (body) claim.mutate(body);
  };
  return (
    <Card title="Claim a meter">
      <form onSubmit={submit} className="space-y-2">
        <Choice
          name="claim-place"
          legend="For"
          options={[
            ["household", "a household without a meter"],
            ["home", "a new household"],
          ]}
          value={place}
          onChange={setPlace}
        />
        {place === "household" ? (
          <Field
            id="claim-household"
            label="Household number"
            inputMode="numeric"
            value={household}
            onChange={(event) => setHousehold(event.target.value)}
          />
        ) : (
          <TypedHome home={home} onChange={setHome} />
        )}
        <TypedMeter id="claim" fields={meter} onChange={setMeter} />
        <Button type="submit" disabled={!body || claim.isPending}>
          Claim
        </Button>
        {claim.isError && <Problem error={claim.error} />}
        {claim.data && <Claimed claimed={claim.data} />}
      </form>
    </Card>
  );
}

function TypedHome({ home, onChange }: { home: HomeFields; onChange: (next: HomeFields) => void }) {
  const texts = [
    ["name", "Name"],
    ["alias", "What neighbours see"],
    ["phone", "Phone, if any"],
    ["feeder", "Feeder"],
    ["panels", "Panels, W"],
    ["out", "Most out, W"],
    ["in", "Most in, W"],
  ] as const;
  return (
    <div className="grid gap-2 sm:grid-cols-3">
      {texts.map(([name, label]) => (
        <Field
          key={name}
          id={`home-${name}`}
          label={label}
          maxLength={60}
          value={home[name]}
          onChange={(event) => onChange({ ...home, [name]: event.target.value })}
        />
      ))}
      <label className="flex min-h-12 items-center gap-2">
        <input
          type="checkbox"
          checked={home.swahili}
          onChange={(event) => onChange({ ...home, swahili: event.target.checked })}
          className="h-6 w-6 accent-leaf-700"
        />
        Messages in Kiswahili
      </label>
    </div>
  );
}
