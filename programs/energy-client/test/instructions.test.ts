import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AccountRole,
  type AccountMeta,
  createNoopSigner,
  type FixedSizeCodec,
  getAddressCodec,
  getArrayCodec,
  type Instruction,
} from '@solana/kit';
import * as client from '../src/index.ts';
import { address, bytes, hex, idl, key, named, plain, vectors } from './vectors.ts';

// Which function belongs to which instruction is said by its name.
const functions = client as unknown as Record<string, ((...args: any[]) => any) | undefined>;

const roles = { false: { false: AccountRole.READONLY, true: AccountRole.WRITABLE }, true: { false: AccountRole.READONLY_SIGNER, true: AccountRole.WRITABLE_SIGNER } };

function meta([account, signer, writable]: [string, boolean, boolean]): AccountMeta {
  return { address: address(account), role: roles[`${signer}`][`${writable}`] };
}

/** Data and metas of what a builder made, as vectors write them. */
function written({ data, accounts, programAddress }: Required<Instruction>) {
  const metas = accounts.map(({ address, role }) => ({ address, role }));
  return { data: hex(data as Uint8Array), metas, program: key(programAddress) };
}

for (const { program, name, accounts, repeated, args, metas, data } of vectors.instructions) {
  const programAddress = address(program);
  const node = idl.program.instructions.find((node) => node.name === name[0]!.toLowerCase() + name.slice(1))!;
  const expected = { data, metas: metas.map(meta), program };
  const parsed = functions[`parse${name}Instruction`]!({
    programAddress,
    accounts: expected.metas,
    data: bytes(data),
  });

  const given = (wanted: (account: { defaultValue?: unknown }) => boolean) => {
    const one = (signer: boolean, account: string) =>
      signer ? createNoopSigner(address(account)) : address(account);
    const places = named(accounts) as Record<string, string>;
    const lists = named(repeated) as Record<string, string[]>;
    return {
      ...parsed.data,
      ...Object.fromEntries(
        node.accounts.filter(wanted).map(({ name, isSigner }) => [name, one(isSigner, places[name]!)]),
      ),
      ...Object.fromEntries(
        (node.remainingAccounts ?? []).map(({ value, isSigner }) => [
          value.name,
          lists[value.name]!.map((account) => one(isSigner, account)),
        ]),
      ),
    };
  };

  test(`${name} ${data.slice(0, 12)}… at ${programAddress.slice(0, 6)} is read as Rust wrote it`, () => {
    assert.deepEqual(plain(parsed.data), named(args));
    const places = Object.entries(parsed.accounts).map(([name, meta]) => [name, key((meta as AccountMeta).address)]);
    assert.deepEqual(Object.fromEntries(places), named(accounts));
    assert.equal(client.EnergyInstruction[client.identifyEnergyInstruction(bytes(data))], name);
  });

  test(`${name} ${data.slice(0, 12)}… at ${programAddress.slice(0, 6)} is built as Rust builds it`, async () => {
    const config = { programAddress };
    const sync = functions[`get${name}Instruction`]!(given(() => true), config);
    assert.deepEqual(written(sync), expected, 'with every account given');
    const deriving = functions[`get${name}InstructionAsync`];
    if (deriving) {
      const derived = await deriving(given(({ defaultValue }) => defaultValue === undefined), config);
      assert.deepEqual(written(derived), expected, 'with those accounts derived that can be');
    }
  });
}

test('every instruction of the IDL has a vector', () => {
  const names = new Set(vectors.instructions.map(({ name }) => name[0]!.toLowerCase() + name.slice(1)));
  assert.deepEqual([...names].sort(), idl.program.instructions.map(({ name }) => name).sort());
});

test('the value of every section of Config has a codec', () => {
  const codecs: Record<client.ConfigSection, FixedSizeCodec<any>> = {
    [client.ConfigSection.Tariff]: client.getTariffCodec(),
    [client.ConfigSection.Limits]: client.getLimitsCodec(),
    [client.ConfigSection.Oracles]: client.getOracleSetCodec(),
    [client.ConfigSection.Attestors]: getArrayCodec(client.getCappedKeyCodec(), { size: 4 }) as FixedSizeCodec<any>,
    [client.ConfigSection.Custodian]: client.getCappedKeyCodec(),
    [client.ConfigSection.PauseKey]: getAddressCodec(),
    [client.ConfigSection.PendingAdmin]: getAddressCodec(),
    [client.ConfigSection.Caps]: client.getCapsCodec(),
  };
  const seen = new Set<client.ConfigSection>();
  for (const { data } of vectors.instructions.filter(({ name }) => name === 'Configure')) {
    const { section, value } = client.getConfigureInstructionDataDecoder().decode(bytes(data));
    assert.equal(codecs[section].fixedSize, value.length);
    assert.deepEqual(codecs[section].encode(codecs[section].decode(value)), value);
    seen.add(section);
  }
  assert.equal(seen.size, Object.keys(codecs).length);
});
