import { formatEnergy } from "../../domain/energy";
import { useMessages } from "../../i18n";

/**
 * Energy of a day as one bar, each Wh once: what the panels made is either used at
 * home or goes into the grid. Colour, word and number for each part.
 */
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
  const used = Math.max(0, generation - exported);
  const total = used + exported + imported;
  const parts = [
    { key: "used", label: messages.home.used, value: used, colour: "bg-sun-400" },
    { key: "exported", label: messages.home.exported, value: exported, colour: "bg-leaf-700" },
    { key: "imported", label: messages.home.imported, value: imported, colour: "bg-sky-700" },
  ];
  return (
    <>
      <p className="mb-2 flex flex-wrap items-baseline justify-between gap-4">
        <span className="min-w-0 break-words text-stone-600 dark:text-stone-400">{messages.home.made}</span>
        <span className="whitespace-nowrap font-semibold">{formatEnergy(generation)}</span>
      </p>
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
          <div key={part.key} className="flex flex-col justify-between">
            <dt className="text-sm text-stone-600 leading-tight dark:text-stone-400">
              <span
                aria-hidden="true"
                className={`mr-1 inline-block h-2.5 w-2.5 rounded-sm ${part.colour}`}
              />
              {part.label}
            </dt>
            <dd className="font-semibold">{formatEnergy(part.value)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
