//! What rules have to say, as people read it: at most 160 characters of GSM 03.38.

use jirani_market::nairobi;
use jirani_market::rule::{IntentKey, Notice};
use jirani_store::{Change, NoticeRecord};
use jirani_units::{HouseholdId, Timestamp};

/// The change that keeps a rule's message: once for its key.
pub(super) fn change(key: IntentKey, household: HouseholdId, notice: &Notice, at: Timestamp) -> Change {
    Change::Notice(NoticeRecord {
        key: format!("rule/{key}"),
        household: Some(household),
        code: format!("rule_{}", notice.kind()),
        en: en(notice),
        sw: sw(notice),
        at,
    })
}

fn en(notice: &Notice) -> String {
    match notice {
        Notice::MeterSilent { since } => {
            let (date, time) = moment(*since);
            format!("Nothing was heard from your meter since {date} {time}. Your rules wait for it.")
        }
        other => other.to_string(),
    }
}

fn sw(notice: &Notice) -> String {
    match notice {
        Notice::CouldSell { energy, floor } => {
            format!("Una {energy} ya ziada. Uiuze? Utapata angalau {floor}.")
        }
        Notice::CouldBuy { energy, best } => {
            format!("Unahitaji {energy}. Jirani anauza sasa kwa {best}, ada na kodi zikiwemo. Ununue?")
        }
        Notice::NobodySells { energy, retail } => format!(
            "Unahitaji {energy}. Hakuna jirani anayeuza kwa bei yako sasa; kampuni inauza kwa {retail}."
        ),
        Notice::BudgetSpent { budget } => {
            format!("Bajeti yako ya leo ya {budget} imeisha. Agizo lako la kudumu litaendelea kesho.")
        }
        Notice::NoBalance { available } => {
            format!(
                "Agizo lako la kudumu linahitaji salio: {available} imebaki. Weka pesa ili uendelee kununua."
            )
        }
        Notice::PriceOvertaken { price, min } => format!(
            "Agizo lako hulipa hadi {price}, lakini sasa hakuna anayeweza kuuza chini ya {min}. Weka bei mpya."
        ),
        Notice::FloorOvertaken { floor, max } => {
            format!("Unauza kuanzia {floor}, lakini sasa hakuna anayeweza kuuza juu ya {max}. Weka bei mpya.")
        }
        Notice::MeterSilent { since } => {
            let (date, time) = moment(*since);
            format!("Mita yako haijasikika tangu {date} {time}. Kanuni zako zinaisubiri.")
        }
    }
}

/// A moment in Nairobi: `2026-11-23`, `14:30`.
fn moment(at: Timestamp) -> (String, String) {
    let text = at.plus_seconds(3 * 3_600).to_string();
    (nairobi::date(at), text.chars().skip(11).take(5).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_notify::gsm::is_one_message;
    use jirani_units::{Cents, Price, Wh};

    #[test]
    fn one_text_message_holds_each_in_either_language() {
        let (energy, price) = (Wh(1_000_000), Price(1_000_000));
        for notice in [
            Notice::CouldSell { energy, floor: price },
            Notice::CouldBuy { energy, best: price },
            Notice::NobodySells { energy, retail: price },
            Notice::BudgetSpent { budget: Cents(50_000_000) },
            Notice::NoBalance { available: Cents(-50_000_000) },
            Notice::PriceOvertaken { price, min: price },
            Notice::FloorOvertaken { floor: price, max: price },
            Notice::MeterSilent { since: Timestamp::from_seconds(1_763_825_016) },
        ] {
            let key = IntentKey::Notice(20_000, HouseholdId(7), notice.kind());
            let Change::Notice(kept) = change(key, HouseholdId(7), &notice, Timestamp(0)) else { panic!() };
            for text in [&kept.en, &kept.sw] {
                assert!(is_one_message(text), "{text}");
            }
            assert_ne!(kept.en, kept.sw);
            assert_eq!(kept.key, format!("rule/notice/2024-10-04/7/{}", notice.kind()));
        }
    }
}
