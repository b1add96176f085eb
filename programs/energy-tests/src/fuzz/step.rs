//! What people may do next, as raw choices: which of the open orders, how much of what
//! there is. They become instructions only where they happen ([`super::resolve`]), so
//! that any part of a story is a story.

use super::actors::Actor;
use proptest::prelude::*;
use proptest::sample::Index;

/// How much of what is at hand.
#[derive(Clone, Copy, Debug)]
pub enum Amount {
    /// So many 65,536ths of it.
    Part(u16),
    /// All of it.
    All,
    /// One more than there is.
    OneMore,
    /// None.
    None,
    /// One.
    One,
    /// The largest number.
    Most,
}

impl Amount {
    /// In figures.
    pub fn of(self, at_hand: u64) -> u64 {
        match self {
            Self::Part(part) => {
                let share = u128::from(at_hand) * u128::from(part) / 65_536;
                u64::try_from(share).unwrap_or(u64::MAX)
            }
            Self::All => at_hand,
            Self::OneMore => at_hand.saturating_add(1),
            Self::None => 0,
            Self::One => 1,
            Self::Most => u64::MAX,
        }
    }
}

/// A moment at an edge of a window.
#[derive(Clone, Copy, Debug)]
pub enum Edge {
    /// Well inside.
    Inside,
    /// The first moment that counts, and so many seconds more.
    First(i8),
    /// The last moment that counts, and so many seconds more.
    Last(i8),
    /// The end of the calendar.
    Never,
}

/// What the clock does.
#[derive(Clone, Copy, Debug)]
pub enum Jump {
    /// So many seconds on.
    On(u32),
    /// Days on.
    Days(u8),
    /// Back a little, as validators' clocks may.
    Back(u8),
    /// To an order's last second, and so many more.
    OrderEnd(Index, i8),
    /// To an offer's end.
    OfferEnd(Index, i8),
    /// To when a marker may be closed.
    MarkerEnd(Index, i8),
    /// To when a change of authority may be accepted.
    AuthorityEnd(Index, i8),
}

/// Which proof.
#[derive(Clone, Copy, Debug)]
pub enum ProofChoice {
    /// Never used.
    Fresh,
    /// Used or tried before, as it was.
    Again(Index),
    /// One used before that differs only where the marker's address does not see it.
    Tail(Index),
    /// The same hash as the other kind of proof.
    OtherKind(Index),
    /// No proof at all.
    Zero,
}

/// How an attestation is spoiled in its numbers.
#[derive(Clone, Copy, Debug)]
pub enum Spoil {
    /// Not at all.
    No,
    /// A register lower than before.
    Lower,
    /// As much as the bucket holds, and so many Wh more.
    Brim(i8),
    /// The largest register.
    Most,
    /// Another epoch.
    Epoch,
    /// A row twice.
    Twice,
    /// Another version of the oracle set.
    Version,
    /// One oracle less than needed.
    TooFew,
    /// The same oracle twice.
    SameOracle,
    /// The evidence of another feeder.
    Feeder,
}

