import { type EnergyError, getEnergyErrorMessage } from './generated/index.gen.ts';

/** Why the program refused, and which account of the instruction it was about. */
export interface Refusal {
  /** One of the `ENERGY_ERROR__…` numbers. */
  error: EnergyError;
  /** A sentence a person can act on. */
  message: string;
  /** The account's place in the instruction, from 0, when one is to blame. */
  accountIndex: number | undefined;
}

/** The refusal of a `custom program error` number; `undefined` when it is not the program's. */
export function readRefusal(number: number): Refusal | undefined {
  const error = (number & 0xffff) as EnergyError;
  const message: string | undefined = getEnergyErrorMessage(error);
  if (message === undefined) return undefined;
  const place = number >>> 16;
  return { error, message, accountIndex: place === 0 ? undefined : place - 1 };
}
