import { formatEnergy } from "../../domain/energy";
import { useMessages } from "../../i18n";

/** Energy of a day as one bar with a list: colour, icon and word for each flow. */
export function FlowBar({
  generation,
  exported,
  imported,
}: {
  generation: number;
  exported: number;
  imported: number;
}) {
  const messages = useMessages();
  const total = generation + exported + imported;
  const parts = [
    { key: "made", label: messages.home.made, icon: "☀", value: generation, colour: "bg-sun-400" },
    { key: "exported", label: messages.home.exported, icon: "↑", value: exported, colour: "bg-leaf-700" },
    { key: "imported", label: messages.home.imported, icon: "↓", value: imported, colour: "bg-sky-700" },
  ];
  return (
    <>
      <div
        className="flex h-4 overflow-hidden rounded-full bg-stone-200 dark:bg-stone-800"
        aria-hidden="true"
      >
        {parts.map(
          (part) =>
            part.value > 0 && (
              <div
                key={part.key}
                className={part.colour}
                style={{ width: `${(part.value * 100) / total}%` }}
              />
            ),
        )}
      </div>
      <dl className="mt-2 grid grid-cols-3 gap-2">
        {parts.map((part) => (
          <div key={part.key}>
            <dt className="text-sm text-stone-600 dark:text-stone-400">
              <span aria-hidden="true">{part.icon} </span>
              {part.label}
            </dt>
            <dd className="font-semibold">{formatEnergy(part.value)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
