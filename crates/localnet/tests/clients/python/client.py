"""`solana` and `solders` as anybody uses them: an airdrop, a transfer that is sent and
confirmed, its history, and subscriptions.

    python client.py RPC_URL WEBSOCKET_URL
"""

import asyncio
import sys

from solana.exceptions import SolanaRpcException
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed, Finalized
from solana.rpc.core import RPCException
from solana.rpc.websocket_api import SolanaWsClient
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.rpc.config import RpcTransactionLogsFilterMentions
from solders.rpc.responses import (
    AccountNotification,
    LogsNotification,
    SignatureNotification,
    SlotNotification,
)
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction
from solders.transaction_status import TransactionConfirmationStatus

SOL = 1_000_000_000


async def signed(client: AsyncClient, payer: Keypair, receiver, lamports: int):
    latest = (await client.get_latest_blockhash(Confirmed)).value
    pay = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=receiver, lamports=lamports))
    message = MessageV0.try_compile(payer.pubkey(), [pay], [], latest.blockhash)
    return VersionedTransaction(message, [payer]), latest.last_valid_block_height


async def heard(subscriber: SolanaWsClient, kinds) -> dict:
    """Receives until one notification of every kind has come."""
    found = {}
    while set(found) != set(kinds):
        notification = await asyncio.wait_for(subscriber.recv(), 30)
        found.setdefault(type(notification), notification)
    return found


async def run(rpc_url: str, websocket_url: str) -> None:
    payer, receiver = Keypair(), Keypair().pubkey()
    async with AsyncClient(rpc_url, Confirmed) as client:
        assert await client.is_connected()
        airdrop = (await client.request_airdrop(payer.pubkey(), 10 * SOL)).value
        await client.confirm_transaction(airdrop, Confirmed, sleep_seconds=0.05)
        assert (await client.get_balance(payer.pubkey())).value == 10 * SOL

        async with SolanaWsClient(websocket_url) as subscriber:
            transaction, last_valid = await signed(client, payer, receiver, SOL)
            signature = transaction.signatures[0]
            await subscriber.slot_subscribe()
            await subscriber.account_subscribe(pubkey=receiver, commitment=Confirmed, encoding="base64")
            mentions = RpcTransactionLogsFilterMentions(receiver)
            await subscriber.logs_subscribe(filter_=mentions, commitment=Confirmed)
            watched = await subscriber.signature_subscribe(signature=signature, commitment=Finalized)
            assert (await client.send_transaction(transaction)).value == signature
            kinds = [SlotNotification, AccountNotification, LogsNotification, SignatureNotification]
            told = await heard(subscriber, kinds)
            assert told[AccountNotification].result.value.lamports == SOL
            assert told[LogsNotification].result.value.signature == signature
            assert told[SignatureNotification].result.value.err is None
            assert told[SignatureNotification].subscription == watched.subscription_id

        await client.confirm_transaction(
            signature, Finalized, sleep_seconds=0.05, last_valid_block_height=last_valid
        )
        status = (await client.get_signature_statuses([signature])).value[0]
        assert status.confirmation_status == TransactionConfirmationStatus.Finalized

        fetched = (await client.get_transaction(signature, "json", Finalized, 0)).value
        meta = fetched.transaction.meta
        assert meta.err is None and meta.fee == 5_000
        assert meta.post_balances[1] - meta.pre_balances[1] == SOL
        decoded = (await client.get_transaction(signature, "base64", Finalized, 0)).value
        assert decoded.transaction.transaction == transaction
        parsed = (await client.get_transaction(signature, "jsonParsed", Finalized, 0)).value
        assert parsed.transaction.transaction.message.instructions[0].parsed["type"] == "transfer"
        history = (await client.get_signatures_for_address(receiver, commitment=Finalized)).value
        assert [entry.signature for entry in history] == [signature]

        too_much, _ = await signed(client, payer, receiver, 1_000 * SOL)
        try:
            await client.send_transaction(too_much)
        except (RPCException, SolanaRpcException) as refused:
            assert "custom program error: 0x1" in str(refused)
        else:
            raise AssertionError("a transfer of more than there is was taken")


asyncio.run(run(sys.argv[1], sys.argv[2]))
print("all steps done")
