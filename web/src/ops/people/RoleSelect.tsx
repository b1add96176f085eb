import type { DeskRole } from "../../lib/accounts";

/** What each role may, in words. */
export const roles: Record<DeskRole, string> = {
  operator: "Operator: runs the grid",
  finance: "Finance: runs money",
  auditor: "Auditor: reads everything",
  admin: "Admin: lets people in and out",
};

/** One of the roles, or what nobody in particular has. */
export function RoleSelect({
  id,
  nobody,
  value,
  onChange,
}: {
  id: string;
  nobody: string;
  value: DeskRole | null;
  onChange: (next: DeskRole | null) => void;
}) {
  return (
    <div>
      <label htmlFor={id} className="mb-1 block font-medium text-sm">
        Role
      </label>
      <select
        id={id}
        value={value ?? ""}
        onChange={(event) => onChange((event.target.value || null) as DeskRole | null)}
        className="min-h-12 w-full rounded-xl border border-stone-500 bg-white px-3 text-lg dark:bg-stone-900"
      >
        <option value="">{nobody}</option>
        {Object.entries(roles).map(([role, words]) => (
          <option key={role} value={role}>
            {words}
          </option>
        ))}
      </select>
    </div>
  );
}
