import { Line } from "../../components/basics";
import { formatEnergy, formatPower } from "../../domain/energy";
import { formatMoment } from "../../domain/time";
import type { Schemas } from "../../lib/api";
import type { Meter } from "./questions";

/** All that is known of a meter, and all that an approval makes true. */
export function Facts({ meter }: { meter: Meter }) {
  const { request, new_household: home } = meter;
  return (
    <dl className="grid gap-x-8 md:grid-cols-2">
      <Line term="Meter">
        <Long text={meter.meter_id} />
      </Line>
      <Line term="Public key">
        <Long text={meter.meter_key} />
      </Line>
      <Line term="State">{meter.state}</Line>
      <Line term="Vouched by">{meter.trust}</Line>
      <Line term="Household">{meter.household_id}</Line>
      {home && (
        <Line term="New household">
          {home.name} ({home.alias}), feeder {home.feeder}, {home.phone ?? "no phone"}, panels{" "}
          {formatPower(home.pv_rated_w)}, at most {formatPower(home.export_rating_w)} out and{" "}
          {formatPower(home.import_rating_w)} in
        </Line>
      )}
      {meter.replaces && (
        <Line term="Takes the place of">
          <Long text={meter.replaces} />
        </Line>
      )}
      <Line term="Registers when claimed">
        <Registers of={meter.opening} />
      </Line>
      <Line term="Epoch">{meter.epoch}</Line>
      {meter.modulus_wh !== null && (
        <Line term="Registers begin again at">{formatEnergy(meter.modulus_wh)}</Line>
      )}
      {meter.held !== null && <Line term="Held">{meter.held}</Line>}
      {request && (
        <>
          <Line term="Asked for">{request.wish}</Line>
          <Line term="Why">{request.reason}</Line>
          {request.epoch !== null && <Line term="New epoch">{request.epoch}</Line>}
          {request.opening && (
            <Line term="Registers then">
              <Registers of={request.opening} />
            </Line>
          )}
        </>
      )}
      {meter.reason !== "" && <Line term="Reason">{meter.reason}</Line>}
      <Line term="Proved its key">{meter.answered_at ? formatMoment(meter.answered_at) : "not yet"}</Line>
      {meter.approved_at && (
        <Line term="Approved">
          {meter.approved_by} · {formatMoment(meter.approved_at)}
        </Line>
      )}
      <Line term="Revision">{meter.revision}</Line>
    </dl>
  );
}

function Long({ text }: { text: string }) {
  return <span className="break-all font-mono text-sm">{text}</span>;
}

function Registers({ of }: { of: Schemas["RegistersView"] }) {
  return (
    <>
      in {formatEnergy(of.import_wh)}, out {formatEnergy(of.export_wh)}, made {formatEnergy(of.generation_wh)}
    </>
  );
}
