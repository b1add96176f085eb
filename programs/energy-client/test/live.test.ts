import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Address,
  generateKeyPairSigner,
  getAddressDecoder,
  getBase58Encoder,
  isSolanaError,
  type Signature,
  SOLANA_ERROR__INSTRUCTION_ERROR__CUSTOM,
} from '@solana/kit';
import * as client from '../src/index.ts';
import { LocalChain } from './localnet.ts';

const binary = process.env['JIRANI_BINARY'];
const nobody = getAddressDecoder().decode(new Uint8Array(32));
const day = 86_400;

function capped(key: Address, capWh: bigint): client.CappedKeyArgs {
  return { key, capWh, capCents: 1_000_000, usedWh: 0, usedCents: 0, day: 0 };
}

const tariff = { retail: 3000, buyBack: 500, gridFee: 600, tax: 480 };
const limits = {
  orderWindowS: 120,
  orderGraceS: 300,
  markerRetentionS: 30 * day,
  offerLifeMaxS: 31 * day,
  authorityDelayS: 2 * day,
  clockSkewS: 60,
  bucketS: 10 * day,
  openOffersMax: 64,
  openOrdersMax: 8,
};
const caps = { adjustmentWh: 100_000n, withdrawalWh: 0n, heldWh: 100_000n, unpaidOrders: 64 };

/** The number with which the program refused. */
function refusalOf(error: unknown): client.Refusal | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isSolanaError(cause, SOLANA_ERROR__INSTRUCTION_ERROR__CUSTOM)) return client.readRefusal(cause.context.code);
  }
  throw error;
}

/** The events of a transaction, from its inner instructions. */
async function eventsOf(chain: LocalChain, signature: Signature) {
  const transaction = await chain.rpc
    .getTransaction(signature, { commitment: 'confirmed', encoding: 'json', maxSupportedTransactionVersion: 0 })
    .send();
  return (transaction?.meta?.innerInstructions ?? [])
    .flatMap(({ instructions }) => instructions)
    .map(({ data }) => new Uint8Array(getBase58Encoder().encode(data)))
    .filter((data) => data[0] === client.EVENT_TAG)
    .map((data) => client.getEventInstructionDataDecoder().decode(data));
}

test(
  'the client initialises a chain, enrols a household and reads both back',
  { skip: binary ? false : 'JIRANI_BINARY names no jirani', timeout: 120_000 },
  async () => {
    const chain = await LocalChain.start(binary!);
    try {
      const [admin, payer, oracle, attestor, custodian, stranger] = await Promise.all(
        Array.from({ length: 6 }, () => generateKeyPairSigner()),
      ) as [Signer, Signer, Signer, Signer, Signer, Signer];
      await chain.fund(payer.address, 10_000_000_000n);

      const initialised = await chain.send(
        payer,
        await client.getInitialiseInstructionAsync({
          upgradeAuthority: chain.upgradeAuthority,
          payer,
          admin: admin.address,
          pauseKey: admin.address,
          tariff,
          limits,
          oracles: {
            version: 1,
            threshold: 1,
            count: 1,
            members: [oracle.address, ...Array<Address>(7).fill(nobody)],
          },
          attestors: [capped(attestor.address, 500_000n), ...Array(3).fill(capped(nobody, 0n))],
          custodian: capped(custodian.address, 500_000n),
          caps,
        }),
      );
      const [address] = await client.findConfigPda();
      const { data: config, programAddress } = await client.fetchConfig(chain.rpc, address);
      assert.equal(programAddress, client.ENERGY_PROGRAM_ADDRESS);
      assert.equal(config.mint, (await client.findMintPda())[0]);
      assert.equal(config.admin, admin.address);
      assert.deepEqual(config.tariff, tariff);
      assert.deepEqual(config.limits, limits);
      assert.equal(config.oracles.members[0], oracle.address);
      assert.equal(config.attestors[0]!.capWh, 500_000n);
      assert.equal(config.paused, client.PauseLevel.Running);
      const [event] = await eventsOf(chain, initialised);
      assert.equal(event?.kind, client.EventKind.Initialised);

      const meterKey = new Uint8Array(32).fill(9);
      const enrolled = await chain.send(
        payer,
        await client.getEnrolInstructionAsync({
          admin,
          payer,
          kind: client.HouseholdKind.Home,
          flags: 1,
          feeder: 3,
          householdId: 77,
          meterEpoch: 1,
          exportRatingW: 5000,
          importRatingW: 9000,
          initialExportWh: 1_234_567n,
          initialImportWh: 7n,
          meterKey,
          authority: nobody,
        }),
      );
      const { data: household } = await client.fetchHouseholdFromSeeds(chain.rpc, { householdId: 77 });
      assert.equal(household.id, 77);
      assert.equal(household.kind, client.HouseholdKind.Home);
      assert.equal(household.meterExportWh, 1_234_567n);
      assert.equal(household.mintedWh, 0n, "a meter's past mints nothing");
      assert.deepEqual(new Uint8Array(household.meterKey), meterKey);
      assert.equal(household.rentPayer, payer.address);
      assert.equal((await eventsOf(chain, enrolled))[0]?.kind, client.EventKind.Enrolled);

      const pause = await client.getPauseInstructionAsync({ key: stranger, paused: true });
      const refused = await chain.send(payer, pause).then(() => undefined, refusalOf);
      assert.equal(refused?.error, client.ENERGY_ERROR__NOT_PAUSE_KEY);

      const [wrong] = await client.findHouseholdPda({ householdId: 77 });
      const misplaced = client.getPauseInstruction({ key: admin, config: wrong, paused: true });
      const blamed = await chain.send(payer, misplaced).then(() => undefined, refusalOf);
      assert.equal(blamed?.error, client.ENERGY_ERROR__WRONG_TYPE);
      assert.equal(blamed?.accountIndex, 1, 'the account to blame is named');
    } finally {
      await chain.stop();
    }
  },
);

type Signer = Awaited<ReturnType<typeof generateKeyPairSigner>>;
