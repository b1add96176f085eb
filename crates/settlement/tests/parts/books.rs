//! M-Pesa's books against ours: what no callback told is found on the portal's
//! statement, what no machine may decide is decided by two persons, and every cent is
//! where it belongs.

use crate::village::{BUYER, SELLER, SHORTCODE, Village};
use jirani_ledger::Account;
use jirani_reconciliation::{Decision, Purse};
use jirani_settlement::{Asked, SettlementError, StatementFile};
use jirani_store::{OrderState, PayWith, PayoutState, ProposalState, ReceiptUse, Store as _};
use jirani_units::{Cents, HouseholdId, Receipt};

const COLLECTION: [Purse; 1] = [Purse::Collection];
const PAYOUTS: [Purse; 2] = [Purse::Payout, Purse::Charges];

/// Keys of the reviews that wait.
async fn waiting(village: &Village) -> Vec<String> {
    village.store.open_reviews(100).await.unwrap().into_iter().map(|review| review.key).collect()
}

async fn used_for(village: &Village, receipt: &Receipt) -> Option<ReceiptUse> {
    village.store.receipt(receipt).await.unwrap().map(|known| known.used_for)
}

#[tokio::test]
async fn what_no_callback_told_is_found_and_two_persons_decide_the_rest() {
    let village = Village::without_list().await;
    village.offer().await;
    // No news of any payment in comes through, nor of any payout.
    for target in ["stk_callback", "c2b", "b2c_callback", "status_callback"] {
        village.always(target, "lose").await;
    }
    let sold = village.buy(2_000, PayWith::Mpesa, "sold").await;
    village.pass(30).await;
    assert_eq!(village.state(&sold).await, OrderState::ReceiptAwaited);
    let nonsense = village.pay_by_hand(50, "KUKU").await;
    let named = village.pay_by_hand(70, "H1").await;
    village.pass(5).await;
    assert_eq!(used_for(&village, &nonsense).await, None);

    // The statement tells: the order settles, the named money is a balance, the rest
    // is nobody's.
    let first = village.compare(SHORTCODE, "utility", &COLLECTION).await;
    assert_eq!((first.booked, first.record.apart, first.unreadable), (3, 0, 0));
    assert_eq!(first.report.matched.count, 3);
    village.pass(5).await;
    assert_eq!(village.state(&sold).await, OrderState::Settled);
    assert_eq!(village.vault(BUYER).await, 2_000);
    assert_eq!(used_for(&village, &named).await, Some(ReceiptUse::Balance(BUYER)));
    assert_eq!(used_for(&village, &nonsense).await, Some(ReceiptUse::Suspense));
    assert_eq!(village.available(BUYER).await, 80 + 7_000);
    assert_eq!(village.available(SELLER).await, 3_000);
    village.is_sound().await;

    // One proposes, the same may not approve, another does: the money has an owner.
    let about = format!("receipt/{nonsense}/suspense");
    assert_eq!(waiting(&village).await, std::slice::from_ref(&about));
    let settlement = &village.settlement;
    let attach = Decision::Attach { receipt: nonsense.clone(), household_id: SELLER };
    let proposed = settlement.propose("Amina", &about, &attach, "she showed her message").await.unwrap();
    let twice = settlement.propose("Baraka", &about, &attach, "").await;
    assert!(matches!(twice, Err(SettlementError::ProposalWaiting)), "{twice:?}");
    let alone = settlement.approve("amina ", proposed.number).await;
    assert!(matches!(alone, Err(SettlementError::InvalidOperator)), "{alone:?}");
    let alone = settlement.approve("AMINA", proposed.number).await;
    assert!(matches!(alone, Err(SettlementError::SamePerson)), "{alone:?}");
    assert_eq!(village.available(SELLER).await, 3_000);
    let approvals = [1, 2].map(|_| settlement.approve("Baraka", proposed.number));
    for approved in futures::future::join_all(approvals).await {
        let approved = approved.unwrap();
        assert_eq!(
            (approved.state, approved.decided_by.as_deref()),
            (ProposalState::Approved, Some("Baraka"))
        );
    }
    assert_eq!(village.available(SELLER).await, 3_000 + 5_000);
    assert_eq!(village.store.balance(Account::Suspense).await.unwrap().net(), Cents::ZERO);
    assert!(waiting(&village).await.is_empty());
    let review = village.store.review(&about).await.unwrap().unwrap();
    assert_eq!(
        review.outcome.unwrap(),
        format!("{nonsense} belongs to household 2: proposed by Amina, approved by Baraka")
    );
    village.is_sound().await;

    // M-Pesa takes the named payment back: its payer pays with what is there.
    village.take_back(&named).await;
    let second = village.compare(SHORTCODE, "utility", &COLLECTION).await;
    assert_eq!((second.booked, second.record.apart), (1, 0));
    assert_eq!(village.available(BUYER).await, 80);
    let book = &second.report.books[0];
    assert_eq!((book.difference_cents, book.gap_cents), (Some(Cents::ZERO), Cents::ZERO));
    village.is_sound().await;

    // A payout whose result never comes: a person hears of it after a day.
    let payout = settlement.request_payout(SELLER, Cents(6_000), "payout").await.unwrap();
    village.pass(100_000).await;
    let about = format!("payout/{}/unknown", payout.id);
    assert!(waiting(&village).await.contains(&about));
    let third = village.compare("600992", "all", &PAYOUTS).await;
    let alone = third.report.only_theirs.lines.clone();
    assert_eq!(third.report.only_ours.total.count, 0);
    assert_eq!(alone[0].amount_cents, Cents(-6_000), "{alone:?}");
    assert_eq!(third.report.books[0].unexplained_cents, Some(Cents::ZERO));
    let on_statement = format!("books/payout/{}/money", alone[0].receipt.clone().unwrap());
    assert!(waiting(&village).await.contains(&on_statement));
    let paid = Decision::PayoutPaid { payout_id: payout.id, receipt: alone[0].receipt.clone().unwrap() };
    for used in [&nonsense, &named] {
        let taken = Decision::PayoutPaid { payout_id: payout.id, receipt: used.clone() };
        let refused = settlement.propose("Baraka", &about, &taken, "").await.unwrap_err();
        assert_eq!(refused.code(), "review.unfit", "a receipt proves one movement: {used}");
    }
    let proposed = settlement.propose("Baraka", &about, &paid, "it is on the statement").await.unwrap();
    settlement.reject("Amina", proposed.number).await.unwrap();
    let again = settlement.propose("Amina", &about, &paid, "looked at it again").await.unwrap();
    let late = settlement.approve("Amina", proposed.number).await;
    assert!(matches!(late, Err(SettlementError::ProposalDecided)), "{late:?}");
    settlement.approve("Baraka", again.number).await.unwrap();
    village.pass(5).await;
    let payout = village.store.payout(payout.id).await.unwrap().unwrap();
    assert_eq!((payout.state, payout.receipt), (PayoutState::Paid, alone[0].receipt.clone()));
    assert_eq!(village.available(SELLER).await, 3_000 + 5_000 - 6_000);

    // Both books have it now: its review closes by itself, and all adds up.
    let last = village.compare("600992", "all", &PAYOUTS).await;
    assert_eq!((last.record.apart, last.record.difference), (0, Cents::ZERO));
    assert!(waiting(&village).await.is_empty());
    village.is_sound().await;
    let kept = village.store.reconciliations(10).await.unwrap();
    assert_eq!(kept.iter().map(|record| record.apart).collect::<Vec<_>>()[..2], [0, third.record.apart]);
    // The operator heard of the difference once.
    let notices = village.store.notices_of(None, 100).await.unwrap();
    assert_eq!(notices.iter().filter(|notice| notice.code == "books_apart").count(), 1, "{notices:?}");
}

