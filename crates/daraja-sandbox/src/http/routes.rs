//! Every door: its path, what it is for, what it takes, who answers. The router
//! and the OpenAPI description are both made from this one list.

use super::{App, auth, b2c, books, c2b, command, control, pages, pull, qr, stk, time};
use axum::routing::{MethodRouter, delete, get, post};
use std::sync::Arc;

/// A field of a request.
pub type Field = (&'static str, Kind, Need, &'static str);

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number, or its digits as text.
    Number,
    /// A phone, `2547...`.
    Phone,
    /// 5 to 7 digits.
    Shortcode,
    /// An http or https address.
    Address,
    /// True or false.
    Flag,
}

/// Whether a field must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It must.
    Must,
    /// It may.
    May,
}

use Kind::{Address, Flag, Number, Phone, Shortcode, Text};
use Need::{May, Must};

/// A door.
pub struct Door {
    /// Its method.
    pub method: &'static str,
    /// Its path, variables in braces.
    pub path: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// The fields of its body.
    pub fields: &'static [Field],
    /// Who answers.
    pub answers: MethodRouter<Arc<App>>,
}

type Answers = MethodRouter<Arc<App>>;

const fn door(
    method: &'static str,
    path: &'static str,
    about: &'static str,
    fields: &'static [Field],
    answers: Answers,
) -> Door {
    Door { method, path, about, fields, answers }
}

const PASSWORD: Field = ("Password", Text, Must, "base64(shortcode + passkey + Timestamp)");
const TIMESTAMP: Field = ("Timestamp", Text, Must, "YYYYMMDDHHmmss, the one inside Password");
const RESULT: Field = ("ResultURL", Address, Must, "where the result goes");
const TIMEOUT: Field = ("QueueTimeOutURL", Address, Must, "where a queue timeout goes");
const CREDENTIAL: Field = ("SecurityCredential", Text, Must, "base64 of the encrypted initiator password");
const INITIATOR: Field = ("Initiator", Text, Must, "the API user");

const STK: &[Field] = &[
    ("BusinessShortCode", Shortcode, Must, "who asks"),
    PASSWORD,
    TIMESTAMP,
    ("TransactionType", Text, Must, "CustomerPayBillOnline or CustomerBuyGoodsOnline"),
    ("Amount", Number, Must, "whole shillings, 1 to 250000"),
    ("PartyA", Phone, Must, "the payer"),
    ("PartyB", Shortcode, Must, "the PayBill itself, or the till"),
    ("PhoneNumber", Phone, Must, "the phone that is asked"),
    ("CallBackURL", Address, Must, "where the result goes"),
    ("AccountReference", Text, Must, "at most 12 characters, shown on the prompt"),
    ("TransactionDesc", Text, May, "at most 13 characters"),
];

const STK_QUERY: &[Field] = &[
    ("BusinessShortCode", Shortcode, Must, "who asked"),
    PASSWORD,
    TIMESTAMP,
    ("CheckoutRequestID", Text, Must, "from the answer to the push"),
];

const B2C: &[Field] = &[
    ("OriginatorConversationID", Text, Must, "your own id, once"),
    ("InitiatorName", Text, Must, "the API user"),
    CREDENTIAL,
    ("CommandID", Text, Must, "BusinessPayment, SalaryPayment, PromotionPayment"),
    ("Amount", Number, Must, "whole shillings"),
    ("PartyA", Shortcode, Must, "who pays"),
    ("PartyB", Phone, Must, "who receives"),
    ("Remarks", Text, Must, "2 to 100 characters"),
    TIMEOUT,
    RESULT,
    ("Occassion", Text, May, "at most 100 characters; spelt so"),
];

const B2C_V1: &[Field] = &[
    ("InitiatorName", Text, Must, "the API user"),
    CREDENTIAL,
    ("CommandID", Text, Must, "BusinessPayment, SalaryPayment, PromotionPayment"),
    ("Amount", Number, Must, "whole shillings"),
    ("PartyA", Shortcode, Must, "who pays"),
    ("PartyB", Phone, Must, "who receives"),
    ("Remarks", Text, Must, "2 to 100 characters"),
    TIMEOUT,
    RESULT,
    ("Occasion", Text, May, "at most 100 characters"),
];

