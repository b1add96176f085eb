//! The tables.

use super::{Reason, Refusal, Retry};

const fn code(
    code: &'static str,
    reason: Reason,
    retry: Retry,
    told_en: &'static str,
    told_sw: &'static str,
) -> Refusal {
    Refusal { code, reason, retry, told_en, told_sw }
}

/// What is ours to mend is not the person's: they hear one sentence.
const fn ours(code: &'static str, reason: Reason) -> Refusal {
    Refusal {
        code,
        reason,
        retry: Retry::OperatorFirst,
        told_en: "M-Pesa payments do not work at the moment. Nothing was taken; the operator is told.",
        told_sw: "Malipo ya M-Pesa hayafanyi kazi kwa sasa. Hakuna pesa iliyokatwa; msimamizi ameambiwa.",
    }
}

const fn ours_out(code: &'static str, reason: Reason) -> Refusal {
    Refusal {
        code,
        reason,
        retry: Retry::OperatorFirst,
        told_en: "Your payout could not be sent now. The money is in your balance; the operator is told.",
        told_sw: "Malipo yako hayakuweza kutumwa sasa. Pesa iko kwenye salio lako; msimamizi ameambiwa.",
    }
}

/// A question of the operator's own, which no household hears of.
const fn desk(code: &'static str, reason: Reason) -> Refusal {
    Refusal {
        code,
        reason,
        retry: Retry::OperatorFirst,
        told_en: "M-Pesa refused this request of the operator; see the reason and mend the set-up.",
        told_sw: "M-Pesa imekataa ombi hili la msimamizi; angalia sababu na urekebishe mipangilio.",
    }
}

/// Prompt results that mean "not paid, and never will be by this prompt".
pub(super) const PROMPT: &[Refusal] = &[
    code(
        "1",
        Reason::PayerShort,
        Retry::PersonFirst,
        "There was not enough money in your M-Pesa. Top it up, then try again.",
        "Pesa haikutosha kwenye M-Pesa yako. Ongeza pesa, kisha ujaribu tena.",
    ),
    code(
        "2",
        Reason::Amount,
        Retry::PersonFirst,
        "The amount is below what M-Pesa takes. Choose a larger one.",
        "Kiasi ni chini ya kile M-Pesa inakubali. Chagua kiasi kikubwa zaidi.",
    ),
    code(
        "3",
        Reason::Amount,
        Retry::PersonFirst,
        "The amount is above what M-Pesa takes. Choose a smaller one.",
        "Kiasi kimezidi kile M-Pesa inakubali. Chagua kiasi kidogo zaidi.",
    ),
    code(
        "4",
        Reason::PersonLimit,
        Retry::PersonFirst,
        "Your M-Pesa limit for today is reached. Try again tomorrow.",
        "Umefikia kikomo chako cha M-Pesa cha leo. Jaribu tena kesho.",
    ),
    ours("8", Reason::ShortcodeLimit),
    code(
        "17",
        Reason::Busy,
        Retry::After(120),
        "M-Pesa takes the same amount only once in two minutes. Wait, then try again.",
        "M-Pesa hukubali kiasi kilekile mara moja kwa dakika mbili. Subiri, kisha ujaribu tena.",
    ),
    code(
        "26",
        Reason::Busy,
        Retry::After(60),
        "M-Pesa is very busy. Wait a minute, then try again.",
        "M-Pesa ina shughuli nyingi sana. Subiri dakika moja, kisha ujaribu tena.",
    ),
    code(
        "1001",
        Reason::Busy,
        Retry::After(120),
        "Your phone was busy with another M-Pesa payment. Finish it, then try again.",
        "Simu yako ilikuwa na malipo mengine ya M-Pesa. Yamalize, kisha ujaribu tena.",
    ),
    code(
        "1019",
        Reason::NoAnswer,
        Retry::Now,
        "The M-Pesa prompt ended before it was answered. Try again.",
        "Ombi la M-Pesa liliisha kabla ya kujibiwa. Jaribu tena.",
    ),
    code(
        "1025",
        Reason::NotSent,
        Retry::After(60),
        "M-Pesa could not send the prompt to your phone. Try again in a minute.",
        "M-Pesa haikuweza kutuma ombi kwa simu yako. Jaribu tena baada ya dakika moja.",
    ),
    code(
        "1032",
        Reason::Cancelled,
        Retry::Now,
        "You cancelled the payment. Nothing was taken.",
        "Ulighairi malipo. Hakuna pesa iliyokatwa.",
    ),
    code(
        "1037",
        Reason::NoAnswer,
        Retry::Now,
        "Your phone did not answer. See that it is on and has signal, then try again.",
        "Simu yako haikujibu. Hakikisha imewashwa na ina mtandao, kisha ujaribu tena.",
    ),
    code(
        "2001",
        Reason::Pin,
        Retry::PersonFirst,
        "The M-Pesa PIN was wrong. Try again with the right one.",
        "PIN ya M-Pesa haikuwa sahihi. Jaribu tena kwa PIN sahihi.",
    ),
    ours("2028", Reason::Setup),
    code(
        "8006",
        Reason::Pin,
        Retry::PersonFirst,
        "Your M-Pesa PIN is locked. Call Safaricom on 100 or 200.",
        "PIN yako ya M-Pesa imefungwa. Piga Safaricom kwa 100 au 200.",
    ),
    code(
        "9999",
        Reason::NotSent,
        Retry::After(60),
        "M-Pesa could not send the prompt to your phone. Try again in a minute.",
        "M-Pesa haikuweza kutuma ombi kwa simu yako. Jaribu tena baada ya dakika moja.",
    ),
    ours("SFC_IC0003", Reason::Setup),
];

