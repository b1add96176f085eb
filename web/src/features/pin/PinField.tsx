import type { ComponentProps } from "react";
import { Field } from "../../components/basics";
import { pinDigits } from "../../domain/pin";

/** Digits of a PIN: masked, kept by no browser, on a keyboard of digits. */
export function PinField({
  onDigits,
  seen = "no",
  ...rest
}: Omit<ComponentProps<typeof Field>, "onChange" | "type"> & {
  onDigits: (digits: string) => void;
  seen?: "yes" | "no";
}) {
  return (
    <Field
      {...rest}
      type={seen === "yes" ? "text" : "password"}
      inputMode="numeric"
      autoComplete="off"
      onChange={(event) => onDigits(pinDigits(event.target.value))}
    />
  );
}
