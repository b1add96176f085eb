-- The first schema. Conventions: times are microseconds since 1970 UTC (_us),
-- money is KES cents (_cents), energy is Wh (_wh), ids are integers or blobs, no
-- floats anywhere. A record's version starts at 1 and grows with every change.

CREATE TABLE households (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('home', 'generator', 'battery', 'loss')),
    alias TEXT NOT NULL,
    name TEXT NOT NULL,
    msisdn INTEGER,
    language TEXT NOT NULL CHECK (language IN ('en', 'sw')),
    -- One settlement meter per record and one record per meter: else a Wh counts twice.
    meter BLOB UNIQUE CHECK (length(meter) = 16),
    meter_key BLOB NOT NULL CHECK (length(meter_key) = 32),
    meter_epoch INTEGER NOT NULL,
    export_rating_w INTEGER NOT NULL,
    import_rating_w INTEGER NOT NULL,
    pv_rated_w INTEGER NOT NULL,
    feeder INTEGER NOT NULL,
    chain_address BLOB CHECK (length(chain_address) = 32),
    enrolled_at_us INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

-- Readings. A stream is one epoch of one meter; readings are stored by it to keep
-- keys short.
CREATE TABLE streams (
    id INTEGER PRIMARY KEY,
    meter BLOB NOT NULL CHECK (length(meter) = 16),
    epoch INTEGER NOT NULL,
    UNIQUE (meter, epoch)
) STRICT;

CREATE TABLE household_streams (
    household INTEGER NOT NULL,
    stream INTEGER NOT NULL REFERENCES streams (id),
    PRIMARY KEY (household, stream)
) STRICT, WITHOUT ROWID;

-- By number first: meters count alike, so that one slot's readings lie together.
CREATE TABLE readings (
    stream INTEGER NOT NULL REFERENCES streams (id),
    seq INTEGER NOT NULL,
    household INTEGER NOT NULL,
    time_us INTEGER NOT NULL,
    import_wh INTEGER NOT NULL,
    export_wh INTEGER NOT NULL,
    generation_wh INTEGER NOT NULL,
    power_w INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    received_at_us INTEGER NOT NULL,
    PRIMARY KEY (seq, stream)
) STRICT, WITHOUT ROWID;
CREATE INDEX readings_by_time ON readings (stream, time_us);

CREATE TRIGGER readings_stay BEFORE UPDATE ON readings
BEGIN SELECT RAISE(ABORT, 'a stored reading never changes'); END;
CREATE TRIGGER readings_remain BEFORE DELETE ON readings
BEGIN SELECT RAISE(ABORT, 'a stored reading is never removed'); END;

CREATE TABLE latest_readings (
    meter BLOB PRIMARY KEY CHECK (length(meter) = 16),
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    stream INTEGER NOT NULL REFERENCES streams (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    meter BLOB CHECK (length(meter) = 16),
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    bytes BLOB NOT NULL,
    received_at_us INTEGER NOT NULL
) STRICT;

-- Slots.
CREATE TABLE slots (
    feeder INTEGER NOT NULL,
    end_us INTEGER NOT NULL,
    evidence_root BLOB NOT NULL CHECK (length(evidence_root) = 32),
    signatures TEXT NOT NULL,
    attested_at_us INTEGER,
    PRIMARY KEY (feeder, end_us)
) STRICT, WITHOUT ROWID;
CREATE INDEX slots_by_end ON slots (end_us);
CREATE INDEX slots_waiting ON slots (feeder, end_us) WHERE attested_at_us IS NULL;
CREATE INDEX slots_attested ON slots (feeder, end_us) WHERE attested_at_us IS NOT NULL;

CREATE TABLE attested_rows (
    feeder INTEGER NOT NULL,
    end_us INTEGER NOT NULL,
    household INTEGER NOT NULL,
    export_wh INTEGER NOT NULL,
    import_wh INTEGER NOT NULL,
    estimated INTEGER NOT NULL CHECK (estimated IN (0, 1)),
    PRIMARY KEY (feeder, end_us, household),
    FOREIGN KEY (feeder, end_us) REFERENCES slots (feeder, end_us)
) STRICT, WITHOUT ROWID;

-- Market.
CREATE TABLE offers (
    id INTEGER PRIMARY KEY,
    seller INTEGER NOT NULL,
    energy_wh INTEGER NOT NULL,
    reserved_wh INTEGER NOT NULL CHECK (reserved_wh >= 0),
    sold_wh INTEGER NOT NULL CHECK (sold_wh >= 0),
    price_cents_per_kwh INTEGER NOT NULL,
    expires_at_us INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('posting', 'open', 'closing', 'closed', 'refused')),
    refusal TEXT,
    signature TEXT,
    key TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    version INTEGER NOT NULL,
    UNIQUE (seller, key),
    CHECK (reserved_wh + sold_wh <= energy_wh)
) STRICT;
CREATE INDEX offers_by_seller ON offers (seller, id);
CREATE INDEX offers_open ON offers (price_cents_per_kwh, created_at_us, id) WHERE state = 'open';
CREATE INDEX offers_live ON offers (id) WHERE state NOT IN ('closed', 'refused');

CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    buyer INTEGER NOT NULL,
    fee_cents_per_kwh INTEGER NOT NULL,
    tax_cents_per_kwh INTEGER NOT NULL,
    due_cents INTEGER NOT NULL CHECK (due_cents >= 0),
    pay_with TEXT NOT NULL CHECK (pay_with IN ('mpesa', 'balance')),
    state TEXT NOT NULL CHECK (state IN ('planned', 'awaiting_payment', 'receipt_awaited', 'paid', 'settled',
        'releasing', 'released', 'refused')),
    release_reason TEXT CHECK (release_reason IN ('payment_refused', 'payment_timeout', 'paid_short')),
    refusal TEXT,
    deadline_us INTEGER,
    proof_kind INTEGER CHECK (proof_kind IN (1, 2)),
    proof BLOB UNIQUE CHECK (length(proof) = 32),
    paid_at_us INTEGER,
    placed_signature TEXT,
    final_signature TEXT,
    key TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    final_at_us INTEGER,
    version INTEGER NOT NULL,
    UNIQUE (buyer, key),
    CHECK ((proof_kind IS NULL) = (proof IS NULL))
) STRICT;
CREATE INDEX orders_by_buyer ON orders (buyer, id);
CREATE INDEX orders_live ON orders (id) WHERE state NOT IN ('settled', 'released', 'refused');

