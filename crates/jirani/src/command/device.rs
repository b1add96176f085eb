//! `jirani device ...`

use crate::cli::device::{CheckArguments, DeviceCommand, ListArguments};
use crate::config::{Config, read_definition};
use crate::failure::Failure;
use crate::system;
use crate::wiring::{Secrets, bridge_key};
use anyhow::{Context as _, bail};
use jirani_bridge::{device_key, device_meter};
use jirani_broker::device_password;
use jirani_devices::{
    BUILT_IN, Decoder, Definition, Heard, Meaning, Message, Moment, Outcome, SiteDevice, Tally, built_in,
};
use jirani_meter::{Ed25519Signer, Signer as _};
use std::collections::BTreeMap;

/// Lists or checks.
pub fn run(config: impl FnOnce() -> Result<Config, Failure>, command: DeviceCommand) -> Result<(), Failure> {
    match command {
        DeviceCommand::List(arguments) => list(&config()?, &arguments).map_err(Failure::Run),
        // Who writes a definition needs no settings.
        DeviceCommand::Check(arguments) => check(&arguments).map_err(Failure::Start),
    }
}

fn list(config: &Config, arguments: &ListArguments) -> anyhow::Result<()> {
    let secrets = Secrets::open(&config.data_dir.join("keys"), system::entropy())?;
    let (key, broker) = (bridge_key(&secrets), secrets.derive("broker meters"));
    for (decoder, setting) in config.metering.decoders()?.iter().zip(&config.metering.devices) {
        let device = decoder.device();
        println!("{} ({}), household {}", device.id, decoder.definition().name, setting.household);
        println!("  meter       {}", device_meter(&key, &device.id));
        let public = Ed25519Signer::from_seed(&device_key(&key, &device.id)).public_key();
        println!("  public key  {}", hex::encode(public));
        println!("  firmware    {} (its definition)", hex::encode(decoder.definition().fingerprint));
        println!("  MQTT user   device-{0}, client id the same, topics under devices/{0}/", device.id);
        if arguments.passwords {
            println!("  password    {}", device_password(&broker, &device.id));
        }
        for topic in decoder.topics() {
            println!("  hears       {topic}");
        }
    }
    println!("Definitions:");
    for definition in config.metering.own_definitions()? {
        println!("  {:<16}{}", definition.name, definition.title);
    }
    for (name, _) in BUILT_IN {
        println!("  {name:<16}{}", built_in(name)?.title);
    }
    Ok(())
}

fn check(arguments: &CheckArguments) -> anyhow::Result<()> {
    let name = arguments.definition.to_string_lossy();
    let definition = if arguments.definition.is_file() {
        read_definition(&arguments.definition)?
    } else {
        built_in(&name).with_context(|| format!("{name} is no file"))?
    };
    let decoder = sample_device(definition, &arguments.parameters)?;
    let definition = decoder.definition();
    println!("{}: {}", definition.name, definition.title);
    for (name, value) in &definition.values {
        let optional = if value.optional { ", sometimes" } else { "" };
        println!("  gives {name}: {:?} in {:?}{optional}", value.meaning, value.unit);
    }
    for topic in decoder.topics() {
        println!("  hears {topic}");
    }
    let Some(sample) = &arguments.sample else { return Ok(()) };
    let payload = std::fs::read(sample).with_context(|| format!("cannot read {}", sample.display()))?;
    let topics: Vec<String> = match &arguments.topic {
        Some(topic) => vec![topic.clone()],
        None => decoder.topics().map(str::to_owned).collect(),
    };
    // A plain number ends with a line's end when an editor wrote it.
    let payload = payload.trim_ascii_end();
    for topic in topics {
        let received = system::now();
        let heard = decoder.hear(Message { topic: &topic, payload, retained: false, received })?;
        let Some(heard) = heard else { bail!("device.topic: {topic} is none of its topics") };
        if heard.values.is_empty() && arguments.topic.is_none() {
            continue;
        }
        return tell(&decoder, &topic, &heard);
    }
    bail!("device.nothing: the sample says nothing that the definition asks for")
}

fn tell(decoder: &Decoder, topic: &str, heard: &Heard) -> anyhow::Result<()> {
    println!("On {topic}:");
    for (name, size) in &heard.values {
        let meaning = decoder.definition().values.get(name).map(|value| value.meaning);
        match meaning {
            Some(Meaning::Energy { register, .. }) => {
                let microwatthours = size / 3_600;
                println!(
                    "  {name} = {}.{:06} Wh ({register:?})",
                    microwatthours / 1_000_000,
                    microwatthours % 1_000_000
                );
            }
            _ => println!("  {name} = {size} thousandths"),
        }
    }
    match heard.moment {
        Moment::Received(_) => println!("  time: when it was received"),
        Moment::Device(time) => println!("  time: {time}, as the device says"),
        Moment::Signed(time) => println!("  time: {time}, signed"),
    }
    // A sample may be of any age; what it says is looked at as if it came now.
    let present = Heard { received: heard.moment.time(), ..heard.clone() };
    match Tally::default().take(decoder, &present)? {
        Outcome::Taken { .. } => println!("As a device's first message it would be its baseline."),
        other => println!("As a device's first message: {other:?}"),
    }
    Ok(())
}

/// A device with every parameter that a definition needs and nobody gave.
fn sample_device(definition: Definition, given: &[String]) -> anyhow::Result<Decoder> {
    let mut parameters = BTreeMap::new();
    for text in given {
        let (name, value) =
            text.split_once('=').with_context(|| format!("--set {text} is written NAME=VALUE"))?;
        parameters.insert(name.to_owned(), value.to_owned());
    }
    for (name, default) in &definition.parameters {
        if default.is_none() && name != "public_key" && !parameters.contains_key(name) {
            parameters.insert(name.clone(), name.clone());
        }
    }
    let device = SiteDevice {
        id: "device".to_owned(),
        definition: definition.name.clone(),
        generation: 1,
        import_rating_w: 5_000,
        export_rating_w: 5_000,
        pv_rated_w: 5_000,
        interval_s: 60,
        parameters,
    };
    Ok(Decoder::new(definition, device)?)
}
