import type { ReactNode } from "react";

/** A plain table that scrolls in itself on narrow screens. */
export function Table({
  head,
  rows,
}: {
  head: string[];
  rows: { key: string | number; cells: ReactNode[] }[];
}) {
  return (
    <div className="overflow-x-auto">
      <table className="w-full text-left text-sm">
        <thead>
          <tr>
            {head.map((name) => (
              <th key={name} className="border-stone-300 border-b p-2 font-semibold dark:border-stone-700">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key} className="border-stone-200 border-b dark:border-stone-800">
              {head.map((name, column) => (
                <td key={name} className="p-2">
                  {row.cells[column]}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
