import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Card, Field } from "../../components/basics";
import { Loaded, Problem, ServerButton } from "../../components/states";
import { formatMoment } from "../../domain/time";
import { useLanguage, useMessages } from "../../i18n";
import { api, asked, type Schemas } from "../../lib/api";

/** What the household owes, and every step on the way to its limit, each open to dispute. */
export function ShortfallCard() {
  const messages = useMessages();
  const client = useQueryClient();
  const walk = useQuery({
    queryKey: ["shortfall"],
    queryFn: () => asked(api.GET("/api/v1/me/shortfall")),
    refetchInterval: 60_000,
  });
  const emergency = useMutation({
    mutationFn: () => asked(api.POST("/api/v1/me/shortfall/emergency")),
    onSettled: () => client.invalidateQueries({ queryKey: ["shortfall"] }),
  });
  return (
    <Card title={messages.shortfall.title}>
      <Loaded query={walk}>
        {({ standing, steps }) => (
          <>
            <p className="font-semibold" data-testid="standing">
              {standing.shortfall_wh === 0
                ? messages.shortfall.nothing
                : messages.shortfall.owes(standing.shortfall_wh, standing.owed_cents, standing.limit_cents)}
            </p>
            {standing.relay !== "closed" && <p role="status">{messages.shortfall.relay[standing.relay]}</p>}
            {standing.protection !== "none" && <p>{messages.shortfall.protected}</p>}
            {standing.emergency_owed_cents > 0 && (
              <p>{messages.shortfall.emergencyOwed(standing.emergency_owed_cents)}</p>
            )}
            {standing.instalments && (
              <p>
                {messages.shortfall.instalments(
                  standing.instalments.each_cents,
                  standing.instalments.owed_cents,
                  formatMoment(standing.instalments.next_due),
                )}
              </p>
            )}
            {mayAsk(standing) && (
              <div className="mt-2">
                <ServerButton look="quiet" disabled={emergency.isPending} onClick={() => emergency.mutate()}>
                  {messages.shortfall.askEmergency}
                </ServerButton>
              </div>
            )}
            {emergency.isError && <Problem error={emergency.error} />}
            {steps.length > 0 && (
              <ul className="mt-3 divide-y divide-stone-200 dark:divide-stone-800">
                {steps.map((step) => (
                  <Step key={step.number} step={step} disputed={standing.disputed ?? null} />
                ))}
              </ul>
            )}
          </>
        )}
      </Loaded>
    </Card>
  );
}

/** From 80 % of the limit on, once until it is repaid. */
function mayAsk(standing: Schemas["StandingView"]): boolean {
  const { exposure_cents, limit_cents, emergency_owed_cents } = standing;
  return exposure_cents > 0 && exposure_cents * 100 >= limit_cents * 80 && emergency_owed_cents === 0;
}

function Step({ step, disputed }: { step: Schemas["StepView"]; disputed: number | null }) {
  const { language, messages } = useLanguage();
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [note, setNote] = useState("");
  const dispute = useMutation({
    mutationFn: () =>
      asked(api.POST("/api/v1/me/shortfall/disputes", { body: { number: step.number, note } })),
    onSuccess: () => setOpen(false),
    onSettled: () => client.invalidateQueries({ queryKey: ["shortfall"] }),
  });
  return (
    <li className="py-2">
      <p>{language === "sw" ? step.sw : step.en}</p>
      {step.note && <p className="text-sm italic">{step.note}</p>}
      <div className="flex items-center justify-between gap-2 text-sm text-stone-600 dark:text-stone-400">
        <span>
          {step.number} · {formatMoment(step.at)}
        </span>
        {disputed === null && !open && (
          <button type="button" className="min-h-12 cursor-pointer underline" onClick={() => setOpen(true)}>
            {messages.shortfall.dispute}
          </button>
        )}
        {disputed === step.number && <span>{messages.shortfall.disputed}</span>}
      </div>
      {open && (
        <div className="space-y-2">
          <Field
            id={`dispute-${step.number}`}
            label={messages.shortfall.why}
            maxLength={200}
            value={note}
            onChange={(event) => setNote(event.target.value)}
          />
          <ServerButton disabled={dispute.isPending} onClick={() => dispute.mutate()}>
            {messages.shortfall.send}
          </ServerButton>
          {dispute.isError && <Problem error={dispute.error} />}
        </div>
      )}
    </li>
  );
}
