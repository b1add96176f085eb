// `@solana/kit` as anybody uses it: an airdrop, a transfer that is sent and confirmed
// over WebSocket, a Token-2022 account that is read parsed, a subscription.
//
// node client.mjs RPC_URL WEBSOCKET_URL

import assert from 'node:assert/strict';
import {
  AccountRole,
  address,
  airdropFactory,
  appendTransactionMessageInstructions,
  assertIsTransactionWithBlockhashLifetime,
  createSolanaRpc,
  createSolanaRpcSubscriptions,
  createTransactionMessage,
  generateKeyPairSigner,
  getAddressEncoder,
  getBase64EncodedWireTransaction,
  getSignatureFromTransaction,
  getU64Encoder,
  isSolanaError,
  lamports,
  pipe,
  sendAndConfirmTransactionFactory,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
  SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
} from '@solana/kit';

const [rpcUrl, websocketUrl] = process.argv.slice(2);
const rpc = createSolanaRpc(rpcUrl);
const rpcSubscriptions = createSolanaRpcSubscriptions(websocketUrl);
const sendAndConfirm = sendAndConfirmTransactionFactory({ rpc, rpcSubscriptions });
const airdrop = airdropFactory({ rpc, rpcSubscriptions });

const SYSTEM = address('11111111111111111111111111111111');
const TOKEN_2022 = address('TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb');
const SOL = 1_000_000_000n;

const u64 = (value) => getU64Encoder().encode(value);
const key = (value) => getAddressEncoder().encode(value);
const bytes = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));

function transfer(from, to, amount) {
  return {
    programAddress: SYSTEM,
    accounts: [
      { address: from.address, role: AccountRole.WRITABLE_SIGNER, signer: from },
      { address: to, role: AccountRole.WRITABLE },
    ],
    data: bytes([2, 0, 0, 0], u64(amount)),
  };
}

function createAccount(payer, account, balance, space) {
  return {
    programAddress: SYSTEM,
    accounts: [
      { address: payer.address, role: AccountRole.WRITABLE_SIGNER, signer: payer },
      { address: account.address, role: AccountRole.WRITABLE_SIGNER, signer: account },
    ],
    data: bytes([0, 0, 0, 0], u64(balance), u64(space), key(TOKEN_2022)),
  };
}

function token(data, ...accounts) {
  return { programAddress: TOKEN_2022, accounts, data };
}

async function signed(payer, instructions) {
  const { value: latest } = await rpc.getLatestBlockhash({ commitment: 'confirmed' }).send();
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (message) => setTransactionMessageFeePayerSigner(payer, message),
    (message) => setTransactionMessageLifetimeUsingBlockhash(latest, message),
    (message) => appendTransactionMessageInstructions(instructions, message),
  );
  const transaction = await signTransactionMessageWithSigners(message);
  assertIsTransactionWithBlockhashLifetime(transaction);
  return transaction;
}

async function confirmed(payer, instructions, commitment = 'confirmed') {
  const transaction = await signed(payer, instructions);
  await sendAndConfirm(transaction, { commitment });
  return getSignatureFromTransaction(transaction);
}

const payer = await generateKeyPairSigner();
const receiver = await generateKeyPairSigner();
await airdrop({ recipientAddress: payer.address, lamports: lamports(10n * SOL), commitment: 'confirmed' });
const funded = await rpc.getBalance(payer.address, { commitment: 'confirmed' }).send();
assert.equal(funded.value, 10n * SOL);

// A subscription, opened before what it is told.
const abort = new AbortController();
const changes = await rpcSubscriptions
  .accountNotifications(receiver.address, { commitment: 'confirmed', encoding: 'base64' })
  .subscribe({ abortSignal: abort.signal });
const change = changes[Symbol.asyncIterator]().next();

const signature = await confirmed(payer, [transfer(payer, receiver.address, SOL)], 'finalized');
assert.equal((await rpc.getBalance(receiver.address).send()).value, SOL);
assert.equal((await change).value.value.lamports, SOL);
abort.abort();

const told = await rpc
  .getTransaction(signature, { encoding: 'jsonParsed', maxSupportedTransactionVersion: 0 })
  .send();
assert.equal(told.meta.err, null);
assert.equal(told.transaction.message.instructions[0].parsed.type, 'transfer');
const history = await rpc.getSignaturesForAddress(receiver.address, { limit: 10 }).send();
assert.deepEqual(history.map((entry) => entry.signature), [signature]);

// A mint and a token account of it, made with 2,500 atoms.
const mint = await generateKeyPairSigner();
const account = await generateKeyPairSigner();
const rent = (space) => rpc.getMinimumBalanceForRentExemption(space).send();
await confirmed(payer, [
  createAccount(payer, mint, await rent(82n), 82n),
  token(bytes([20, 3], key(payer.address), [0]), { address: mint.address, role: AccountRole.WRITABLE }),
  createAccount(payer, account, await rent(165n), 165n),
  token(
    bytes([18], key(payer.address)),
    { address: account.address, role: AccountRole.WRITABLE },
    { address: mint.address, role: AccountRole.READONLY },
  ),
  token(
    bytes([7], u64(2_500n)),
    { address: mint.address, role: AccountRole.WRITABLE },
    { address: account.address, role: AccountRole.WRITABLE },
    { address: payer.address, role: AccountRole.READONLY_SIGNER, signer: payer },
  ),
]);
const owned = await rpc
  .getTokenAccountsByOwner(
    payer.address,
    { mint: mint.address },
    { encoding: 'jsonParsed', commitment: 'confirmed' },
  )
  .send();
assert.equal(owned.value.length, 1);
assert.equal(owned.value[0].pubkey, account.address);
assert.equal(owned.value[0].account.data.parsed.info.tokenAmount.uiAmountString, '2.5');
const held = await rpc.getTokenAccountBalance(account.address, { commitment: 'confirmed' }).send();
assert.equal(held.value.amount, '2500');

// A failure arrives as the error that kit knows.
const tooMuch = await signed(payer, [transfer(payer, receiver.address, 1_000n * SOL)]);
await assert.rejects(
  rpc
    .sendTransaction(getBase64EncodedWireTransaction(tooMuch), {
      encoding: 'base64',
      preflightCommitment: 'confirmed',
    })
    .send(),
  (error) => isSolanaError(error, SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE),
);

console.log('all steps done');
process.exit(0);
