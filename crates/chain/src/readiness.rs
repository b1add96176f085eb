//! Whether the chain can take our work now: one state, one sentence.
//!
//! The first thing in the way is told, in the order in which an operator would have
//! to mend them. Nothing here changes anything; work that meets such a state waits
//! and goes on by itself when it is over.

use crate::cluster::PublicCluster;
use crate::error::ChainError;
use crate::node::{Health, Node};
use jirani_energy_interface::EnergyProgram;
use jirani_energy_interface::state::{Config, PauseLevel, Record as _};
use solana_address::Address;
use solana_commitment_config::CommitmentConfig;
use std::time::{Duration, Instant};

/// Lamports below which the payer counts as unfunded: the rent of a few dozen open
/// orders, and fees for days.
pub const PAYER_LAMPORTS_MIN: u64 = 20_000_000;
/// How long the whole look may take before the node counts as slow.
pub const SLOW: Duration = Duration::from_secs(2);
/// How long it may take before the node counts as down.
pub const DOWN: Duration = Duration::from_secs(5);
/// How far a public cluster's time may stand behind ours, in seconds.
pub const BEHIND_S: i64 = 120;
/// How long a look is good for: many askers share one.
const FRESH: Duration = Duration::from_secs(2);

/// How the chain stands towards our work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChainState {
    /// Work lands.
    Ready,
    /// The node does not answer.
    RpcDown,
    /// The node answers late; work lands late.
    Slow,
    /// The node does not keep up with its cluster.
    Behind,
    /// The node belongs to another cluster than configured.
    WrongCluster,
    /// The payer cannot pay.
    PayerUnfunded,
    /// The energy program is not there, or is another version.
    ProgramMissing,
    /// The program has no Config yet.
    NotInitialised,
    /// Somebody paused the market.
    Paused,
    /// Attestations wait for the signature of a witness. A look at the node cannot know
    /// that: who sends them says so.
    Unwitnessed,
}

impl ChainState {
    /// Every state, the best first.
    pub const ALL: [Self; 10] = [
        Self::Ready,
        Self::Slow,
        Self::Unwitnessed,
        Self::Paused,
        Self::PayerUnfunded,
        Self::NotInitialised,
        Self::ProgramMissing,
        Self::Behind,
        Self::WrongCluster,
        Self::RpcDown,
    ];

    /// Stable word: `ready`, `rpc_down`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::RpcDown => "rpc_down",
            Self::Slow => "slow",
            Self::Behind => "behind",
            Self::WrongCluster => "wrong_cluster",
            Self::PayerUnfunded => "payer_unfunded",
            Self::ProgramMissing => "program_missing",
            Self::NotInitialised => "not_initialised",
            Self::Paused => "paused",
            Self::Unwitnessed => "unwitnessed",
        }
    }

    /// Whether the server is of use to people in this state: a pause is somebody's
    /// decision, under which balances, cancelling and paying out go on; without a witness
    /// only attestations wait.
    pub const fn serves(self) -> bool {
        matches!(self, Self::Ready | Self::Slow | Self::Paused | Self::Unwitnessed)
    }
}

/// A state with its sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// The state.
    pub state: ChainState,
    /// What it means here and what to do about it.
    pub sentence: String,
    /// What the node's client said, for the operator only: it may hold the node's URL,
    /// and that a password.
    pub cause: Option<String>,
}

impl Readiness {
    /// Nothing in the way.
    pub fn ready() -> Self {
        Self::new(ChainState::Ready, "The chain answers and takes work.")
    }

    /// Nothing in the way but `why`: the witness does not sign.
    pub fn unwitnessed(why: &str) -> Self {
        let why = why.trim_end_matches('.');
        Self::new(
            ChainState::Unwitnessed,
            format!("Attestations that need the witness wait, everything else goes on: {why}."),
        )
    }

    fn new(state: ChainState, sentence: impl Into<String>) -> Self {
        Self { state, sentence: sentence.into(), cause: None }
    }
}

/// What we expect of the chain.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Hash of the first block; `None` accepts any cluster.
    pub genesis_hash: Option<String>,
    /// The deployment.
    pub program: EnergyProgram,
    /// Who pays; `None` where nobody here does.
    pub payer: Option<Address>,
}

/// What the account of Config looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigSeen {
    /// There is none.
    Missing,
    /// One with a layout that this version does not know.
    Unknown,
    /// [`Config::paused`] of one that we know.
    Known(u8),
}

/// What a look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Hash of the first block.
    pub genesis_hash: String,
    /// The node's word about itself.
    pub health: Health,
    /// The chain's time, Unix seconds.
    pub unix_timestamp: i64,
    /// Whether the program's account is executable.
    pub program: bool,
    /// Config.
    pub config: ConfigSeen,
    /// Lamports of the payer, where there is one.
    pub payer_lamports: Option<u64>,
}

