//! `wokwi.toml` with the diagram and the chips it names.

use super::diagram::Diagram;
use super::lint::{Finding, finding};
use super::read;
use anyhow::Context as _;
use serde::Deserialize;
use std::path::Path;

/// A custom chip.
pub struct Chip {
    /// Its type in the diagram: `chip-` and its name.
    pub kind: String,
    /// Its pins.
    pub pins: Vec<String>,
    /// Its attributes: what its controls set.
    pub attributes: Vec<String>,
    /// Where its WebAssembly is, from the project's folder.
    binary: String,
}

/// The project as Wokwi opens it.
pub struct Project {
    /// The diagram.
    pub diagram: Diagram,
    /// The chips.
    pub chips: Vec<Chip>,
    file: File,
}

#[derive(Deserialize)]
struct File {
    wokwi: Main,
    #[serde(default)]
    chip: Vec<Named>,
}

#[derive(Deserialize)]
struct Main {
    version: u32,
    firmware: String,
    elf: String,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    binary: String,
}

/// A chip's description, by Wokwi's schema: nothing else may stand in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    #[serde(rename = "name")]
    _name: String,
    #[serde(default, rename = "author")]
    _author: String,
    pins: Vec<String>,
    #[serde(default)]
    controls: Vec<Control>,
}

#[derive(Deserialize)]
struct Control {
    id: String,
    #[serde(rename = "label")]
    _label: String,
    #[serde(flatten)]
    _bounds: Bounds,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Bounds {
    Range {
        #[serde(rename = "min")]
        _min: f64,
        #[serde(rename = "max")]
        _max: f64,
    },
    Boolean,
    String,
}

impl Chip {
    /// From its name and its description.
    pub fn read(name: &str, description: &str) -> anyhow::Result<Self> {
        let description: Description = serde_json::from_str(description)?;
        let attributes = description.controls.into_iter().map(|control| control.id).collect();
        let pins = description.pins.into_iter().filter(|pin| !pin.is_empty()).collect();
        Ok(Self { kind: format!("chip-{name}"), pins, attributes, binary: String::new() })
    }
}

/// What has been built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Built {
    /// Chip and firmware.
    Everything,
    /// The chip only.
    Chip,
}

impl Project {
    /// Reads the files of `folder`.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("wokwi.toml");
        let file: File = toml::from_str(&read(&path)?).with_context(|| path.display().to_string())?;
        let path = folder.join("diagram.json");
        let diagram = serde_json::from_str(&read(&path)?).with_context(|| path.display().to_string())?;
        let mut chips = Vec::new();
        for Named { name, binary } in &file.chip {
            let path = folder.join(binary).with_extension("json");
            let chip = Chip::read(name, &read(&path)?).with_context(|| path.display().to_string())?;
            chips.push(Chip { binary: binary.clone(), ..chip });
        }
        Ok(Self { diagram, chips, file })
    }

    /// Whether everything it names is there, as far as it is built.
    pub fn check(&self, folder: &Path, built: Built) -> Vec<Finding> {
        let File { wokwi, .. } = &self.file;
        let mut found = Vec::new();
        if wokwi.version != 1 {
            found.push(finding("project-file", format!("wokwi.toml has version {}, not 1", wokwi.version)));
        }
        let binaries = self.chips.iter().map(|chip| (&chip.binary, true));
        let firmware = [&wokwi.firmware, &wokwi.elf].map(|path| (path, built == Built::Everything));
        for (path, is_built) in firmware.into_iter().chain(binaries) {
            if path.contains('\\') || Path::new(path).is_absolute() {
                found.push(finding("project-file", format!("{path} must be relative, with forward slashes")));
            } else if is_built && !folder.join(path).is_file() {
                found.push(finding("project-file", format!("wokwi.toml names {path}, which is not there")));
            }
        }
        for chip in &self.chips {
            if self.diagram.parts.iter().all(|part| part.kind != chip.kind) {
                found.push(finding("project-file", format!("no part of the diagram is a {}", chip.kind)));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware/wokwi");
    const CHIP: &str = include_str!("../../../firmware/wokwi/pzem.chip.json");

    /// A copy of the project with `build/` as it is after a build, and `wokwi.toml`
    /// changed: the rules it breaks.
    fn broken(from: &str, to: &str) -> Vec<&'static str> {
        let copy = tempfile::tempdir().unwrap();
        let folder = copy.path();
        std::fs::create_dir(folder.join("build")).unwrap();
        std::fs::copy(Path::new(FOLDER).join("diagram.json"), folder.join("diagram.json")).unwrap();
        std::fs::write(folder.join("build/pzem.chip.json"), CHIP).unwrap();
        for name in ["build/pzem.chip.wasm", "build/meter.elf"] {
            std::fs::write(folder.join(name), b"built").unwrap();
        }
        let text = read(&Path::new(FOLDER).join("wokwi.toml")).unwrap();
        std::fs::write(folder.join("wokwi.toml"), text.replace(from, to)).unwrap();
        let project = Project::read(folder).unwrap();
        project.check(folder, Built::Everything).into_iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn what_the_project_file_names_must_be_there() {
        assert_eq!(broken("", ""), [""; 0]);
        assert_eq!(broken("version = 1", "version = 2"), ["project-file"]);
        assert_eq!(broken("firmware = 'build/meter.elf'", "firmware = 'build/meter.bin'"), ["project-file"]);
        assert_eq!(broken("elf = 'build/meter.elf'", "elf = 'build\\meter.elf'").len(), 1);
        assert_eq!(broken("name = 'pzem'", "name = 'energy-ic'"), ["project-file"]);
    }

    #[test]
    fn a_chip_is_described_by_wokwi_s_schema() {
        assert!(Chip::read("pzem", CHIP).is_ok());
        for (from, to) in [
            ("\"pins\"", "\"pinz\""),
            ("\"type\": \"range\"", "\"type\": \"knob\""),
            ("\"min\": 0, ", ""),
            ("\"author\"", "\"maker\""),
        ] {
            assert!(Chip::read("pzem", &CHIP.replace(from, to)).is_err(), "{from} as {to}");
        }
    }
}
