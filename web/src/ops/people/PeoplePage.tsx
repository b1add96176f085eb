import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button, Card } from "../../components/basics";
import { Loaded, Problem } from "../../components/states";
import { formatMoment } from "../../domain/time";
import { type Invitation, type Person, people, resetPerson, retirePerson } from "../../lib/accounts";
import { Table } from "../Table";
import { Invited } from "./Invited";
import { InviteForm } from "./InviteForm";
import { roles } from "./RoleSelect";

const states = { invited: "invited, not here yet", active: "signs in", retired: "retired" } as const;

/** Who is let in at the desk and what for; an admin lets people in and out here. */
export function PeoplePage() {
  const list = useQuery({ queryKey: ["people"], queryFn: people });
  const [picked, pick] = useState<{ name: string; act: Act } | null>(null);
  const [invitation, setInvitation] = useState<Invitation | null>(null);
  const choose = (name: string, act: Act) => {
    pick({ name, act });
    setInvitation(null);
  };
  return (
    <>
      <h1 className="font-bold text-2xl">People</h1>
      {invitation && <Invited invitation={invitation} onSeen={() => setInvitation(null)} />}
      {picked && (
        <Sure
          key={`${picked.act} ${picked.name}`}
          {...picked}
          onDone={(made) => {
            pick(null);
            setInvitation(made);
          }}
        />
      )}
      <Card title="Who is let in">
        <Loaded query={list}>
          {(all) =>
            all.length === 0 ? (
              <p>Nobody has an account yet.</p>
            ) : (
              <Table
                head={["Name", "Role", "Account", "Since", "Made", "What can be done"]}
                rows={all.map((person) => ({
                  key: person.name,
                  cells: [
                    person.name,
                    person.role === null ? "Operator, finance and auditor" : roles[person.role],
                    states[person.state],
                    formatMoment(person.since),
                    formatMoment(person.created_at),
                    person.state !== "retired" && <Acts key="acts" person={person} onPick={choose} />,
                  ],
                }))}
              />
            )
          }
        </Loaded>
      </Card>
      <InviteForm
        onInvited={(made) => {
          pick(null);
          setInvitation(made);
        }}
      />
    </>
  );
}

type Act = "reset" | "retire";
const acts = { reset: "Invite anew", retire: "Retire" } as const;

function Acts({ person, onPick }: { person: Person; onPick: (name: string, act: Act) => void }) {
  return (
    <div className="flex gap-2">
      {(["reset", "retire"] as const).map((act) => (
        <Button
          key={act}
          look="quiet"
          aria-label={`${acts[act]}: ${person.name}`}
          onClick={() => onPick(person.name, act)}
        >
          {acts[act]}
        </Button>
      ))}
    </div>
  );
}

const warnings = {
  reset:
    "Password, authenticator and sessions are taken away at once. A new invitation lets them choose anew.",
  retire: "They are let in no more, at once and for good. Their name is never given to anybody again.",
} as const;

/** A second yes, because what is taken away stays away. */
function Sure({
  name,
  act,
  onDone,
}: {
  name: string;
  act: Act;
  onDone: (invitation: Invitation | null) => void;
}) {
  const client = useQueryClient();
  const send = useMutation({
    mutationFn: () => (act === "reset" ? resetPerson(name) : retirePerson(name).then(() => null)),
    onSuccess: onDone,
    onSettled: () => client.invalidateQueries({ queryKey: ["people"] }),
  });
  return (
    <Card title={`${acts[act]}: ${name}`}>
      <p role="status" className="mb-2 font-semibold">
        {warnings[act]}
      </p>
      <div className="flex gap-2">
        <Button disabled={send.isPending} onClick={() => send.mutate()}>
          {act === "reset" ? `Yes: invite ${name} anew` : `Yes: retire ${name}`}
        </Button>
        <Button look="quiet" onClick={() => onDone(null)}>
          Back
        </Button>
      </div>
      {send.isError && <Problem error={send.error} />}
    </Card>
  );
}
