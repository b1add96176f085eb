//! What bad input gets: the codes and words of Agave, and no more memory.

use crate::support::*;
use serde_json::{Value, json};
use solana_keypair::Keypair;
use solana_signature::Signature;
use solana_signer::Signer as _;

const SYSTEM: &str = "11111111111111111111111111111111";
const TOKEN_2022: &str = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb";
const WHAT: &str = "solana_transaction::versioned::VersionedTransaction";

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_bad_call_gets_agaves_code_and_words() {
    let (chain, ..) = start(config()).await;
    let nobody = Keypair::new_from_array([9; 32]).pubkey().to_string();
    let five = vec![json!({"dataSize": 1}); 5];
    let table: Vec<(&str, Value, i64, String)> = vec![
        ("getLuck", json!([]), -32_601, "Method not found".into()),
        ("blockSubscribe", json!(["all"]), -32_601, "Method not found".into()),
        ("getBalance", json!([]), -32_602, "`params` should have at least 1 argument(s)".into()),
        ("getBalance", json!({"address": SYSTEM}), -32_602, "`params` should be an array".into()),
        (
            "getBalance",
            json!([1]),
            -32_602,
            "Invalid params: invalid type: integer `1`, expected a string.".into(),
        ),
        ("getBalance", json!(["no address"]), -32_602, "Invalid param: Invalid".into()),
        ("getBalance", json!(["1111"]), -32_602, "Invalid param: WrongSize".into()),
        (
            "getBalance",
            json!([SYSTEM, null, null]),
            -32_602,
            "Invalid parameters: Expected from 1 to 2 parameters.".into(),
        ),
        ("getHealth", json!([1]), -32_602, "Invalid parameters: No parameters were expected".into()),
        ("getTransaction", json!(["1111"]), -32_602, "Invalid param: WrongSize".into()),
        (
            "getTransaction",
            json!([Signature::default().to_string(), {"commitment": "processed"}]),
            -32_602,
            "Method does not support commitment below `confirmed`".into(),
        ),
        (
            "getSignaturesForAddress",
            json!([SYSTEM, {"commitment": "processed"}]),
            -32_602,
            "Method does not support commitment below `confirmed`".into(),
        ),
        ("getSignaturesForAddress", json!([SYSTEM, {"limit": 0}]), -32_602, "Invalid limit; max 1000".into()),
        (
            "getSignaturesForAddress",
            json!([SYSTEM, {"limit": 1_001}]),
            -32_602,
            "Invalid limit; max 1000".into(),
        ),
        (
            "getSignatureStatuses",
            json!([vec![Signature::default().to_string(); 257]]),
            -32_602,
            "Too many inputs provided; max 256".into(),
        ),
        (
            "getMultipleAccounts",
            json!([vec![SYSTEM; 101]]),
            -32_602,
            "Too many inputs provided; max 100".into(),
        ),
        (
            "getProgramAccounts",
            json!([SYSTEM, {"filters": five}]),
            -32_602,
            "Too many filters provided; max 4".into(),
        ),
        (
            "getRecentPrioritizationFees",
            json!([vec![SYSTEM; 129]]),
            -32_602,
            "Too many inputs provided; max 128".into(),
        ),
        ("getTokenAccountBalance", json!([nobody]), -32_602, "Invalid param: could not find account".into()),
        ("getTokenAccountBalance", json!([TOKEN_2022]), -32_602, "Invalid param: not a Token account".into()),
        ("getTokenSupply", json!([nobody]), -32_602, "Invalid param: could not find account".into()),
        ("getTokenSupply", json!([TOKEN_2022]), -32_602, "Invalid param: not a Token mint".into()),
        (
            "getTokenAccountsByOwner",
            json!([SYSTEM, {"mint": nobody}]),
            -32_602,
            "Invalid param: could not find mint".into(),
        ),
        (
            "getTokenAccountsByOwner",
            json!([SYSTEM, {"mint": TOKEN_2022}]),
            -32_602,
            "Invalid param: not a Token mint".into(),
        ),
        (
            "getTokenAccountsByOwner",
            json!([SYSTEM, {"programId": SYSTEM}]),
            -32_602,
            "Invalid param: unrecognized Token program id".into(),
        ),
        (
            "sendTransaction",
            json!(["!!!", {"encoding": "base64"}]),
            -32_602,
            "invalid base64 encoding: InvalidByte(0, 33)".into(),
        ),
        (
            "sendTransaction",
            json!(["0"]),
            -32_602,
            "invalid base58 encoding: InvalidCharacter { character: '0', index: 0 }".into(),
        ),
        (
            "sendTransaction",
            json!(["AAAA", {"encoding": "jsonParsed"}]),
            -32_602,
            "unsupported encoding: jsonParsed. Supported encodings: base58, base64".into(),
        ),
        (
            "sendTransaction",
            json!(["A".repeat(1_648), {"encoding": "base64"}]),
            -32_602,
            format!("base64 encoded {WHAT} too large: 1648 bytes (max: encoded/raw 1644/1232)"),
        ),
        (
            "sendTransaction",
            json!(["A".repeat(6_000), {"encoding": "base64"}]),
            -32_602,
            format!("base64 encoded {WHAT} too large: 6000 bytes (max: encoded/raw 5464/4096)"),
        ),
        ("getBlockTime", json!([1_000_000]), -32_004, "Block not available for slot 1000000".into()),
        ("getBlock", json!([1_000_000]), -32_004, "Block not available for slot 1000000".into()),
        (
            "getSlot",
            json!([{"minContextSlot": 1_000_000}]),
            -32_016,
            "Minimum context slot has not been reached".into(),
        ),
        (
            "getAccountInfo",
            json!([SYSTEM, {"minContextSlot": 1_000_000}]),
            -32_016,
            "Minimum context slot has not been reached".into(),
        ),
    ];
    for (method, params, code, message) in table {
        let answer = call(&chain, method, params.clone()).await;
        assert_eq!(answer["error"]["code"], code, "{method} {params}: {answer}");
        assert_eq!(answer["error"]["message"], message, "{method} {params}");
        assert_eq!((&answer["id"], &answer["jsonrpc"]), (&json!(7), &json!("2.0")));
        assert!(answer.get("result").is_none());
    }
    let behind = call(&chain, "getSlot", json!([{"minContextSlot": 1_000_000}])).await;
    assert!(behind["error"]["data"]["contextSlot"].as_u64().is_some_and(|slot| slot < 1_000));
    let unreadable = call(&chain, "sendTransaction", json!(["AAAA", {"encoding": "base64"}])).await;
    assert_eq!(unreadable["error"]["code"], -32_602);
    let message = unreadable["error"]["message"].as_str().unwrap();
    assert!(message.starts_with(&format!("failed to deserialize {WHAT}: ")), "{message}");
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_call_gets_json_rpcs_errors() {
    let (chain, ..) = start(config()).await;
    let failed = |code: i64, message: &str, id: Value| json!({"jsonrpc":"2.0","error":{"code":code,"message":message},"id":id});
    let table = [
        ("{", failed(-32_700, "Parse error", Value::Null)),
        ("[1]", failed(-32_700, "Parse error", Value::Null)),
        (r#"{"jsonrpc":"1.0","id":1,"method":"getSlot"}"#, failed(-32_600, "Invalid request", json!(1))),
        (
            r#"{"id":1,"method":"getSlot"}"#,
            failed(-32_600, "Unsupported JSON-RPC protocol version", json!(1)),
        ),
        (r#"{"jsonrpc":"2.0","id":"a"}"#, failed(-32_600, "Invalid request", json!("a"))),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"getSlot","extra":1}"#,
            failed(-32_600, "Invalid request", json!(1)),
        ),
    ];
    for (body, expected) in table {
        assert_eq!(raw(&chain, body).await, expected, "{body}");
    }
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_simulation_is_told_as_agave_tells_it() {
    let (chain, client, _) = start(config()).await;
    let (from, to) = (funded(&client, 1).await, Keypair::new_from_array([2; 32]));
    let transaction = transfer(&client, &from, &to, 2 * SOL).await;
    let bytes = wincode::serialize(&transaction).unwrap();
    let text = bs58::encode(bytes).into_string();
    let answer = call(&chain, "sendTransaction", json!([text])).await;
    let logs = [
        format!("Program {SYSTEM} invoke [1]"),
        "Transfer: insufficient lamports 999995000, need 2000000000".to_owned(),
        format!("Program {SYSTEM} failed: custom program error: 0x1"),
    ];
    let expected = json!({
        "code": -32_002,
        "message": "Transaction simulation failed: Error processing Instruction 0: custom program error: 0x1",
        "data": {
            "err": {"InstructionError": [0, {"Custom": 1}]},
            "logs": logs,
            "accounts": null,
            "unitsConsumed": 150,
            "loadedAccountsDataSize": answer["error"]["data"]["loadedAccountsDataSize"],
            "returnData": null,
            "innerInstructions": null,
            "replacementBlockhash": null,
            "fee": null,
            "preBalances": null,
            "postBalances": null,
            "preTokenBalances": null,
            "postTokenBalances": null,
            "loadedAddresses": null,
        },
    });
    assert_eq!(answer["error"], expected);

    let mut forged = transaction.clone();
    forged.signatures[0] = Signature::from([1; 64]);
    let text = bs58::encode(wincode::serialize(&forged).unwrap()).into_string();
    let answer = call(&chain, "sendTransaction", json!([text])).await;
    assert_eq!(
        answer["error"],
        json!({"code": -32_003, "message": "Transaction signature verification failure"})
    );
    // Without preflight a node forwards what it does not look at.
    let answer = call(&chain, "sendTransaction", json!([text, {"skipPreflight": true}])).await;
    assert_eq!(answer["result"], Signature::from([1; 64]).to_string());
    assert_eq!(client.get_balance(&to.pubkey()).await.unwrap(), 0);

    chain.faults().set_behind(Some(42));
    let unhealthy =
        json!({"code": -32_005, "message": "Node is behind by 42 slots", "data": {"numSlotsBehind": 42}});
    assert_eq!(call(&chain, "getHealth", json!([])).await["error"], unhealthy);
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_answered_in_order_and_bounded() {
    let (chain, ..) = start(config()).await;
    let one = |id: u64, method: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}"}}"#);
    let answers = raw(&chain, format!("[{},{}]", one(1, "getHealth"), one(2, "getLuck"))).await;
    assert_eq!((&answers[0]["result"], &answers[0]["id"]), (&json!("ok"), &json!(1)));
    assert_eq!((&answers[1]["error"]["code"], &answers[1]["id"]), (&json!(-32_601), &json!(2)));
    let many = |count: u64| {
        let calls: Vec<String> = (0..count).map(|id| one(id, "getHealth")).collect();
        format!("[{}]", calls.join(","))
    };
    assert_eq!(raw(&chain, many(256)).await.as_array().unwrap().len(), 256);
    assert_eq!(raw(&chain, many(257)).await["error"]["code"], -32_600);
    // A notification is answered with silence.
    let body = r#"{"jsonrpc":"2.0","method":"getHealth"}"#;
    let silent =
        reqwest::Client::new().post(&chain.rpc_url).header("content-type", "application/json").body(body);
    assert_eq!(silent.send().await.unwrap().text().await.unwrap(), "");
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_bounded_and_must_say_that_they_are_json() {
    let (chain, ..) = start(config()).await;
    let client = reqwest::Client::new();
    let large =
        client.post(&chain.rpc_url).header("content-type", "application/json").body(" ".repeat(51 * 1024));
    assert_eq!(large.send().await.unwrap().status(), 413);
    let plain = client.post(&chain.rpc_url).header("content-type", "text/plain").body("{}");
    assert_eq!(plain.send().await.unwrap().status(), 415);
    let health = client.get(format!("{}/health", chain.rpc_url)).send().await.unwrap();
    assert_eq!(health.text().await.unwrap(), "ok");
    let preflight = client
        .request(reqwest::Method::OPTIONS, &chain.rpc_url)
        .header("origin", "https://explorer.solana.com")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    let allowed = preflight.send().await.unwrap();
    assert_eq!(allowed.headers()["access-control-allow-origin"], "*");
    chain.stop().await;
}
