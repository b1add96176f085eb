import { Link } from "wouter";
import type { Schemas } from "../../lib/api";

/** What is typed into a meter that was just claimed; nobody writes it down elsewhere. */
export function Claimed({ claimed }: { claimed: Schemas["ClaimedView"] }) {
  return (
    <div role="status" className="mt-2 rounded-xl border border-leaf-700 p-3">
      <p className="font-semibold">Claimed. Type these into the meter, then ask it to prove its key.</p>
      <dl className="break-all">
        <dt className="text-sm">Password at the broker</dt>
        <dd className="font-mono">{claimed.broker_password}</dd>
        <dt className="text-sm">Gateway's key</dt>
        <dd className="font-mono">{claimed.gateway_key}</dd>
      </dl>
      <Link
        href={`/meters/${claimed.meter.meter_id}`}
        className="inline-flex min-h-12 items-center underline"
      >
        To this meter
      </Link>
    </div>
  );
}
