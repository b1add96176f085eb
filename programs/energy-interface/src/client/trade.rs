use super::{EnergyProgram, bytes_of, readonly, signer, writable, writable_signer};
use crate::instruction::{
    FillData, PlaceOrderData, PlainData, PostOfferData, ReleaseData, ReleaseReason, SettleData, Tag,
};
use crate::programs;
use crate::proof::Proof;
use solana_address::Address;
use solana_instruction::Instruction;

/// An offer to post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOffer {
    /// The seller's number.
    pub seller_id: u32,
    /// The offer's number, used once per seller; newer ones are larger.
    pub offer_id: u64,
    /// Energy, Wh.
    pub energy_wh: u64,
    /// The seller's net price, cents per kWh.
    pub price: u32,
    /// When it ends, Unix seconds.
    pub expires_at: i64,
}

/// One fill of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FillAccounts {
    /// The seller's number.
    pub seller_id: u32,
    /// The offer's number.
    pub offer_id: u64,
    /// Energy, Wh.
    pub energy_wh: u32,
    /// The offer's price, cents per kWh.
    pub price: u32,
}

/// An order to place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewOrder<'a> {
    /// The buyer's number.
    pub buyer_id: u32,
    /// The order's number, used once per buyer; newer ones are larger.
    pub order_id: u64,
    /// Grid fee, cents per kWh.
    pub fee: u32,
    /// Tax, cents per kWh.
    pub tax: u32,
    /// Fills, 1 to 4.
    pub fills: &'a [FillAccounts],
}

impl EnergyProgram {
    /// Address of the offer that a fill names.
    pub fn offer_of(&self, fill: &FillAccounts) -> Address {
        self.offer(&self.household(fill.seller_id), fill.offer_id)
    }

    /// Moves eKWh from vault to escrow. Signed by `payer` and the household's
    /// authority (the custodian for a custodial household).
    pub fn post_offer(&self, payer: Address, authority: Address, offer: &NewOffer) -> Instruction {
        let seller = self.household(offer.seller_id);
        let address = self.offer(&seller, offer.offer_id);
        let data = PostOfferData {
            tag: Tag::PostOffer as u8,
            reserved: [0; 3],
            price: offer.price,
            offer_id: offer.offer_id,
            energy_wh: offer.energy_wh,
            expires_at: offer.expires_at,
        };
        self.instruction(
            alloc::vec![
                signer(authority),
                writable_signer(payer),
                writable(self.config),
                writable(seller),
                writable(self.vault(&seller)),
                writable(address),
                writable(self.escrow(&address)),
                readonly(self.mint),
                readonly(programs::SYSTEM),
                readonly(programs::TOKEN_2022),
                readonly(self.id),
            ],
            bytes_of(&data),
        )
    }

    /// Returns what no order holds, and closes the offer when nothing is left.
    /// Signed by `caller`: the household's authority or its custodian at any time;
    /// anyone once the offer has expired, is closing, has nothing left, or its
    /// seller owes energy. `rent_payer` is who paid for the offer.
    pub fn cancel_offer(
        &self,
        caller: Address,
        seller_id: u32,
        offer_id: u64,
        rent_payer: Address,
    ) -> Instruction {
        let seller = self.household(seller_id);
        let offer = self.offer(&seller, offer_id);
        self.instruction(
            alloc::vec![
                signer(caller),
                readonly(self.config),
                writable(offer),
                writable(self.escrow(&offer)),
                writable(seller),
                writable(self.vault(&seller)),
                writable(self.mint),
                writable(rent_payer),
                readonly(programs::TOKEN_2022),
                readonly(self.id),
            ],
            bytes_of(&PlainData { tag: Tag::CancelOffer as u8 }),
        )
    }

    /// Holds fills for a buyer. Signed by `payer` and the household's authority
    /// (the custodian for a custodial household).
    pub fn place_order(&self, payer: Address, authority: Address, order: &NewOrder<'_>) -> Instruction {
        let buyer = self.household(order.buyer_id);
        let mut accounts = alloc::vec![
            signer(authority),
            writable_signer(payer),
            writable(self.config),
            writable(buyer),
            writable(self.order(&buyer, order.order_id)),
            readonly(programs::SYSTEM),
            readonly(self.id),
        ];
        accounts.extend(order.fills.iter().map(|fill| writable(self.offer_of(fill))));
        let mut data = bytes_of(&PlaceOrderData {
            tag: Tag::PlaceOrder as u8,
            // More fills than a byte counts are refused by the program all the same.
            fills: u8::try_from(order.fills.len()).unwrap_or(u8::MAX),
            reserved: [0; 6],
            order_id: order.order_id,
            fee: order.fee,
            tax: order.tax,
        });
        for fill in order.fills {
            data.extend_from_slice(bytemuck::bytes_of(&FillData {
                energy_wh: fill.energy_wh,
                price: fill.price,
            }));
        }
        self.instruction(accounts, data)
    }

    /// Settles an order: tokens go to the buyer, a shortfall is burned first, the
    /// proof is marked used. Signed by `payer` and an attestor. `fills` are the
    /// order's, in order; `rent_payer` is who paid for the order.
    #[expect(clippy::too_many_arguments, reason = "each is one account or fact of the instruction")]
    pub fn settle(
        &self,
        payer: Address,
        attestor: Address,
        buyer_id: u32,
        order_id: u64,
        fills: &[FillAccounts],
        proof: &Proof,
        paid_at: i64,
        rent_payer: Address,
    ) -> Instruction {
        let buyer = self.household(buyer_id);
        let mut accounts = alloc::vec![
            signer(attestor),
            writable_signer(payer),
            writable(self.config),
            writable(self.order(&buyer, order_id)),
            writable(buyer),
            writable(self.vault(&buyer)),
            writable(self.mint),
            writable(self.marker(proof)),
            writable(rent_payer),
            readonly(programs::SYSTEM),
            readonly(programs::TOKEN_2022),
            readonly(self.id),
        ];
        for fill in fills {
            let offer = self.offer_of(fill);
            accounts.push(writable(offer));
            accounts.push(writable(self.escrow(&offer)));
        }
        let data = SettleData {
            tag: Tag::Settle as u8,
            proof_kind: proof.kind as u8,
            reserved: [0; 6],
            paid_at,
            proof: proof.hash,
        };
        self.instruction(accounts, bytes_of(&data))
    }

    /// Gives an order up; its offers have the energy free again. Signed by
    /// `caller`: an attestor at any time, anyone after deadline and grace.
    pub fn release(
        &self,
        caller: Address,
        buyer_id: u32,
        order_id: u64,
        fills: &[FillAccounts],
        reason: ReleaseReason,
        rent_payer: Address,
    ) -> Instruction {
        let buyer = self.household(buyer_id);
        let mut accounts = alloc::vec![
            signer(caller),
            readonly(self.config),
            writable(self.order(&buyer, order_id)),
            writable(buyer),
            writable(rent_payer),
            readonly(self.id),
        ];
        accounts.extend(fills.iter().map(|fill| writable(self.offer_of(fill))));
        self.instruction(accounts, bytes_of(&ReleaseData { tag: Tag::Release as u8, reason: reason as u8 }))
    }
}
