//! Moments between two effects at which a test may end the process: the places where a
//! crash could lose or double money or tokens if the order of steps were wrong. The
//! sender of transactions has its own ([`jirani_chain::interruption`]).

/// A named moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// An offer is durable; the chain has not heard of it.
    OfferPlanned,
    /// The chain has posted the offer; not recorded.
    OfferPosted,
    /// An order and what it holds are durable; the chain has not heard of it.
    OrderPlanned,
    /// The chain has placed the order; neither that nor its collection is recorded.
    OrderPlaced,
    /// That a prompt may have been sent is durable; it was not.
    PromptIntended,
    /// M-Pesa has answered the prompt's request; the answer is not kept.
    PromptAnswered,
    /// M-Pesa has answered a query; the answer is not kept.
    QueryAnswered,
    /// A callback is durable; it was not answered or read.
    CallbackStored,
    /// What a callback changes is durable; nothing has followed from it.
    CallbackRead,
    /// The money is proven; the settlement was not sent.
    PaymentProven,
    /// The chain has settled; the ledger knows nothing of it.
    OrderSettled,
    /// An order was given up; its release was not sent.
    OrderGivenUp,
    /// The chain has released the order; not recorded.
    OrderReleased,
    /// A payout and its holds are durable; nothing has followed.
    PayoutPlanned,
    /// That a payout may have been sent is durable; it was not.
    PayoutIntended,
    /// M-Pesa has answered the payout's request; the answer is not kept.
    PayoutAnswered,
    /// M-Pesa was asked what became of a payout.
    PayoutAsked,
    /// That a move of float may have been sent is durable; it was not.
    FloatIntended,
    /// M-Pesa has answered the request to move float; the answer is not kept.
    FloatAnswered,
    /// M-Pesa's list of payments was read; nobody was told of any.
    ListRead,
    /// All on the list is in the ledger; where the reading ended is not kept.
    ListTold,
    /// M-Pesa took a payment back; it is not booked.
    ReversalHeard,
    /// A slot's call is durable; nothing has followed.
    CallCleared,
    /// The chain has taken or refused a call's offers; its orders are not placed.
    CallPosted,
    /// All orders of a call are final; that it is done is not recorded.
    CallSettled,
    /// What the operator buys back is durable; the chain has not heard of it.
    BoughtBack,
}

impl Moment {
    /// All, about in the order in which they come.
    pub const ALL: [Self; 26] = [
        Self::OfferPlanned,
        Self::OfferPosted,
        Self::OrderPlanned,
        Self::OrderPlaced,
        Self::PromptIntended,
        Self::PromptAnswered,
        Self::QueryAnswered,
        Self::CallbackStored,
        Self::CallbackRead,
        Self::PaymentProven,
        Self::OrderSettled,
        Self::OrderGivenUp,
        Self::OrderReleased,
        Self::PayoutPlanned,
        Self::PayoutIntended,
        Self::PayoutAnswered,
        Self::PayoutAsked,
        Self::FloatIntended,
        Self::FloatAnswered,
        Self::ListRead,
        Self::ListTold,
        Self::ReversalHeard,
        Self::CallCleared,
        Self::CallPosted,
        Self::CallSettled,
        Self::BoughtBack,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OfferPlanned => "offer-planned",
            Self::OfferPosted => "offer-posted",
            Self::OrderPlanned => "order-planned",
            Self::OrderPlaced => "order-placed",
            Self::PromptIntended => "prompt-intended",
            Self::PromptAnswered => "prompt-answered",
            Self::QueryAnswered => "query-answered",
            Self::CallbackStored => "callback-stored",
            Self::CallbackRead => "callback-read",
            Self::PaymentProven => "payment-proven",
            Self::OrderSettled => "order-settled",
            Self::OrderGivenUp => "order-given-up",
            Self::OrderReleased => "order-released",
            Self::PayoutPlanned => "payout-planned",
            Self::PayoutIntended => "payout-intended",
            Self::PayoutAnswered => "payout-answered",
            Self::PayoutAsked => "payout-asked",
            Self::FloatIntended => "float-intended",
            Self::FloatAnswered => "float-answered",
            Self::ListRead => "list-read",
            Self::ListTold => "list-told",
            Self::ReversalHeard => "reversal-heard",
            Self::CallCleared => "call-cleared",
            Self::CallPosted => "call-posted",
            Self::CallSettled => "call-settled",
            Self::BoughtBack => "bought-back",
        }
    }

    /// The moment of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|moment| moment.name() == name)
    }
}

/// Is told of every moment; may never return.
pub trait Interruption: Send + Sync {
    /// A piece of work has come to `moment`.
    fn reached(&self, moment: Moment);
}

/// Lets everything pass.
pub(crate) struct NoInterruption;

impl Interruption for NoInterruption {
    fn reached(&self, _: Moment) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_moment_is_found_by_its_name() {
        for moment in Moment::ALL {
            assert_eq!(Moment::named(moment.name()), Some(moment));
        }
        assert_eq!(Moment::named("none"), None);
    }
}
