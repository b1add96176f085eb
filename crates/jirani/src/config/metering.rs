use super::ConfigError;
use anyhow::Context as _;
use jirani_devices::{BUILT_IN, Decoder, Definition, SiteDevice, built_in, nearest};
use jirani_market::{AttestedExports, AttestedPolicy};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// Most devices of a site.
const DEVICES_MAX: usize = 1_000;

/// `[metering]`: foreign devices, and what only the site vouches for.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metering {
    /// Folder of device definitions (`*.yaml`) besides the built-in ones; empty for none.
    pub devices_dir: PathBuf,
    /// What may be done with exports of meters that do not sign by themselves.
    pub attested_exports: Exports,
    /// The most such a household may ask: thousandths of the way from buy-back to the highest
    /// price.
    pub attested_price_permille: u16,
    /// The bridge's password at an external broker; from the environment.
    pub bridge_password: String,
    /// This site's devices.
    pub devices: Vec<DeviceSetting>,
}

/// `sell` or `self_use`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exports {
    /// Sold, within the bound.
    Sell,
    /// For the household's own use only.
    SelfUse,
}

/// `[[metering.devices]]`: one device.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceSetting {
    /// Its id on this site.
    pub id: String,
    /// Name of its definition.
    pub definition: String,
    /// Whose connection it measures.
    pub household: u32,
    /// Another number for a device that was replaced or set back.
    #[serde(default = "first")]
    pub generation: u32,
    /// Most it can draw, in W.
    #[serde(default)]
    pub import_rating_w: u32,
    /// Most it can push, in W.
    #[serde(default)]
    pub export_rating_w: u32,
    /// Rated power of its panels, in W.
    #[serde(default)]
    pub pv_rated_w: u32,
    /// How often it is read, in seconds.
    #[serde(default = "minute")]
    pub interval_s: u32,
    /// Parameters of its definition.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
}

const fn first() -> u32 {
    1
}

const fn minute() -> u32 {
    60
}

impl Default for Metering {
    fn default() -> Self {
        let policy = AttestedPolicy::default();
        Self {
            devices_dir: PathBuf::new(),
            attested_exports: Exports::Sell,
            attested_price_permille: policy.price_permille,
            bridge_password: String::new(),
            devices: Vec::new(),
        }
    }
}

impl fmt::Debug for Metering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metering")
            .field("devices_dir", &self.devices_dir)
            .field("attested_exports", &self.attested_exports)
            .field("attested_price_permille", &self.attested_price_permille)
            .field("devices", &self.devices)
            .finish_non_exhaustive()
    }
}

impl Metering {
    /// What such meters may sell, and how dear.
    pub fn policy(&self) -> AttestedPolicy {
        let exports = match self.attested_exports {
            Exports::Sell => AttestedExports::Sell,
            Exports::SelfUse => AttestedExports::SelfUse,
        };
        AttestedPolicy { exports, price_permille: self.attested_price_permille }
    }

    /// This site's devices, each with its definition.
    pub fn decoders(&self) -> anyhow::Result<Vec<Decoder>> {
        let own = self.own_definitions()?;
        let decoder = |setting: &DeviceSetting| -> anyhow::Result<Decoder> {
            let named = || format!("metering.devices: {}", setting.id);
            let definition = find(&own, &setting.definition).with_context(named)?;
            Decoder::new(definition, setting.device()).with_context(named)
        };
        self.devices.iter().map(decoder).collect()
    }

    /// The definitions of the operator's folder.
    pub fn own_definitions(&self) -> anyhow::Result<Vec<Definition>> {
        if self.devices_dir.as_os_str().is_empty() {
            return Ok(Vec::new());
        }
        let unreadable = || format!("metering.devices_dir: cannot read {}", self.devices_dir.display());
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.devices_dir).with_context(unreadable)? {
            let path = entry.with_context(unreadable)?.path();
            if path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
                files.push(path);
            }
        }
        files.sort();
        files.iter().map(|path| read_definition(path)).collect()
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let invalid = |what: String| Err(ConfigError::Invalid(what));
        if self.attested_price_permille > 1_000 {
            return invalid("metering.attested_price_permille must be 0 to 1000".to_owned());
        }
        if self.devices.len() > DEVICES_MAX {
            return invalid(format!("metering.devices: at most {DEVICES_MAX}"));
        }
        if let Err(error) = self.decoders() {
            return invalid(format!("{error:#}"));
        }
        for (place, device) in self.devices.iter().enumerate() {
            if self.devices[..place].iter().any(|earlier| earlier.id == device.id) {
                return invalid(format!("metering.devices: {} stands twice", device.id));
            }
            if self.devices[..place].iter().any(|earlier| earlier.household == device.household) {
                return invalid(format!(
                    "metering.devices: household {} has two; a second meter is a second record",
                    device.household
                ));
            }
        }
        Ok(())
    }
}

impl DeviceSetting {
    /// As the decoder takes it.
    pub fn device(&self) -> SiteDevice {
        SiteDevice {
            id: self.id.clone(),
            definition: self.definition.clone(),
            generation: self.generation,
            import_rating_w: self.import_rating_w,
            export_rating_w: self.export_rating_w,
            pv_rated_w: self.pv_rated_w,
            interval_s: self.interval_s,
            parameters: self.parameters.clone(),
        }
    }
}

/// Reads a definition from a file.
pub fn read_definition(path: &Path) -> anyhow::Result<Definition> {
    let named = || format!("{}", path.display());
    let text = std::fs::read_to_string(path).with_context(named)?;
    Definition::read(&text).with_context(named)
}

/// The operator's own definition of this name before the built-in one.
fn find(own: &[Definition], name: &str) -> anyhow::Result<Definition> {
    if let Some(definition) = own.iter().find(|definition| definition.name == name) {
        return Ok(definition.clone());
    }
    let names = own.iter().map(|definition| definition.name.as_str());
    let known: Vec<&str> = names.chain(BUILT_IN.iter().map(|(name, _)| *name)).collect();
    if !known.contains(&name) {
        let name: String = name.chars().take(40).collect();
        anyhow::bail!("device.unknown_definition: there is no definition {name}{}", nearest(&name, known));
    }
    Ok(built_in(name)?)
}