const REGISTER: &[Field] = &[
    ("ShortCode", Shortcode, Must, "who is paid"),
    ("ResponseType", Text, Must, "Completed or Cancelled: what silence means to validation"),
    ("ConfirmationURL", Address, Must, "told of every payment"),
    ("ValidationURL", Address, Must, "asked before a payment by hand, where validation is on"),
];

const SIMULATE: &[Field] = &[
    ("ShortCode", Shortcode, Must, "who is paid"),
    ("CommandID", Text, Must, "CustomerPayBillOnline or CustomerBuyGoodsOnline"),
    ("Amount", Number, Must, "whole shillings"),
    ("Msisdn", Phone, Must, "who pays"),
    ("BillRefNumber", Text, May, "at most 20 characters"),
];

const STATUS: &[Field] = &[
    INITIATOR,
    CREDENTIAL,
    ("CommandID", Text, Must, "TransactionStatusQuery"),
    ("TransactionID", Text, May, "the receipt; or the next"),
    ("OriginalConversationID", Text, May, "the id of the request that made it"),
    ("PartyA", Shortcode, Must, "who asks"),
    ("IdentifierType", Text, Must, "4"),
    RESULT,
    TIMEOUT,
    ("Remarks", Text, May, "at most 100 characters"),
];

const BALANCE: &[Field] = &[
    INITIATOR,
    CREDENTIAL,
    ("CommandID", Text, Must, "AccountBalance"),
    ("PartyA", Shortcode, Must, "whose"),
    ("IdentifierType", Text, Must, "4"),
    RESULT,
    TIMEOUT,
    ("Remarks", Text, May, "at most 100 characters"),
];

const REVERSAL: &[Field] = &[
    INITIATOR,
    CREDENTIAL,
    ("CommandID", Text, Must, "TransactionReversal"),
    ("TransactionID", Text, Must, "the receipt of a payment to you"),
    ("Amount", Number, Must, "its amount"),
    ("ReceiverParty", Shortcode, Must, "you"),
    ("RecieverIdentifierType", Text, Must, "11; spelt so"),
    RESULT,
    TIMEOUT,
    ("Remarks", Text, May, "at most 100 characters"),
];

const B2B: &[Field] = &[
    INITIATOR,
    CREDENTIAL,
    (
        "CommandID",
        Text,
        Must,
        "BusinessPayBill, BusinessBuyGoods, BusinessPayToBulk, BusinessTransferFromMMFToUtility",
    ),
    ("SenderIdentifierType", Text, Must, "4"),
    ("RecieverIdentifierType", Text, Must, "4, or 2 for a till; spelt so"),
    ("Amount", Number, Must, "whole shillings"),
    ("PartyA", Shortcode, Must, "who pays"),
    ("PartyB", Shortcode, Must, "who receives"),
    ("AccountReference", Text, May, "at most 20 characters"),
    RESULT,
    TIMEOUT,
    ("Remarks", Text, May, "at most 100 characters"),
];

const PULL_REGISTER: &[Field] = &[
    ("ShortCode", Shortcode, Must, "whose payments"),
    ("RequestType", Text, Must, "Pull"),
    ("NominatedNumber", Phone, Must, "a phone of yours"),
    ("CallBackURL", Address, Must, "kept, not called"),
];

const PULL_QUERY: &[Field] = &[
    ("ShortCode", Shortcode, Must, "whose payments"),
    ("StartDate", Text, Must, "YYYY-MM-DD HH:MM:SS in Nairobi, at most 48 hours ago"),
    ("EndDate", Text, Must, "YYYY-MM-DD HH:MM:SS in Nairobi"),
    ("OffSetValue", Text, May, "rows to leave out"),
];

const QR: &[Field] = &[
    ("MerchantName", Text, Must, "at most 40 characters"),
    ("RefNo", Text, Must, "at most 40 characters"),
    ("Amount", Number, Must, "whole shillings"),
    ("TrxCode", Text, Must, "BG, WA, PB, SM or SB"),
    ("CPI", Text, Must, "who is paid"),
    ("Size", Text, May, "pixels, 1 to 1000; 300 without it"),
];

const PHONE: &[Field] = &[
    ("name", Text, May, "whose it is"),
    ("mode", Text, May, "by_hand, automatic or always_pays"),
    ("cancel_per_mille", Number, May, "how often it cancels by itself, in thousandths"),
    ("silent_per_mille", Number, May, "how often it stays silent"),
    ("insufficient_per_mille", Number, May, "how often it lacks money"),
    ("balance_cents", Number, May, "what it holds, from then on without top-ups"),
];

