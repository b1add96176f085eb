import { Card, Line } from "../components/basics";
import { formatEnergy, formatPower } from "../domain/energy";
import { formatMoney } from "../domain/money";
import { formatMoment } from "../domain/time";
import type { Schemas } from "../lib/api";

/** The community's energy, the chain's totals and where every shilling is. */
export function Overview({ overview }: { overview: Schemas["OverviewView"] }) {
  const { chain, money, power, today } = overview;
  return (
    <div className="grid gap-4 md:grid-cols-2 lg:grid-cols-3">
      <Card title={`Energy · ${formatMoment(overview.now)}`}>
        <dl>
          <Line term="Into the grid now">{formatPower(power.export_w)}</Line>
          <Line term="From the grid now">{formatPower(power.import_w)}</Line>
          <Line term="Meters heard">{power.meters}</Line>
          <Line term="Made today">{formatEnergy(today.generation_wh)}</Line>
          <Line term="Into the grid today">{formatEnergy(today.export_wh)}</Line>
          <Line term="From the grid today">{formatEnergy(today.import_wh)}</Line>
          <Line term="Readings stored">{overview.readings.toLocaleString("en-KE")}</Line>
          <Line term="In quarantine">{overview.quarantined.toLocaleString("en-KE")}</Line>
        </dl>
      </Card>
      <Card title="Chain">
        {overview.chain_state.state !== "ready" && (
          <p role="status" data-testid="chain-state" className="mb-2 text-sm font-medium">
            {overview.chain_state.sentence}
          </p>
        )}
        <dl data-testid="chain">
          <Line term="State">{overview.chain_state.state.replaceAll("_", " ")}</Line>
          <Line term="Supply of eKWh">{formatEnergy(chain.supply_wh)}</Line>
          <Line term="In vaults">{formatEnergy(chain.vaults_wh)}</Line>
          <Line term="In escrow">{formatEnergy(chain.escrow_wh)}</Line>
          <Line term="Shortfalls">{formatEnergy(chain.shortfall_wh)}</Line>
          <Line term="Transactions">{chain.transactions.toLocaleString("en-KE")}</Line>
          <Line term="Fees">{chain.fees_lamports.toLocaleString("en-KE")} lamports</Line>
          {overview.attested.map((feeder) => (
            <Line key={feeder.feeder} term={`Feeder ${feeder.feeder} attested up to`}>
              {feeder.attested_through ? formatMoment(feeder.attested_through) : "nothing yet"}
            </Line>
          ))}
        </dl>
      </Card>
      <Card title="Money">
        <dl data-testid="money">
          <Line term="M-Pesa collections">{formatMoney(money.mpesa_collection_cents)}</Line>
          <Line term="M-Pesa payout float">{formatMoney(money.mpesa_payout_cents)}</Line>
          <Line term="M-Pesa charges">{formatMoney(money.mpesa_charges_cents)}</Line>
          <Line term="Households' balances">{formatMoney(money.balances_cents)}</Line>
          <Line term="Operator">{formatMoney(money.operator_cents)}</Line>
          <Line term="Taxes">{formatMoney(money.taxes_cents)}</Line>
          <Line term="Clearing">{formatMoney(money.clearing_cents)}</Line>
          <Line term="Suspense">{formatMoney(money.suspense_cents)}</Line>
        </dl>
      </Card>
    </div>
  );
}
