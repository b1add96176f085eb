//! The definitions that come with every Jirani.

use crate::definition::Definition;
use crate::error::DeviceError;
use crate::nearest::nearest;

/// Name and text of each.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("esphome", include_str!("../definitions/esphome.yaml")),
    ("ocmf", include_str!("../definitions/ocmf.yaml")),
    ("shelly-3em", include_str!("../definitions/shelly-3em.yaml")),
    ("shelly-em", include_str!("../definitions/shelly-em.yaml")),
    ("shelly-gen1-em", include_str!("../definitions/shelly-gen1-em.yaml")),
    ("shelly-pm", include_str!("../definitions/shelly-pm.yaml")),
    ("sunspec-mqtt", include_str!("../definitions/sunspec-mqtt.yaml")),
    ("tasmota", include_str!("../definitions/tasmota.yaml")),
    ("tasmota-sml", include_str!("../definitions/tasmota-sml.yaml")),
    ("victron-grid", include_str!("../definitions/victron-grid.yaml")),
];

/// The definition of this name.
pub fn built_in(name: &str) -> Result<Definition, DeviceError> {
    if let Some((_, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
        return Definition::read(text);
    }
    let hint = nearest(name, BUILT_IN.iter().map(|(known, _)| *known));
    Err(DeviceError::UnknownDefinition { name: crate::yaml::shortened(name), hint })
}
