import {
  type Address,
  createAddressWithSeed,
  getBase64Decoder,
  type ReadonlyUint8Array,
} from '@solana/kit';
import { ENERGY_PROGRAM_ADDRESS, findConfigPda, ProofKind } from './generated/index.gen.ts';

/**
 * The seed of a proof's marker: `R` for a receipt or `T` for a ledger transfer, then
 * the first 186 bits of the proof in URL-safe base 64.
 */
export function markerSeed(kind: ProofKind, proof: ReadonlyUint8Array): string {
  if (proof.length !== 32) throw new RangeError(`A proof has 32 bytes, not ${proof.length}.`);
  const text = getBase64Decoder().decode(proof).replaceAll('+', '-').replaceAll('/', '_');
  return (kind === ProofKind.Receipt ? 'R' : 'T') + text.slice(0, 31);
}

/** The address of the account that marks a proof as used. */
export async function findMarkerAddress(
  proof: { kind: ProofKind; proof: ReadonlyUint8Array },
  config: { programAddress?: Address } = {},
): Promise<Address> {
  const { programAddress = ENERGY_PROGRAM_ADDRESS } = config;
  const [baseAddress] = await findConfigPda({ programAddress });
  return createAddressWithSeed({ baseAddress, programAddress, seed: markerSeed(proof.kind, proof.proof) });
}