const FAULT: &[Field] = &[
    ("target", Text, Must, "what goes wrong"),
    ("action", Text, Must, "how"),
    ("count", Number, May, "how many times, 1 without it"),
    ("always", Flag, May, "for ever"),
    ("msisdn", Phone, May, "only for this phone"),
    ("shortcode", Shortcode, May, "only for this shortcode"),
    ("skip", Number, May, "how many are let pass first"),
    ("per_mille", Number, May, "the chance of each, in thousandths"),
];

const SCENARIO: &[Field] = &[
    ("name", Text, May, "its name"),
    ("phone", Text, May, "a list of phones"),
    ("fault", Text, May, "a list of faults"),
    ("step", Text, May, "a list of steps, each after so many seconds"),
    ("frozen", Flag, May, "whether time stands still"),
];

/// Daraja's own doors.
fn daraja() -> Vec<Door> {
    vec![
        door("get", "/oauth/v1/generate", "A token; ends the one before.", &[], get(auth::generate)),
        door("post", "/mpesa/stkpush/v1/processrequest", "Asks a phone for a payment.", STK, post(stk::push)),
        door("post", "/mpesa/stkpushquery/v1/query", "How a prompt ended.", STK_QUERY, post(stk::query)),
        door("post", "/mpesa/b2c/v3/paymentrequest", "Pays a customer.", B2C, post(b2c::pay_v3)),
        door("post", "/mpesa/b2c/v1/paymentrequest", "Pays a customer.", B2C_V1, post(b2c::pay_v1)),
        door("post", "/mpesa/b2pochi/v1/paymentrequest", "Pays a Pochi wallet.", B2C, post(b2c::pay_pochi)),
        door(
            "post",
            "/mpesa/c2b/v1/registerurl",
            "Registers C2B addresses.",
            REGISTER,
            post(c2b::register_v1),
        ),
        door(
            "post",
            "/mpesa/c2b/v2/registerurl",
            "Registers C2B addresses.",
            REGISTER,
            post(c2b::register_v2),
        ),
        door("post", "/mpesa/c2b/v1/simulate", "A customer pays by hand.", SIMULATE, post(c2b::simulate)),
        door("post", "/mpesa/c2b/v2/simulate", "A customer pays by hand.", SIMULATE, post(c2b::simulate)),
        door(
            "post",
            "/mpesa/transactionstatus/v1/query",
            "Tells of a transaction.",
            STATUS,
            post(command::status),
        ),
        door(
            "post",
            "/mpesa/accountbalance/v1/query",
            "Tells what you hold.",
            BALANCE,
            post(command::balance),
        ),
        door(
            "post",
            "/mpesa/reversal/v1/request",
            "Gives a payment back.",
            REVERSAL,
            post(command::reversal),
        ),
        door("post", "/mpesa/b2b/v1/paymentrequest", "Moves your money.", B2B, post(command::b2b)),
        door("post", "/pulltransactions/v1/register", "Lets you pull.", PULL_REGISTER, post(pull::register)),
        door("post", "/pulltransactions/v1/query", "The payments to you.", PULL_QUERY, post(pull::query)),
        door("get", "/pulltransactions/v1/query", "The payments to you.", PULL_QUERY, get(pull::query)),
        door("post", "/mpesa/qrcode/v1/generate", "A QR code.", QR, post(qr::generate)),
    ]
}

