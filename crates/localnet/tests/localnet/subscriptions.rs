//! What subscribers are told, in Agave's words.

use crate::support::*;
use jirani_localnet::{LocalnetConfig, SlotPace};
use serde_json::{Value, json};
use solana_keypair::Keypair;
use solana_signer::Signer as _;

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_is_told_once_and_its_subscription_ends() {
    let (chain, client, _) = start(config()).await;
    let (from, to) = (funded(&client, 1).await, Keypair::new_from_array([2; 32]));
    let transaction = transfer(&client, &from, &to, 1_000_000).await;
    let signature = transaction.signatures[0].to_string();
    let mut listener = Listener::connect(&chain).await;
    let params = json!([signature, {"commitment": "confirmed", "enableReceivedNotification": true}]);
    let number = listener.subscribe("signatureSubscribe", params).await;
    client.send_transaction(&transaction).await.unwrap();
    let received = listener.notification("signatureNotification").await;
    assert_eq!(
        (&received["subscription"], &received["result"]["value"]),
        (&json!(number), &json!("receivedSignature"))
    );
    let told = listener.notification("signatureNotification").await;
    assert_eq!(told["result"]["value"], json!({"err": null}));
    assert!(told["result"]["context"]["slot"].is_u64());
    let gone = listener.call("signatureUnsubscribe", json!([number])).await;
    assert_eq!(gone["error"], json!({"code": -32_602, "message": "Invalid subscription id."}));

    // A transaction that has landed already is told at once.
    let late = listener.subscribe("signatureSubscribe", json!([signature])).await;
    let told = listener.notification("signatureNotification").await;
    assert_eq!((&told["subscription"], &told["result"]["value"]["err"]), (&json!(late), &Value::Null));
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_programs_and_logs_are_told_as_they_change() {
    let (chain, client, _) = start(config()).await;
    let (from, to) = (funded(&client, 1).await, Keypair::new_from_array([2; 32]));
    let address = to.pubkey().to_string();
    let mut listener = Listener::connect(&chain).await;
    let base64 = json!({"encoding": "base64", "commitment": "finalized"});
    let account = listener.subscribe("accountSubscribe", json!([address, base64])).await;
    let system = "11111111111111111111111111111111";
    let program = listener
        .subscribe("programSubscribe", json!([system, {"encoding": "base64", "filters": [{"dataSize": 0}]}]))
        .await;
    let logs = listener.subscribe("logsSubscribe", json!([{"mentions": [address]}])).await;
    let all = listener.subscribe("logsSubscribe", json!(["all"])).await;
    let signature = client.send_transaction(&transfer(&client, &from, &to, 1_000_000).await).await.unwrap();

    let told = listener.notification("accountNotification").await;
    assert_eq!(told["subscription"], account);
    let shown = json!({"lamports": 1_000_000, "data": ["", "base64"], "owner": system, "executable": false, "rentEpoch": u64::MAX, "space": 0});
    assert_eq!(told["result"]["value"], shown);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let told = listener.notification("programNotification").await;
        assert_eq!(told["subscription"], program);
        seen.push(told["result"]["value"]["pubkey"].as_str().unwrap().to_owned());
    }
    seen.sort();
    let mut both = [address.clone(), from.pubkey().to_string()];
    both.sort();
    assert_eq!(seen, both);
    for number in [logs, all] {
        let told = listener.notification("logsNotification").await;
        assert_eq!(told["subscription"], number);
        let value = &told["result"]["value"];
        assert_eq!((&value["signature"], &value["err"]), (&json!(signature.to_string()), &Value::Null));
        assert_eq!(value["logs"][0], format!("Program {system} invoke [1]"));
    }

    // What is unsubscribed is told no more: the next thing told is the other's.
    assert_eq!(listener.call("accountUnsubscribe", json!([account])).await["result"], true);
    assert_eq!(listener.call("programUnsubscribe", json!([program])).await["result"], true);
    assert_eq!(listener.call("logsUnsubscribe", json!([logs])).await["result"], true);
    client.send_transaction(&transfer(&client, &from, &to, 2_000_000).await).await.unwrap();
    let told = listener.next().await;
    assert_eq!((&told["method"], &told["params"]["subscription"]), (&json!("logsNotification"), &json!(all)));
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_and_roots_are_told_as_they_pass() {
    let config = LocalnetConfig { pace: SlotPace::Clock, ..config() };
    let (chain, client, clock) = start(config).await;
    let slot = client.get_slot().await.unwrap();
    let mut listener = Listener::connect(&chain).await;
    let slots = listener.subscribe("slotSubscribe", json!([])).await;
    let roots = listener.subscribe("rootSubscribe", json!([])).await;
    clock.pass_slots(1);
    let told = listener.notification("slotNotification").await;
    let next = slot + 1;
    assert_eq!(told, json!({"result": {"slot": next, "parent": slot, "root": next}, "subscription": slots}));
    assert_eq!(
        listener.notification("rootNotification").await,
        json!({"result": next, "subscription": roots})
    );
    chain.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_subscriptions_get_agaves_errors_and_a_cut_connection_ends() {
    let (chain, ..) = start(config()).await;
    let mut listener = Listener::connect(&chain).await;
    let table = [
        ("voteSubscribe", json!([]), -32_601, "Method not found"),
        ("blockSubscribe", json!(["all"]), -32_601, "Method not found"),
        ("luckUnsubscribe", json!([1]), -32_601, "Method not found"),
        ("slotUnsubscribe", json!([77]), -32_602, "Invalid subscription id."),
        ("slotSubscribe", json!([1]), -32_602, "Invalid parameters: No parameters were expected"),
        ("signatureSubscribe", json!(["1111"]), -32_602, "Invalid param: WrongSize"),
        ("accountSubscribe", json!([]), -32_602, "`params` should have at least 1 argument(s)"),
        ("logsSubscribe", json!([{"mentions": []}]), -32_602, "Invalid Request: Only 1 address supported"),
    ];
    for (method, params, code, message) in table {
        let answer = listener.call(method, params).await;
        assert_eq!(
            (&answer["error"]["code"], &answer["error"]["message"]),
            (&json!(code), &json!(message)),
            "{method}"
        );
        assert_eq!(answer["id"], 9);
    }
    listener.send("{".to_owned()).await;
    assert_eq!(listener.next().await["error"], json!({"code": -32_700, "message": "Parse error"}));
    chain.faults().disconnect_websockets();
    assert_eq!(listener.next_or_end().await, None);
    chain.stop().await;
}
