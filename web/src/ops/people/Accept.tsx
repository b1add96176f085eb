import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Button, Card, Field } from "../../components/basics";
import { Problem } from "../../components/states";
import { acceptInvitation } from "../../lib/accounts";
import { ApiError } from "../../lib/api";

/** A password's length in characters, as the server counts them. */
const lengthOf = (text: string) => [...text].length;
const minimum = 12;

/** The invited chooses a password and is shown, once, what the authenticator needs. */
export function Accept({ onDone }: { onDone: (name: string | null) => void }) {
  const [typed, setTyped] = useState({ name: "", secret: "", password: "" });
  const [short, setShort] = useState(false);
  const send = useMutation({
    mutationFn: () => acceptInvitation({ ...typed, name: typed.name.trim(), secret: typed.secret.trim() }),
  });
  const code = send.error instanceof ApiError ? send.error.code : null;
  const at = (which: string) => (code === which ? (send.error?.message ?? null) : null);
  const type = (part: Partial<typeof typed>) => {
    setTyped({ ...typed, ...part });
    setShort(false);
    send.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const isShort = lengthOf(typed.password) < minimum;
    setShort(isShort);
    if (!isShort) send.mutate();
  };
  if (send.data) {
    return (
      <Card title="Your authenticator">
        <p role="status">Your password is set. Put this into your authenticator app now: it is shown once.</p>
        <p className="my-2 break-all font-mono text-lg" data-testid="authenticator">
          {send.data.totp_secret.replace(/(.{4})(?=.)/g, "$1 ")}
        </p>
        <p className="mb-2">
          <a href={send.data.totp_uri} className="inline-flex min-h-12 items-center underline">
            Open the authenticator of this device
          </a>
        </p>
        <Button onClick={() => onDone(typed.name.trim())}>It is in: go on to sign in</Button>
      </Card>
    );
  }
  const isWhole = typed.name.trim() !== "" && typed.secret.trim() !== "" && typed.password !== "";
  return (
    <Card title="With an invitation">
      <form onSubmit={submit} className="space-y-3">
        <Field
          id="invited-name"
          label="Account"
          autoComplete="username"
          autoCapitalize="none"
          hint="The name that you were invited by"
          maxLength={40}
          value={typed.name}
          onChange={(event) => type({ name: event.target.value })}
        />
        <Field
          id="invited-secret"
          label="Invitation"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={200}
          error={at("api.invitation_wrong")}
          value={typed.secret}
          onChange={(event) => type({ secret: event.target.value })}
        />
        <Field
          id="invited-password"
          type="password"
          label="New password"
          autoComplete="new-password"
          maxLength={200}
          hint="12 to 200 characters, and not your name"
          error={
            short ? `Only ${lengthOf(typed.password)} of at least 12 characters` : at("api.password_too_easy")
          }
          value={typed.password}
          onChange={(event) => type({ password: event.target.value })}
        />
        <div className="flex gap-2">
          <Button type="submit" disabled={!isWhole || send.isPending}>
            Set the password
          </Button>
          <Button look="quiet" onClick={() => onDone(null)}>
            Back
          </Button>
        </div>
        {send.isError && code !== "api.invitation_wrong" && code !== "api.password_too_easy" && (
          <Problem error={send.error} />
        )}
      </form>
    </Card>
  );
}