/// The emulator's own doors.
fn own() -> Vec<Door> {
    let phone = "/sandbox/phones/{msisdn}";
    let shortcode = "/sandbox/shortcodes/{code}";
    vec![
        door("get", "/sandbox/phones", "All phones.", &[], get(control::phones)),
        door("get", phone, "A phone: prompt, money, messages.", &[], get(control::phone)),
        door("post", phone, "Changes a phone.", PHONE, post(control::change_phone)),
        door("get", "/sandbox/phones/{msisdn}/prompt", "What it shows.", &[], get(control::prompt)),
        door(
            "post",
            "/sandbox/phones/{msisdn}/answer",
            "Answers what it shows.",
            &[
                ("action", Text, Must, "pay, cancel or ignore"),
                ("pin", Text, May, "four digits; 0000 is wrong"),
            ],
            post(control::answer),
        ),
        door(
            "post",
            "/sandbox/phones/{msisdn}/paybill",
            "Pays by hand.",
            &[
                ("amount_shillings", Number, Must, "whole shillings"),
                ("reference", Text, Must, "the account typed, at most 20 characters"),
                ("pin", Text, Must, "four digits; 0000 is wrong"),
                ("shortcode", Shortcode, May, "who is paid; the collecting one without it"),
            ],
            post(control::paybill),
        ),
        door("get", "/sandbox/faults", "The faults that wait.", &[], get(control::faults)),
        door("post", "/sandbox/faults", "Orders a fault.", FAULT, post(control::order_fault)),
        door("delete", "/sandbox/faults", "Forgets all faults.", &[], delete(control::clear_faults)),
        door("post", "/sandbox/scenario", "Plays a scenario, JSON or TOML.", SCENARIO, post(time::scenario)),
        door("get", "/sandbox/clock", "The time.", &[], get(time::clock)),
        door(
            "post",
            "/sandbox/clock",
            "Freezes it, lets it follow, moves it on.",
            &[
                ("mode", Text, May, "freeze or follow"),
                ("advance_s", Number, May, "seconds"),
                ("to", Text, May, "RFC 3339"),
            ],
            post(time::change_clock),
        ),
        door("post", "/sandbox/token/expire", "The valid token ends now.", &[], post(control::expire_token)),
        door("get", "/sandbox/initiator", "The initiator.", &[], get(control::initiator)),
        door(
            "post",
            "/sandbox/initiator",
            "Changes the initiator.",
            &[
                ("works", Flag, May, "whether the right password is taken"),
                ("locked", Flag, May, "whether it is locked"),
            ],
            post(control::change_initiator),
        ),
        door("get", "/sandbox/callbacks", "Owed, and the last 200.", &[], get(control::callbacks)),
        door(
            "post",
            "/sandbox/callbacks/redeliver",
            "Tries again what nobody heard.",
            &[],
            post(control::redeliver),
        ),
        door("get", "/sandbox/statement", "All accounts and movements.", &[], get(books::statement)),
        door("get", "/sandbox/shortcodes", "All shortcodes.", &[], get(books::shortcodes)),
        door("get", shortcode, "A shortcode: its accounts.", &[], get(books::shortcode)),
        door(
            "post",
            shortcode,
            "Changes a shortcode.",
            &[
                ("working_cents", Number, May, "what the working account holds"),
                ("utility_cents", Number, May, "what the utility account holds"),
                ("validation", Flag, May, "whether the validation address is asked"),
            ],
            post(books::change_shortcode),
        ),
        door(
            "get",
            "/sandbox/shortcodes/{code}/statement",
            "Its statement, JSON or CSV (account, format, after, limit).",
            &[],
            get(books::statement_of),
        ),
        door(
            "delete",
            "/sandbox/shortcodes/{code}/urls",
            "Deletes its C2B addresses.",
            &[],
            delete(books::delete_urls),
        ),
        door(
            "post",
            "/sandbox/reversals",
            "M-Pesa reverses a payment or a payout.",
            &[("receipt", Text, Must, "of the payment or payout")],
            post(books::reverse),
        ),
        door("get", "/openapi.json", "This description.", &[], get(super::openapi::description)),
    ]
}

/// The pages, and what they are made of.
fn for_people() -> Vec<Door> {
    vec![
        door("get", "/", "Leads to the phones.", &[], get(pages::home)),
        door("get", "/favicon.ico", "No icon.", &[], get(pages::no_icon)),
        door("get", "/phones", "Page: phones.", &[], get(pages::phones)),
        door("get", "/phones/{msisdn}", "Page: a phone.", &[], get(pages::phone)),
        door("get", "/faults", "Page: faults and the clock.", &[], get(pages::faults)),
        door("get", "/accounts", "Page: shortcodes and statements.", &[], get(pages::accounts)),
        door("get", "/phones.css", "Style.", &[], get(pages::style)),
        door("get", "/phones.js", "Script.", &[], get(pages::phones_script)),
        door("get", "/phone.js", "Script.", &[], get(pages::phone_script)),
        door("get", "/faults.js", "Script.", &[], get(pages::faults_script)),
        door("get", "/accounts.js", "Script.", &[], get(pages::accounts_script)),
    ]
}

/// Every door.
pub fn doors() -> Vec<Door> {
    daraja().into_iter().chain(own()).chain(for_people()).collect()
}
