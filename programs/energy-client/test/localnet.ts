/** An embedded chain of its own for a test: `jirani localnet` on a free port. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Address,
  appendTransactionMessageInstructions,
  createKeyPairSignerFromPrivateKeyBytes,
  createSolanaRpc,
  createTransactionMessage,
  getBase64EncodedWireTransaction,
  getSignatureFromTransaction,
  type Instruction,
  type KeyPairSigner,
  lamports,
  pipe,
  type Rpc,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  type Signature,
  signTransactionMessageWithSigners,
  type SolanaRpcApi,
} from '@solana/kit';

/** The deployment's root secret; keys follow from it as in the data folder of any deployment. */
const ROOT = Buffer.alloc(32, 7);

export class LocalChain {
  private constructor(
    readonly rpc: Rpc<SolanaRpcApi>,
    /** The program's upgrade authority. */
    readonly upgradeAuthority: KeyPairSigner,
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start(binary: string): Promise<LocalChain> {
    const folder = await mkdtemp(join(tmpdir(), 'jirani-localnet-'));
    await mkdir(join(folder, 'keys'));
    await writeFile(join(folder, 'keys/root.key'), `${ROOT.toString('hex')}\n`, { mode: 0o600 });
    const seed = digest('jirani secret', ROOT, 'chain keys');
    const key = digest('jirani chain key', seed, 'upgrade_authority');
    const process = spawn(binary, ['localnet', '--listen', '127.0.0.1:0', '--data-dir', folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: process.stdout! })) {
      const url = /^Chain RPC\s+(\S+)/.exec(line)?.[1];
      if (url) {
        const authority = await createKeyPairSignerFromPrivateKeyBytes(key);
        return new LocalChain(createSolanaRpc(url), authority, process, folder);
      }
    }
    throw new Error('jirani localnet ended before it said where it listens');
  }

  async fund(account: Address, amount: bigint): Promise<void> {
    await this.confirmed(await this.rpc.requestAirdrop(account, lamports(amount)).send());
  }

  /** Signs, sends and waits; fails with the node's error when the program refuses. */
  async send(payer: KeyPairSigner, ...instructions: Instruction[]): Promise<Signature> {
    const { value: blockhash } = await this.rpc.getLatestBlockhash({ commitment: 'confirmed' }).send();
    const transaction = await pipe(
      createTransactionMessage({ version: 0 }),
      (message) => setTransactionMessageFeePayerSigner(payer, message),
      (message) => setTransactionMessageLifetimeUsingBlockhash(blockhash, message),
      (message) => appendTransactionMessageInstructions(instructions, message),
      (message) => signTransactionMessageWithSigners(message),
    );
    await this.rpc
      .sendTransaction(getBase64EncodedWireTransaction(transaction), {
        encoding: 'base64',
        preflightCommitment: 'confirmed',
      })
      .send();
    const signature = getSignatureFromTransaction(transaction);
    await this.confirmed(signature);
    return signature;
  }

  async stop(): Promise<void> {
    if (this.process.exitCode === null) {
      this.process.kill('SIGINT');
      await once(this.process, 'exit');
    }
    await rm(this.folder, { recursive: true });
  }

  private async confirmed(signature: Signature): Promise<void> {
    for (;;) {
      const [status] = (await this.rpc.getSignatureStatuses([signature]).send()).value;
      if (status?.err) throw new Error(`${signature} failed: ${JSON.stringify(status.err, bigint)}`);
      if (status && status.confirmationStatus !== 'processed') return;
      await pause(20);
    }
  }
}

function digest(...parts: (string | Uint8Array)[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function bigint(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
