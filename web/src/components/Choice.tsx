/** One of a few, each with its word. */
export function Choice<T extends string>({
  name,
  legend,
  options,
  value,
  onChange,
}: {
  name: string;
  legend?: string;
  options: [T, string][];
  value: T;
  onChange: (next: T) => void;
}) {
  return (
    <fieldset className="flex flex-wrap items-center gap-4">
      {legend && <legend className="font-medium text-sm">{legend}</legend>}
      {options.map(([key, label]) => (
        <label key={key} className="flex min-h-12 items-center gap-2">
          <input
            type="radio"
            name={name}
            checked={value === key}
            onChange={() => onChange(key)}
            className="h-6 w-6 accent-leaf-700"
          />
          {label}
        </label>
      ))}
    </fieldset>
  );
}
