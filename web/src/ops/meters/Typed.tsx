import { Field } from "../../components/basics";
import type { MeterFields, RegisterFields } from "./fields";

/** The three registers as a meter shows them, or nothing. */
export function TypedRegisters<T extends RegisterFields>({
  id,
  fields,
  onChange,
}: {
  id: string;
  fields: T;
  onChange: (next: T) => void;
}) {
  const each = [
    ["imported", "Taken in, Wh"],
    ["exported", "Given out, Wh"],
    ["made", "Made, Wh"],
  ] as const;
  return each.map(([name, label]) => (
    <Field
      key={name}
      id={`${id}-${name}`}
      label={label}
      inputMode="numeric"
      hint="Left empty, all three begin at zero"
      value={fields[name]}
      onChange={(event) => onChange({ ...fields, [name]: event.target.value })}
    />
  ));
}

/** A meter as it is put in place. */
export function TypedMeter({
  id,
  fields,
  onChange,
}: {
  id: string;
  fields: MeterFields;
  onChange: (next: MeterFields) => void;
}) {
  return (
    <div className="grid gap-2 sm:grid-cols-3">
      <Field
        id={`${id}-identity`}
        label="Text of its QR code"
        maxLength={400}
        value={fields.identity}
        onChange={(event) => onChange({ ...fields, identity: event.target.value })}
      />
      <Field
        id={`${id}-reason`}
        label="Why"
        maxLength={200}
        value={fields.reason}
        onChange={(event) => onChange({ ...fields, reason: event.target.value })}
      />
      <div className="hidden sm:block" />
      <TypedRegisters id={id} fields={fields} onChange={onChange} />
    </div>
  );
}
