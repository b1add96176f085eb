//! A step in words, for a phone. Pure.

use jirani_market::shortfall::{Deferral, Protection, RelayPosition, Step, StepKind};
use jirani_store::{Change, NoticeRecord};

/// A step in English and Kiswahili.
pub fn step_in_words(step: &Step) -> (String, String) {
    (step.to_string(), swahili(&step.kind))
}

/// The notice of a step.
pub(super) fn notice(step: &Step) -> Change {
    Change::Notice(NoticeRecord {
        key: format!("shortfall/{}/{}", step.household, step.number),
        household: Some(step.household),
        code: code(&step.kind).to_owned(),
        en: step.to_string(),
        sw: swahili(&step.kind),
        at: step.at,
    })
}

fn code(kind: &StepKind) -> &'static str {
    match kind {
        StepKind::Warned { .. } => "shortfall_warned",
        StepKind::LimitReached { .. } => "shortfall_limit",
        StepKind::RelayOpens { .. } | StepKind::OpeningLapsed { .. } => "shortfall_relay_opens",
        StepKind::RelayCloses { .. } => "shortfall_relay_closes",
        StepKind::RelayConfirmed(_) => "shortfall_relay",
        StepKind::EmergencyGranted(_) | StepKind::EmergencyRepaid(_) => "shortfall_emergency",
        StepKind::InstalmentsAgreed { .. }
        | StepKind::InstalmentPaid { .. }
        | StepKind::InstalmentMissed(_)
        | StepKind::InstalmentsEnded(_)
        | StepKind::InstalmentsDone => "shortfall_instalments",
        StepKind::ProtectionSet(_) | StepKind::LimitSet(_) => "shortfall_terms",
        StepKind::Disputed(_) | StepKind::Resolved(_) => "shortfall_dispute",
    }
}

fn swahili(kind: &StepKind) -> String {
    match kind {
        StepKind::Warned { percent, exposure, limit } => {
            format!("Unadaiwa {exposure}: {percent} % ya kikomo chako cha {limit}. Lipa ili umeme usikatwe.")
        }
        StepKind::LimitReached { because, exposure, limit } => {
            format!("Unadaiwa {exposure}, kikomo chako ni {limit}. Umeme unabaki: {}.", why(*because))
        }
        StepKind::RelayOpens { exposure, limit, .. } => {
            format!("Unadaiwa {exposure}, kikomo chako ni {limit}. Umeme unakatwa hadi ulipe.")
        }
        StepKind::OpeningLapsed { .. } => "Mita yako haikupatikana kwa wakati: umeme unabaki.".to_owned(),
        StepKind::RelayCloses { .. } => "Umeme wako unarudi sasa.".to_owned(),
        StepKind::RelayConfirmed(RelayPosition::Open) => "Mita yako inasema umeme umekatwa.".to_owned(),
        StepKind::RelayConfirmed(RelayPosition::Closed) => "Mita yako inasema umeme upo.".to_owned(),
        StepKind::EmergencyGranted(amount) => {
            format!("Umepewa {amount} ya dharura. Pesa utakayolipa kwanza italipa hiyo.")
        }
        StepKind::EmergencyRepaid(amount) => format!("{amount} ya dharura imelipwa."),
        StepKind::InstalmentsAgreed { energy, owed, each } => {
            format!("Utalipa {owed} kwa {energy} kwa awamu za {each}.")
        }
        StepKind::InstalmentPaid { paid, .. } => format!("Awamu ya {paid} imelipwa."),
        StepKind::InstalmentMissed(each) => {
            format!("Awamu ya {each} imefika. Lipa ili makubaliano yaendelee.")
        }
        StepKind::InstalmentsEnded(owed) => {
            format!("Makubaliano ya awamu yameisha: {owed} inahesabiwa tena kwenye kikomo chako.")
        }
        StepKind::InstalmentsDone => "Deni lako la zamani limelipwa.".to_owned(),
        StepKind::ProtectionSet(Protection::None) => "Umeme wako haulindwi tena.".to_owned(),
        StepKind::ProtectionSet(_) => "Umeme wako umelindwa: haukatwi kwa deni.".to_owned(),
        StepKind::LimitSet(limit) => format!("Kikomo chako ni {limit}."),
        StepKind::Disputed(number) => format!("Umepinga hatua {number}. Kampuni itajibu."),
        StepKind::Resolved(number) => format!("Pingamizi lako la hatua {number} limejibiwa."),
    }
}

fn why(because: Deferral) -> &'static str {
    match because {
        Deferral::Night => "umeme haukatwi usiku",
        Deferral::Protected => "wateja wanaolindwa hawakatiwi",
        Deferral::Clinic => "zahanati haikatiwi",
        Deferral::Notice => "onyo halijafikisha siku moja",
        Deferral::OldReadings => "mita haijasikika kwa siku moja",
        Deferral::Dispute => "kuna hatua inayopingwa",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jirani_notify::gsm::is_one_message;
    use jirani_units::{Cents, HouseholdId, Timestamp, Wh};

    #[test]
    fn one_text_message_holds_each_step_in_either_language() {
        let (exposure, limit, not_after) = (Cents(99_999_999), Cents(99_999_999), Timestamp(0));
        let because = [
            Deferral::Night,
            Deferral::Protected,
            Deferral::Clinic,
            Deferral::Notice,
            Deferral::OldReadings,
            Deferral::Dispute,
        ];
        let mut kinds: Vec<StepKind> =
            because.map(|because| StepKind::LimitReached { because, exposure, limit }).to_vec();
        kinds.extend([
            StepKind::Warned { percent: 80, exposure, limit },
            StepKind::RelayOpens { command: 7, not_after, exposure, limit },
            StepKind::OpeningLapsed { command: 7 },
            StepKind::RelayCloses { command: 7 },
            StepKind::RelayConfirmed(RelayPosition::Open),
            StepKind::RelayConfirmed(RelayPosition::Closed),
            StepKind::EmergencyGranted(limit),
            StepKind::EmergencyRepaid(limit),
            StepKind::InstalmentsAgreed { energy: Wh(99_999_999), owed: limit, each: limit },
            StepKind::InstalmentPaid { paid: limit, energy: Wh(1) },
            StepKind::InstalmentMissed(limit),
            StepKind::InstalmentsEnded(limit),
            StepKind::InstalmentsDone,
            StepKind::ProtectionSet(Protection::None),
            StepKind::ProtectionSet(Protection::Clinic),
            StepKind::LimitSet(limit),
            StepKind::Disputed(99_999),
            StepKind::Resolved(99_999),
        ]);
        for kind in kinds {
            let step = Step { household: HouseholdId(1), number: 4, at: Timestamp(0), kind };
            let Change::Notice(kept) = notice(&step) else { panic!() };
            for text in [&kept.en, &kept.sw] {
                assert!(is_one_message(text), "{text}");
            }
            assert_ne!(kept.en, kept.sw);
            assert_eq!(kept.key, "shortfall/1/4");
        }
    }
}