/// One instruction as somebody wants it.
#[derive(Clone, Debug)]
pub enum Act {
    /// Registers rise and are attested for those in the mask.
    Attest { flows: Vec<(u16, u16)>, mask: u16, edge: Edge, spoil: Spoil },
    /// Export and import are added.
    Adjust { home: Index, export: Amount, import: Amount },
    /// An offer.
    Post { home: Index, energy: Amount, price: u16, edge: Edge, id: u8, payer: bool },
    /// An offer goes back.
    Cancel { offer: Index, by: Index, right: bool },
    /// An order.
    Place { home: Index, fills: Vec<(Index, Amount)>, fee: u8, id: u8, payer: bool },
    /// A settlement.
    Settle { order: Index, newest: bool, proof: ProofChoice, edge: Edge, receipt: bool, second: bool },
    /// An order is given up.
    Release { order: Index, newest: bool, by: Index, right: bool, reason: u8 },
    /// Markers are closed.
    CloseMarkers { markers: Vec<Index> },
    /// A household is enrolled.
    Enrol { id: u8, own: Index, custodial: bool, feeder: bool, history: bool },
    /// A household is closed.
    CloseHome { home: Index },
    /// A meter is replaced.
    ReplaceMeter { home: Index, how: u8, rating: u8 },
    /// An authority is proposed, cancelled or accepted.
    Authority { home: Index, action: u8, by: Index, right: bool, next: Index },
    /// Energy moves between two records.
    Move { from: Index, to: Index, energy: Amount },
    /// Energy leaves for a wallet.
    Withdraw { home: Index, energy: Amount },
    /// Energy comes from a wallet.
    Deposit { home: Index, from: Index, energy: Amount },
    /// Pause or resume.
    Pause { stop: bool, by: u8 },
    /// Hard stop or its end.
    HardStop { stop: bool },
    /// Other rules.
    Configure { section: u8, choice: u8 },
    /// The proposed admin takes over.
    AcceptAdmin,
    /// Somebody initialises once more.
    Initialise,
    /// Somebody forges an event.
    ForgeEvent { rows: u8 },
    /// A wallet's owner sends tokens somewhere.
    SendTokens { from: Index, to: Index, energy: Amount },
    /// Somebody tries with Token-2022 what must not work.
    AttackTokens { how: u8, at: Index, by: Index },
    /// Somebody sends lamports somewhere.
    SendLamports { to: Index, ahead: bool, lamports: u32 },
    /// An instruction that was sent before, word for word.
    Replay { which: Index },
}

/// What a hostile hand changes in an instruction before it is sent.
#[derive(Clone, Debug)]
pub enum Twist {
    /// Another key signs.
    Signer(Index, Actor),
    /// An account does not sign.
    Unsigned(Index),
    /// An account may not change.
    ReadOnly(Index),
    /// Two accounts change places.
    Swap(Index, Index),
    /// Another account of the world stands in.
    Other(Index, Index),
    /// An account like it, of somebody else.
    Alike(Index, Index),
    /// Accounts are missing at the end.
    Fewer(u8),
    /// One account more.
    More(Index),
    /// A number of eight bytes.
    Number(Index, u64),
    /// One byte.
    Byte(Index, u8),
    /// The data ends early.
    Shorter(Index),
    /// One byte more.
    Longer,
}

/// One step: the clock moves, or a transaction is sent.
#[derive(Clone, Debug)]
pub enum Step {
    /// The clock.
    Clock(Jump),
    /// Instructions of one transaction, some of them twisted.
    Send(Vec<(Act, Option<Twist>)>),
}

fn amount() -> impl Strategy<Value = Amount> {
    prop_oneof![
        30 => any::<u16>().prop_map(Amount::Part),
        3 => Just(Amount::All),
        1 => Just(Amount::OneMore),
        1 => Just(Amount::None),
        1 => Just(Amount::One),
        1 => Just(Amount::Most),
    ]
}

fn edge() -> impl Strategy<Value = Edge> {
    prop_oneof![
        40 => Just(Edge::Inside),
        2 => (-1..=1_i8).prop_map(Edge::First),
        2 => (-1..=1_i8).prop_map(Edge::Last),
        1 => Just(Edge::Never),
    ]
}

fn jump() -> impl Strategy<Value = Jump> {
    let off = -1..=1_i8;
    prop_oneof![
        8 => (1..400_u32).prop_map(Jump::On),
        4 => (400..7200_u32).prop_map(Jump::On),
        1 => (1..6_u8).prop_map(Jump::Days),
        1 => (1..90_u8).prop_map(Jump::Back),
        4 => (any::<Index>(), off.clone()).prop_map(|(which, off)| Jump::OrderEnd(which, off)),
        1 => (any::<Index>(), off.clone()).prop_map(|(which, off)| Jump::OfferEnd(which, off)),
        1 => (any::<Index>(), off.clone()).prop_map(|(which, off)| Jump::MarkerEnd(which, off)),
        1 => (any::<Index>(), off).prop_map(|(which, off)| Jump::AuthorityEnd(which, off)),
    ]
}

