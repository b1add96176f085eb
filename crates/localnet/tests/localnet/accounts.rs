//! Reading accounts, tokens among them, in every encoding; and the kinds of
//! transactions that make them.

use crate::support::*;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use solana_address::Address;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::{AddressLookupTableAccount, VersionedMessage, v0, v1};
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::config::RpcTransactionConfig;
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;

const TOKEN_2022: Address = Address::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");
const TABLES: Address = Address::from_str_const("AddressLookupTab1e1111111111111111111111111");

async fn send(client: &RpcClient, signers: &[&Keypair], instructions: &[Instruction]) -> Signature {
    let blockhash = client.get_latest_blockhash().await.unwrap();
    let payer = signers[0].pubkey();
    let message = v0::Message::try_compile(&payer, instructions, &[], blockhash).unwrap();
    let transaction = VersionedTransaction::try_new(VersionedMessage::V0(message), signers).unwrap();
    client.send_transaction(&transaction).await.unwrap()
}

fn token(data: Vec<u8>, accounts: &[(Address, bool, bool)]) -> Instruction {
    let accounts = accounts
        .iter()
        .map(|(pubkey, is_signer, is_writable)| AccountMeta {
            pubkey: *pubkey,
            is_signer: *is_signer,
            is_writable: *is_writable,
        })
        .collect();
    Instruction { program_id: TOKEN_2022, accounts, data }
}

/// A mint with three decimals that can be paused, and an account with 1,500 atoms.
async fn mint_some(client: &RpcClient, payer: &Keypair) -> (Address, Address) {
    let (mint, account) = (Keypair::new_from_array([21; 32]), Keypair::new_from_array([22; 32]));
    let create = |key: &Keypair, length: u64| {
        solana_system_interface::instruction::create_account(
            &payer.pubkey(),
            &key.pubkey(),
            10_000_000,
            length,
            &TOKEN_2022,
        )
    };
    let owner = payer.pubkey().to_bytes();
    let (m, a, p) = (mint.pubkey(), account.pubkey(), payer.pubkey());
    // Base of an account, kind, and one extension of 33 bytes.
    let pausable = token([&[44, 0], &owner[..]].concat(), &[(m, false, true)]);
    let initialise = token([&[20, 3], &owner[..], &[0]].concat(), &[(m, false, true)]);
    // Base, kind, and the mark that the mint can be paused.
    let open = token([&[18], &owner[..]].concat(), &[(a, false, true), (m, false, false)]);
    let amount = 1_500u64.to_le_bytes();
    let issue = token([&[7], &amount[..]].concat(), &[(m, false, true), (a, false, true), (p, true, false)]);
    send(client, &[payer, &mint], &[create(&mint, 165 + 1 + 4 + 33), pausable, initialise]).await;
    send(client, &[payer, &account], &[create(&account, 165 + 1 + 4), open, issue]).await;
    (m, a)
}

