//! What people are told of prices: one text message each, in both languages.

use jirani_market::Tariff;
use jirani_market::schedule::{Schedule, Standing};
use jirani_store::{Change, HouseholdKind, HouseholdRecord, NoticeRecord, OfferRecord, TariffRecord};
use jirani_units::{Cents, Price, Timestamp};

const MONTHS: [(&str, &str); 12] = [
    ("Jan", "Jan"),
    ("Feb", "Feb"),
    ("Mar", "Mac"),
    ("Apr", "Apr"),
    ("May", "Mei"),
    ("Jun", "Jun"),
    ("Jul", "Jul"),
    ("Aug", "Ago"),
    ("Sep", "Sep"),
    ("Oct", "Okt"),
    ("Nov", "Nov"),
    ("Dec", "Des"),
];

/// `1 Dec 06:00` and `1 Des 06:00` in Nairobi, with the year where it is another than now.
fn moment(at: Timestamp, now: Timestamp) -> (String, String) {
    let text = |at: Timestamp| at.plus_seconds(3 * 3_600).to_string();
    let (at, now) = (text(at), text(now));
    let number = |range| at.get(range).and_then(|digits: &str| digits.parse::<usize>().ok()).unwrap_or(1);
    let (month, day) = (number(5..7), number(8..10));
    let time = at.get(11..16).unwrap_or_default();
    let year = at.get(..4).filter(|year| !now.starts_with(year)).map(|year| format!(" {year}"));
    let year = year.unwrap_or_default();
    let (en, sw) = MONTHS[(month + 11) % 12];
    (format!("{day} {en}{year} {time}"), format!("{day} {sw}{year} {time}"))
}

/// `KSh 36.00`.
fn money(price: Price) -> String {
    Cents(i64::from(price.0)).to_string()
}

/// `36.00`.
fn figure(price: Price) -> String {
    money(price).trim_start_matches("KSh ").to_owned()
}

/// What is in force until `from`.
pub(super) fn before(schedule: &Schedule, from: Timestamp) -> Tariff {
    schedule.in_force(Timestamp(from.0.saturating_sub(1))).copied().unwrap_or_else(|| schedule.first())
}

/// Tells every home of coming prices; `before` is what they pay until then.
pub(super) fn announced(
    households: &[HouseholdRecord],
    record: &TariffRecord,
    before: &Tariff,
    now: Timestamp,
) -> Vec<Change> {
    let (at_en, at_sw) = moment(record.from, now);
    let Tariff { retail, buy_back, .. } = record.tariff;
    let (new, old, back) = (money(retail), figure(before.retail), figure(buy_back));
    let en = format!("From {at_en} power costs {new}/kWh (now {old}); sold back at {back}.");
    let sw = format!("Kuanzia {at_sw} umeme ni {new} kwa kWh (sasa {old}); tunanunua kwa {back}.");
    let homes = households.iter().filter(|household| household.kind == HouseholdKind::Home);
    let notices = homes.map(|home| {
        Change::Notice(NoticeRecord {
            key: format!("tariff/{}/{}", record.number, home.id),
            household: Some(home.id),
            code: "tariff_announced".to_owned(),
            en: en.clone(),
            sw: sw.clone(),
            at: now,
        })
    });
    notices.collect()
}

/// Tells the owner of an open offer that nobody can buy it any more; once for ever.
pub(super) fn outside(offer: &OfferRecord, standing: Standing, now: Timestamp) -> Change {
    let (id, price) = (offer.id, figure(offer.price));
    let (code, en, sw) = match standing {
        Standing::TooDear { max } => (
            "offer_too_dear",
            format!(
                "Your offer {id} asks {price}; new prices allow {} at most. Nobody can buy it: take it back and offer anew.",
                figure(max)
            ),
            format!(
                "Tangazo lako {id} linaomba {price}; bei mpya inaruhusu hadi {}. Halinunuliki: liondoe na utangaze tena.",
                figure(max)
            ),
        ),
        Standing::Raised(least) | Standing::Stands(least) => (
            "offer_too_cheap",
            format!(
                "Your offer {id} asks {price}, but we now pay {}. It sells at that in the slot's market only; offer anew.",
                figure(least)
            ),
            format!(
                "Tangazo lako {id} linaomba {price}, lakini sasa tunalipa {}. Litauzwa kwa bei hiyo sokoni tu; tangaza tena.",
                figure(least)
            ),
        ),
    };
    Change::Notice(NoticeRecord {
        key: format!("{code}/{id}"),
        household: Some(offer.seller),
        code: code.to_owned(),
        en,
        sw,
        at: now,
    })
}