CREATE TABLE fills (
    order_id INTEGER NOT NULL REFERENCES orders (id),
    position INTEGER NOT NULL CHECK (position BETWEEN 0 AND 3),
    offer INTEGER NOT NULL,
    seller INTEGER NOT NULL,
    energy_wh INTEGER NOT NULL CHECK (energy_wh > 0),
    price_cents_per_kwh INTEGER NOT NULL,
    PRIMARY KEY (order_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX fills_by_seller ON fills (seller, order_id);
CREATE TRIGGER fills_stay BEFORE UPDATE ON fills
BEGIN SELECT RAISE(ABORT, 'the fills of an order never change'); END;
CREATE TRIGGER fills_remain BEFORE DELETE ON fills
BEGIN SELECT RAISE(ABORT, 'the fills of an order never change'); END;

-- Money in.
CREATE TABLE collections (
    order_id INTEGER PRIMARY KEY,
    payer INTEGER NOT NULL,
    msisdn INTEGER NOT NULL,
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    reference TEXT NOT NULL UNIQUE,
    secret TEXT NOT NULL UNIQUE,
    checkout_request_id TEXT,
    state TEXT NOT NULL CHECK (state IN ('planned', 'send_unknown', 'pending', 'receipt_awaited', 'paid',
        'refused', 'expired')),
    refusal_code TEXT,
    receipt TEXT,
    created_at_us INTEGER NOT NULL,
    next_check_at_us INTEGER,
    checks INTEGER NOT NULL,
    version INTEGER NOT NULL,
    CHECK ((state = 'refused') = (refusal_code IS NOT NULL))
) STRICT;
CREATE INDEX collections_live ON collections (order_id) WHERE state NOT IN ('paid', 'refused', 'expired');

CREATE TABLE receipts (
    number INTEGER PRIMARY KEY,
    receipt TEXT NOT NULL UNIQUE,
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    paid_at_us INTEGER NOT NULL,
    payer INTEGER,
    used_for TEXT NOT NULL CHECK (used_for IN ('order', 'settled', 'balance', 'suspense')),
    used_id INTEGER,
    received_at_us INTEGER NOT NULL,
    version INTEGER NOT NULL,
    CHECK ((used_for = 'suspense') = (used_id IS NULL))
) STRICT;
CREATE INDEX receipts_waiting ON receipts (number) WHERE used_for = 'order';
-- A proof settles at most one order, and an order settles at most once (S1).
CREATE UNIQUE INDEX receipts_settled ON receipts (used_id) WHERE used_for = 'settled';

-- Money out.
CREATE TABLE payouts (
    id INTEGER PRIMARY KEY,
    household INTEGER NOT NULL,
    msisdn INTEGER NOT NULL,
    amount_cents INTEGER NOT NULL,
    sent_cents INTEGER NOT NULL CHECK (sent_cents > 0),
    charge_cents INTEGER NOT NULL CHECK (charge_cents >= 0),
    originator_id TEXT NOT NULL UNIQUE,
    secret TEXT NOT NULL UNIQUE,
    conversation_id TEXT,
    state TEXT NOT NULL CHECK (state IN ('planned', 'unknown', 'accepted', 'paid', 'failed')),
    failure_code TEXT,
    receipt TEXT UNIQUE,
    key TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    final_at_us INTEGER,
    version INTEGER NOT NULL,
    UNIQUE (household, key),
    CHECK (amount_cents = sent_cents + charge_cents),
    CHECK ((state = 'failed') = (failure_code IS NOT NULL))
) STRICT;
CREATE INDEX payouts_by_household ON payouts (household, id);
CREATE INDEX payouts_live ON payouts (id) WHERE state NOT IN ('paid', 'failed');

-- The KES ledger. Accounts, reasons and kinds by the codes of crates/ledger.
CREATE TABLE transfers (
    sequence INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    debit INTEGER NOT NULL,
    credit INTEGER NOT NULL,
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    reason INTEGER NOT NULL,
    kind INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 3),
    hold BLOB REFERENCES transfers (id),
    memo TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    format INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    CHECK (debit <> credit),
    CHECK ((kind >= 2) = (hold IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX transfers_end_a_hold_once ON transfers (hold) WHERE hold IS NOT NULL;
CREATE INDEX transfers_by_debit ON transfers (debit, sequence);
CREATE INDEX transfers_by_credit ON transfers (credit, sequence);
CREATE TRIGGER transfers_stay BEFORE UPDATE ON transfers
BEGIN SELECT RAISE(ABORT, 'a transfer never changes'); END;
CREATE TRIGGER transfers_remain BEFORE DELETE ON transfers
BEGIN SELECT RAISE(ABORT, 'a transfer is never removed'); END;

-- Projection of the transfers, kept in the same commit.
CREATE TABLE balances (
    account INTEGER PRIMARY KEY,
    debits_cents INTEGER NOT NULL CHECK (debits_cents >= 0),
    credits_cents INTEGER NOT NULL CHECK (credits_cents >= 0),
    debits_held_cents INTEGER NOT NULL CHECK (debits_held_cents >= 0),
    credits_held_cents INTEGER NOT NULL CHECK (credits_held_cents >= 0),
    never_overdrawn INTEGER NOT NULL CHECK (never_overdrawn IN (0, 1)),
    CHECK (never_overdrawn = 0 OR debits_cents + debits_held_cents <= credits_cents),
    -- Households, clearing and suspense cannot be marked otherwise.
    CHECK (never_overdrawn = ((account >> 32) IN (20, 21, 22, 40)))
) STRICT;

-- Callbacks, raw.
CREATE TABLE callbacks (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('stk_result', 'c2b_confirmation', 'b2c_result', 'b2c_timeout')),
    secret TEXT NOT NULL,
    body BLOB NOT NULL,
    source TEXT NOT NULL,
    received_at_us INTEGER NOT NULL,
    outcome TEXT
) STRICT;
CREATE INDEX callbacks_pending ON callbacks (id) WHERE outcome IS NULL;
CREATE TRIGGER callbacks_stay BEFORE UPDATE OF id, kind, secret, body, source, received_at_us ON callbacks
BEGIN SELECT RAISE(ABORT, 'a stored callback never changes'); END;
CREATE TRIGGER callbacks_end_once BEFORE UPDATE OF outcome ON callbacks WHEN OLD.outcome IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a callback is dealt with once'); END;
CREATE TRIGGER callbacks_remain BEFORE DELETE ON callbacks
BEGIN SELECT RAISE(ABORT, 'a stored callback is never removed'); END;

-- Chain.
CREATE TABLE outbox (
    key TEXT PRIMARY KEY,
    signature TEXT NOT NULL,
    bytes BLOB NOT NULL,
    last_valid_block_height INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('sent', 'landed', 'refused')),
    slot INTEGER,
    refusal_code TEXT,
    compute_units INTEGER NOT NULL,
    fee_lamports INTEGER NOT NULL,
    created_at_us INTEGER NOT NULL,
    CHECK ((state = 'landed') = (slot IS NOT NULL)),
    CHECK ((state = 'refused') = (refusal_code IS NOT NULL))
) STRICT;
CREATE INDEX outbox_landed ON outbox (compute_units, fee_lamports) WHERE state = 'landed';

-- The rest.
CREATE TABLE sessions (
    token_hash BLOB PRIMARY KEY CHECK (length(token_hash) = 32),
    -- NULL is the operator.
    household INTEGER,
    created_at_us INTEGER NOT NULL,
    expires_at_us INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The next number that was not handed out, nor reserved to be.
CREATE TABLE numbers (
    sequence TEXT PRIMARY KEY,
    next INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- "JIR1": tells our file from another program's.
PRAGMA application_id = 1246319153;
