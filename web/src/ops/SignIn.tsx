import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Button, Card, Field } from "../components/basics";
import { Problem } from "../components/states";
import { codeDigits } from "../domain/phone";
import { type DeskRole, demoOperator, operatorSignIn } from "../lib/accounts";
import { ApiError } from "../lib/api";
import * as questions from "../lib/questions";
import { Accept } from "./people/Accept";
import { RoleSelect } from "./people/RoleSelect";

/** With name, password and code; before the first time with an invitation; in a demonstration also with one click. */
export function SignIn() {
  const isDemo = useQuery(questions.config).data?.demo ?? false;
  const [way, setWay] = useState<"account" | "invitation">("account");
  const [name, setName] = useState("");
  return (
    <main className="max-w-md space-y-4">
      <h1 className="font-bold text-2xl">Sign in to the operator's desk</h1>
      {way === "account" ? (
        <>
          {isDemo && <Demo />}
          <Account known={name} />
          <Button look="quiet" onClick={() => setWay("invitation")}>
            I have an invitation
          </Button>
        </>
      ) : (
        <Accept
          onDone={(accepted) => {
            setName(accepted ?? name);
            setWay("account");
          }}
        />
      )}
    </main>
  );
}

function Account({ known }: { known: string }) {
  const client = useQueryClient();
  const [typed, setTyped] = useState({ name: known, password: "", code: "" });
  const enter = useMutation({
    mutationFn: () => operatorSignIn({ ...typed, name: typed.name.trim() }),
    onSuccess: () => client.resetQueries(),
  });
  // Which of the three was wrong is told to nobody.
  const refused =
    enter.error instanceof ApiError && enter.error.code === "api.sign_in_wrong" ? enter.error.message : null;
  const type = (part: Partial<typeof typed>) => {
    setTyped({ ...typed, ...part });
    enter.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    enter.mutate();
  };
  const isWhole = typed.name.trim() !== "" && typed.password !== "" && typed.code.length === 6;
  return (
    <Card title="With your account">
      <form onSubmit={submit} className="space-y-3">
        <Field
          id="account-name"
          label="Account"
          autoComplete="username"
          autoCapitalize="none"
          maxLength={40}
          value={typed.name}
          onChange={(event) => type({ name: event.target.value })}
        />
        <Field
          id="account-password"
          type="password"
          label="Password"
          autoComplete="current-password"
          maxLength={200}
          value={typed.password}
          onChange={(event) => type({ password: event.target.value })}
        />
        <Field
          id="account-code"
          label="Code from your authenticator"
          inputMode="numeric"
          autoComplete="one-time-code"
          hint="Six digits; each holds once"
          error={refused}
          value={typed.code}
          onChange={(event) => type({ code: codeDigits(event.target.value) })}
        />
        <Button type="submit" disabled={!isWhole || enter.isPending}>
          Sign in
        </Button>
        {enter.isError && !refused && <Problem error={enter.error} />}
      </form>
    </Card>
  );
}

function Demo() {
  const client = useQueryClient();
  // Two operators are told apart by name: what one proposes, another approves.
  const [name, setName] = useState("");
  const [role, setRole] = useState<DeskRole | null>(null);
  const enter = useMutation({
    mutationFn: () => demoOperator(name.trim() === "" ? null : name.trim(), role),
    onSuccess: () => client.resetQueries(),
  });
  return (
    <Card title="In this demonstration">
      <p>One click is enough. Two names are two operators, for what takes two.</p>
      <Field
        id="operator-name"
        label="Your name (for the review desk)"
        maxLength={40}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <RoleSelect
        id="demo-role"
        nobody="Operator, finance and auditor in one"
        value={role}
        onChange={setRole}
      />
      <Button disabled={enter.isPending} onClick={() => enter.mutate()}>
        Sign in as the operator (demo)
      </Button>
      {enter.isError && <Problem error={enter.error} />}
    </Card>
  );
}
