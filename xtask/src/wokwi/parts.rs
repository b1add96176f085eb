//! The parts this project may use: their pins and attributes.
//!
//! Source: the part references of docs.wokwi.com and the registry of Wokwi's own linter
//! (wokwi-cli, `packages/diagram-lint/src/registry`). A type that is not here is unknown:
//! whoever adds one to the diagram adds it here.

/// What an attribute may be.
pub enum Values {
    /// Anything.
    Any,
    /// One of these.
    OneOf(&'static [&'static str]),
}

/// A kind of part.
pub struct Kind {
    /// Its type.
    pub name: &'static str,
    /// Its pins.
    pub pins: &'static [&'static str],
    /// Its attributes.
    pub attributes: &'static [(&'static str, Values)],
    /// Whether it may stand without a wire: boards and words.
    pub stands_alone: bool,
}

/// The board of the firmware.
pub const BOARD: &str = "board-esp32-c3-devkitm-1";

/// All of them.
pub const KINDS: &[Kind] = &[
    Kind {
        name: BOARD,
        pins: &[
            "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "18", "19", "RX", "TX", "RST", "3V3.1",
            "3V3.2", "5V.1", "5V.2", "GND.1", "GND.2", "GND.3", "GND.4", "GND.5", "GND.6", "GND.7", "GND.8",
            "GND.9", "GND.10",
        ],
        attributes: &[
            ("flashSize", Values::OneOf(&["2", "4", "8", "16", "32"])),
            ("macAddress", Values::Any),
            ("cpuFrequency", Values::Any),
            ("firmwareOffset", Values::Any),
            ("serialInterface", Values::OneOf(&["USB_SERIAL_JTAG"])),
        ],
        stands_alone: true,
    },
    Kind {
        name: "wokwi-slide-potentiometer",
        pins: &["GND", "SIG", "VCC"],
        attributes: &[("value", Values::Any), ("travelLength", Values::Any)],
        stands_alone: false,
    },
    Kind {
        name: "board-ssd1306",
        pins: &["GND", "VCC", "SCL", "SDA"],
        attributes: &[("i2cAddress", Values::OneOf(&["0x3c", "0x3d"]))],
        stands_alone: false,
    },
    Kind {
        name: "wokwi-slide-switch",
        pins: &["1", "2", "3"],
        attributes: &[("value", Values::OneOf(&["", "1"])), ("bounce", Values::OneOf(&["", "0"]))],
        stands_alone: false,
    },
    Kind {
        name: "wokwi-relay-module",
        pins: &["VCC", "GND", "IN", "NC", "COM", "NO"],
        attributes: &[("transistor", Values::OneOf(&["npn", "pnp"]))],
        stands_alone: false,
    },
    Kind {
        name: "wokwi-led",
        pins: &["A", "C"],
        attributes: &[
            (
                "color",
                Values::OneOf(&["red", "green", "blue", "yellow", "orange", "white", "purple", "cyan"]),
            ),
            ("lightColor", Values::Any),
            ("label", Values::Any),
            ("gamma", Values::Any),
            ("flip", Values::Any),
            ("fps", Values::Any),
        ],
        stands_alone: false,
    },
    Kind {
        name: "wokwi-resistor",
        pins: &["1", "2"],
        attributes: &[("value", Values::Any)],
        stands_alone: false,
    },
    Kind {
        name: "wokwi-text",
        pins: &[],
        attributes: &[
            ("text", Values::Any),
            ("fontSize", Values::Any),
            ("fontFamily", Values::Any),
            ("color", Values::Any),
        ],
        stands_alone: true,
    },
];

/// The kind of this name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}
