//! `diagram.json` as Wokwi reads it (docs.wokwi.com, "The diagram.json File Format").

use serde::Deserialize;
use serde_json::{Map, Value};

/// What stands on the table, and what is wired to what.
#[derive(Deserialize)]
pub struct Diagram {
    /// Parts, the board among them.
    pub parts: Vec<Part>,
    /// Wires: two ends as `part:pin`, a colour, and the wire's bends.
    pub connections: Vec<(String, String, String, Vec<String>)>,
}

/// One part.
#[derive(Deserialize)]
pub struct Part {
    /// Its name in wires.
    pub id: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its attributes.
    #[serde(default)]
    pub attrs: Map<String, Value>,
    /// Whatever else is said of it.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Diagram {
    /// The part of this name.
    pub fn part(&self, id: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.id == id)
    }

    /// Both ends of every wire, as part and pin.
    pub fn wires(&self) -> impl Iterator<Item = [(&str, &str); 2]> {
        self.connections.iter().map(|(from, to, ..)| [end(from), end(to)])
    }
}

/// `part:pin`; without a colon there is no pin.
fn end(text: &str) -> (&str, &str) {
    text.split_once(':').unwrap_or((text, ""))
}
