import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FixedSizeCodec } from '@solana/kit';
import * as client from '../src/index.ts';
import { bytes, hex, idl, named, plain, vectors } from './vectors.ts';

const codecs: Record<string, FixedSizeCodec<any>> = {
  Config: client.getConfigCodec(),
  Household: client.getHouseholdCodec(),
  Offer: client.getOfferCodec(),
  Order: client.getOrderCodec(),
  Marker: client.getMarkerCodec(),
  Evidence: client.getEvidenceCodec(),
};

test('every account of the program is decoded to the values that Rust reads', () => {
  for (const { type, data, fields } of vectors.records) {
    const account = codecs[type]!.decode(bytes(data));
    assert.deepEqual(plain(account), named(fields), type);
    assert.equal(hex(codecs[type]!.encode(account)), data, `${type} is encoded to the same bytes`);
  }
  const types = new Set(vectors.records.map(({ type }) => type.toLowerCase()));
  assert.deepEqual([...types].sort(), idl.program.accounts.map(({ name }) => name).sort());
});

test('an account is known by its first two bytes and its length', () => {
  for (const { type, data } of vectors.records) {
    const account = bytes(data);
    assert.equal(client.EnergyAccount[client.identifyEnergyAccount(account)], type);
    assert.throws(() => client.identifyEnergyAccount(account.subarray(1)), type);
    assert.throws(() => client.identifyEnergyAccount(account.subarray(0, -1)), type);
    const newer = account.with(1, 2);
    assert.throws(() => client.identifyEnergyAccount(newer), `another version of ${type}`);
  }
});
