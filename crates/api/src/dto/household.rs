//! Households, as themselves and as a choice.

use jirani_store::{HouseholdKind, Language};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What stands behind a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KindView {
    /// A home or shop.
    Home,
    /// The operator's generator.
    Generator,
    /// The operator's battery.
    Battery,
    /// The operator's losses.
    Loss,
}

impl From<HouseholdKind> for KindView {
    fn from(kind: HouseholdKind) -> Self {
        match kind {
            HouseholdKind::Home => Self::Home,
            HouseholdKind::Generator => Self::Generator,
            HouseholdKind::Battery => Self::Battery,
            HouseholdKind::Loss => Self::Loss,
        }
    }
}

/// Who vouches for a meter's readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrustView {
    /// The meter signs by itself.
    DeviceSigned,
    /// The site signs what a foreign device said; it may ask less for its exports.
    GatewayAttested,
}

impl From<jirani_units::Trust> for TrustView {
    fn from(trust: jirani_units::Trust) -> Self {
        match trust {
            jirani_units::Trust::DeviceSigned => Self::DeviceSigned,
            jirani_units::Trust::GatewayAttested => Self::GatewayAttested,
        }
    }
}

/// The language of a household's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LanguageView {
    /// English.
    En,
    /// Kiswahili.
    Sw,
}

impl From<Language> for LanguageView {
    fn from(language: Language) -> Self {
        match language {
            Language::En => Self::En,
            Language::Sw => Self::Sw,
        }
    }
}

/// The household that is signed in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MeView {
    /// Identity.
    pub id: u32,
    /// What the household and the operator see.
    pub name: String,
    /// What neighbours see.
    pub alias: String,
    /// Language of its messages.
    pub language: LanguageView,
    /// `0712 *** 678`; null for the operator's records.
    pub msisdn_masked: Option<String>,
}

/// A record that anybody may sign in as, in a demonstration.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DemoHousehold {
    /// Identity.
    pub id: u32,
    /// What the household and the operator see.
    pub name: String,
    /// What neighbours see.
    pub alias: String,
    /// Home, or one of the operator's records.
    pub kind: KindView,
    /// Rated power of its panels; 0 without.
    pub pv_rated_w: u32,
}