#[tokio::test]
async fn the_desk_refuses_what_cannot_be_done() {
    let village = Village::without_list().await;
    village.always("c2b", "lose").await;
    let lost = village.pay_by_hand(50, "KUKU").await;
    village.pass(5).await;
    village.compare(SHORTCODE, "utility", &COLLECTION).await;
    let about = format!("receipt/{lost}/suspense");
    let settlement = &village.settlement;
    let to = |household| Decision::Attach { receipt: lost.clone(), household_id: HouseholdId(household) };
    let other = Decision::WriteOff { receipt: "UJ3ANOTHER".parse().unwrap() };
    for (by, review, decision, code) in [
        ("Amina", "receipt/UJ3NOSUCH1/suspense", to(1), "review.unknown"),
        ("Amina", &about, to(99), "settlement.unknown_household"),
        ("Amina", &about, other, "review.unfit"),
        ("Amina", &about, Decision::WriteOff { receipt: lost.clone() }, "review.unfit"),
        ("", &about, to(1), "review.invalid_operator"),
    ] {
        let refused = settlement.propose(by, review, &decision, "").await.unwrap_err();
        assert_eq!(refused.code(), code, "{decision}");
    }
    assert_eq!(settlement.approve("Amina", 99).await.unwrap_err().code(), "review.unknown_proposal");

    // M-Pesa takes the money back while a proposal waits: nothing is left to approve.
    let proposed = settlement.propose("Amina", &about, &to(1), "").await.unwrap();
    village.take_back(&lost).await;
    village.compare(SHORTCODE, "utility", &COLLECTION).await;
    assert_eq!(settlement.approve("Baraka", proposed.number).await.unwrap_err().code(), "review.closed");
    assert_eq!(village.available(BUYER).await, 0);
    village.is_sound().await;

    let file =
        |csv: &[u8]| Asked::Statement(StatementFile { purses: COLLECTION.to_vec(), csv: csv.to_vec() });
    let none = settlement.reconcile(file(b"a,b\n")).await.unwrap_err();
    assert_eq!(none.code(), "statement.no_columns");
    let empty = settlement.reconcile(file(b"Receipt No.,Completion Time,Paid In,Withdrawn\n")).await;
    assert_eq!(empty.unwrap_err().code(), "statement.empty");
}

