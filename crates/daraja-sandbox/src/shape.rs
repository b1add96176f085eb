//! The shapes in which callbacks have been seen, and some that nobody should
//! be surprised by.

use serde_json::{Map, Value};
use std::fmt;
use std::str::FromStr;

/// How a callback looks, other than usual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Every number is text.
    Strings,
    /// Every text of digits is a number.
    Numbers,
    /// The item of this name has no value.
    NoValue(String),
    /// The item or field of this name is missing.
    Without(String),
    /// The phone is written `254708***430`.
    MaskedPhone,
    /// A list is its first entry alone.
    OneObject,
    /// A lone entry is a list.
    Arrays,
    /// Fields and items that nobody knows.
    Extra,
    /// It tells of this result code, whatever is true.
    Code(String),
    /// It ends in the middle.
    Truncated,
    /// It is a page of HTML.
    Html,
    /// It is empty.
    Empty,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Strings => f.write_str("strings"),
            Self::Numbers => f.write_str("numbers"),
            Self::NoValue(name) => write!(f, "no_value={name}"),
            Self::Without(name) => write!(f, "without={name}"),
            Self::MaskedPhone => f.write_str("masked_phone"),
            Self::OneObject => f.write_str("one_object"),
            Self::Arrays => f.write_str("arrays"),
            Self::Extra => f.write_str("extra"),
            Self::Code(code) => write!(f, "code={code}"),
            Self::Truncated => f.write_str("truncated"),
            Self::Html => f.write_str("html"),
            Self::Empty => f.write_str("empty"),
        }
    }
}

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let named = || {
            let plain = (1..=40).contains(&value.len())
                && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if plain {
                Ok(value.to_owned())
            } else {
                Err(format!("`{name}` takes a name, as in {name}=PhoneNumber"))
            }
        };
        let shape = match name {
            "no_value" => return named().map(Self::NoValue),
            "without" => return named().map(Self::Without),
            "code" => return named().map(Self::Code),
            "strings" => Self::Strings,
            "numbers" => Self::Numbers,
            "masked_phone" => Self::MaskedPhone,
            "one_object" => Self::OneObject,
            "arrays" => Self::Arrays,
            "extra" => Self::Extra,
            "truncated" => Self::Truncated,
            "html" => Self::Html,
            "empty" => Self::Empty,
            other => {
                return Err(format!(
                    "there is no shape `{other}`; there are strings, numbers, no_value=NAME, without=NAME, masked_phone, \
                     one_object, arrays, extra, code=CODE, truncated, html, empty"
                ));
            }
        };
        if value.is_empty() { Ok(shape) } else { Err(format!("`{name}` takes no name")) }
    }
}

impl Shape {
    /// The body in this shape.
    pub fn apply(&self, body: &str) -> String {
        match self {
            Self::Truncated => {
                let half = (0..=body.len() / 2).rev().find(|at| body.is_char_boundary(*at)).unwrap_or(0);
                return body[..half].to_owned();
            }
            Self::Html => return "<html><body><h1>502 Bad Gateway</h1></body></html>".to_owned(),
            Self::Empty => return String::new(),
            _ => {}
        }
        let Ok(mut value) = serde_json::from_str::<Value>(body) else { return body.to_owned() };
        match self {
            Self::Code(code) => set_code(&mut value, code),
            Self::Extra => add_unknown(&mut value),
            _ => self.reshape(&mut value),
        }
        value.to_string()
    }

