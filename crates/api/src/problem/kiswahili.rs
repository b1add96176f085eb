//! Every sentence of an error that people of a household may meet, in Kiswahili.
//!
//! One row per sentence: its code, the English as the error prints it with `{}` for what
//! varies, and the Kiswahili with `{0}`, `{1}` for the same in the order of the English. A
//! test reads the errors' own definitions and asks for a row of each. `*` as the English
//! stands for any sentence of that code.

/// Said where a code has no row: errors of the operator's desk, and of programs.
const OTHERWISE: &str = "Haikufanyika. Jaribu tena; ikiendelea, mpe mwendeshaji nambari ya ombi hili.";

/// The Kiswahili of an error's sentence.
pub fn of(code: &str, english: &str) -> String {
    let mut rows = ROWS.iter().filter(|(of, ..)| *of == code);
    rows.find_map(|(_, pattern, kiswahili)| Some(filled(kiswahili, &varying(pattern, english)?)))
        .unwrap_or_else(|| OTHERWISE.to_owned())
}

/// What stands where the pattern has `{}`; `None` when the text is not of this shape.
fn varying<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    if pattern == "*" {
        return Some(Vec::new());
    }
    let mut pieces = pattern.split("{}");
    let mut rest = text.strip_prefix(pieces.next()?)?;
    let mut found = Vec::new();
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        let end = if pieces.peek().is_none() && piece.is_empty() { rest.len() } else { rest.find(piece)? };
        found.push(&rest[..end]);
        rest = &rest[end + piece.len()..];
    }
    rest.is_empty().then_some(found)
}

fn filled(kiswahili: &str, values: &[&str]) -> String {
    let mut text = kiswahili.to_owned();
    for (place, value) in values.iter().enumerate() {
        text = text.replace(&format!("{{{place}}}"), value);
    }
    text
}

