//! A new chain made ready: lamports, Config and mint. Repeating it changes nothing.

use crate::client::RpcEnergyChain;
use crate::energy::TariffOutcome;
use crate::error::ChainError;
use crate::plan::Plan;
use jirani_energy_interface::client::{InitialConfig, Section};
use jirani_energy_interface::state::{Config, Tariff as ProgramTariff};
use jirani_market::Tariff;
use solana_address::Address;
use solana_signer::Signer as _;

/// Lamports below which the payer asks for more: some thousand trades.
const LAMPORTS_LOW: u64 = 10_000_000_000;
/// How much it asks for: years of a village, where lamports cost nothing.
const LAMPORTS_ASKED: u64 = 1_000_000_000_000;

impl RpcEnergyChain {
    /// Makes sure that payer and oracle have lamports, that Config and mint exist, that
    /// Config names our keys, and that its price bounds are `tariff`'s.
    pub async fn initialise(&self, tariff: &Tariff) -> Result<(), ChainError> {
        self.fund().await?;
        let wanted = program_tariff(tariff);
        let config = match self.read_config().await? {
            Some(config) => config,
            None => self.create(wanted).await?,
        };
        self.check_keys(&config)?;
        if config.tariff != wanted {
            self.change_tariff(wanted).await?;
        }
        Ok(())
    }

    /// Makes sure that Config names our keys, without changing anything: on a cluster that
    /// is not ours the operator's tools do that. Its price bounds follow the tariff by
    /// [`EnergyChain::set_tariff`](crate::EnergyChain::set_tariff).
    pub async fn adopt(&self) -> Result<(), ChainError> {
        let Some(config) = self.read_config().await? else {
            return Err(ChainError::NotReady(format!(
                "the energy program at {} is not initialised; run `jirani chain init`",
                self.config.program
            )));
        };
        self.check_keys(&config)
    }

    /// Sets Config's price bounds to `tariff`'s, if they are others and our key may.
    pub(crate) async fn follow_tariff(&self, tariff: &Tariff) -> Result<TariffOutcome, ChainError> {
        let wanted = program_tariff(tariff);
        let config = self.read_config().await?.ok_or_else(|| {
            ChainError::NotReady("the energy program is not initialised; run `jirani chain init`".to_owned())
        })?;
        if config.tariff == wanted {
            return Ok(TariffOutcome::AlreadySet);
        }
        if config.admin != self.config.keys.admin.pubkey().to_bytes() {
            return Ok(TariffOutcome::NotAdmin);
        }
        self.change_tariff(wanted).await?;
        Ok(TariffOutcome::Set)
    }

    /// Lamports of the payer.
    pub async fn payer_lamports(&self) -> Result<u64, ChainError> {
        self.node.lamports(&self.config.keys.payer.pubkey()).await
    }

    async fn fund(&self) -> Result<(), ChainError> {
        self.fund_payer().await?;
        // Where lamports cost nothing the oracle gets its own; elsewhere the payer fills
        // its purse before the first attestation.
        let oracle = self.config.keys.oracle.pubkey();
        if self.node.lamports(&oracle).await? < LAMPORTS_LOW
            && let Err(error) = self.node.airdrop(&oracle, LAMPORTS_ASKED).await
        {
            tracing::debug!(%oracle, %error, "this chain gives the oracle nothing; the payer will");
        }
        Ok(())
    }

    async fn fund_payer(&self) -> Result<(), ChainError> {
        let payer = self.config.keys.payer.pubkey();
        let has = self.node.lamports(&payer).await?;
        if has >= LAMPORTS_LOW {
            return Ok(());
        }
        match self.node.airdrop(&payer, LAMPORTS_ASKED).await {
            Ok(_) => Ok(()),
            Err(error) if has > 0 => {
                tracing::warn!(%payer, lamports = has, %error, "the payer runs low and this chain gives nothing away");
                Ok(())
            }
            Err(error) => Err(ChainError::NotReady(format!(
                "the payer {payer} has no lamports; send it some ({error})"
            ))),
        }
    }

    async fn create(&self, tariff: ProgramTariff) -> Result<Config, ChainError> {
        let keys = &self.config.keys;
        let initial = InitialConfig::simple(
            keys.admin.pubkey(),
            keys.oracle.pubkey(),
            keys.attestor.pubkey(),
            keys.custodian.pubkey(),
            tariff,
        );
        let authority = keys.upgrade_authority.pubkey();
        let plan = Plan {
            instructions: vec![self.program.initialise(keys.payer.pubkey(), authority, &initial)],
            payer: keys.payer.clone(),
            signers: vec![keys.upgrade_authority.clone()],
            units: 400_000,
        };
        let refusal = self.send_repeatable("initialise", &plan).await?;
        // Somebody else may have been faster; what counts is what is there.
        self.read_config().await?.ok_or_else(|| {
            let why = refusal.map_or_else(|| "it left no Config".to_owned(), |refusal| refusal.message);
            ChainError::NotReady(format!("the program cannot be initialised: {why}"))
        })
    }

    async fn change_tariff(&self, tariff: ProgramTariff) -> Result<(), ChainError> {
        let admin = &self.config.keys.admin;
        let plan = Plan {
            instructions: vec![self.program.configure(admin.pubkey(), &Section::Tariff(tariff))],
            payer: self.config.keys.payer.clone(),
            signers: vec![admin.clone()],
            units: 100_000,
        };
        match self.send_repeatable("configure/tariff", &plan).await? {
            None => Ok(()),
            Some(refusal) => Err(ChainError::NotReady(format!("the tariff is refused: {}", refusal.message))),
        }
    }

    fn check_keys(&self, config: &Config) -> Result<(), ChainError> {
        let keys = &self.config.keys;
        let attestor = keys.attestor.pubkey().to_bytes();
        let good = [
            ("admin", config.admin == keys.admin.pubkey().to_bytes(), keys.admin.pubkey()),
            (
                "oracle",
                config.oracles.members().contains(&keys.oracle.pubkey().to_bytes()),
                keys.oracle.pubkey(),
            ),
            ("attestor", config.attestors.iter().any(|known| known.key == attestor), keys.attestor.pubkey()),
            (
                "custodian",
                config.custodian.key == keys.custodian.pubkey().to_bytes(),
                keys.custodian.pubkey(),
            ),
        ];
        match good.iter().find(|(_, known, _)| !known) {
            None => Ok(()),
            Some((role, _, key)) => Err(unknown_key(role, key)),
        }
    }
}

fn unknown_key(role: &str, key: &Address) -> ChainError {
    ChainError::NotReady(format!(
        "this chain's Config names another {role} than our key {key}; use the keys that belong to this chain"
    ))
}

fn program_tariff(tariff: &Tariff) -> ProgramTariff {
    ProgramTariff {
        retail: tariff.retail.0,
        buy_back: tariff.buy_back.0,
        grid_fee: tariff.grid_fee.0,
        tax: tariff.tax.0,
    }
}