#[tokio::test]
async fn a_receipt_proves_one_payout_and_the_figures_outlive_a_restart() {
    let mut village = Village::without_list().await;
    village.offer().await;
    village.buy(4_000, PayWith::Mpesa, "sold").await;
    village.pass(30).await;
    let first = village.settlement.request_payout(SELLER, Cents(2_000), "first").await.unwrap();
    village.pass(30).await;
    let receipt = village.store.payout(first.id).await.unwrap().unwrap().receipt.unwrap();
    for target in ["b2c_callback", "status_callback"] {
        village.always(target, "lose").await;
    }
    let second = village.settlement.request_payout(SELLER, Cents(1_000), "second").await.unwrap();
    village.pass(100_000).await;
    let about = format!("payout/{}/unknown", second.id);
    let paid = Decision::PayoutPaid { payout_id: second.id, receipt };
    let refused = village.settlement.propose("Baraka", &about, &paid, "").await.unwrap_err();
    assert!(refused.message().contains(&format!("is payout {}", first.id)), "{refused}");

    let compared = village.compare("600992", "all", &PAYOUTS).await;
    assert!(compared.record.apart > 0);
    let before = village.settlement.figures().await.unwrap();
    assert_eq!(before.only_theirs, compared.report.only_theirs.total.count);
    village.stop().await;
    village.restart().await;
    assert_eq!(village.settlement.figures().await.unwrap(), before, "of the last stored comparison");
}