fn proof() -> impl Strategy<Value = ProofChoice> {
    prop_oneof![
        20 => Just(ProofChoice::Fresh),
        4 => any::<Index>().prop_map(ProofChoice::Again),
        1 => any::<Index>().prop_map(ProofChoice::Tail),
        2 => any::<Index>().prop_map(ProofChoice::OtherKind),
        1 => Just(ProofChoice::Zero),
    ]
}

fn spoil() -> impl Strategy<Value = Spoil> {
    prop_oneof![
        20 => Just(Spoil::No),
        1 => Just(Spoil::Lower),
        4 => (-2..=2_i8).prop_map(Spoil::Brim),
        1 => Just(Spoil::Most),
        1 => Just(Spoil::Epoch),
        1 => Just(Spoil::Twice),
        1 => Just(Spoil::Version),
        1 => Just(Spoil::TooFew),
        1 => Just(Spoil::SameOracle),
        1 => Just(Spoil::Feeder),
    ]
}

fn index() -> impl Strategy<Value = Index> {
    any::<Index>()
}

fn right() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.75)
}

fn trade() -> impl Strategy<Value = Act> {
    let fills = prop::collection::vec((index(), amount()), 1..5).boxed();
    let flows = prop::collection::vec((0..4000_u16, prop_oneof![3 => 0..300_u16, 1 => 0..5000_u16]), 10);
    prop_oneof![
        7 => (flows, any::<u16>(), edge(), spoil())
            .prop_map(|(flows, mask, edge, spoil)| Act::Attest { flows, mask, edge, spoil }),
        7 => (index(), amount(), any::<u16>(), edge(), 0..80_u8, any::<bool>())
            .prop_map(|(home, energy, price, edge, id, payer)| Act::Post { home, energy, price, edge, id, payer }),
        4 => (index(), index(), right()).prop_map(|(offer, by, right)| Act::Cancel { offer, by, right }),
        11 => (index(), fills, 0..40_u8, 0..80_u8, any::<bool>())
            .prop_map(|(home, fills, fee, id, payer)| Act::Place { home, fills, fee, id, payer }),
        8 => (index(), any::<bool>(), proof(), edge(), right(), prop::bool::weighted(0.2)).prop_map(
            |(order, newest, proof, edge, receipt, second)| Act::Settle { order, newest, proof, edge, receipt, second }
        ),
        4 => (index(), any::<bool>(), index(), right(), 0..6_u8)
            .prop_map(|(order, newest, by, right, reason)| Act::Release { order, newest, by, right, reason }),
        2 => (index(), index(), amount()).prop_map(|(from, to, energy)| Act::Move { from, to, energy }),
        2 => (index(), amount()).prop_map(|(home, energy)| Act::Withdraw { home, energy }),
        2 => (index(), index(), amount()).prop_map(|(home, from, energy)| Act::Deposit { home, from, energy }),
        2 => (index(), index(), amount()).prop_map(|(from, to, energy)| Act::SendTokens { from, to, energy }),
    ]
}