/// The command that sets the chain's bounds.
pub(super) fn command(tariff: &Tariff) -> String {
    format!(
        "jirani chain set-tariff --retail {} --buy-back {} --grid-fee {} --tax {}",
        tariff.retail.0, tariff.buy_back.0, tariff.grid_fee.0, tariff.tax.0
    )
}

/// Tells the operator that somebody with the admin's key must set the bounds of what has
/// been in force since `began`.
pub(super) fn set_by_hand(tariff: &Tariff, began: Timestamp, now: Timestamp) -> Change {
    let ((en, sw), command) = (moment(began, now), command(tariff));
    crate::notice::to_operator(
        format!("tariff_bounds/{}/{}", began.0, command),
        "tariff_bounds",
        format!(
            "Prices of {en} are not on chain, so nothing is traded; the admin's key is elsewhere. Run there: {command}"
        ),
        format!(
            "Bei za {sw} haziko kwenye chain, soko limesimama; ufunguo wa admin hauko hapa. Endesha: {command}"
        ),
        now,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_notify::gsm;
    use jirani_store::{OfferState, TariffOrigin};
    use jirani_units::{HouseholdId, OfferId, Wh};

    fn tariff(retail: u32, buy_back: u32) -> Tariff {
        Tariff { retail: Price(retail), buy_back: Price(buy_back), grid_fee: Price(300), tax: Price(200) }
    }

    fn texts(change: &Change) -> (&str, &str) {
        let Change::Notice(notice) = change else { panic!("no notice: {change:?}") };
        (&notice.en, &notice.sw)
    }

    #[test]
    fn a_home_hears_the_new_price_the_old_one_and_when_in_nairobi() {
        let home = crate::fixtures::home(7);
        let record = TariffRecord {
            number: 2,
            from: "2026-12-01T03:00:00Z".parse().unwrap(),
            tariff: tariff(123_450, 1_200),
            origin: TariffOrigin::Operator,
            by: Some("Grace".to_owned()),
            key: "december".to_owned(),
            announced_at: Timestamp(0),
        };
        let now = "2026-11-23T10:00:00Z".parse().unwrap();
        let told = announced(&[home], &record, &tariff(3_500, 1_000), now);
        assert_eq!(
            texts(&told[0]),
            (
                "From 1 Dec 06:00 power costs KSh 1,234.50/kWh (now 35.00); sold back at 12.00.",
                "Kuanzia 1 Des 06:00 umeme ni KSh 1,234.50 kwa kWh (sasa 35.00); tunanunua kwa 12.00."
            )
        );
        let (en, sw) = moment("2027-05-31T21:15:00Z".parse().unwrap(), now);
        assert_eq!((en.as_str(), sw.as_str()), ("1 Jun 2027 00:15", "1 Jun 2027 00:15"));
    }

    #[test]
    fn one_text_message_holds_each_of_them_at_its_longest() {
        let most = tariff(1_000_000, 999_500);
        let offer = OfferRecord {
            id: OfferId(99_999_999),
            seller: HouseholdId(1),
            energy_wh: Wh(1),
            reserved_wh: Wh::ZERO,
            sold_wh: Wh::ZERO,
            price: Price(999_999),
            expires_at: Timestamp(0),
            state: OfferState::Open,
            refusal: None,
            signature: None,
            key: String::new(),
            created_at: Timestamp(0),
            version: 0,
        };
        let record = TariffRecord {
            number: 9,
            from: "2030-12-31T20:45:00Z".parse().unwrap(),
            tariff: most,
            origin: TariffOrigin::Settings,
            by: None,
            key: String::new(),
            announced_at: Timestamp(0),
        };
        let mut all = announced(&[crate::fixtures::home(1)], &record, &most, Timestamp(0));
        for standing in [Standing::TooDear { max: Price(999_999) }, Standing::Raised(Price(999_999))] {
            all.push(outside(&offer, standing, Timestamp(0)));
        }
        for change in &all {
            let (en, sw) = texts(change);
            assert_ne!(en, sw);
            for text in [en, sw] {
                assert!(gsm::is_one_message(text), "{:?} {text}", gsm::places(text));
            }
        }
    }
}
