import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Button, Card, Field } from "../../components/basics";
import { Problem } from "../../components/states";
import { type DeskRole, type Invitation, invite } from "../../lib/accounts";
import { ApiError } from "../../lib/api";
import { RoleSelect } from "./RoleSelect";

/** Lets somebody in. What is wrong with the name stands at its field, and what was typed stays. */
export function InviteForm({ onInvited }: { onInvited: (invitation: Invitation) => void }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [role, setRole] = useState<DeskRole | null>(null);
  const send = useMutation({
    mutationFn: invite,
    onSuccess: (made) => {
      setName("");
      setRole(null);
      onInvited(made);
    },
    onSettled: () => client.invalidateQueries({ queryKey: ["people"] }),
  });
  const ofName = send.error instanceof ApiError && send.error.code.startsWith("operators.name_");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (role) send.mutate({ name: name.trim(), role });
  };
  return (
    <Card title="Let somebody in">
      <form onSubmit={submit} className="max-w-md space-y-3">
        <Field
          id="person-name"
          label="Name"
          hint="As it shall stand in every record: it is theirs for good"
          autoComplete="off"
          maxLength={40}
          error={ofName ? (send.error?.message ?? null) : null}
          value={name}
          onChange={(event) => {
            setName(event.target.value);
            send.reset();
          }}
        />
        <RoleSelect id="person-role" nobody="Choose one" value={role} onChange={setRole} />
        <Button type="submit" disabled={name.trim() === "" || role === null || send.isPending}>
          Invite
        </Button>
        {send.isError && !ofName && <Problem error={send.error} />}
      </form>
    </Card>
  );
}