    fn reshape(&self, value: &mut Value) {
        match (self, &*value) {
            (Self::Strings, Value::Number(number)) => *value = Value::String(number.to_string()),
            (Self::Numbers, Value::String(text)) => {
                let digits = (1..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
                if let Some(number) = text.parse::<u64>().ok().filter(|_| digits) {
                    *value = number.into();
                }
            }
            (Self::OneObject, Value::Array(list)) => {
                if let Some(first) = list.first() {
                    *value = first.clone();
                }
            }
            _ => {}
        }
        match value {
            Value::Array(list) => {
                list.retain(|item| !matches!(self, Self::Without(name) if is_named(item, name)));
                for item in list {
                    self.reshape(item);
                }
            }
            Value::Object(fields) => {
                self.reshape_fields(fields);
                fields.values_mut().for_each(|field| self.reshape(field));
            }
            _ => {}
        }
    }

    fn reshape_fields(&self, fields: &mut Map<String, Value>) {
        let name =
            fields.get("Name").or_else(|| fields.get("Key")).and_then(Value::as_str).map(str::to_owned);
        match self {
            Self::NoValue(wanted) if name.as_deref() == Some(wanted) => {
                fields.remove("Value");
            }
            Self::Without(wanted) => {
                fields.remove(wanted);
            }
            Self::MaskedPhone => {
                let field = if name.as_deref() == Some("PhoneNumber") { "Value" } else { "MSISDN" };
                if let Some(phone) = fields.get_mut(field) {
                    let digits = phone.to_string().replace('"', "");
                    let masked = match (digits.get(..6), digits.get(9..12)) {
                        (Some(start), Some(end)) => format!("{start}***{end}"),
                        _ => "254***".to_owned(),
                    };
                    *phone = masked.into();
                }
            }
            Self::Arrays => {
                for list in ["ResultParameter", "ReferenceItem", "Item"] {
                    if let Some(lone @ Value::Object(_)) = fields.get_mut(list) {
                        *lone = Value::Array(vec![lone.take()]);
                    }
                }
            }
            _ => {}
        }
    }
}

fn is_named(item: &Value, wanted: &str) -> bool {
    item.get("Name").or_else(|| item.get("Key")).and_then(Value::as_str) == Some(wanted)
}

fn set_code(value: &mut Value, code: &str) {
    let Value::Object(fields) = value else { return };
    if fields.contains_key("ResultCode") {
        let number = code.parse::<u64>().map_or_else(|_| code.into(), Value::from);
        fields.insert("ResultCode".to_owned(), number);
        if code != "0" {
            fields.remove("CallbackMetadata");
            fields.remove("ResultParameters");
        }
    }
    fields.values_mut().for_each(|field| set_code(field, code));
}

fn add_unknown(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(add_unknown);
            fields.insert("x-extra".to_owned(), serde_json::json!({"nested": [1, null, {"deep": "ü"}]}));
        }
        Value::Array(list) => {
            list.insert(0, serde_json::json!({"Name": "Unheard", "Key": "Unheard", "Value": null}));
            list.push(Value::Null);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::Shape;
    use serde_json::{Value, json};

    const BODY: &str = r#"{"Body":{"stkCallback":{"ResultCode":0,"CallbackMetadata":{"Item":[
        {"Name":"Amount","Value":120.00},{"Name":"MpesaReceiptNumber","Value":"UJ32ABCDEF"},{"Name":"Balance"},
        {"Name":"PhoneNumber","Value":254712000126}]}}}}"#;

    fn shaped(shape: &str, body: &str) -> Value {
        serde_json::from_str(&shape.parse::<Shape>().unwrap().apply(body)).unwrap()
    }

    fn items(shape: &str) -> Value {
        shaped(shape, BODY)["Body"]["stkCallback"]["CallbackMetadata"]["Item"].clone()
    }

    #[test]
    fn each_shape_changes_what_it_names() {
        assert_eq!(items("strings")[3]["Value"], "254712000126");
        assert_eq!(items("no_value=MpesaReceiptNumber")[1], json!({"Name": "MpesaReceiptNumber"}));
        assert_eq!(items("without=PhoneNumber").as_array().unwrap().len(), 3);
        assert_eq!(items("masked_phone")[3]["Value"], "254712***126");
        assert_eq!(items("one_object")["Name"], "Amount");
        assert_eq!(items("extra")[0]["Name"], "Unheard");
        let lied = shaped("code=1032", BODY);
        assert_eq!(lied["Body"]["stkCallback"], json!({"ResultCode": 1032}));
        assert_eq!(shaped("code=SFC_IC0003", BODY)["Body"]["stkCallback"]["ResultCode"], "SFC_IC0003");
        let result = r#"{"Result":{"ReferenceData":{"ReferenceItem":{"Key":"a","Value":"7"}}}}"#;
        assert_eq!(shaped("arrays", result)["Result"]["ReferenceData"]["ReferenceItem"][0]["Key"], "a");
        assert_eq!(shaped("numbers", result)["Result"]["ReferenceData"]["ReferenceItem"]["Value"], 7);
        let confirmation = r#"{"MSISDN":"2547 ***** 126","TransID":"UJ3"}"#;
        assert_eq!(shaped("without=MSISDN", confirmation), json!({"TransID": "UJ3"}));
    }

    #[test]
    fn some_are_no_json_at_all() {
        for shape in ["truncated", "html", "empty"] {
            let body = shape.parse::<Shape>().unwrap().apply(BODY);
            assert!(serde_json::from_str::<Value>(&body).is_err(), "{body}");
        }
        assert!("purple".parse::<Shape>().is_err());
        assert!("without=".parse::<Shape>().is_err());
        assert!("strings=x".parse::<Shape>().is_err());
    }
}
