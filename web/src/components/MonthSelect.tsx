import { lastMonths } from "../domain/time";

/** Months a person can pick from. */
const MONTHS = 13;

/** The months up to the server's `now`, the current one first. */
export const monthsUntil = (now: string) => lastMonths(now, MONTHS);

/** A month to pick, written as it stands in addresses: 2026-03. */
export function MonthSelect({
  id,
  months,
  month,
  choose,
}: {
  id: string;
  months: string[];
  month: string;
  choose: (month: string) => void;
}) {
  return (
    <select
      id={id}
      value={month}
      onChange={(event) => choose(event.target.value)}
      className="min-h-12 rounded-xl border border-stone-500 bg-transparent px-3 text-lg"
    >
      {months.map((each) => (
        <option key={each} value={each}>
          {each}
        </option>
      ))}
    </select>
  );
}
