//! Wi-Fi, addresses by DHCP, and the time by SNTP.

use crate::Shared;
use crate::settings::Settings;
use embassy_net::dns::DnsQueryType;
use embassy_net::udp::{PacketMetadata, UdpSocket};
use embassy_net::{Runner, Stack};
use embassy_time::{Duration, Instant, Timer, with_timeout};
use esp_radio::wifi::sta::StationConfig;
use esp_radio::wifi::{AuthenticationMethodConfig, Config, Interface, WifiController};
use sntpc::{NtpContext, NtpTimestampGenerator};
use sntpc_net_embassy::UdpSocketWrapper;

const RETRY: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the time is asked for, and how soon again when it did not come.
const ASK_TIME: Duration = Duration::from_secs(3_600);
const ASK_TIME_AGAIN: Duration = Duration::from_secs(30);
const NTP_PORT: u16 = 123;
const MICROSECONDS: u64 = 1_000_000;

/// The network's name and password as the radio wants them.
pub fn station(settings: &Settings) -> Option<Config> {
    let mut config = StationConfig::default().with_ssid(settings.wifi.as_str().try_into().ok()?);
    config = config.with_authentication(if settings.wifi_password.is_empty() {
        AuthenticationMethodConfig::Open
    } else {
        AuthenticationMethodConfig::Wpa2Personal(settings.wifi_password.as_str().try_into().ok()?)
    });
    Some(Config::Station(config))
}

/// Keeps the meter in the network.
#[embassy_executor::task]
pub async fn stay_connected(mut radio: WifiController<'static>) -> ! {
    loop {
        match radio.connect_async().await {
            Ok(_) => {
                log::info!("Wi-Fi: connected");
                let _ = radio.wait_for_disconnect_async().await;
                log::warn!("Wi-Fi: connection lost");
            }
            Err(error) => log::warn!("Wi-Fi: {error:?}"),
        }
        Timer::after(RETRY).await;
    }
}

/// Moves packets.
#[embassy_executor::task]
pub async fn move_packets(mut runner: Runner<'static, Interface>) -> ! {
    runner.run().await
}

/// Keeps the clock right.
#[embassy_executor::task]
pub async fn keep_time(stack: Stack<'static>, device: Shared, server: alloc::string::String) -> ! {
    loop {
        stack.wait_config_up().await;
        let answer = with_timeout(PATIENCE, ask_time(stack, &server)).await;
        let pause = if let Ok(Some(time_us)) = answer {
            device.borrow_mut().set_time(time_us);
            ASK_TIME
        } else {
            log::warn!("time: {server} did not answer");
            ASK_TIME_AGAIN
        };
        Timer::after(pause).await;
    }
}

/// The time since power came; what the protocol takes to measure the way's length.
#[derive(Clone, Copy)]
struct Uptime(u64);

impl NtpTimestampGenerator for Uptime {
    fn init(&mut self) {
        self.0 = Instant::now().as_micros();
    }

    fn timestamp_sec(&self) -> u64 {
        self.0 / MICROSECONDS
    }

    fn timestamp_subsec_micros(&self) -> u32 {
        u32::try_from(self.0 % MICROSECONDS).unwrap_or_default()
    }
}

/// Microseconds since 1970.
async fn ask_time(stack: Stack<'static>, server: &str) -> Option<u64> {
    let address = *stack.dns_query(server, DnsQueryType::A).await.ok()?.first()?;
    let (mut from_meta, mut to_meta) = ([PacketMetadata::EMPTY; 2], [PacketMetadata::EMPTY; 2]);
    let (mut from, mut to) = ([0; 256], [0; 256]);
    let mut socket = UdpSocket::new(stack, &mut from_meta, &mut from, &mut to_meta, &mut to);
    socket.bind(0).ok()?;
    let socket = UdpSocketWrapper::new(socket);
    let server = core::net::SocketAddr::new(address.into(), NTP_PORT);
    let time = sntpc::get_time(server, &socket, NtpContext::new(Uptime(0))).await.ok()?;
    let fraction_us = (u64::from(time.sec_fraction()) * MICROSECONDS) >> 32;
    time.sec().checked_mul(MICROSECONDS)?.checked_add(fraction_us)
}