#[tokio::test(flavor = "multi_thread")]
async fn token_accounts_are_parsed_as_agave_parses_them() {
    let (chain, client, _) = start(config()).await;
    let payer = funded(&client, 1).await;
    let (mint, account) = mint_some(&client, &payer).await;
    let owner = payer.pubkey().to_string();

    let parsed = json!({"encoding": "jsonParsed"});
    let shown = call(&chain, "getAccountInfo", json!([account.to_string(), parsed])).await;
    let data = &shown["result"]["value"]["data"];
    assert_eq!((&data["program"], &data["space"]), (&json!("spl-token-2022"), &json!(170)));
    let info = &data["parsed"]["info"];
    assert_eq!(data["parsed"]["type"], "account");
    assert_eq!((&info["mint"], &info["owner"]), (&json!(mint.to_string()), &json!(owner)));
    let amount = json!({"amount": "1500", "decimals": 3, "uiAmount": 1.5, "uiAmountString": "1.5"});
    assert_eq!(info["tokenAmount"], amount);
    assert_eq!(info["extensions"], json!([{"extension": "pausableAccount"}]));

    let shown = call(&chain, "getAccountInfo", json!([mint.to_string(), parsed])).await;
    let info = &shown["result"]["value"]["data"]["parsed"]["info"];
    assert_eq!((&info["supply"], &info["decimals"]), (&json!("1500"), &json!(3)));
    let pausable = json!([{"extension": "pausableConfig", "state": {"authority": owner, "paused": false}}]);
    assert_eq!(info["extensions"], pausable);

    let held = call(&chain, "getTokenAccountBalance", json!([account.to_string()])).await;
    assert_eq!(held["result"]["value"], amount);
    let supply = call(&chain, "getTokenSupply", json!([mint.to_string()])).await;
    assert_eq!(supply["result"]["value"], amount);
    for filter in [json!({"mint": mint.to_string()}), json!({"programId": TOKEN_2022.to_string()})] {
        let owned = call(&chain, "getTokenAccountsByOwner", json!([owner, filter, parsed])).await;
        let found = owned["result"]["value"].as_array().unwrap();
        assert_eq!((found.len(), &found[0]["pubkey"]), (1, &json!(account.to_string())), "{filter}");
    }
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_filtered_sliced_and_encoded() {
    let (chain, client, _) = start(config()).await;
    let payer = funded(&client, 1).await;
    let (mint, account) = mint_some(&client, &payer).await;
    let found = async |filters: Value| {
        let config = json!({"encoding": "base64", "filters": filters});
        let answer = call(&chain, "getProgramAccounts", json!([TOKEN_2022.to_string(), config])).await;
        let found = answer["result"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
        found.iter().map(|keyed| keyed["pubkey"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found(json!([{"dataSize": 170}])).await, [account.to_string()]);
    assert_eq!(found(json!(["tokenAccountState"])).await, [account.to_string()]);
    let of_mint = json!([{"memcmp": {"offset": 0, "bytes": mint.to_string()}}]);
    assert_eq!(found(of_mint).await, [account.to_string()]);
    let in_base64 = json!([{"memcmp": {"offset": 64, "bytes": BASE64_STANDARD.encode(1_500u64.to_le_bytes()), "encoding": "base64"}}]);
    assert_eq!(found(in_base64).await, [account.to_string()]);
    assert_eq!(found(json!([{"dataSize": 171}])).await, Vec::<String>::new());

    let data = async |config: Value| {
        let answer = call(&chain, "getAccountInfo", json!([account.to_string(), config])).await;
        answer["result"]["value"]["data"].clone()
    };
    let slice = json!({"offset": 64, "length": 8});
    let bytes = 1_500u64.to_le_bytes();
    let base64 = BASE64_STANDARD.encode(bytes);
    let base58 = bs58::encode(bytes).into_string();
    assert_eq!(data(json!({"encoding": "base64", "dataSlice": slice})).await, json!([base64, "base64"]));
    assert_eq!(data(json!({"encoding": "base58", "dataSlice": slice})).await, json!([base58, "base58"]));
    assert_eq!(data(json!({"dataSlice": slice})).await, json!(base58));
    let compressed = data(json!({"encoding": "base64+zstd"})).await;
    assert_eq!(compressed[1], "base64+zstd");
    let frame = BASE64_STANDARD.decode(compressed[0].as_str().unwrap()).unwrap();
    assert_eq!(frame[..4], [0x28, 0xb5, 0x2f, 0xfd], "a zstd frame");
    let whole = call(&chain, "getAccountInfo", json!([account.to_string(), {"encoding": "base58"}])).await;
    assert_eq!(
        whole["error"],
        json!({"code": -32_600, "message": "Encoded binary (base 58) data should be less than 128 bytes, please use Base64 encoding."})
    );
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_tells_balances_tokens_inner_instructions_and_logs() {
    let (chain, client, _) = start(config()).await;
    let payer = funded(&client, 1).await;
    let (mint, account) = mint_some(&client, &payer).await;
    let amount = 500u64.to_le_bytes();
    let burn = token(
        [&[8], &amount[..]].concat(),
        &[(account, false, true), (mint, false, true), (payer.pubkey(), true, false)],
    );
    let signature = send(&client, &[&payer], &[burn]).await.to_string();
    let told = async |encoding: &str| {
        let config = json!({"encoding": encoding, "maxSupportedTransactionVersion": 0});
        call(&chain, "getTransaction", json!([signature, config])).await["result"].clone()
    };
    let whole = told("json").await;
    let meta = &whole["meta"];
    let balance = |amount: &str, shown: f64, text: &str| {
        json!([{
            "accountIndex": 1,
            "mint": mint.to_string(),
            "owner": payer.pubkey().to_string(),
            "programId": TOKEN_2022.to_string(),
            "uiTokenAmount": {"amount": amount, "decimals": 3, "uiAmount": shown, "uiAmountString": text},
        }])
    };
    let keys = whole["transaction"]["message"]["accountKeys"].as_array().unwrap();
    let index = keys.iter().position(|key| *key == account.to_string()).unwrap();
    let (mut before, mut after) = (balance("1500", 1.5, "1.5"), balance("1000", 1.0, "1"));
    before[0]["accountIndex"] = json!(index);
    after[0]["accountIndex"] = json!(index);
    assert_eq!((&meta["preTokenBalances"], &meta["postTokenBalances"]), (&before, &after));
    let lamports = |list: &Value| list[0].as_u64().unwrap();
    assert_eq!(lamports(&meta["preBalances"]) - lamports(&meta["postBalances"]), 5_000);
    assert_eq!((&meta["err"], &meta["status"]), (&Value::Null, &json!({"Ok": null})));
    assert_eq!(whole["version"], 0);
    let logs = meta["logMessages"].as_array().unwrap();
    assert_eq!(logs[0], format!("Program {TOKEN_2022} invoke [1]"));

    let parsed = told("jsonParsed").await;
    let instruction = &parsed["transaction"]["message"]["instructions"][0];
    assert_eq!(
        (&instruction["program"], &instruction["parsed"]["type"]),
        (&json!("spl-token"), &json!("burn"))
    );
    assert_eq!(instruction["parsed"]["info"]["amount"], "500");
    assert_eq!(parsed["transaction"]["message"]["accountKeys"][0]["signer"], true);

    let versionless = call(&chain, "getTransaction", json!([signature])).await;
    assert_eq!(versionless["error"]["code"], -32_015);
    assert!(
        versionless["error"]["message"]
            .as_str()
            .unwrap()
            .contains("Transaction version (0) is not supported")
    );
    let slot = whole["slot"].as_u64().unwrap();
    let block = call(&chain, "getBlock", json!([slot, {"transactionDetails": "signatures"}])).await;
    assert!(block["result"]["signatures"].as_array().unwrap().contains(&json!(signature)));
    assert_eq!(call(&chain, "getBlockTime", json!([slot])).await["result"], NOON);
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lookup_tables_and_version_1_work() {
    let (chain, client, clock) =
        start(jirani_localnet::LocalnetConfig { pace: jirani_localnet::SlotPace::Clock, ..config() }).await;
    let payer = funded(&client, 1).await;
    let to = Keypair::new_from_array([2; 32]).pubkey();
    let slot = client.get_slot().await.unwrap();
    clock.pass_slots(1);
    let (table, bump) =
        Address::find_program_address(&[payer.pubkey().as_ref(), &slot.to_le_bytes()], &TABLES);
    let system = Address::default();
    let on_table = |data: Vec<u8>| Instruction {
        program_id: TABLES,
        accounts: vec![
            AccountMeta::new(table, false),
            AccountMeta::new_readonly(payer.pubkey(), true),
            AccountMeta::new(payer.pubkey(), true),
            AccountMeta::new_readonly(system, false),
        ],
        data,
    };
    let create = on_table([&0u32.to_le_bytes()[..], &slot.to_le_bytes(), &[bump]].concat());
    let extend = on_table([&2u32.to_le_bytes()[..], &1u64.to_le_bytes(), to.as_ref()].concat());
    let slot_hashes = call(
        &chain,
        "getAccountInfo",
        json!(["SysvarS1otHashes111111111111111111111111111", {"encoding": "base64"}]),
    )
    .await;
    assert_ne!(slot_hashes["result"]["value"], Value::Null);
    send(&client, &[&payer], &[create, extend]).await;
    clock.pass_slots(1);

    let pay = |lamports| solana_system_interface::instruction::transfer(&payer.pubkey(), &to, lamports);
    let blockhash = client.get_latest_blockhash().await.unwrap();
    let tables = [AddressLookupTableAccount { key: table, addresses: vec![to] }];
    let message = v0::Message::try_compile(&payer.pubkey(), &[pay(1_000_000)], &tables, blockhash).unwrap();
    assert_eq!(message.address_table_lookups.len(), 1);
    let transaction = VersionedTransaction::try_new(VersionedMessage::V0(message), &[&payer]).unwrap();
    let signature = client.send_transaction(&transaction).await.unwrap();
    assert_eq!(client.get_balance(&to).await.unwrap(), 1_000_000);
    let told =
        call(&chain, "getTransaction", json!([signature.to_string(), {"maxSupportedTransactionVersion": 0}]))
            .await;
    assert_eq!(
        told["result"]["meta"]["loadedAddresses"],
        json!({"writable": [to.to_string()], "readonly": []})
    );
    let mentions = client.get_signatures_for_address(&to).await.unwrap();
    assert_eq!(mentions[0].signature, signature.to_string(), "an address from a table is indexed, too");

    let limits = v1::TransactionConfig::empty()
        .with_compute_unit_limit(1_000)
        .with_loaded_accounts_data_size_limit(1 << 20);
    let message =
        v1::Message::try_compile_with_config(&payer.pubkey(), &[pay(2_000_000)], blockhash, limits).unwrap();
    let transaction = VersionedTransaction::try_new(VersionedMessage::V1(message), &[&payer]).unwrap();
    let signature = client.send_transaction(&transaction).await.unwrap();
    assert_eq!(client.get_balance(&to).await.unwrap(), 3_000_000);
    let config = RpcTransactionConfig { max_supported_transaction_version: Some(1), ..Default::default() };
    let told = client.get_transaction_with_config(&signature, config).await.unwrap();
    assert_eq!(told.transaction.meta.unwrap().fee, 5_000);
    chain.stop().await;
}
