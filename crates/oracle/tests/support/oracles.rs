//! A local chain with the real program, and a second oracle with its door, for tests.

#![allow(dead_code, reason = "each test uses its part")]

use jirani_chain::admin::{Operator, Planned, rotate_oracle};
use jirani_chain::keyring::{Keyring, Role};
use jirani_chain::witness::http::{self, HttpWitness, Token};
use jirani_chain::witness::registry::Registry;
use jirani_chain::witness::{WitnessKey, WitnessPolicy};
use jirani_chain::{ChainConfig, ChainKeys, RpcEnergyChain, Work};
use jirani_energy_interface::{EnergyProgram, LOCAL_PROGRAM_ID};
use jirani_localnet::{GenesisProgram, Localnet, LocalnetConfig, RunningLocalnet};
use jirani_market::Tariff;
use jirani_oracle::witness::{Examination, StoredEvidence};
use jirani_store::{HouseholdRecord, Store};
use jirani_units::{Clock, Price};
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub const TOKEN: &str = "a token that nobody can guess";
pub const TARIFF: Tariff =
    Tariff { retail: Price(3_000), buy_back: Price(500), grid_fee: Price(200), tax: Price(100) };

/// The chain, its server's keys, and the witness's.
pub struct Oracles {
    pub localnet: RunningLocalnet,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub keys: ChainKeys,
    pub witness: WitnessKey,
}

impl Oracles {
    /// An initialised chain on which only the server's oracle attests.
    pub async fn start(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        let keys = ChainKeys::from_seed(&[3; 32]);
        let elf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../programs/energy/elf/jirani_energy.so");
        let program = GenesisProgram {
            address: LOCAL_PROGRAM_ID,
            elf: std::fs::read(elf).unwrap(),
            upgrade_authority: keys.upgrade_authority_address(),
        };
        let config = LocalnetConfig {
            programs: vec![program],
            ..LocalnetConfig::new("127.0.0.1:0".parse().unwrap(), [9; 32])
        };
        let localnet = Localnet::start(config, clock.clone()).await.unwrap();
        let witness = WitnessKey::new(ChainKeys::from_seed(&[4; 32]).oracle);
        let oracles = Self { localnet, store, clock, keys, witness };
        oracles.chain().await.initialise(&TARIFF).await.unwrap();
        oracles
    }

    /// A sender without a witness.
    pub async fn chain(&self) -> RpcEnergyChain {
        let config = ChainConfig::new(self.localnet.rpc_url.clone(), LOCAL_PROGRAM_ID, self.keys.clone());
        RpcEnergyChain::connect(config, self.store.clone(), self.clock.clone()).await.unwrap()
    }

    /// Makes the witness a member, and asks for that many signatures.
    pub async fn admit(&self, threshold: u8) {
        let operator = Operator::new(&self.localnet.rpc_url, LOCAL_PROGRAM_ID, true).unwrap();
        let oracle = WitnessKey::new(self.keys.oracle.clone()).address();
        let members = [oracle, self.witness.address()];
        let config = operator.initialised().await.unwrap();
        let program = EnergyProgram::new(LOCAL_PROGRAM_ID);
        let Planned::Do(plan) = rotate_oracle(&program, &config, &members, threshold).unwrap() else {
            panic!("a new set")
        };
        let prepared = operator.prepare(&plan, self.keys.payer_address(), 0, 0).await.unwrap();
        let mut keyring = Keyring::default();
        keyring.add(Role::Payer, self.keys.payer.insecure_clone());
        keyring.add(Role::Admin, self.keys.admin.insecure_clone());
        let signed = prepared.sign(&keyring).unwrap();
        operator.deliver(&signed, prepared.last_valid).await.unwrap();
    }

    /// The witness's door, and a sender that knocks there.
    pub async fn with_witness(
        &self,
        alone_wh_per_day: u64,
        token: &str,
    ) -> (RpcEnergyChain, CancellationToken) {
        let registry = Registry::new(&self.localnet.rpc_url, LOCAL_PROGRAM_ID).unwrap();
        let examiner = Examination::new(self.witness.clone(), registry, 900);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let cancel = CancellationToken::new();
        let ours = Token::new(TOKEN).unwrap();
        tokio::spawn(http::serve(listener, ours, Arc::new(examiner), cancel.clone()));
        let evidence = Arc::new(StoredEvidence::new(self.store.clone()));
        let witness = HttpWitness::new(&url, Token::new(token).unwrap(), self.witness.address(), evidence);
        let policy = WitnessPolicy { alone_wh_per_day };
        (self.chain().await.with_witness(Arc::new(witness.unwrap()), policy), cancel)
    }
}

pub fn enrolment(home: &HouseholdRecord) -> Work {
    Work::Enrol {
        household: home.id,
        kind: home.kind,
        feeder: home.feeder,
        meter_key: home.meter_key,
        meter_epoch: home.meter_epoch,
        export_rating_w: home.export_rating_w,
        import_rating_w: home.import_rating_w,
    }
}