/// Judges what was found, or not. `our_time` (Unix seconds) is compared with a public
/// cluster's; `None` in simulated time.
pub fn judge(
    expected: &Expectation,
    found: Result<&Observation, &ChainError>,
    took: Duration,
    our_time: Option<i64>,
) -> Readiness {
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            return Readiness {
                cause: Some(error.to_string()),
                ..Readiness::new(
                    ChainState::RpcDown,
                    "The chain's node does not answer; work waits and goes on by itself when it does.",
                )
            };
        }
    };
    if let Some(genesis) = expected.genesis_hash.as_ref().filter(|hash| **hash != found.genesis_hash) {
        return Readiness::new(
            ChainState::WrongCluster,
            format!(
                "The node belongs to {}, not to {}; set chain.rpc_url to a node of the configured cluster.",
                called(&found.genesis_hash),
                called(genesis)
            ),
        );
    }
    if let Some(readiness) = behind(found, our_time) {
        return readiness;
    }
    let program = expected.program.id;
    if !found.program {
        return Readiness::new(
            ChainState::ProgramMissing,
            format!(
                "There is no energy program at {program}; deploy it, or set chain.program to where it is."
            ),
        );
    }
    let paused = match found.config {
        ConfigSeen::Unknown => {
            return Readiness::new(
                ChainState::ProgramMissing,
                format!(
                    "The energy program at {program} is another version than this server; update one of them."
                ),
            );
        }
        ConfigSeen::Missing => {
            return Readiness::new(
                ChainState::NotInitialised,
                format!("The energy program at {program} is not initialised; run `jirani chain init`."),
            );
        }
        ConfigSeen::Known(paused) => paused,
    };
    if let (Some(payer), Some(lamports)) = (expected.payer, found.payer_lamports)
        && lamports < PAYER_LAMPORTS_MIN
    {
        return Readiness::new(
            ChainState::PayerUnfunded,
            format!(
                "The payer {payer} has {lamports} lamports, too few for rent and fees; send it at least {PAYER_LAMPORTS_MIN}."
            ),
        );
    }
    if paused != PauseLevel::Running as u8 {
        let sentence = if paused == PauseLevel::Hard as u8 {
            "The mint is stopped, no token moves; the admin lifts it by `jirani chain lift-hard-stop` and `resume`."
        } else {
            "The market is paused, refunds go on; the admin ends it by `jirani chain resume`."
        };
        return Readiness::new(ChainState::Paused, sentence);
    }
    if took >= SLOW {
        return Readiness::new(
            ChainState::Slow,
            format!("The chain's node took {} ms to answer; work lands late.", took.as_millis()),
        );
    }
    Readiness::ready()
}

fn behind(found: &Observation, our_time: Option<i64>) -> Option<Readiness> {
    if let Health::Behind(slots) = found.health {
        let by = slots.map_or_else(String::new, |slots| format!(" by {slots} slots"));
        return Some(Readiness::new(
            ChainState::Behind,
            format!(
                "The chain's node is behind its cluster{by}; wait until it has caught up, or use another."
            ),
        ));
    }
    // Other chains may run on simulated time; a public one never does.
    let public = PublicCluster::by_genesis(&found.genesis_hash).is_some();
    let late = our_time.filter(|_| public).map_or(0, |ours| ours.saturating_sub(found.unix_timestamp));
    (late > BEHIND_S).then(|| {
        Readiness::new(
            ChainState::Behind,
            format!(
                "The chain's time is {late} s behind ours; check this machine's clock and the node's state."
            ),
        )
    })
}

fn called(genesis_hash: &str) -> String {
    PublicCluster::by_genesis(genesis_hash)
        .map_or_else(|| format!("the cluster {genesis_hash}"), |cluster| cluster.name.to_owned())
}

/// Looks once.
pub async fn look(node: &Node, expected: &Expectation, our_time: Option<i64>) -> Readiness {
    let begin = Instant::now();
    let found = match tokio::time::timeout(DOWN, observe(node, expected)).await {
        Ok(found) => found,
        Err(_) => Err(ChainError::Unreachable(format!("no answer within {} s", DOWN.as_secs()))),
    };
    judge(expected, found.as_ref(), begin.elapsed(), our_time)
}

async fn observe(node: &Node, expected: &Expectation) -> Result<Observation, ChainError> {
    let program = expected.program;
    let addresses = [program.id, program.config];
    let (genesis_hash, health, unix_timestamp, accounts, payer_lamports) = tokio::try_join!(
        node.genesis_hash(),
        node.health(),
        node.unix_timestamp(),
        node.accounts(&addresses, CommitmentConfig::confirmed()),
        async {
            match expected.payer {
                Some(payer) => node.lamports(&payer).await.map(Some),
                None => Ok(None),
            }
        },
    )?;
    let mut accounts = accounts.into_iter();
    let executable = accounts.next().flatten().is_some_and(|account| account.executable);
    let config = match accounts.next().flatten().filter(|account| account.owner == program.id) {
        None => ConfigSeen::Missing,
        Some(account) => Config::decode(&account.data)
            .map_or(ConfigSeen::Unknown, |config| ConfigSeen::Known(config.paused)),
    };
    Ok(Observation { genesis_hash, health, unix_timestamp, program: executable, config, payer_lamports })
}

/// The last look, shared by all who ask within two seconds.
#[derive(Default)]
pub struct LastLook(tokio::sync::Mutex<Option<(Instant, Readiness)>>);