/// Payout results that mean "not paid out, and never will be under this id".
pub(super) const PAYOUT: &[Refusal] = &[
    ours_out("1", Reason::OwnFunds),
    code(
        "2",
        Reason::Amount,
        Retry::PersonFirst,
        "The payout is below the smallest amount M-Pesa sends. The money is in your balance.",
        "Malipo ni chini ya kiasi kidogo ambacho M-Pesa hutuma. Pesa iko kwenye salio lako.",
    ),
    code(
        "3",
        Reason::Amount,
        Retry::PersonFirst,
        "The payout is above the largest amount M-Pesa sends. Ask for less at a time.",
        "Malipo yamezidi kiasi kikubwa ambacho M-Pesa hutuma. Omba kidogo kwa kila mara.",
    ),
    code(
        "4",
        Reason::PersonLimit,
        Retry::PersonFirst,
        "Your M-Pesa limit for today is reached. The money is in your balance; try again tomorrow.",
        "Umefikia kikomo chako cha M-Pesa cha leo. Pesa iko kwenye salio lako; jaribu tena kesho.",
    ),
    code(
        "8",
        Reason::PersonLimit,
        Retry::PersonFirst,
        "Your M-Pesa account is full. The money is in your balance here; make room, then try again.",
        "Akaunti yako ya M-Pesa imejaa. Pesa iko kwenye salio lako hapa; punguza, kisha ujaribu tena.",
    ),
    ours_out("11", Reason::Setup),
    ours_out("18", Reason::Initiator),
    ours_out("20", Reason::Initiator),
    ours_out("21", Reason::Initiator),
    ours_out("24", Reason::Setup),
    ours_out("25", Reason::Setup),
    ours_out("29", Reason::Setup),
    ours_out("2001", Reason::Initiator),
    ours_out("2006", Reason::Setup),
    ours_out("2028", Reason::Setup),
    code(
        "2040",
        Reason::Receiver,
        Retry::PersonFirst,
        "Your number is not registered with M-Pesa. Register it; the money is in your balance.",
        "Nambari yako haijasajiliwa kwa M-Pesa. Isajili; pesa iko kwenye salio lako.",
    ),
    ours_out("8006", Reason::Initiator),
    code(
        "SFC_IC0003",
        Reason::Receiver,
        Retry::PersonFirst,
        "M-Pesa does not know your number. Ask the operator to check it; the money is in your balance.",
        "M-Pesa haijui nambari yako. Mwombe msimamizi aikague; pesa iko kwenye salio lako.",
    ),
];

/// What closes any request of an API user.
pub(super) const QUESTION: &[Refusal] = &[
    desk("11", Reason::Setup),
    desk("18", Reason::Initiator),
    desk("20", Reason::Initiator),
    desk("21", Reason::Initiator),
    desk("24", Reason::Setup),
    desk("25", Reason::Setup),
    desk("29", Reason::Setup),
    desk("2001", Reason::Initiator),
    desk("2006", Reason::Setup),
    desk("2028", Reason::Setup),
    desk("8006", Reason::Initiator),
];

/// What closes a reversal besides.
pub(super) const REVERSAL: &[Refusal] = &[desk("1", Reason::OwnFunds), desk("R000002", Reason::Setup)];

/// What closes a transfer of float besides.
pub(super) const FLOAT: &[Refusal] = &[
    desk("1", Reason::OwnFunds),
    desk("2", Reason::Amount),
    desk("3", Reason::Amount),
    desk("8", Reason::ShortcodeLimit),
];