fn rule() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => (index(), amount(), amount()).prop_map(|(home, export, import)| Act::Adjust { home, export, import }),
        3 => prop::collection::vec(index(), 1..4).prop_map(|markers| Act::CloseMarkers { markers }),
        3 => (0..10_u8, index(), any::<bool>(), right(), any::<bool>())
            .prop_map(|(id, own, custodial, feeder, history)| Act::Enrol { id, own, custodial, feeder, history }),
        2 => index().prop_map(|home| Act::CloseHome { home }),
        2 => (index(), 0..7_u8, 0..6_u8).prop_map(|(home, how, rating)| Act::ReplaceMeter { home, how, rating }),
        4 => (index(), 0..5_u8, index(), right(), index())
            .prop_map(|(home, action, by, right, next)| Act::Authority { home, action, by, right, next }),
        5 => (prop::bool::weighted(0.2), any::<u8>()).prop_map(|(stop, by)| Act::Pause { stop, by }),
        3 => prop::bool::weighted(0.2).prop_map(|stop| Act::HardStop { stop }),
        6 => (any::<u8>(), any::<u8>()).prop_map(|(section, choice)| Act::Configure { section, choice }),
        1 => Just(Act::AcceptAdmin),
        1 => Just(Act::Initialise),
        1 => any::<u8>().prop_map(|rows| Act::ForgeEvent { rows }),
        3 => (any::<u8>(), index(), index()).prop_map(|(how, at, by)| Act::AttackTokens { how, at, by }),
        3 => (index(), any::<bool>(), any::<u32>())
            .prop_map(|(to, ahead, lamports)| Act::SendLamports { to, ahead, lamports }),
        5 => index().prop_map(|which| Act::Replay { which }),
    ]
}

fn twist() -> impl Strategy<Value = Twist> {
    let number = prop_oneof![Just(0), Just(1), Just(u64::MAX), Just(1 << 63), any::<u64>()];
    let signer = any::<u8>().prop_map(|which| Actor::pick(usize::from(which)));
    prop_oneof![
        5 => (index(), signer).prop_map(|(at, actor)| Twist::Signer(at, actor)),
        1 => index().prop_map(Twist::Unsigned),
        1 => index().prop_map(Twist::ReadOnly),
        3 => (index(), index()).prop_map(|(one, other)| Twist::Swap(one, other)),
        3 => (index(), index()).prop_map(|(at, with)| Twist::Other(at, with)),
        5 => (index(), index()).prop_map(|(at, with)| Twist::Alike(at, with)),
        1 => (1..5_u8).prop_map(Twist::Fewer),
        1 => index().prop_map(Twist::More),
        2 => (index(), number).prop_map(|(at, number)| Twist::Number(at, number)),
        2 => (index(), any::<u8>()).prop_map(|(at, byte)| Twist::Byte(at, byte)),
        1 => index().prop_map(Twist::Shorter),
        1 => Just(Twist::Longer),
    ]
}

/// An order placed, paid from balance and settled in one transaction; perhaps given up in
/// it too.
fn at_once() -> impl Strategy<Value = Vec<(Act, Option<Twist>)>> {
    let fills = prop::collection::vec((index(), amount()), 1..5);
    let proof = (proof(), edge(), prop::bool::weighted(0.1), prop::bool::weighted(0.1));
    (index(), fills, proof, index()).prop_map(|(home, fills, (proof, edge, second, release), by)| {
        let place = Act::Place { home, fills, fee: 9, id: 9, payer: second };
        let settle = Act::Settle { order: home, newest: true, proof, edge, receipt: false, second };
        let give_up = Act::Release { order: home, newest: true, by, right: true, reason: 1 };
        let acts = if release { vec![place, settle, give_up] } else { vec![place, settle] };
        acts.into_iter().map(|act| (act, None)).collect()
    })
}

/// Any step of anybody.
pub fn step() -> impl Strategy<Value = Step> {
    let act = prop_oneof![7 => trade().boxed(), 1 => rule().boxed()];
    let deed = (act, prop::option::weighted(0.12, twist())).boxed();
    prop_oneof![
        1 => jump().prop_map(Step::Clock),
        1 => at_once().prop_map(Step::Send),
        7 => prop::collection::vec(deed.clone(), 1).prop_map(Step::Send),
        1 => prop::collection::vec(deed, 2..4).prop_map(Step::Send),
    ]
}
