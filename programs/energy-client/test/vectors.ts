/** The golden vectors that the Rust interface writes, and how to compare with them. */

import { readFileSync } from 'node:fs';
import { type Address, getAddressDecoder, getAddressEncoder, getBase16Decoder, getBase16Encoder } from '@solana/kit';

/** Numbers as decimal text, bytes and addresses as hexadecimal text. */
export type Plain = string | Plain[] | { [name: string]: Plain };

export interface Vectors {
  records: { type: string; data: string; fields: Plain }[];
  instructions: {
    program: string;
    name: string;
    accounts: Record<string, string>;
    repeated: Record<string, string[]>;
    args: Plain;
    metas: [string, boolean, boolean][];
    data: string;
  }[];
  addresses: Record<string, string>[];
  markers: { program: string; kind: string; proof: string; seed: string; address: string }[];
  refusals: { number: number; error: number; name: string; message: string; account: number | null }[];
}

export interface Idl {
  program: {
    accounts: { name: string }[];
    instructions: {
      name: string;
      accounts: { name: string; isSigner: boolean; defaultValue?: unknown }[];
      remainingAccounts?: { value: { name: string }; isSigner: boolean }[];
    }[];
  };
}

export const vectors: Vectors = JSON.parse(readFileSync('test/vectors.json', 'utf8'));
export const idl: Idl = JSON.parse(readFileSync('../energy/idl/energy.json', 'utf8'));

export const bytes = (hex: string) => new Uint8Array(getBase16Encoder().encode(hex));
export const hex = (data: ArrayLike<number>) => getBase16Decoder().decode(Uint8Array.from(data));
export const address = (key: string): Address => getAddressDecoder().decode(bytes(key));
export const key = (value: Address) => hex(getAddressEncoder().encode(value));

const camel = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** A vector's value with the names that TypeScript uses. */
export function named(value: Plain): Plain {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(named);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [camel(name), named(item)]));
}

/** What a decoder gave, written as vectors are. */
export function plain(value: unknown): Plain {
  switch (typeof value) {
    case 'number':
    case 'bigint':
      return value.toString();
    case 'boolean':
      return value ? '1' : '0';
    case 'string':
      return key(value as Address);
    default:
      if (value instanceof Uint8Array) return hex(value);
      if (Array.isArray(value)) return value.map(plain);
      return Object.fromEntries(Object.entries(value as object).map(([name, item]) => [name, plain(item)]));
  }
}