const ROWS: &[(&str, &str, &str)] = &[
    // The doors.
    ("api.body_invalid", "*", "Ombi halisomeki: kitu fulani kimeandikwa visivyo au kinakosekana."),
    (
        "api.body_too_large",
        "The request is larger than this door takes.",
        "Ombi ni kubwa kuliko linavyopokelewa hapa.",
    ),
    ("api.content_type", "*", "Tuma JSON, na kichwa Content-Type: application/json."),
    ("api.foreign_origin", "*", "Ombi hili halikutoka kwenye kurasa zetu wenyewe."),
    ("api.household_only", "*", "Hii ni ya nyumba. Ingia kama nyumba hiyo."),
    (
        "api.idempotency_key_invalid",
        "*",
        "Idempotency-Key ina herufi 1 hadi 64: herufi, tarakimu, '-', '_', '.', ':' au '/'.",
    ),
    (
        "api.idempotency_key_missing",
        "*",
        "Tuma kichwa Idempotency-Key: thamani mpya kwa kila ombi jipya, ile ile ukirudia.",
    ),
    (
        "api.internal",
        "*",
        "Kuna hitilafu upande wetu. Jaribu tena; ikiendelea, mpe mwendeshaji nambari ya ombi hili.",
    ),
    ("api.invalid_day", "A day is written like 2026-11-23.", "Siku huandikwa hivi: 2026-11-23."),
    ("api.invalid_month", "A month is written like 2026-11.", "Mwezi huandikwa hivi: 2026-11."),
    (
        "api.invalid_time",
        "Write the time like 2026-11-23T12:00:00Z.",
        "Andika wakati hivi: 2026-11-23T12:00:00Z.",
    ),
    ("api.no_such_route", "There is nothing at this address.", "Hakuna kitu kwenye anwani hii."),
    ("api.not_found", "*", "Hakuna kitu kama hicho."),
    ("api.not_offered", "*", "Huduma hii haipo hapa."),
    ("api.not_signed_in", "Sign in first.", "Ingia kwanza."),
    ("api.operator_only", "Only the operator may see this.", "Mwendeshaji pekee ndiye anayeweza kuona hii."),
    ("api.query_invalid", "*", "Sehemu ya anwani baada ya alama ya kuuliza haisomeki."),
    ("api.session_ended", "Your session has ended. Sign in again.", "Muda wako umekwisha. Ingia tena."),
    (
        "api.timeout",
        "*",
        "Imechukua muda mrefu. Angalia kama imefanyika kabla ya kurudia, kisha rudia kwa ufunguo ule ule.",
    ),
    (
        "api.too_many_requests",
        "*",
        "Maombi ni mengi kwa mara moja. Subiri dakika moja, kisha endelea; yaliyoanzishwa yanaendelea yenyewe.",
    ),
    (
        "api.too_many_sign_ins",
        "*",
        "Watu wengi mno wameingia kutoka mtandao wako. Subiri dakika moja ujaribu tena.",
    ),
    ("api.too_many_streams", "*", "Kurasa nyingi za moja kwa moja ziko wazi. Funga moja."),
    ("api.want_unclear", "*", "Sema kiasi cha kununua: kwa kWh au kwa shilingi, zaidi ya sifuri."),
    ("api.wrong_method", "*", "Anwani hii haipokei njia hiyo."),
    // Who people are.
    ("api.code_too_soon", "*", "Kodi imetumwa sasa hivi. Subiri kidogo kabla ya kuomba nyingine."),
    ("api.code_wrong", "*", "Hiyo si kodi, au muda wake umekwisha. Iangalie, au omba mpya."),
    ("api.invitation_wrong", "*", "Huo si mwaliko, au muda wake umekwisha. Omba mpya."),
    ("api.name_taken", "*", "Jina hilo lina mtu, au lilikuwa na mtu. Majina hayatolewi mara mbili."),
    ("api.no_text_messages", "*", "Hapa hakuna SMS zinazotumwa. Muulize mwendeshaji."),
    ("api.other_role", "*", "Kazi yako hapa haihusishi hili."),
    ("api.password_too_easy", "*", "Nenosiri lina herufi 12 hadi 200 na si jina lako. Chagua lingine."),
    ("api.phone_invalid", "*", "Hiyo si nambari ya simu ya Kenya: iandike hivi 0712 345 678."),
    (
        "api.pin_locked",
        "Locked after wrong tries. Try again in {} minutes, or set a new PIN with a code.",
        "Imefungwa baada ya majaribio mabaya. Jaribu tena baada ya dakika {0}, au weka PIN mpya kwa kodi.",
    ),
    ("api.pin_needed", "*", "Weka PIN yako kwanza."),
    ("api.pin_not_set", "*", "Bado huna PIN. Weka moja kwa kodi iliyotumwa kwa simu yako."),
    (
        "api.pin_too_easy",
        "*",
        "PIN ina tarakimu 4 hadi 6, zisizofuatana na zisizofanana zote. Chagua nyingine.",
    ),
    (
        "api.pin_wrong",
        "That is not your PIN. Tries left: {}.",
        "Hiyo si PIN yako. Majaribio yaliyobaki: {0}.",
    ),
    ("api.pin_wrong", "*", "PIN ina tarakimu 4 hadi 6."),
    (
        "api.sign_in_wrong",
        "*",
        "Jina, nenosiri au kodi si sahihi. Kodi hutumika mara moja tu: subiri inayofuata.",
    ),
    ("api.too_many_codes", "*", "Kodi nyingi zimetumwa kwa nambari hii. Jaribu tena baada ya saa moja."),
    // The store, the chain, the ledger.
    (
        "store.conflict",
        "*",
        "Mtu mwingine amebadilisha hii wakati huo huo. Angalia tena, kisha rudia ukitaka.",
    ),
    ("store.unavailable", "*", "Kumbukumbu zetu hazipatikani kwa sasa. Jaribu tena baada ya dakika moja."),
    (
        "chain.not_ready",
        "*",
        "Mtandao wa hati bado haujawa tayari. Hakuna kilichopotea; mwendeshaji anahitaji kuangalia.",
    ),
    (
        "chain.unreachable",
        "*",
        "Mtandao wa hati haujibu kwa sasa. Hakuna kilichopotea; jaribu tena baada ya dakika moja.",
    ),
    ("ledger.insufficient_balance", "the available balance is too small", "salio lako halitoshi"),
    ("audit.running", "*", "Ukaguzi unaendelea. Angalia tena baada ya muda mfupi."),
    ("forecast.none_yet", "*", "Bado hakuna utabiri. Wa kwanza unahitaji vipimo vichache vya mita."),
    // Buying and selling.
    ("market.nothing_wanted", "*", "sema agizo ni la umeme au pesa kiasi gani"),
    ("market.nothing_on_offer", "*", "hakuna jirani anayeuza sasa; jaribu baadaye au nunua kwa mwendeshaji"),
    (
        "market.not_enough",
        "only {} can be bought in one order now",
        "sasa unaweza kununua {0} tu kwa agizo moja",
    ),
    ("market.budget_too_small", "*", "kiasi hiki hakitoshi hata kwa saa-wati moja"),
    ("market.too_large", "*", "hii inazidi kiasi cha agizo au ofa moja"),
    ("market.invalid_fills", "*", "agizo lina sehemu moja hadi nne, kila moja ikiwa na umeme"),
    ("market.energy_out_of_bounds", "an offer holds between {} and {}", "ofa ina kati ya {0} na {1}"),
    (
        "market.price_out_of_bounds",
        "the price must be between {} and {}",
        "bei lazima iwe kati ya {0} na {1}",
    ),
    (
        "market.expiry_out_of_bounds",
        "an offer lasts between {} and {} seconds",
        "ofa hudumu kati ya sekunde {0} na {1}",
    ),
    (
        "market.held_energy",
        "your unpaid orders may hold {} in all; {} is left",
        "maagizo yako yasiyolipiwa yanaweza kushikilia {0} kwa jumla; imebaki {1}",
    ),
    (
        "market.open_orders",
        "{} of your orders wait for payment; pay one or let it lapse",
        "maagizo yako {0} yanasubiri malipo; lipia moja au liache liishe muda",
    ),
    ("market.unpaid_today", "*", "maagizo yako mengi hayakulipiwa leo; lipa kwa salio lako"),
    (
        "market.unpaid_share",
        "an unpaid order may hold at most a quarter of an offer; order {} or pay from your balance",
        "agizo lisilolipiwa linaweza kushikilia robo ya ofa tu; agiza {0} au lipa kwa salio lako",
    ),
    (
        "market.too_many_offers",
        "{} of your offers stand; take one back, or wait until one is sold",
        "una ofa {0} sokoni; rudisha moja, au subiri moja iuzwe",
    ),
    (
        "market.too_many_unpaid",
        "three orders were left unpaid; order again after {}, or pay from your balance",
        "maagizo matatu hayakulipiwa; agiza tena baada ya {0}, au lipa kwa salio lako",
    ),
    (
        "market.attested_price",
        "your meter does not sign by itself, so you may ask {} at most; a meter that signs may ask more",
        "mita yako haisaini yenyewe, kwa hivyo bei yako ni {0} zaidi; mita inayosaini inaweza kuomba zaidi",
    ),
    ("market.attested_self_use", "*", "mita yako haisaini yenyewe; umeme wake ni wa matumizi yako hapa"),
    // Rules that trade by themselves.
    ("market.rule_budget_too_large", "a day's budget is at most {}", "bajeti ya siku ni {0} zaidi"),
    ("market.rule_budget_zero", "*", "bajeti ya sifuri hainunui kitu; weka kiasi, au zima kanuni"),
    ("market.rule_energy_too_large", "a rule names at most {}", "kanuni hutaja {0} zaidi"),
    ("market.rule_in_hand_zero", "*", "sema kiasi cha kubaki nacho, au acha kanuni ilipe upungufu wako"),
    (
        "market.rule_contradiction",
        "you would buy up to {} and sell above {}; keep at least as much as you want in hand",
        "ungenunua hadi {0} na kuuza zaidi ya {1}; baki na angalau kiasi unachotaka kuwa nacho",
    ),
    (
        "market.rule_floor_out_of_bounds",
        "you can sell at {} to {}; the operator itself pays {}",
        "unaweza kuuza kwa {0} hadi {1}; mwendeshaji mwenyewe hulipa {2}",
    ),
    (
        "market.rule_price_out_of_bounds",
        "with fee and tax, neighbours sell at {} to {}; nobody pays more than the operator asks",
        "pamoja na ada na kodi, majirani huuza kwa {0} hadi {1}; hakuna anayelipa zaidi ya bei ya mwendeshaji",
    ),
    // Money.
    ("settlement.unknown_household", "*", "hakuna nyumba kama hiyo"),
    (
        "settlement.not_enrolled",
        "*",
        "nyumba hii bado haijasajiliwa kwenye mtandao wa hati; jaribu tena baada ya dakika moja",
    ),
    ("settlement.no_phone", "*", "nyumba hii haina namba ya M-Pesa; mwombe mwendeshaji aiongeze"),
    ("settlement.unknown_offer", "*", "huna ofa kama hiyo"),
    ("settlement.invalid_key", "*", "ufunguo wa ombi una herufi 1 hadi 128"),
    ("settlement.key_reused", "*", "ufunguo huu ulitumika kwa ombi jingine; chukua mpya"),
    (
        "settlement.shortfall",
        "you owe {} of energy, which must be met before you can sell",
        "una deni la umeme la {0}; lilipwe kabla ya kuuza",
    ),
    ("settlement.vault_too_small", "you have {} to sell", "una {0} tu ya kuuza"),
    (
        "settlement.price_moved",
        "this now costs {}, more than you agreed to; look at the new price",
        "sasa inagharimu {0}, zaidi ya ulivyokubali; angalia bei mpya",
    ),
    (
        "settlement.amount_too_large",
        "M-Pesa moves at most {} at once; make it smaller",
        "M-Pesa hupitisha {0} zaidi kwa mara moja; punguza",
    ),
    ("settlement.payout_too_small", "M-Pesa pays out {} or more", "M-Pesa hutoa {0} au zaidi"),
    (
        "settlement.daily_limit",
        "you can withdraw {} more today; the rest from midnight on",
        "leo unaweza kutoa {0} zaidi; kilichobaki kuanzia usiku wa manane",
    ),
    (
        "settlement.operator_daily_limit",
        "*",
        "leo hakuna pesa zaidi zinazotolewa; omba tena kesho, pesa zako ni zako",
    ),
    (
        "settlement.operator_funds",
        "*",
        "mwendeshaji hana pesa zake za kununua hii; omba tena baadaye, umeme wako ni wako",
    ),
    ("settlement.no_operator", "*", "mwendeshaji hana rekodi kwenye laini hii inayoweza kununua; mwambie"),
    (
        "settlement.cool_down",
        "your number was changed; for your safety withdrawals to it begin at {}",
        "namba yako ilibadilishwa; kwa usalama wako kutoa pesa kwayo kutaanza {0}",
    ),
    ("settlement.prompt_open", "*", "ombi la malipo liko wazi kwenye simu hii; lijibu au subiri liishe"),
    (
        "settlement.tariff_pending",
        "*",
        "bei mpya zimeanza na mtandao wa hati bado hauna; jaribu tena baada ya dakika moja",
    ),
    ("settlement.insufficient_balance", "*", "salio lako halitoshi kwa hili"),
    ("settlement.contended", "*", "wengine walitangulia; jaribu tena"),
    ("settlement.overloaded", "*", "kazi ni nyingi mno sasa; jaribu tena baada ya dakika moja"),
    ("settlement.stopping", "*", "huduma inasimama; omba tena kwa ufunguo ule ule itakaporudi"),
    ("settlement.stuck", "*", "hili linamhitaji mwendeshaji"),
    // What is owed.
    ("shortfall.amount_not_positive", "*", "kiasi lazima kiwe zaidi ya sifuri"),
    (
        "shortfall.emergency_not_needed",
        "*",
        "mkopo wa dharura ni wa anayedaiwa asilimia 80 ya kikomo au zaidi",
    ),
    (
        "shortfall.emergency_owed",
        "{} of emergency credit is still to be repaid",
        "{0} ya mkopo wa dharura bado haijalipwa",
    ),
    ("shortfall.instalments_running", "*", "kuna makubaliano yanayoendelea; yamalize kwanza"),
    ("shortfall.limit_negative", "*", "kikomo ni sifuri (kulipa kabla) au zaidi"),
    ("shortfall.limit_too_high", "*", "kikomo ni KSh 1,000,000 zaidi"),
    ("shortfall.no_dispute", "*", "hakuna pingamizi la kujibu"),
    ("shortfall.no_instalment_due", "*", "hakuna awamu inayodaiwa"),
    ("shortfall.not_disputable", "*", "pinga hatua yako moja, moja kwa wakati"),
    ("shortfall.note_too_long", "*", "andika herufi 200 zaidi"),
    ("shortfall.nothing_owed", "*", "hakuna deni la kulipa kwa awamu"),
    (
        "shortfall.instalments_out_of_bounds",
        "instalments are 1 to 31 days apart and 52 at most: {} each",
        "awamu ni kila siku 1 hadi 31, na 52 zaidi: {0} kila moja",
    ),
    // Statements and bills.
    ("statement.in_the_future", "{} has not begun yet", "{0} bado haijaanza"),
    ("statement.no_household", "*", "hakuna nyumba kama hiyo"),
    ("statement.too_busy", "*", "akaunti inabadilika haraka mno kusomwa sasa; jaribu tena"),
    (
        "statement.too_long",
        "more than {} lines; take a shorter period",
        "zaidi ya mistari {0}; chagua kipindi kifupi",
    ),
    (
        "statement.invalid_period",
        "*",
        "kipindi ni mwezi kama 2026-10, siku kama 2026-10-05, au siku kama 2026-10-01..2026-10-15, zisizozidi 366",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    /// Codes that only the operator's desk or a program meets.
    const NOT_OF_HOUSEHOLDS: [&str; 22] = [
        "market.buy_back_zero",
        "market.book_full",
        "market.call_price_out_of_bounds",
        "market.draw_seed",
        "market.no_margin",
        "market.operator_off_edge",
        "market.retail_too_high",
        "market.tariff_backwards",
        "market.tariff_ends",
        "market.tariff_gap",
        "market.tariff_in_past",
        "market.tariff_none",
        "market.tariff_off_slot",
        "market.tariff_overlap",
        "market.tariff_too_many",
        "market.unpaid_bid",
        "settlement.broken_record",
        "settlement.float_amount",
        "settlement.float_moving",
        "statement.balance_differs",
        "statement.does_not_add_up",
        "statement.order_differs",
    ];

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }

    /// Every `code: sentence` of an error's definition, with `{}` for what varies.
    fn defined(crate_name: &str) -> BTreeSet<(String, String)> {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(crate_name).join("src"), &mut files);
        let mut found = BTreeSet::new();
        for file in files {
            let text = std::fs::read_to_string(file).unwrap();
            for part in text.split("#[error(").skip(1) {
                let Some(literal) = part.trim_start().strip_prefix('"') else { continue };
                let mut quotes = literal.match_indices('"').map(|(place, _)| place);
                let end = quotes.find(|place| !literal[..*place].ends_with('\\'));
                let literal = &literal[..end.unwrap_or(0)];
                let joined: String = literal.split("\\\n").map(str::trim_start).collect();
                let Some((code, sentence)) = joined.split_once(": ") else { continue };
                let mut shape = String::new();
                for (place, piece) in sentence.split('{').enumerate() {
                    let outside =
                        if place == 0 { Some(piece) } else { piece.split_once('}').map(|(_, rest)| rest) };
                    shape += if place == 0 { "" } else { "{}" };
                    shape += outside.unwrap_or_default();
                }
                found.insert((code.to_owned(), shape));
            }
        }
        found
    }

    #[test]
    fn every_sentence_a_household_may_meet_is_told_in_kiswahili() {
        let mut asked = 0;
        for crate_name in ["market", "settlement", "statement"] {
            for (code, shape) in defined(crate_name) {
                let ours = ["market.", "settlement.", "shortfall.", "statement."];
                let of_households = ours.iter().any(|prefix| code.starts_with(prefix))
                    && !NOT_OF_HOUSEHOLDS.contains(&code.as_str())
                    && !["statement.empty", "statement.not_written"].contains(&code.as_str());
                if !of_households {
                    continue;
                }
                asked += 1;
                let example = shape.replace("{}", "X1");
                let said = of(&code, &example);
                assert_ne!(said, OTHERWISE, "{code}: {shape}");
                let told = shape.matches("{}").count();
                let row = ROWS.iter().find(|(of, pattern, _)| *of == code && *pattern != "*");
                if row.is_some() {
                    assert_eq!(said.matches("X1").count(), told, "{code}: {said}");
                }
            }
        }
        assert!(asked > 60, "the definitions are found: {asked}");
    }

    #[test]
    fn what_varies_is_taken_over_and_another_shape_is_not_mistaken() {
        assert_eq!(
            of("market.price_out_of_bounds", "the price must be between KSh 10.00 and KSh 35.40"),
            "bei lazima iwe kati ya KSh 10.00 na KSh 35.40"
        );
        assert_eq!(of("settlement.vault_too_small", "you have 1.2 kWh to sell"), "una 1.2 kWh tu ya kuuza");
        assert_eq!(of("settlement.vault_too_small", "something else"), OTHERWISE);
        assert_eq!(of("nobody.knows", ""), OTHERWISE);
    }

    #[test]
    fn rows_use_what_their_english_gives() {
        for (code, english, kiswahili) in ROWS {
            let given = english.matches("{}").count();
            let used = (0..9).filter(|place| kiswahili.contains(&format!("{{{place}}}"))).count();
            assert_eq!(used, given, "{code}");
        }
    }
}
