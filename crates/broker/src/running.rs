//! Starting and stopping.
//!
//! Each broker has threads of its own: the library starts tasks that nobody can
//! end one by one, and ending their runtime ends them all, with every session.

use crate::access::{Access, Hooks};
use crate::doors::Doors;
use crate::error::BrokerError;
use crate::refusals::Refusals;
use crate::retained::Retained;
use crate::shared::ByTopic;
use jirani_units::MeterId;
use rmqtt::codec::types::QoS;
use rmqtt::context::ServerContext;
use rmqtt::hook::Type;
use rmqtt::net::{Builder, Listener};
use rmqtt::server::MqttServer;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// How long a stopping broker waits for what is being written, in seconds.
const STOP_S: u64 = 2;

/// Where to listen and what proves a client's name.
#[derive(Clone)]
pub struct BrokerConfig {
    /// Address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Password of the user `gateway`.
    pub gateway_password: String,
    /// What meters' passwords are derived from ([`crate::meter_password`]).
    pub meter_secret: [u8; 32],
}

/// Bounds on what clients may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most sessions, connected or waiting for their client.
    pub sessions: u32,
    /// Most bytes of one MQTT packet.
    pub packet_bytes: u32,
    /// Most bytes of a status or last will.
    pub status_bytes: usize,
    /// Messages a meter may publish per second in the long run.
    pub messages_per_s: u32,
    /// Messages a meter may publish at once.
    pub messages_burst: u32,
    /// Most messages kept for one client that is slow or away.
    pub queued_messages: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions: 20_000,
            packet_bytes: 32 * 1024,
            status_bytes: 1_024,
            messages_per_s: 500,
            messages_burst: 2_000,
            queued_messages: 10_000,
        }
    }
}

/// The embedded broker.
pub struct Broker;

/// A broker that runs until it is stopped or dropped.
pub struct RunningBroker {
    addr: SocketAddr,
    runtime: Option<Runtime>,
    access: Arc<Access>,
}

impl Broker {
    /// Starts with the usual bounds. Clients can connect when this returns.
    pub async fn start(config: BrokerConfig) -> Result<RunningBroker, BrokerError> {
        Self::start_with(config, Limits::default()).await
    }

    /// Starts with these bounds.
    pub async fn start_with(config: BrokerConfig, limits: Limits) -> Result<RunningBroker, BrokerError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("broker")
            .enable_all()
            .build()?;
        let bound = {
            let _inside = runtime.enter();
            bind(config.listen, limits)
        };
        let (listener, addr) = match bound {
            Ok(bound) => bound,
            Err(error) => {
                // Dropping a runtime inside another one is refused by tokio.
                runtime.shutdown_background();
                return Err(BrokerError::Bind { listen: config.listen, reason: error.to_string() });
            }
        };
        let access = Arc::new(Access {
            gateway_password: config.gateway_password,
            meter_secret: config.meter_secret,
            limits,
            doors: Doors::default(),
            budgets: std::sync::Mutex::default(),
            retained: std::sync::Mutex::default(),
            refusals: Refusals::default(),
        });
        let (ready, when_ready) = oneshot::channel();
        runtime.spawn(serve(listener, addr.port(), access.clone(), ready));
        let running = RunningBroker { addr, runtime: Some(runtime), access };
        when_ready.await.map_err(|_| BrokerError::NotReady)?;
        Ok(running)
    }
}

fn bind(listen: SocketAddr, limits: Limits) -> rmqtt::Result<(Listener, SocketAddr)> {
    let listener = Builder::new()
        .name("jirani")
        .laddr(listen)
        .reuseaddr(Some(true))
        .nodelay(true)
        .allow_anonymous(false)
        .max_connections(limits.sessions as usize)
        .max_packet_size(limits.packet_bytes)
        .max_mqueue_len(limits.queued_messages)
        .max_inflight(NonZeroU16::MIN.saturating_add(1_023))
        .max_clientid_len(64)
        .max_topic_levels(10)
        .max_subscriptions(8)
        .max_qos_allowed(QoS::AtLeastOnce)
        .handshake_timeout(Duration::from_secs(10))
        .session_expiry_interval(Duration::from_hours(2))
        .max_session_expiry_interval(Duration::from_hours(24))
        // Hours: a gateway that is away must find what was sent meanwhile.
        .message_expiry_interval(Duration::from_hours(24))
        .bind()?
        .tcp()?;
    let addr = listener.local_addr()?;
    Ok((listener, addr))
}

async fn serve(listener: Listener, port: u16, access: Arc<Access>, ready: oneshot::Sender<()>) {
    let sessions = isize::try_from(access.limits.sessions).unwrap_or(isize::MAX);
    let context = ServerContext::new().busy_check_enable(false).mqtt_max_sessions(sessions).build().await;
    *context.extends.retain_mut().await = Box::new(Retained::default());
    *context.extends.shared_subscription_mut().await = Box::new(ByTopic);
    let register = context.extends.hook_mgr().register();
    for hook in [Type::ClientAuthenticate, Type::MessagePublishCheckAcl, Type::ClientSubscribeCheckAcl] {
        register.add(hook, Box::new(Hooks(access.clone()))).await;
    }
    register.start().await;
    // The system has queued connections since the address was bound; the rules
    // stand before the first one is served.
    let _ = ready.send(());
    if let Err(error) = MqttServer::new(context).listener_by_id(listener, port).build().run().await {
        tracing::error!("broker ended: {error}");
    }
}

impl RunningBroker {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Who is shut out: nobody, before somebody says so.
    pub fn doors(&self) -> Doors {
        self.access.doors.clone()
    }

    /// What was refused since the start, whenever it is called: the meter that was named, a
    /// stable code (`broker.flood`, `broker.foreign_topic`, ...), how often.
    pub fn refusals(
        &self,
    ) -> impl Fn() -> Vec<(Option<MeterId>, &'static str, u64)> + Send + Sync + 'static + use<> {
        let access = self.access.clone();
        move || access.refusals.all()
    }

    /// Ends every connection and session and frees the port.
    pub async fn stop(mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting for a runtime's end blocks, so it is done where that is allowed.
            let end = move || runtime.shutdown_timeout(Duration::from_secs(STOP_S));
            if let Err(error) = tokio::task::spawn_blocking(end).await {
                tracing::error!("broker did not end in order: {error}");
            }
        }
    }
}

impl Drop for RunningBroker {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
