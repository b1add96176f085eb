import type { ComponentProps, ReactNode } from "react";

/** A titled part of a screen. */
export function Card({
  title,
  action,
  children,
}: {
  title?: string;
  action?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="rounded-2xl bg-white p-4 shadow-sm dark:bg-stone-900">
      {(title || action) && (
        <header className="mb-2 flex items-center justify-between gap-2">
          {title && <h2 className="font-semibold text-base text-stone-600 dark:text-stone-300">{title}</h2>}
          {action}
        </header>
      )}
      {children}
    </section>
  );
}

const looks = {
  primary: "bg-leaf-700 text-white hover:bg-leaf-900 disabled:bg-stone-400",
  quiet: "bg-stone-200 text-stone-900 hover:bg-stone-300 dark:bg-stone-800 dark:text-stone-100",
};

/** At least 48 px high, for thumbs. */
export function Button({
  look = "primary",
  ...rest
}: ComponentProps<"button"> & { look?: keyof typeof looks }) {
  return (
    <button
      type="button"
      {...rest}
      className={`min-h-12 min-w-12 cursor-pointer rounded-xl px-4 font-semibold disabled:cursor-not-allowed ${looks[look]}`}
    />
  );
}

/** A labelled input with its error tied to it. */
export function Field({
  label,
  error,
  hint,
  id,
  ...rest
}: ComponentProps<"input"> & { id: string; label: string; error?: string | null; hint?: string }) {
  return (
    <div>
      <label htmlFor={id} className="mb-1 block font-medium text-sm">
        {label}
      </label>
      <input
        id={id}
        {...rest}
        aria-invalid={error ? true : undefined}
        aria-describedby={`${id}-note`}
        className="min-h-12 w-full rounded-xl border border-stone-500 bg-transparent px-3 text-lg"
      />
      <p
        id={`${id}-note`}
        className={`mt-1 text-sm ${error ? "text-red-700 dark:text-red-300" : "text-stone-600 dark:text-stone-400"}`}
      >
        {error ?? hint ?? ""}
      </p>
    </div>
  );
}

/** A term and its value on one line. */
export function Line({ term, children }: { term: string; children: ReactNode }) {
  return (
    <div className="flex items-baseline justify-between gap-4 py-1">
      <dt className="text-stone-600 dark:text-stone-400">{term}</dt>
      <dd className="text-right font-medium">{children}</dd>
    </div>
  );
}
