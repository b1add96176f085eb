import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Button, Card, Field } from "../../components/basics";
import { Problem } from "../../components/states";
import { api, asked } from "../../lib/api";

/** Which firmware may run: what runs else is remarked. */
export function FirmwareForm() {
  const [typed, setTyped] = useState("");
  const [all, setAll] = useState(false);
  const allowed = typed.split(/[\s,]+/).filter(Boolean);
  const isWrong = allowed.some((hash) => !/^[0-9a-f]{16}$/i.test(hash));
  const allow = useMutation({
    mutationFn: () =>
      asked(
        api.POST("/api/v1/operator/meters/firmware", {
          body: { allowed: allowed.map((hash) => hash.toLowerCase()) },
        }),
      ),
  });
  // An empty field is no wish: that every image may run has to be said.
  const isSaid = allowed.length > 0 ? !all : all;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isWrong) allow.mutate();
  };
  return (
    <Card title="Firmware">
      <form onSubmit={submit} className="space-y-2">
        <Field
          id="firmware"
          label="Images that may run"
          hint="The first 16 hexadecimal digits of each image's SHA-256, with spaces between; this replaces the list"
          error={isWrong ? "Each is 16 hexadecimal digits" : null}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            allow.reset();
          }}
        />
        <label className="flex min-h-12 items-center gap-2">
          <input
            type="checkbox"
            checked={all}
            onChange={(event) => setAll(event.target.checked)}
            className="h-6 w-6 accent-leaf-700"
          />
          Every image may run
        </label>
        <Button type="submit" disabled={!isSaid || isWrong || allow.isPending}>
          {all ? "Allow all" : `Allow only these ${allowed.length}`}
        </Button>
        {allow.isError && <Problem error={allow.error} />}
        {allow.data && (
          <p role="status">
            {allow.data.allowed.length === 0
              ? "Every image may run."
              : `These may run: ${allow.data.allowed.join(", ")}`}
          </p>
        )}
      </form>
    </Card>
  );
}
