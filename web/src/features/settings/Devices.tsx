import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Card } from "../../components/basics";
import { Loaded, Problem, ServerButton } from "../../components/states";
import { formatMoment } from "../../domain/time";
import { useTexts } from "../../i18n";
import { devices, signOutDevice, signOutOthers } from "../../lib/accounts";
import { settingsTexts } from "./texts";

/** Where else somebody is signed in, and the end of that: a lent or lost phone. */
export function Devices() {
  const texts = useTexts(settingsTexts);
  const client = useQueryClient();
  const list = useQuery({ queryKey: ["devices"], queryFn: devices });
  const end = useMutation({
    mutationFn: (id: string | null) => (id === null ? signOutOthers() : signOutDevice(id)),
    onSettled: () => client.invalidateQueries({ queryKey: ["devices"] }),
  });
  return (
    <Card title={texts.devices}>
      <Loaded query={list}>
        {(all) => {
          const others = all.filter((device) => !device.this_one);
          return (
            <>
              {end.isError && <Problem error={end.error} />}
              <ul className="divide-y divide-stone-200 dark:divide-stone-800">
                {all.map((device) => (
                  <li key={device.id} className="flex flex-wrap items-center justify-between gap-2 py-2">
                    <div className="min-w-0">
                      <p className="break-words font-semibold">
                        {device.name ?? texts.nameless}
                        {device.this_one && ` (${texts.here})`}
                      </p>
                      <p className="text-sm text-stone-600 dark:text-stone-400">
                        {texts.since(formatMoment(device.created_at))} ·{" "}
                        {texts.until(formatMoment(device.expires_at))}
                      </p>
                    </div>
                    {!device.this_one && (
                      <Button look="quiet" disabled={end.isPending} onClick={() => end.mutate(device.id)}>
                        {texts.signOutDevice(device.name ?? texts.nameless)}
                      </Button>
                    )}
                  </li>
                ))}
              </ul>
              {others.length === 0 ? (
                <p>{texts.onlyThis}</p>
              ) : (
                <ServerButton look="quiet" disabled={end.isPending} onClick={() => end.mutate(null)}>
                  {texts.signOutOthers}
                </ServerButton>
              )}
            </>
          );
        }}
      </Loaded>
    </Card>
  );
}