impl LastLook {
    /// The last look, or a new one.
    pub async fn get(&self, node: &Node, expected: &Expectation, our_time: Option<i64>) -> Readiness {
        // Held across the question on purpose: one asks, the others wait for its answer.
        let mut last = self.0.lock().await;
        if let Some((at, readiness)) = last.as_ref()
            && at.elapsed() < FRESH
        {
            return readiness.clone();
        }
        let readiness = look(node, expected, our_time).await;
        *last = Some((Instant::now(), readiness.clone()));
        readiness
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::PUBLIC_CLUSTERS;

    fn expected() -> Expectation {
        Expectation {
            genesis_hash: Some(PUBLIC_CLUSTERS[1].genesis_hash.to_owned()),
            program: EnergyProgram::new(Address::new_from_array([7; 32])),
            payer: Some(Address::new_from_array([8; 32])),
        }
    }

    fn good() -> Observation {
        Observation {
            genesis_hash: PUBLIC_CLUSTERS[1].genesis_hash.to_owned(),
            health: Health::Well,
            unix_timestamp: 1_000,
            program: true,
            config: ConfigSeen::Known(0),
            payer_lamports: Some(PAYER_LAMPORTS_MIN),
        }
    }

    fn state(found: &Observation) -> ChainState {
        judge(&expected(), Ok(found), Duration::ZERO, Some(1_000)).state
    }

    #[test]
    fn each_obstacle_has_its_state_and_a_sentence_to_act_on() {
        let table = [
            (good(), ChainState::Ready),
            (
                Observation { genesis_hash: PUBLIC_CLUSTERS[0].genesis_hash.to_owned(), ..good() },
                ChainState::WrongCluster,
            ),
            (Observation { health: Health::Behind(Some(200)), ..good() }, ChainState::Behind),
            (Observation { unix_timestamp: 1_000 - BEHIND_S - 1, ..good() }, ChainState::Behind),
            (Observation { program: false, ..good() }, ChainState::ProgramMissing),
            (Observation { config: ConfigSeen::Unknown, ..good() }, ChainState::ProgramMissing),
            (Observation { config: ConfigSeen::Missing, ..good() }, ChainState::NotInitialised),
            (Observation { payer_lamports: Some(0), ..good() }, ChainState::PayerUnfunded),
            (Observation { config: ConfigSeen::Known(1), ..good() }, ChainState::Paused),
            (Observation { config: ConfigSeen::Known(2), ..good() }, ChainState::Paused),
        ];
        for (found, wanted) in table {
            let readiness = judge(&expected(), Ok(&found), Duration::ZERO, Some(1_000));
            assert_eq!(readiness.state, wanted, "{found:?}");
            assert!(
                readiness.sentence.ends_with('.') && !readiness.sentence.contains('\n'),
                "{}",
                readiness.sentence
            );
        }
        let late = judge(&expected(), Ok(&good()), SLOW, None);
        assert_eq!(late.state, ChainState::Slow);
        let silent = ChainError::Unreachable("connection refused".to_owned());
        let down = judge(&expected(), Err(&silent), Duration::ZERO, None);
        assert_eq!(down.state, ChainState::RpcDown);
        assert!(!down.sentence.contains("connection refused"), "{}", down.sentence);
        assert!(down.cause.is_some_and(|cause| cause.contains("connection refused")));
    }

    #[test]
    fn what_must_be_mended_first_is_told_first() {
        let all_wrong = Observation {
            genesis_hash: PUBLIC_CLUSTERS[0].genesis_hash.to_owned(),
            health: Health::Behind(None),
            unix_timestamp: 0,
            program: false,
            config: ConfigSeen::Missing,
            payer_lamports: Some(0),
        };
        assert_eq!(state(&all_wrong), ChainState::WrongCluster);
        let wrong = Observation { genesis_hash: good().genesis_hash, ..all_wrong };
        assert_eq!(state(&wrong), ChainState::Behind);
        let wrong = Observation { health: Health::Well, unix_timestamp: 1_000, ..wrong };
        assert_eq!(state(&wrong), ChainState::ProgramMissing);
        let wrong = Observation { program: true, ..wrong };
        assert_eq!(state(&wrong), ChainState::NotInitialised);
        let wrong = Observation { config: ConfigSeen::Known(1), ..wrong };
        assert_eq!(state(&wrong), ChainState::PayerUnfunded);
    }

    #[test]
    fn a_chain_in_simulated_time_is_not_behind() {
        let village = Observation { genesis_hash: "of its own".to_owned(), unix_timestamp: 0, ..good() };
        let any = Expectation { genesis_hash: None, ..expected() };
        assert_eq!(judge(&any, Ok(&village), Duration::ZERO, Some(1_000_000)).state, ChainState::Ready);
    }

    #[test]
    fn words_are_different_and_only_some_states_serve() {
        let words: std::collections::BTreeSet<_> = ChainState::ALL.iter().map(|state| state.word()).collect();
        assert_eq!(words.len(), ChainState::ALL.len());
        assert!(ChainState::Paused.serves() && !ChainState::RpcDown.serves());
    }
}
