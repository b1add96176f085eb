//! The meter's firmware for the ESP32-C3: `jirani-meter` with a key of its own, two
//! energy ICs, a relay, a display, flash and Wi-Fi around it.
//!
//! Promises: what was counted survives a power cut but for the last ten seconds; no
//! number is given to two readings; a reading leaves flash only for the gateway's
//! signature; nothing that comes over a wire makes it stop. Stands on
//! `firmware/logic`, where everything that needs no hardware is tested.

#![no_std]
#![no_main]

extern crate alloc;

mod board;
mod device;
mod display;
mod energy;
mod identity;
mod link;
mod metering;
mod network;
mod serial;
mod settings;
mod update;

use alloc::string::String;
use board::{Board, QUEUE, STORE};
use core::cell::RefCell;
use core::fmt::{Debug, Display, Write as _};
use device::{Device, Flash};
use embassy_executor::Spawner;
use embassy_net::StackResources;
use esp_backtrace as _;
use esp_hal::rng::Rng;
use esp_radio::wifi::{ControllerConfig, Interface, WifiController};
use esp_storage::FlashStorage;
use jirani_firmware_logic::flash::Shared as SharedFlash;
use jirani_firmware_logic::queue::FlashQueue;
use jirani_firmware_logic::state::Kept;
use jirani_firmware_logic::store::{Name, Store, VALUE_MAX};
use jirani_meter::{Anew, Meter, MeterState, Reading, Signer as _};
use serial::{Settable, Who};
use settings::Settings;
use static_cell::StaticCell;
use update::{Then, Updates};

esp_bootloader_esp_idf::esp_app_desc!(
    env!("CARGO_PKG_VERSION"),
    env!("CARGO_PKG_NAME"),
    esp_bootloader_esp_idf::BUILD_TIME,
    esp_bootloader_esp_idf::BUILD_DATE,
    esp_bootloader_esp_idf::ESP_IDF_COMPATIBLE_VERSION,
    esp_bootloader_esp_idf::MMU_PAGE_SIZE,
    0,
    u16::MAX,
    update::VERSION
);

/// The device as its tasks share it; none holds it while it waits.
pub type Shared = &'static RefCell<Device>;

static FLASH: StaticCell<RefCell<FlashStorage<'static>>> = StaticCell::new();
static DEVICE: StaticCell<RefCell<Device>> = StaticCell::new();
static SETTINGS: StaticCell<RefCell<Store<Flash>>> = StaticCell::new();
/// DHCP, DNS, the time, the broker, and one to spare.
static SOCKETS: StaticCell<StackResources<5>> = StaticCell::new();

#[esp_hal::main]
async fn main(spawner: Spawner) {
    esp_println::logger::init_logger(log::LevelFilter::Info);
    if let Err(problem) = start(spawner) {
        log::error!("the meter cannot start: {problem}");
    }
}

/// Brings everything up; what it says when it cannot is for a person.
fn start(spawner: Spawner) -> Result<(), String> {
    let board = Board::start().map_err(|error| said(&error))?;
    let flash: &'static RefCell<FlashStorage<'static>> = FLASH.init(RefCell::new(board.flash));
    let mut store = Store::open(SharedFlash::new(flash), STORE).map_err(|error| said(&error))?;
    let (booted, then) = update::start(flash, &mut store);
    if then == Then::Restarts {
        esp_hal::system::software_reset();
    }
    let settings = Settings::read(&mut store).map_err(|error| said(&error))?;
    // Before the key: the radio's noise is what makes random numbers random.
    let mut config = ControllerConfig::default();
    if let Some(station) = network::station(&settings) {
        config = config.with_initial_config(station);
    }
    let radio = WifiController::new(board.wifi, config).map_err(|error| shown("the radio", &error))?;

    let (queue, newest) = FlashQueue::open(SharedFlash::new(flash), QUEUE).map_err(|error| said(&error))?;
    let mut value = [0; VALUE_MAX];
    let kept = store.get(Name::State, &mut value).map_err(|error| said(&error))?.and_then(Kept::decode);
    let identity = identity::identity(&mut store, kept.is_some()).map_err(|error| said(&error))?;
    let name = digits(&identity.signer.name());
    let who = Who { name: name.clone(), public_key: digits(&identity.signer.public_key()) };
    log::info!("meter {name}, epoch {}, {} readings wait", identity.epoch, jirani_meter::Queue::len(&queue));

    let kept = if let Some(kept) = kept {
        kept.recovered(newest.as_ref())
    } else {
        // The queue may still know what was said last.
        let known = newest.as_ref().and_then(|newest| Reading::decode(newest.bytes.as_slice()).ok());
        let meter = if identity.is_new {
            MeterState { epoch: identity.epoch, ..MeterState::default() }
        } else {
            MeterState::anew(identity.epoch, Anew::StateLost, known.as_ref().map(|(reading, _)| reading))
        };
        let first = Kept { meter, ..Kept::default() };
        store.put(Name::State, &first.encode()).map_err(|error| said(&error))?;
        first
    };

    let Some(gateway) = settings.gateway.filter(|_| settings.missing().is_none()) else {
        log::warn!("not set up: {}; type it on the serial line", settings.missing().unwrap_or_default());
        let store = SETTINGS.init(RefCell::new(store));
        spawner.spawn(
            serial::run(board.serial, Settable::Unset(store), who)
                .map_err(|error| shown("a task", &error))?,
        );
        return Ok(());
    };
    let firmware = update::firmware(flash, &booted);
    let core = Meter::new(identity.signer, gateway, firmware, queue, kept.meter)
        .with_releases_of(gateway, update::VERSION);
    let updates = Updates::new(flash, &mut store, booted, gateway);
    let device: Shared = DEVICE.init(RefCell::new(Device::new(core, store, updates, &kept)));

    let seed = u64::from(Rng::new().random()) << 32 | u64::from(Rng::new().random());
    let config = embassy_net::Config::dhcpv4(embassy_net::DhcpConfig::default());
    let (stack, runner) =
        embassy_net::new(Interface::station(), config, SOCKETS.init(StackResources::new()), seed);
    let energy = energy::Pzem004t::new(board.energy);
    let gateway = link::Gateway { name, broker: settings.broker, password: settings.broker_password };
    spawner.spawn(
        metering::run(device, energy, board.relay, board.cover, board.watchdog)
            .map_err(|error| shown("a task", &error))?,
    );
    spawner.spawn(
        serial::run(board.serial, Settable::Running(device), who).map_err(|error| shown("a task", &error))?,
    );
    spawner.spawn(display::run(device, stack, board.display).map_err(|error| shown("a task", &error))?);
    spawner.spawn(network::stay_connected(radio).map_err(|error| shown("a task", &error))?);
    spawner.spawn(network::move_packets(runner).map_err(|error| shown("a task", &error))?);
    spawner.spawn(
        network::keep_time(stack, device, settings.time_server).map_err(|error| shown("a task", &error))?,
    );
    spawner.spawn(link::run(stack, device, gateway).map_err(|error| shown("a task", &error))?);
    Ok(())
}

/// After a panic, which was told on the console: starts anew, for a meter that stands
/// still counts nothing.
#[unsafe(no_mangle)]
extern "Rust" fn custom_halt() -> ! {
    esp_hal::system::software_reset()
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn said(error: &dyn Display) -> String {
    alloc::format!("{error}")
}

/// For errors of others that have no sentence.
fn shown(what: &str, error: &dyn Debug) -> String {
    alloc::format!("{what}: {error:?}")
}
