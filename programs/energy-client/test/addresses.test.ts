import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as client from '../src/index.ts';
import { address, bytes, key, vectors } from './vectors.ts';

test('addresses are derived as Rust derives them, for any deployment', async () => {
  for (const vector of vectors.addresses) {
    const config = { programAddress: address(vector.program!) };
    const number = BigInt(vector.number!);
    const [household] = await client.findHouseholdPda({ householdId: Number(vector.household_id) }, config);
    const [offer] = await client.findOfferPda({ seller: household, offerId: number }, config);
    const derived = {
      program: config.programAddress,
      config: (await client.findConfigPda(config))[0],
      mint: (await client.findMintPda(config))[0],
      household,
      vault: (await client.findVaultPda({ household }, config))[0],
      offer,
      escrow: (await client.findEscrowPda({ offer }, config))[0],
      order: (await client.findOrderPda({ buyer: household, orderId: number }, config))[0],
      evidence: (await client.findEvidencePda({ feeder: Number(vector.feeder) }, config))[0],
      program_data: (await client.findProgramDataPda({ program: config.programAddress }))[0],
    };
    const { household_id, number: _, feeder, ...expected } = vector;
    assert.deepEqual(
      Object.fromEntries(Object.entries(derived).map(([name, place]) => [name, key(place)])),
      expected,
    );
  }
  assert.equal(key(client.ENERGY_PROGRAM_ADDRESS), vectors.addresses[0]!.program);
});

test("a proof's marker stands where Rust puts it", async () => {
  for (const { program, kind, proof, seed, address: place } of vectors.markers) {
    const used = { kind: Number(kind) as client.ProofKind, proof: bytes(proof) };
    assert.equal(client.markerSeed(used.kind, used.proof), seed);
    assert.equal(key(await client.findMarkerAddress(used, { programAddress: address(program) })), place);
  }
  assert.throws(() => client.markerSeed(client.ProofKind.Receipt, new Uint8Array(31)), RangeError);
});

test('a refusal says its rule, its sentence and its account', () => {
  const numbers = client as unknown as Record<string, unknown>;
  for (const { number, error, name, message, account } of vectors.refusals) {
    assert.deepEqual(client.readRefusal(number), { error, message, accountIndex: account ?? undefined });
    const constant = `ENERGY_ERROR__${name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}`;
    assert.equal(numbers[constant], error, constant);
  }
  assert.equal(client.readRefusal(6000), undefined, "another program's number");
  assert.equal(client.readRefusal(0), undefined);
});