#[tokio::test]
async fn a_receipt_stands_for_one_movement_whoever_books_it_and_when() {
    let village = Village::without_list().await;
    village.offer().await;
    for key in ["sold", "sold again"] {
        village.buy(4_000, PayWith::Mpesa, key).await;
        village.pass(30).await;
    }
    let desk = &village.settlement;
    for target in ["b2c_callback", "status_callback"] {
        village.always(target, "lose").await;
    }
    let mut unknown = Vec::new();
    for key in ["first", "second", "third", "fourth"] {
        unknown.push(desk.request_payout(SELLER, Cents(1_000), key).await.unwrap().id);
        village.pass(100_000).await;
    }
    let compared = village.compare("600992", "all", &PAYOUTS).await;
    let alone: Vec<Receipt> =
        compared.report.only_theirs.lines.iter().filter_map(|l| l.receipt.clone()).collect();
    let (amount_cents, shortcode) = (Cents(1_000), Purse::Payout);
    let paid = |payout: usize, receipt: &Receipt| {
        let payout_id = unknown[payout];
        let paid = Decision::PayoutPaid { payout_id, receipt: receipt.clone() };
        (format!("payout/{payout_id}/unknown"), paid)
    };
    let approved = async |about: String, decision: Decision| {
        let proposed = desk.propose("Amina", &about, &decision, "").await.unwrap();
        desk.approve("Baraka", proposed.number).await.unwrap();
    };
    let refused = async |about: String, decision: Decision| {
        let refused = desk.propose("Amina", &about, &decision, "").await.unwrap_err();
        assert_eq!(refused.code(), "review.unfit");
        refused.message()
    };
    let about = |receipt: &Receipt| format!("books/payout/{receipt}/money");

    let deposit = Decision::BookDeposit { receipt: alone[0].clone(), shortcode, amount_cents };
    approved(about(&alone[0]), deposit).await;
    let (payout, as_paid) = paid(0, &alone[0]);
    assert!(refused(payout, as_paid).await.contains("is a deposit of the operator's"));
    let sweep = Decision::BookSweep { receipt: alone[1].clone(), shortcode, amount_cents };
    approved(about(&alone[1]), sweep).await;
    let (payout, as_paid) = paid(0, &alone[1]);
    assert!(refused(payout, as_paid).await.contains("is a sweep of the operator's"));
    let (payout, as_paid) = paid(0, &alone[2]);
    approved(payout, as_paid).await;
    for booked in [
        Decision::BookDeposit { receipt: alone[2].clone(), shortcode, amount_cents },
        Decision::BookSweep { receipt: alone[2].clone(), shortcode, amount_cents },
        Decision::BookFound { receipt: alone[2].clone(), shortcode, amount_cents },
    ] {
        let why = refused(about(&alone[2]), booked).await;
        assert!(why.contains(&format!("is payout {}", unknown[0])), "{why}");
    }

    // Two approvals at once find it unused once.
    let deposit = Decision::BookDeposit { receipt: alone[3].clone(), shortcode, amount_cents };
    let mut proposed = Vec::new();
    for (about, decision) in [paid(1, &alone[3]), (about(&alone[3]), deposit)] {
        proposed.push(desk.propose("Amina", &about, &decision, "").await.unwrap().number);
    }
    let both = proposed.iter().map(|number| desk.approve("Baraka", *number));
    let done = futures::future::join_all(both).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{done:?}");
}

#[tokio::test]
async fn what_mpesa_posts_about_its_list_is_kept_and_has_the_list_read() {
    let village = Village::new().await;
    village.pass(5).await;
    village.always("c2b", "lose").await;
    let named = village.pay_by_hand(70, "H1").await;
    village.pass(30).await;
    assert_eq!(used_for(&village, &named).await, None, "nobody has told us");
    let post = async |url: String| {
        let body = r#"{"ShortCode":"600966","what":"anything"}"#;
        reqwest::Client::new().post(url).body(body).send().await.unwrap().status()
    };
    // A stranger's guess at the door is kept and has nothing read.
    let door = village.settlement.list_url();
    let secret = door.split('/').rev().nth(1).unwrap();
    assert_eq!(post(door.replace(secret, &"0".repeat(secret.len()))).await, 200);
    village.pass(5).await;
    assert_eq!(used_for(&village, &named).await, None);
    assert_eq!(post(door).await, 200);
    village.pass(5).await;
    assert_eq!(used_for(&village, &named).await, Some(ReceiptUse::Balance(BUYER)));
    assert_eq!(village.available(BUYER).await, 7_000);
    village.is_sound().await;
}
